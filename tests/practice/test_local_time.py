from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.local_time import instant_at

NEW_YORK = "America/New_York"
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        (SPRING, time(1, 59), datetime(2026, 3, 8, 6, 59, tzinfo=UTC)),
        (SPRING, time(2), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (SPRING, time(2, 30), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (SPRING, time(3), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (SPRING, time(3, 15), datetime(2026, 3, 8, 7, 15, tzinfo=UTC)),
        (AUTUMN, time(1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        (AUTUMN, time(2), datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ],
)
def test_a_skipped_time_is_the_moment_of_the_change_and_a_repeated_one_its_first(
    day: date, at: time, instant: datetime
) -> None:
    assert instant_at(day, at, NEW_YORK) == instant


def test_a_change_of_half_an_hour_follows_the_same_rule() -> None:
    change = instant_at(date(2026, 10, 4), time(2, 10), "Australia/Lord_Howe")
    assert change.astimezone(ZoneInfo("Australia/Lord_Howe")).time() == time(2, 30)


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.times(), st.times())
def test_a_later_time_of_day_is_never_an_earlier_instant(day: date, one: time, two: time) -> None:
    earlier, later = sorted([one, two])
    assert instant_at(day, earlier, NEW_YORK) <= instant_at(day, later, NEW_YORK)


@pytest.mark.parametrize("day", [SPRING, AUTUMN, date(2026, 6, 1)])
def test_it_is_the_first_instant_that_shows_the_time_or_a_later_one(day: date) -> None:
    here = ZoneInfo(NEW_YORK)
    midnight = datetime.combine(day, time(), tzinfo=here).astimezone(UTC)
    minutes = [midnight + timedelta(minutes=minute) for minute in range(23 * 60)]
    for at in (time(hour, minute) for hour in range(22) for minute in (0, 20)):
        shown = (minute for minute in minutes if minute.astimezone(here).time() >= at)
        assert instant_at(day, at, NEW_YORK) == next(shown)
