"""Logs have room for what the list allows and for nothing else."""

import json

import pytest

from core.logs import FieldNotAllowed, log, where


def test_a_line_is_json_with_its_event(caplog):
    caplog.set_level("INFO", "attune")
    log("request.failed", status=500, route="/groups")
    [record] = caplog.records
    assert json.loads(record.getMessage()) == {
        "event": "request.failed",
        "status": 500,
        "route": "/groups",
    }


@pytest.mark.parametrize("field", ["email", "name", "answer", "path", "message"])
def test_a_field_that_is_not_on_the_list_is_refused(caplog, field):
    caplog.set_level("INFO", "attune")
    with pytest.raises(FieldNotAllowed, match=field):
        log("request.failed", **{field: "canary"})
    assert caplog.records == []


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
