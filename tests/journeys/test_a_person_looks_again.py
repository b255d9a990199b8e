"""Sam asks a person to look at the matches; the clinical lead answers with a reason and a name."""

import pytest

from practice.accounts.models import Role
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
from tests.journeys.people import (
    DESK,
    Browse,
    add_therapist,
    add_user,
    address_of,
    building,
    sign_in,
)
from tests.journeys.town import Town

WORDS = "I would rather see somebody who has lost a parent, too."
ANSWER = "I looked at everybody near you. Rosa has worked with grief for years."


@pytest.fixture
def people(town: Town) -> None:
    with building(town) as session:
        at = town.clock.now()
        user = add_user(town, "Sam", Role.client, session=session)
        make_intake(session, make_client(session, user=user, at=at), at=at)
        add_user(town, "Constance Whitfield", Role.clinical_lead, session=session)
        add_therapist(town, "Rosa Almeida", session=session, skills={"grief": 3})
        add_therapist(town, "Vera Lund", session=session, places=("US-OR",))


def test_a_look_is_asked_for_answered_and_read(town: Town, browse: Browse, people: None) -> None:
    sam, constance = browse(), browse(width=DESK)
    sign_in(sam, "Sam")
    sam.open("/matches")
    sam.follow("Ask a person to look at this")
    sam.fill("What should they look at?", WORDS)
    sam.press("Ask a person to look")
    assert sam.heading == "Somebody will look at your matches"
    assert sam.sees("The clinical lead answers by")
    [mail] = town.mails_to(address_of("Constance"))
    assert WORDS not in mail.body

    sign_in(constance, "Constance")
    constance.open("/reviews")
    constance.follow("Look")
    assert constance.sees(WORDS)
    assert constance.sees("Your opening this page is written down")
    constance.fill("Your answer, with the reason", ANSWER)
    constance.fill("Therapists you suggest, if any", "Vera Lund")
    constance.press("Send the answer")
    assert constance.sees("Nobody listed and licensed where they are has exactly this name")
    constance.fill("Therapists you suggest, if any", "Rosa Almeida")
    constance.press("Send the answer")
    assert constance.sees("Nothing waits")

    [mail] = town.mails_to(address_of("Sam"))
    assert ANSWER not in mail.body
    sam.open("/matches/review")
    assert sam.sees(ANSWER)
    sam.follow("Rosa Almeida")
    assert sam.heading == "Ask Rosa Almeida for a first meeting"
