"""An answer that may mean danger: help at once, a promise that holds, and nobody overlooked."""

from datetime import timedelta

import pytest

from practice.accounts.models import Role
from practice.when import moment_words
from tests.builders.intake import make_shift
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    add_user,
    agree_before_the_questions,
    building,
    sign_in,
    sign_up,
)
from tests.journeys.town import Town

ZONE = "America/Los_Angeles"
REASON = "They have a plan for the night and a friend with them."


@pytest.fixture
def on_call(town: Town) -> str:
    """Noor is on duty for six more hours; returns the end of her shift in words."""
    at = town.clock.now()
    with building(town) as session:
        noor = add_user(town, "Noor Haddad", Role.duty_clinician, session=session)
        add_user(town, "Ines Ward", Role.administrator, session=session)
        make_shift(session, noor, starts_at=at, ends_at=at + timedelta(hours=6), at=at)
    return moment_words(at + timedelta(hours=6), ZONE)


def test_a_risky_answer_brings_help_at_once_and_a_clinician_who_reads_it(
    town: Town, browse: Browse, on_call: str
) -> None:
    sam = browse()
    sign_up(town, sam, "Sam")
    agree_before_the_questions(sam, "Sam")
    give_a_risky_answer(sam)
    assert_help_stands_above_everything(sam)
    assert sam.sees(f"A clinician is on duty now, until {on_call} (Los Angeles time)")
    town.clock.move(timedelta(seconds=20))
    go_on_unblocked(sam)
    noor = browse(width=DESK)
    read_the_flag(town, noor)
    assert_a_flag_needs_a_contact_before_it_closes(noor)
    close_the_flag(noor)
    sam.open("/intake/result")
    assert sam.sees("A clinician has read this answer.")


def test_with_nobody_on_duty_the_page_says_so(town: Town, browse: Browse) -> None:
    sam = browse()
    sign_up(town, sam, "Sam")
    agree_before_the_questions(sam, "Sam")
    give_a_risky_answer(sam)
    assert_help_stands_above_everything(sam)
    assert sam.sees("Nobody is on duty right now and no shift is planned yet")
    assert not sam.sees("A clinician is on duty now")


def test_an_administrator_finds_no_flags(town: Town, browse: Browse, on_call: str) -> None:
    sam, ines = browse(), browse(width=DESK)
    sign_up(town, sam, "Sam")
    agree_before_the_questions(sam, "Sam")
    give_a_risky_answer(sam)
    sign_in(ines, "Ines")
    assert not ines.has_link("Flags")
    ines.open("/flags")
    assert ines.heading == "We could not find that page"
    ines.open("/oversight/log")
    assert ines.heading == "Who did what"
    assert not ines.sees("sam@example.test")


def give_a_risky_answer(sam: Anybody) -> None:
    sam.open("/intake/phq-9-9")
    assert not sam.sees("You do not have to carry this alone")
    sam.tick("Several days")
    sam.press("Continue")


def assert_help_stands_above_everything(sam: Anybody) -> None:
    assert sam.text.index("You do not have to carry this alone") < sam.text.index("Part 2 of 4")
    for call in ("Call 988", "Text 988", "Call 911"):
        assert sam.has_link(call)


def go_on_unblocked(sam: Anybody) -> None:
    assert sam.heading == "Feeling nervous, anxious or on edge"
    sam.tick("Not at all")
    sam.press("Continue")
    assert not sam.sees("You do not have to carry this alone")
    sam.open("/intake/check")
    sam.press("Finish")
    assert sam.sees("What your answers say")


def read_the_flag(town: Town, noor: Anybody) -> None:
    mails = town.mails_to("noor@example.test")
    assert [mail.subject for mail in mails] == ["Something is waiting for you at Attune"]
    assert "PHQ" not in mails[0].body
    assert "sam@" not in mails[0].body
    sign_in(noor, "Noor")
    assert noor.heading == "1 flag is waiting"
    assert noor.sees("not read yet")
    noor.follow("PHQ-9, question 9")
    assert noor.sees("Several days")
    assert noor.has_link("sam@example.test")
    assert noor.sees("Nobody has tried to reach them yet.")


def assert_a_flag_needs_a_contact_before_it_closes(noor: Anybody) -> None:
    noor.tick("Talked, and made a plan to stay safe")
    noor.fill("Why", REASON)
    noor.press("Close this flag")
    assert noor.sees("Please log at least one try to reach them first.")
    # Nothing typed is lost.
    noor.tick("By telephone")
    noor.tick("Yes")
    noor.fill("What was said or heard", "They answered at once and were glad of the call.")
    noor.press("Log this contact")
    assert noor.sees("By telephone: reached")


def close_the_flag(noor: Anybody) -> None:
    noor.tick("Talked, and made a plan to stay safe")
    noor.press("Close this flag")
    assert noor.sees("Please say why: the next reader relies on it.")
    noor.fill("Why", REASON)
    noor.press("Close this flag")
    assert noor.heading == "No flags are waiting"
    noor.follow("Talked") if noor.has_link("Talked") else noor.open("/flags")
    assert noor.sees("Talked, and made a plan to stay safe")
