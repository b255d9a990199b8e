"""Looking at pages changes nothing, every answer says what it is, and no other file is served."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.journeys.test_private_pages import (
    VISITOR,
    Round,
    Walk,
    bank,
    everybody_everywhere,
    one_round,
    walk,
)

__all__ = ["bank", "everybody_everywhere", "walk"]

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


@one_round
def test_looking_at_every_page_changes_nothing_but_the_notes_of_it(
    everybody_everywhere: Callable[[], Round],
) -> None:
    found = everybody_everywhere()
    before, after = found.before, found.after
    changed = {name for name, rows in after.items() if rows != before[name]}
    assert changed <= NOTES | SEALS
    # Notes are only ever added to.
    for name in changed:
        assert {*map(repr, before[name])} <= {*map(repr, after[name])}, name


@one_round
def test_every_answer_says_what_it_is_and_every_page_can_be_left(
    everybody_everywhere: Callable[[], Round],
) -> None:
    kinds = {"text/html", "text/calendar", "text/plain", "text/css", "application/json"}
    for one in everybody_everywhere().visits:
        if not one.empty:
            assert one.kind in kinds, one
            assert not one.kind.startswith("text/") or one.charset == "utf-8", one
        if one.name != VISITOR and one.is_page:
            assert one.can_be_left, f"{one.name} cannot sign out at {one.address}"


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
