"""Ines tries other weights out, publishes them, and works out a list that was shown before."""

import pytest

from practice.accounts.models import Role
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
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

WHY = "Many stop looking because of the price."
PAYING = {"kind": "self-pay", "insurer": None, "budget": 20000, "currency": "USD"}


@pytest.fixture
def people(town: Town) -> None:
    """Rosa knows what Quinn and Kim look for, and is dear; Vera costs little."""
    with building(town) as session:
        at = town.clock.now()
        for name in ("Quinn", "Kim"):
            user = add_user(town, name, Role.client, session=session)
            client = make_client(session, user=user, preferred_name=name, at=at)
            make_intake(session, client, payment=PAYING, at=at)
        add_user(town, "Ines Adler", Role.administrator, session=session)
        both = {"panic": 3, "grief": 3}
        add_therapist(
            town, "Rosa Almeida", session=session, skills=both, fee=38000, sliding_from=19500
        )
        add_therapist(town, "Vera Lund", session=session, skills={"panic": 2}, fee=9000)


def test_weights_are_tried_out_published_and_a_list_before_them_worked_out(
    town: Town, browse: Browse, people: None
) -> None:
    quinn, ines = browse(), browse(width=DESK)
    sign_in(quinn, "Quinn")
    quinn.open("/matches")
    assert names_on(quinn) == ["Rosa Almeida", "Vera Lund"]
    [number] = [words for words in quinn.texts("aside .num") if len(words) == 36]

    sign_in(ines, "Ines")
    ines.open("/oversight/weights")
    assert ines.sees("In force: version 1")
    ines.follow("Try other weights")
    ines.fill("What they would like help with", "100")
    ines.fill("Price", "300")
    ines.fill("Why these weights", WHY)
    ines.press("See what they would change")
    assert ines.sees("990 are given; 10 are left to give.")
    ines.fill("Price", "310")
    ines.press("See what they would change")
    assert ines.sees("They are being tried out")
    town.settle()
    ines.follow("Look again")
    assert ines.sees("Fewer than ten people who were shown a list")
    assert ines.sees("Price: 110 becomes 310")
    ines.press("Publish as version 2")
    assert ines.sees("Version 2 is in force.")
    assert ines.sees(WHY)

    quinn.open("/matches")
    assert names_on(quinn) == ["Vera Lund", "Rosa Almeida"]

    ines.follow("Work out a list again")
    ines.fill("Number of the list", number)
    ines.tick("The person asked how their list came about")
    ines.press("Work it out")
    assert ines.sees("Equal to the point")
    assert ines.sees("1. Rosa Almeida")
    assert ines.sees("version 1")
    assert not ines.sees("Quinn")

    quinn.open("/your-data/openings")
    assert quinn.sees("Ines Adler")
    assert quinn.sees("The person asked how their list came about")


def names_on(browser: Anybody) -> list[str]:
    return browser.texts("article h2")
