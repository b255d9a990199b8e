"""Looking at pages changes nothing, every answer says what it is, and no other file is served."""

import pytest
from flask import Flask

from core.ledger import seal_now
from tests.journeys.test_private_pages import ALL, VISITOR, Walk, bank, everything_kept, walk

__all__ = ["bank", "walk"]

# What is written because somebody looked: who opened what, and what they were shown.
NOTES = {"audit_entries", "audit_concerns", "flag_readings", "proposals"}
# What has happened is sealed before it is given out.
SEALS = {"ledger_checkpoints", "ledger_entries", "ledger_keys", "ledger_nodes"}
OUTSIDE_THE_HOUSE = (
    "/.git/config",
    "/.git/HEAD",
    "/.env",
    "/core/config.py",
    "/var/secret_key",
    "/static/../core/config.py",
    "/static/%2e%2e/core/config.py",
    "/static/..%2fcore/config.py",
)


def test_looking_at_every_page_changes_nothing_but_the_notes_of_it(walk: Walk) -> None:
    with walk.app.app_context():
        seal_now(walk.app.extensions["clock"].now())
    before = everything_kept(walk.app)
    for _endpoint, _thing, address in walk.addresses("GET"):
        for name in sorted(ALL):
            walk.ask(name, address)
    after = everything_kept(walk.app)
    changed = {name for name, rows in after.items() if rows != before[name]}
    assert changed <= NOTES | SEALS
    # Notes are only ever added to.
    for name in changed:
        assert {*map(repr, before[name])} <= {*map(repr, after[name])}, name


def test_every_answer_says_what_it_is_and_every_page_can_be_left(walk: Walk) -> None:
    kinds = {"text/html", "text/calendar", "text/plain", "text/css", "application/json"}
    for _endpoint, _thing, address in walk.addresses("GET"):
        for name in sorted(ALL):
            answer = walk.ask(name, address)
            if answer.data:
                assert answer.mimetype in kinds, address
                is_text = answer.mimetype.startswith("text/")
                assert not is_text or answer.mimetype_params.get("charset") == "utf-8", address
            if name != VISITOR and 'id="main"' in answer.text:
                assert 'action="/sign-out"' in answer.text, f"{name} cannot sign out at {address}"


def test_no_answer_lets_another_origin_read_it(walk: Walk) -> None:
    for name, browser in walk.browsers.items():
        for address in ("/", "/today", "/account", "/health", "/therapists", "/styleguide"):
            for origin in ("https://evil.example", "null", "http://localhost"):
                answer = browser.get(address, headers={"Origin": origin})
                told = {header.lower() for header, _ in answer.headers}
                assert not {one for one in told if one.startswith("access-control-")}, (
                    name,
                    address,
                )


@pytest.mark.parametrize("address", OUTSIDE_THE_HOUSE)
def test_no_file_but_those_meant_for_browsers_is_served(app: Flask, address: str) -> None:
    answer = app.test_client().get(address)
    assert answer.status_code in {400, 404}
    assert b"import" not in answer.data
