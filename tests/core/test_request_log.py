"""One line for each request, under a reference that nobody outside can choose."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.request_ids import HEADER, SHAPE
from tests.builders.accounts import make_client, sign_in
from tests.builders.groups import make_group

OURS = re.compile(r"[0-9a-f]{16}")
GIVEN = "0123456789abcdef0123456789abcdef"


@contextmanager
def behind(app, proxies):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, trusted_proxies=proxies)
    try:
        yield
    finally:
        app.extensions["settings"] = settings


def test_a_request_is_one_line_with_its_kind_and_never_its_address(app, http, session, caplog):
    group = make_group(session)
    sign_in(http, make_client(session).user)
    caplog.set_level("INFO", "attune")
    answer = http.get(f"/groups/{group.public_id}?concern=canary", headers={"User-Agent": "canary"})
    [line] = [json.loads(record.getMessage()) for record in caplog.records]
    assert line.pop("milliseconds") >= 0
    assert line.pop("at")
    assert line == {
        "event": "request.answered",
        "request": answer.headers[HEADER],
        "method": "GET",
        "route": "/groups/<uuid:group>",
        "status": 200,
    }
    assert str(group.public_id) not in caplog.text
    assert "canary" not in caplog.text


def test_an_address_that_is_not_ours_is_not_written_down(http, caplog):
    caplog.set_level("INFO", "attune")
    http.open("/canary/canary?canary=canary", method="CANARY")
    [line] = [json.loads(record.getMessage()) for record in caplog.records]
    assert (line["route"], line["method"], line["status"]) == ("", "OTHER", 404)
    assert "canary" not in caplog.text.lower()


def test_each_request_has_a_reference_of_its_own(http):
    references = {http.get("/crisis").headers[HEADER] for _ in range(20)}
    assert len(references) == 20
    assert all(OURS.fullmatch(reference) for reference in references)


def test_a_reference_from_outside_is_ignored_without_a_proxy_of_ours(http):
    assert http.get("/crisis", headers={HEADER: GIVEN}).headers[HEADER] != GIVEN


@pytest.mark.parametrize(
    "given", ["", "canary", GIVEN.upper(), GIVEN * 2, GIVEN[:15], GIVEN + '"', f"{GIVEN} x"]
)
def test_a_proxys_reference_must_have_the_shape_of_one(app, http, given):
    with behind(app, 1):
        own = http.get("/crisis", headers={HEADER: given}).headers[HEADER]
        assert own != given
        assert SHAPE.fullmatch(own)
        assert http.get("/crisis", headers={HEADER: GIVEN}).headers[HEADER] == GIVEN
