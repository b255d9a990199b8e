"""Somebody tries other wishes, keeps one, takes it back, and asks why somebody is not there."""

import pytest

from practice.accounts.models import Role
from practice.therapists.models import Therapist
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
from tests.journeys.chromium import Chromium
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    add_therapist,
    add_user,
    building,
    sign_in,
)
from tests.journeys.town import Town

PREVIEW = "document.querySelector('#preview').textContent.includes('{}')"


@pytest.fixture
def sam(town: Town, browse: Browse) -> Anybody:
    """Sam's answers are finished; four fit, one is too dear, and Petra fits least of all."""
    with building(town) as session:
        at = town.clock.now()
        user = add_user(town, "Sam", Role.client, session=session)
        make_intake(session, make_client(session, user=user, at=at), at=at)

        def add(name: str, **columns: object) -> Therapist:
            return add_therapist(town, name, session=session, **columns)

        for name in ("Rosa Almeida", "Lena Brandt", "Mara Osei"):
            add(name, skills={"panic": 3, "grief": 3})
        add("Vera Lund", skills={"panic": 3, "grief": 3}, fee=30000, style={"warm": 2})
        add("Petra Novak", skills={}, style={"warm": -3})
    browser = browse(width=DESK)
    sign_in(browser, "Sam")
    return browser


def test_other_wishes_are_tried_kept_and_taken_back(town: Town, sam: Anybody) -> None:
    sam.open("/matches")
    sam.follow("Try other wishes")
    assert sam.sees("Your first list now")
    sam.unfold("Price and way of paying")
    sam.fill("The most you could pay for one meeting", "100")
    sam.press("See what changes")
    assert sam.sees("Nobody would fit all of it")
    assert sam.sees("Their lowest price, $120, is $20 above your limit.")
    sam.follow("Leave as it is")
    assert sam.sees("Three people who fit well")
    sam.open("/matches/what-if")
    sam.unfold("Kind of help")
    sam.tick("With my partner")
    sam.press("See what changes")
    sam.press("Keep these wishes")
    assert sam.sees("Your wishes are kept")
    sam.open("/matches")
    assert sam.heading == "Nobody fits all of it at the moment"
    sam.open("/matches/what-if")
    sam.press("Take this change back")
    assert sam.sees("Your wishes stand again as they did before")
    sam.open("/matches")
    assert sam.sees("Three people who fit well")


def test_why_somebody_is_not_there_is_told_with_what_would_be_enough(
    town: Town, sam: Anybody
) -> None:
    sam.open("/matches")
    sam.fill("Their name", "Vera")
    sam.press("Why are they not here?")
    assert sam.sees("Their lowest price, $300, is $100 above your limit.")
    sam.fill("Their name", "Petra")
    sam.press("Why are they not here?")
    assert sam.sees("Petra Novak is number 4 on your list")
    assert sam.sees("What tells them apart")
    sam.fill("Their name", "Nobody At All")
    sam.press("Why are they not here?")
    assert sam.sees("Nobody of that name can be shown")


def test_with_a_script_the_page_looks_by_itself(town: Town, sam: Anybody) -> None:
    if not isinstance(sam, Chromium):
        pytest.skip("needs a script")
    sam.open("/matches/what-if")
    sam.unfold("Price and way of paying")
    sam.fill("The most you could pay for one meeting", "100")
    sam.page.keyboard.press("Tab")
    sam.wait_until(PREVIEW.format("Nobody would fit all of it"))
    assert sam.address.endswith("/matches/what-if")
    sam.press("Keep these wishes")
    assert sam.sees("Your wishes are kept")


@pytest.mark.parametrize("broken", ["no-connection", "signed-out", "refused"])
def test_a_look_that_fails_leaves_nothing_standing_that_was_shown_before(
    town: Town, sam: Anybody, broken: str
) -> None:
    if not isinstance(sam, Chromium):
        pytest.skip("needs a script")
    sam.open("/matches/what-if")
    sam.unfold("Price and way of paying")
    try_budget(sam, "100")
    sam.wait_until(PREVIEW.format("Nobody would fit"))
    how = {
        "no-connection": lambda route: route.abort(),
        "signed-out": lambda route: route.fulfill(body="<h1>Sign in</h1>"),
        "refused": lambda route: route.fulfill(status=503, body=""),
    }
    sam.page.route("**/matches/what-if", how[broken])
    try_budget(sam, "110")
    sam.wait_until(PREVIEW.format("This could not be looked up"))
    assert not sam.page.get_by_text("Nobody would fit").count()
    assert sam.texts(".in-short") == ["This could not be looked up. See what to do"]
    assert not sam.page.get_by_role("button", name="Keep these wishes").count()
    sam.page.unroute("**/matches/what-if")
    sam.errors.clear()
    sam.press("See what changes")
    assert sam.sees("Nobody would fit all of it")
    sam.press("Keep these wishes")
    assert sam.sees("Your wishes are kept")


def try_budget(sam: Chromium, dollars: str) -> None:
    sam.fill("The most you could pay for one meeting", dollars)
    sam.page.keyboard.press("Tab")
