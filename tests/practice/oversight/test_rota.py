from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from practice.accounts.models import Role
from practice.intake.duty import on_duty
from practice.oversight import operations, queries
from practice.oversight.rota import Span, gaps, hours, local_day, shift_span
from tests.builders.accounts import make_user
from tests.conftest import NOW

ZONE = "America/Los_Angeles"
DAY = date(2026, 12, 2)


def at(hour, minute=0):
    return datetime(2026, 12, 2, hour, minute, tzinfo=UTC)


def span(starts, ends):
    return Span(at(starts), at(ends))


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        ([], [(8, 18)]),
        ([(8, 18)], []),
        ([(6, 20)], []),
        ([(9, 12)], [(8, 9), (12, 18)]),
        ([(12, 14), (9, 13)], [(8, 9), (14, 18)]),
        ([(9, 17), (10, 11)], [(8, 9), (17, 18)]),
        ([(8, 12), (12, 18)], []),
        ([(1, 5), (19, 20)], [(8, 18)]),
        ([(17, 20)], [(8, 17)]),
    ],
)
def test_gaps_are_where_no_shift_is(covered, expected):
    found = gaps([span(*one) for one in covered], span(8, 18))
    assert found == [span(*one) for one in expected]


minutes = st.integers(min_value=0, max_value=23 * 60)


@given(st.lists(st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]), max_size=8))
def test_each_minute_is_covered_or_in_exactly_one_gap(pairs):
    midnight = at(0)
    spans = [
        Span(midnight + timedelta(minutes=a), midnight + timedelta(minutes=b)) for a, b in pairs
    ]
    within = span(4, 20)
    found = gaps(spans, within)
    for minute in range(4 * 60, 20 * 60, 7):
        instant = midnight + timedelta(minutes=minute)
        covered = any(s.starts_at <= instant < s.ends_at for s in spans)
        assert sum(g.starts_at <= instant < g.ends_at for g in found) == (0 if covered else 1)


def test_a_shift_that_ends_no_later_than_it_starts_ends_the_next_day():
    assert shift_span(DAY, time(20), time(8), ZONE).length == timedelta(hours=12)
    assert shift_span(DAY, time(9), time(9), ZONE).length == timedelta(hours=24)


def test_a_shift_keeps_its_local_time_in_winter_and_summer():
    assert shift_span(DAY, time(9), time(17), ZONE).starts_at == at(17)
    july = shift_span(date(2026, 7, 1), time(9), time(17), ZONE)
    assert july.starts_at == datetime(2026, 7, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_a_day_on_which_the_clock_changes_is_shorter_or_longer(day, length):
    assert local_day(day, ZONE).length == timedelta(hours=length)


def test_half_an_hour_without_anybody_counts_as_an_hour():
    assert hours([Span(at(8), at(8, 30))]) == 1
    assert hours([]) == 0


@pytest.fixture
def actor(session):
    return make_user(session, roles=[Role.administrator], name="Kay")


@pytest.fixture
def clinician(session):
    return make_user(session, roles=[Role.duty_clinician], name="Mireille")


def add(session, person, actor, day=DAY, starts=time(9), ends=time(17), weeks=1):
    return operations.add_shifts(session, person, day, starts, ends, weeks, ZONE, actor, NOW)


def test_a_shift_repeats_on_the_same_weekday_at_the_same_local_time(session, clinician, actor):
    shifts = add(session, clinician, actor, day=date(2027, 3, 10), weeks=2)
    assert shifts[1].starts_at - shifts[0].starts_at == timedelta(days=7, hours=-1)


@pytest.mark.parametrize("role", [Role.administrator, Role.therapist, Role.client])
def test_only_who_can_read_flags_goes_on_the_rota(session, actor, role):
    with pytest.raises(operations.CannotReadFlags):
        add(session, make_user(session, roles=[role]), actor)


def test_a_closed_account_does_not_go_on_the_rota(session, clinician, actor):
    clinician.disabled_at = NOW
    with pytest.raises(operations.CannotReadFlags):
        add(session, clinician, actor)


def test_nobody_is_on_duty_twice_at_the_same_time(session, clinician, actor):
    add(session, clinician, actor)
    with pytest.raises(operations.OnDutyAlready):
        add(session, clinician, actor, starts=time(16), ends=time(20))
    add(session, clinician, actor, starts=time(17), ends=time(20))


def test_two_people_may_be_on_duty_together(session, clinician, actor):
    add(session, clinician, actor)
    add(session, make_user(session, roles=[Role.clinical_lead]), actor)


def test_a_shift_in_the_past_is_refused(session, clinician, actor):
    with pytest.raises(operations.InThePast):
        add(session, clinician, actor, day=date(2026, 11, 30))


def test_a_coming_shift_is_removed_and_a_running_one_ends_now(session, clinician, actor):
    coming = add(session, clinician, actor)[0]
    running = add(session, clinician, actor, day=date(2026, 12, 1), starts=time(8))[0]
    assert on_duty(NOW) is running
    operations.remove_shift(session, coming.public_id, actor, NOW)
    operations.remove_shift(session, running.public_id, actor, NOW)
    session.flush()
    assert on_duty(NOW) is None
    assert running.ends_at == NOW
    assert all(not day.shifts for day in queries.rota(NOW, ZONE))


def test_a_shift_that_is_over_stays_on_record(session, clinician, actor):
    shift = add(session, clinician, actor)[0]
    with pytest.raises(NotFound):
        operations.remove_shift(session, shift.public_id, actor, shift.ends_at)


def test_the_coming_fortnight_shows_shifts_and_gaps_from_now_on(session, clinician, actor):
    add(session, clinician, actor, day=date(2026, 12, 1), starts=time(9), ends=time(9))
    today, tomorrow, *rest = queries.rota(NOW, ZONE)
    assert len(rest) == 12
    # It is ten in the morning there: what has passed of today is no gap.
    assert (today.gaps, len(today.shifts)) == ([], 1)
    assert [hours([gap]) for gap in tomorrow.gaps] == [15]
    assert tomorrow.shifts == []


def test_a_shift_of_somebody_who_can_no_longer_read_flags_covers_nothing(session, clinician, actor):
    add(session, clinician, actor)
    covered = sum(hours(day.gaps) for day in queries.rota(NOW, ZONE))
    clinician.disabled_at = NOW
    session.flush()
    assert sum(hours(day.gaps) for day in queries.rota(NOW, ZONE)) == covered + 8
