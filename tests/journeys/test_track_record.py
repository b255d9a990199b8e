"""Two people turn track record on; a client sees a therapist's line, and it goes at their word."""

import re

import pytest
import sqlalchemy as sa

from practice.accounts.models import Role
from practice.therapists.models import Therapist
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
from tests.builders.outcomes import make_record, make_report
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

WHY = "Newcomers and experience should both count, a little."


@pytest.fixture
def people(town: Town) -> None:
    """The last count keeps its promise; Quinn looks for somebody who knows worry, as Rosa does."""
    with building(town) as session:
        at = town.clock.now()
        make_report(session, at=at)
        user = add_user(town, "Quinn", Role.client, session=session)
        make_intake(session, make_client(session, user=user, at=at), at=at)
        add_user(town, "Constance Whitfield", Role.clinical_lead, session=session)
        add_user(town, "Ines Adler", Role.administrator, session=session)
        add_therapist(town, "Rosa Almeida", session=session, skills={"panic": 3})


def test_two_turn_it_on_and_a_therapists_line_comes_and_goes_at_their_own_word(
    town: Town, browse: Browse, people: None
) -> None:
    constance, ines, rosa, quinn = browse(width=DESK), browse(width=DESK), browse(), browse()
    sign_in(quinn, "Quinn")
    assert lines_of_record(quinn) == ["Track record (the same for everyone): 25"]

    sign_in(constance, "Constance")
    constance.open("/oversight/track-record")
    constance.fill("Why turn it on?", WHY)
    constance.press("Propose to turn it on")
    assert constance.sees("An administrator has to agree before anything changes")
    sign_in(ines, "Ines")
    ines.open("/oversight/track-record")
    assert ines.sees(WHY)
    ines.press("Agree and turn it on")
    assert ines.sees("You both agree.")
    nothing_known = ["Track record: 25", "Not much known yet: 6"]
    assert lines_of_record(quinn) == nothing_known

    sign_in(rosa, "Rosa")
    rosa.open("/profile/track-record")
    rosa.press("I agree")
    assert rosa.sees("Nothing is worked out yet")
    count_again(town)
    rosa.open("/profile/track-record")
    assert rosa.sees("It counts in matches.")
    assert lines_of_record(quinn) == ["Track record: 35", "Not much known yet: 3"]
    quinn.unfold("How this adds up")
    assert quinn.sees("It is adjusted for how unwell people were at the start")

    rosa.press("Take my agreement back")
    assert rosa.sees("Nothing of yours counts, and your record is deleted.")
    assert lines_of_record(quinn) == nothing_known


def count_again(town: Town) -> None:
    """What a count keeps of Rosa; that it does is told in the tests of counting."""
    with building(town) as session:
        make_record(session, session.scalars(sa.select(Therapist)).one(), at=town.clock.now())


def lines_of_record(browser: Anybody) -> list[str]:
    """What the sum on the only card says of records."""
    browser.open("/matches")
    lines = [re.sub(r"\s*(\d+) of 50$", r": \1", line) for line in browser.texts(".sum li")]
    return [line for line in lines if "record" in line or "known" in line]
