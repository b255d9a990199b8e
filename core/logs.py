"""Structured logs that cannot hold health data: only fields on this list are ever written."""

import json
import logging
import traceback
from pathlib import Path
from typing import Any

ALLOWED_FIELDS = frozenset(
    "event method route status milliseconds kind attempts error where count port".split()
)

_logger = logging.getLogger("attune")


class FieldNotAllowed(ValueError):
    """A field that the allow-list does not know was about to be logged."""


def log(event: str, **fields: Any) -> None:
    """Write one line of JSON; raises FieldNotAllowed for a field outside ALLOWED_FIELDS."""
    unknown = fields.keys() - ALLOWED_FIELDS
    if unknown:
        raise FieldNotAllowed(", ".join(sorted(unknown)))
    _logger.info(json.dumps({"event": event, **fields}, default=str))


def write_to_stderr() -> None:
    """Send the lines to standard error, once per process."""
    if not _logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.setLevel(logging.INFO)
        _logger.propagate = False


def where(error: BaseException) -> str:
    """The innermost place in our own code, "practice/x.py:12": no text that could betray."""
    root = Path(__file__).parent.parent
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if Path(f.filename).is_relative_to(root) and ".venv" not in f.filename
    ]
    if not ours:
        return ""
    return f"{Path(ours[-1].filename).relative_to(root)}:{ours[-1].lineno}"
