"""What a person is promised is what the rota bears out, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from practice.accounts.models import Role
from practice.intake import duty
from practice.intake.rota import SOON, promise_words
from tests.builders.accounts import make_user
from tests.builders.intake import make_duty_clinician, make_shift
from tests.conftest import NOW

ZONE = "America/Los_Angeles"
SECOND = timedelta(seconds=1)
NOBODY_PLANNED = (
    "Nobody is on duty right now and no shift is planned yet, so we cannot say when somebody will "
    "read this answer."
)


def test_somebody_on_duty_reads_it_before_their_shift_ends(session):
    make_shift(session, ends_at=NOW + timedelta(hours=7))
    assert duty.promise(NOW) == (
        "A clinician is on duty now, until Tuesday 1 December at 17:00 (Los Angeles time), and "
        "reads this answer in that time."
    )


def test_a_shift_counts_from_its_first_instant_and_no_longer_at_its_last(session):
    shift = make_shift(session, starts_at=NOW, ends_at=NOW + timedelta(hours=4))
    assert duty.on_duty(NOW - SECOND) is None
    assert duty.on_duty(NOW) is shift
    assert duty.on_duty(shift.ends_at - SECOND) is shift
    assert duty.on_duty(shift.ends_at) is None
    assert duty.promise(shift.ends_at) == NOBODY_PLANNED


def test_a_shift_about_to_end_is_not_promised_as_enough_time(session):
    make_shift(session, ends_at=NOW + SOON - SECOND)
    assert "which is soon. After that nobody is planned yet" in duty.promise(NOW)
    make_shift(session, starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=2))
    assert "the next one begins on Wednesday 2 December at 10:00" in duty.promise(NOW)


def test_with_nobody_on_duty_the_page_says_so_and_when_the_next_begins(session):
    make_shift(session, starts_at=NOW + timedelta(days=3), ends_at=NOW + timedelta(days=4))
    assert duty.promise(NOW) == (
        "Nobody is on duty right now. The next clinician begins on Friday 4 December at 10:00 "
        "(Los Angeles time) and reads this answer first."
    )


def test_an_empty_rota_promises_nothing(session):
    assert duty.promise(NOW) == NOBODY_PLANNED


@pytest.mark.parametrize(
    "columns",
    [
        {"disabled_at": NOW},
        {"confirmed": False},
        {"roles": (Role.therapist,)},
        {"roles": (Role.administrator,)},
    ],
    ids=["disabled", "address not confirmed", "no longer on the rota", "an administrator"],
)
def test_the_shift_of_somebody_who_cannot_read_flags_is_no_promise(session, columns):
    somebody = make_user(session, **{"roles": (Role.duty_clinician,)} | columns)
    make_shift(session, somebody)
    make_shift(session, somebody, starts_at=NOW + SOON, ends_at=NOW + timedelta(days=1))
    assert duty.promise(NOW) == NOBODY_PLANNED
    assert duty.people_to_tell(NOW) == []


def test_of_two_on_duty_the_longer_shift_is_the_promise_and_both_are_told(session):
    short = make_shift(session, ends_at=NOW + timedelta(hours=1))
    long = make_shift(session, ends_at=NOW + timedelta(hours=5))
    assert duty.on_duty(NOW) is long
    assert set(duty.people_to_tell(NOW)) == {short.user, long.user}


def test_with_nobody_on_duty_the_leads_and_the_next_clinician_are_told(session):
    lead = make_user(session, roles=(Role.clinical_lead,))
    make_duty_clinician(session)
    coming = make_shift(session, starts_at=NOW + SECOND, ends_at=NOW + timedelta(days=1))
    assert duty.people_to_tell(NOW) == [lead, coming.user]


def test_times_are_told_on_the_clock_of_the_person_who_reads_them(session):
    make_shift(session, ends_at=NOW + timedelta(hours=7))
    assert "until Tuesday 1 December at 20:00 (New York time)" in duty.promise(
        NOW, "America/New_York"
    )


def test_a_shift_over_the_change_of_clocks_ends_when_its_instant_does():
    until = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    words = promise_words(until, None, until - timedelta(hours=2), ZONE)
    assert "until Sunday 1 November at 01:30" in words


def test_every_promise_fits_where_it_is_kept():
    far = datetime(2026, 9, 30, 7, tzinfo=UTC)
    zone = "America/Indiana/Indianapolis"
    for until in (None, far + SOON / 2, far + SOON * 2):
        for coming in (None, far + timedelta(days=1)):
            assert len(promise_words(until, coming, far, zone)) <= 300
