"""Structured logs that cannot hold health data: every field has a shape, and none is free text.

A field outside `SHAPES`, or a value of another shape, is refused where the line is written. What
libraries say is cut down to who spoke, how loudly, the class of an error and its place: their
words quote addresses, statements and values.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from flask import has_request_context
from werkzeug.routing import Rule

from core.request_ids import SHAPE as REQUEST_ID
from core.request_ids import request_id

ROOT = Path(__file__).parent.parent
METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT OTHER".split())
LEVELS = frozenset("DEBUG INFO WARNING ERROR CRITICAL".split())
# Shorter than any telephone number, card number or identifier of a person.
LARGEST = 99_999_999

Shape = Callable[[Any], str | int]


class FieldNotAllowed(ValueError):
    """A field without a shape, or a value of another one, was about to be logged.

    The message names the field and never its value.
    """


class Line(str):
    """A finished line of JSON; the only thing that is ever printed as it stands."""

    __slots__ = ()


def _text_like(pattern: re.Pattern[str]) -> Shape:
    def shape(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise ValueError

    return shape


def _one_of(words: frozenset[str]) -> Shape:
    def shape(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError

    return shape


def _number(value: Any) -> int:
    if type(value) is int and 0 <= value <= LARGEST:
        return value
    raise ValueError


def _class_of_error(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, BaseException):
        return value.__name__
    raise ValueError


def _rule(value: Any) -> str:
    """The template of an address, "/groups/<uuid:group>": an address itself is a text."""
    if value is None:
        return ""
    if isinstance(value, Rule):
        return value.rule
    raise ValueError


SHAPES: dict[str, Shape] = {
    "event": _text_like(re.compile(r"[a-z]{1,20}(\.[a-z_]{1,30}){1,2}")),
    "request": _text_like(REQUEST_ID),
    "method": _one_of(METHODS),
    "route": _rule,
    "status": _number,
    "milliseconds": _number,
    "kind": _text_like(re.compile(r"[a-z]{1,20}([._-][a-z]{1,20}){0,3}")),
    "attempts": _number,
    "count": _number,
    "port": _number,
    "column": _text_like(re.compile(r"[a-z]{1,20}(_[a-z]{1,20}){0,3}")),
    "error": _class_of_error,
    "where": _text_like(re.compile(r"([a-z0-9_/-]{1,80}\.(py|html):\d{1,5})?")),
    "library": _text_like(re.compile(r"[A-Za-z0-9_]{1,30}(\.[A-Za-z0-9_]{1,30}){0,5}")),
    "level": _one_of(LEVELS),
}
ALLOWED_FIELDS = frozenset(SHAPES) - {"event"}

_logger = logging.getLogger("attune")


def log(event: str, **fields: Any) -> None:
    """Write one line of JSON, with the instant and the reference of the request if there is one.

    `error` takes the class of an exception, `route` a routing rule, the rest what `SHAPES` says.
    Raises FieldNotAllowed.
    """
    _logger.info(_line(event, fields))


def write_to_stderr(stream: TextIO | None = None) -> None:
    """Send every line of this process to standard error (or `stream`), and only such lines.

    Takes the place of whatever handlers libraries have set up, and of printed tracebacks.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_worth_a_line)
    if handler.stream.isatty():
        # Somebody sits in front of it and has been told an address: requests would push it away.
        handler.addFilter(_is_no_request_that_went_well)
    handler.setFormatter(_Formatter())
    logging.root.handlers[:] = [handler]
    for name in [*logging.root.manager.loggerDict]:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    _logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _note_uncaught
    threading.excepthook = lambda thrown: _note_uncaught(thrown.exc_type, thrown.exc_value, None)


def where(error: BaseException) -> str:
    """The innermost place in our code or pages, "practice/x.py:12": no text that could betray."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if Path(f.filename).is_relative_to(ROOT) and ".venv" not in f.filename
    ]
    if not ours:
        return ""
    place = f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}"
    # Whoever handles an error must not meet another one here.
    return str(_or_else("where", place, ""))


def _line(event: str, fields: dict[str, Any]) -> Line:
    if has_request_context():
        fields = {"request": request_id(), **fields}
    shaped = {name: _shaped(name, value) for name, value in {"event": event, **fields}.items()}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Line(json.dumps({"at": at, **shaped}))


def _shaped(name: str, value: Any) -> str | int:
    try:
        return SHAPES[name](value)
    except (KeyError, ValueError):
        raise FieldNotAllowed(name) from None


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, Line) or record.levelno >= logging.WARNING


def _is_no_request_that_went_well(record: logging.LogRecord) -> bool:
    return '"event": "request.answered"' not in str(record.msg)


class _Formatter(logging.Formatter):
    """Prints our lines as they are, and of a library's record everything but its words."""

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, Line):
            return record.msg
        error = record.exc_info[1] if record.exc_info else None
        return _line("library.spoke", _outline(record.name, record.levelname, error))


def _outline(name: str, level: str, error: BaseException | None) -> dict[str, Any]:
    outline: dict[str, Any] = {"library": _or_else("library", name, "other")}
    outline["level"] = _or_else("level", level, "ERROR")
    if error is not None:
        outline |= {"error": type(error), "where": where(error)}
    return outline


def _or_else(field: str, value: str, otherwise: str) -> str | int:
    try:
        return SHAPES[field](value)
    except ValueError:
        return otherwise


def _note_uncaught(
    kind: type[BaseException], error: BaseException | None, _place: TracebackType | None
) -> None:
    place = where(error) if error is not None else ""
    _logger.error(_line("process.failed", {"error": kind, "where": place}))
