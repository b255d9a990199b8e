"""Three wait; a proposal is made, one changed, one rejected, the rest confirmed; Ann says yes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.database import db
from practice.accounts.models import Role
from practice.matches.models import MatchRequest
from practice.waiting.operations import join
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

REASON = "They were at school together."


@pytest.fixture
def people(town: Town) -> None:
    """Ann, Ben and Kim each speak another language with Rosa, who has two places; Lena has one."""
    at = town.clock.now()
    with building(town) as session:
        add_user(town, "Constance Whitfield", Role.clinical_lead, session=session)
        both = {"languages": ["es", "fr", "de"], "skills": {"panic": 3, "grief": 3}}
        add_therapist(town, "Rosa Almeida", session=session, open_places=2, **both)
        add_therapist(
            town, "Lena Brandt", session=session, open_places=3, languages=["es", "fr", "de"]
        )
        for name, language, days in (("Ann", "es", 30), ("Ben", "fr", 20), ("Kim", "de", 10)):
            joined = at - timedelta(days=days)
            user = add_user(town, name, Role.client, session=session)
            client = make_client(session, user=user, preferred_name=name, at=joined)
            make_intake(session, client, languages=[language], at=joined)
            join(session, client, joined)


def test_a_list_is_proposed_changed_confirmed_and_agreed_to(
    town: Town, browse: Browse, people: None
) -> None:
    constance, ann = browse(width=DESK), browse()
    sign_in(constance, "Constance")
    constance.open("/waiting-list")
    assert constance.sees("3 people wait, the longest for 30 days")
    constance.press("Make a proposal")
    assert constance.sees("A proposal is being worked out")
    town.settle()
    constance.follow("Look again")
    assert constance.sees("3 people of 3 could be placed")
    assert constance.sees("First come, first served")

    rows = {row.split()[0].rstrip(","): row for row in constance.texts("tbody tr:has(input)")}
    with_lena = next(name for name, row in rows.items() if "Lena" in row)
    with_rosa = [name for name in rows if name != with_lena]
    constance.follow(f"Look at {with_lena}")
    assert constance.sees(f"{with_lena} with Lena Brandt")
    assert constance.sees("would go to Lena Brandt")
    constance.tick("Rosa Almeida")
    constance.press("Propose this one")
    assert constance.sees("The proposal is changed. Nobody has been written to yet.")
    assert len(with_rosa) == 2

    constance.follow("Look at Ben")
    constance.fill("Why not these two?", REASON)
    constance.press("Do not propose these two")
    assert constance.sees("These two are not proposed for each other again")
    assert town.mails_to(address_of("Ben")) == []
    constance.press("Confirm all")
    assert constance.sees("2 people have been written to")

    assert town.mails_to(address_of("Ben")) == []
    [mail] = town.mails_to(address_of("Ann"))
    assert not any(word in mail.body for word in ("Rosa", "Lena", "therapist", "place"))
    sign_in(ann, "Ann")
    ann.open("/waiting")
    assert ann.heading == "A place was found for you"
    ann.follow("See who it is, and why")
    assert ann.sees("It is kept for you, to answer by")
    ann.untick("Languages")
    ann.press("Yes, ask")
    assert ann.sees("Your request is on its way")
    with town.app.app_context():
        [request] = db.session.scalars(sa.select(MatchRequest)).all()
        assert request.keeps_place
        assert "languages" not in request.shared
