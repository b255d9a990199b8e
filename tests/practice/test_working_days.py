from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.working_days import ClosedDays, after_working_days, is_working_day

ZONE = "America/Los_Angeles"


def local(text: str, zone: str = ZONE) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2026-12-01 15:00", "2026-12-03 15:00"),  # Tuesday to Thursday
        ("2026-12-04 15:00", "2026-12-08 15:00"),  # over a weekend
        ("2026-12-05 15:00", "2026-12-09 00:00"),  # Saturday: the end of Tuesday
        ("2026-12-06 23:59", "2026-12-09 00:00"),
        ("2026-11-25 09:00", "2026-11-30 09:00"),  # over Thanksgiving
        ("2026-11-26 09:00", "2026-12-01 00:00"),  # on Thanksgiving: the end of Monday
        ("2026-07-01 09:00", "2026-07-06 09:00"),  # 4 July is observed on Friday the third
        ("2027-12-29 09:00", "2028-01-03 09:00"),  # New Year is observed in the old year
        ("2026-03-06 10:00", "2026-03-10 10:00"),  # the clocks go forward
        ("2026-10-30 10:00", "2026-11-03 10:00"),  # and back
    ],
)
def test_two_working_days_leave_out_weekends_and_holidays(asked: str, due: str) -> None:
    assert after_working_days(local(asked), 2, ZONE) == local(due)


def test_the_wall_clock_decides_so_that_a_change_makes_the_days_shorter() -> None:
    asked = local("2026-03-06 10:00")
    due = after_working_days(asked, 1, ZONE)
    assert due - asked.astimezone(UTC) == timedelta(days=3, hours=-1)


def test_the_day_is_that_of_the_zone_and_not_of_utc() -> None:
    friday_evening = datetime(2026, 12, 5, 4, tzinfo=UTC)
    assert after_working_days(friday_evening, 1, ZONE) == local("2026-12-07 20:00")
    assert after_working_days(friday_evening, 1, "UTC") == datetime(2026, 12, 8, tzinfo=UTC)


def test_a_clinic_can_add_closed_days_of_its_own() -> None:
    closed = ClosedDays(frozenset({date(2026, 12, 2)}))
    assert after_working_days(local("2026-12-01 15:00"), 1, ZONE, closed) == local(
        "2026-12-03 15:00"
    )


def test_a_plain_set_of_dates_replaces_the_federal_holidays() -> None:
    assert is_working_day(date(2026, 11, 26), closed=set())
    assert not is_working_day(date(2026, 11, 26))


@pytest.mark.parametrize("n", [0, -1])
def test_a_promise_takes_at_least_one_working_day(n: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        after_working_days(local("2026-12-01 15:00"), n, ZONE)


FIRST = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=5 * 365)).map(lambda passed: FIRST + passed)


@given(instants, st.timedeltas(timedelta(0), timedelta(days=6)), st.integers(1, 10))
def test_who_asks_later_is_never_answered_earlier(
    asked: datetime, later: timedelta, n: int
) -> None:
    first, second = after_working_days(asked, n, ZONE), after_working_days(asked + later, n, ZONE)
    assert asked < first <= second
