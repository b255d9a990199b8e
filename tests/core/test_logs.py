"""Logs have room for what the shapes allow and for nothing else."""

import io
import json
import logging
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Rule

from core.logs import SHAPES, FieldNotAllowed, log, where, write_to_stderr

CANARY = "canary drinks again"


@pytest.fixture
def stderr(monkeypatch):
    """Where the lines of a process go once it has started, put back afterwards."""
    handlers = [*logging.root.handlers]
    loggers = {name: logging.getLogger(name) for name in [*logging.root.manager.loggerDict]}
    kept = {name: ([*one.handlers], one.propagate) for name, one in loggers.items()}
    hooks = (sys.excepthook, threading.excepthook)
    stream = io.StringIO()
    write_to_stderr(stream)
    yield stream
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    sys.excepthook, threading.excepthook = hooks
    for name, (own, propagate) in kept.items():
        loggers[name].handlers[:], loggers[name].propagate = own, propagate


def lines_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_its_event_and_its_instant(caplog):
    caplog.set_level("INFO", "attune")
    log("request.failed", status=500, route=Rule("/groups/<uuid:group>"), error=KeyError)
    [record] = caplog.records
    line = json.loads(record.getMessage())
    assert line.pop("at")[-6:] == "+00:00"
    assert line == {
        "event": "request.failed",
        "status": 500,
        "route": "/groups/<uuid:group>",
        "error": "KeyError",
    }


@pytest.mark.parametrize("field", ["email", "name", "answer", "path", "message"])
def test_a_field_without_a_shape_is_refused(caplog, field):
    caplog.set_level("INFO", "attune")
    with pytest.raises(FieldNotAllowed, match=field):
        log("request.failed", **{field: "canary"})
    assert caplog.records == []


@pytest.mark.parametrize("field", sorted(SHAPES))
@given(words=st.sampled_from(["", "Ann", "(206) 555-0100"]).map(lambda one: f"{one} is not well"))
def test_no_field_takes_a_sentence(field, words):
    with pytest.raises(ValueError, match=r"^$"):
        SHAPES[field](words)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("error", "Depression"),
        ("error", ValueError(CANARY)),
        ("route", "/groups/5f1c4c4e-6f0a-4a52-9f63-3f0a9a5b7c11"),
        ("where", "practice/x.py:12 said canary"),
        ("status", "500"),
        ("status", True),
        ("count", 2065550100),
        ("milliseconds", 1.5),
        ("kind", "ann@example.test"),
        ("request", "canary"),
    ],
)
def test_a_value_of_another_shape_is_refused_without_being_named(field, value):
    with pytest.raises(FieldNotAllowed) as refused:
        log("request.failed", **{field: value})
    assert str(refused.value) == field


def test_an_event_is_a_name_and_never_a_sentence():
    with pytest.raises(FieldNotAllowed):
        log(CANARY)


@pytest.mark.parametrize(
    "name", ["werkzeug", "gunicorn.error", "sqlalchemy.engine.Engine", "stripe", "attune", "flask"]
)
def test_what_a_library_says_is_cut_down_to_who_spoke(stderr, name):
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger(name).exception("Error handling request %s", f"/x?{CANARY}")
    [line] = lines_of(stderr)
    assert CANARY not in stderr.getvalue()
    assert line.pop("at")
    assert line.pop("where").startswith("tests/core/test_logs.py:")
    assert line == {
        "event": "library.spoke",
        "library": name,
        "level": "ERROR",
        "error": "ValueError",
    }


def test_what_a_library_chats_about_is_not_written_at_all(stderr):
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT … %s", CANARY)
    logging.getLogger("werkzeug").info("GET /%s", CANARY)
    assert stderr.getvalue() == ""


def test_a_handler_that_a_library_has_set_up_is_taken_away(stderr):
    own = io.StringIO()
    logger = logging.getLogger("gunicorn.error")
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    write_to_stderr(stderr)
    logger.error(CANARY)
    assert own.getvalue() == ""
    assert lines_of(stderr)[-1]["library"] == "gunicorn.error"


def test_an_error_that_nobody_caught_is_written_by_class_and_place(stderr):
    def fails():
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    try:
        fails()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert CANARY not in stderr.getvalue()
    assert [(line["event"], line["error"]) for line in lines_of(stderr)] == [
        ("process.failed", "RuntimeError")
    ] * 2
    assert all(line["where"].startswith("tests/core/test_logs.py") for line in lines_of(stderr))


def test_our_own_logger_prints_nothing_that_was_not_shaped(stderr):
    logging.getLogger("attune").warning(CANARY)
    assert CANARY not in stderr.getvalue()
    log("worker.failed", error=OSError)
    assert lines_of(stderr)[-1]["event"] == "worker.failed"


def test_a_terminal_is_spared_the_requests_that_were_answered(stderr):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    write_to_stderr(terminal)
    log("request.answered", status=200)
    log("request.failed", error=KeyError)
    assert [line["event"] for line in lines_of(terminal)] == ["request.failed"]


def test_an_error_is_placed_in_our_own_code_without_its_words():
    def fails():
        return json.loads("canary")

    try:
        fails()
    except ValueError as error:
        place = where(error)
    assert place.startswith("tests/core/test_logs.py:")
    assert "canary" not in place


def test_an_error_from_elsewhere_has_no_place():
    assert where(ValueError("never raised")) == ""
