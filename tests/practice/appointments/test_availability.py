from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.appointments.availability import (
    AHEAD,
    FIRST_MEETING,
    NOTICE,
    Interval,
    first_meetings,
    joined,
    without,
)
from practice.hours import WeeklyWindow

LOS_ANGELES = "America/Los_Angeles"
TUESDAY = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)


def local(meetings, zone=LOS_ANGELES):
    return [f"{meeting.starts_at.astimezone(ZoneInfo(zone)):%a %d %H:%M}" for meeting in meetings]


def hours(starts, ends, day=1):
    origin = datetime(2026, 12, day, tzinfo=UTC)
    return Interval(origin + timedelta(hours=starts), origin + timedelta(hours=ends))


def test_meetings_begin_on_the_hour_and_fit_before_the_window_ends():
    window = WeeklyWindow(2, time(9, 30), time(12, 40))
    assert local(first_meetings([window], LOS_ANGELES, [], TUESDAY)) == [
        "Wed 02 10:00",
        "Wed 02 11:00",
        "Wed 09 10:00",
        "Wed 09 11:00",
    ]


def test_a_meeting_that_would_end_after_the_window_is_not_offered():
    window = WeeklyWindow(3, time(9), time(9, 49))
    assert first_meetings([window], LOS_ANGELES, [], TUESDAY) == []


def test_nothing_is_offered_less_than_a_day_or_more_than_a_fortnight_ahead():
    every_day = [WeeklyWindow(day, time(0), time(23, 59)) for day in range(7)]
    found = first_meetings(every_day, LOS_ANGELES, [], TUESDAY)
    assert found[0].starts_at == TUESDAY + NOTICE
    assert found[-1].starts_at == TUESDAY + AHEAD


def test_what_is_taken_is_left_out_even_where_it_only_overlaps():
    window = WeeklyWindow(2, time(9), time(12))
    half_past_nine = datetime(2026, 12, 2, 17, 30, tzinfo=UTC)
    taken = [Interval(half_past_nine, half_past_nine + timedelta(minutes=50))]
    assert local(first_meetings([window], LOS_ANGELES, taken, TUESDAY))[0] == "Wed 02 11:00"


def test_a_neighbour_that_ends_when_a_meeting_begins_takes_nothing():
    window = WeeklyWindow(2, time(9), time(11))
    nine = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
    taken = [Interval(nine, nine + timedelta(hours=1))]
    assert local(first_meetings([window], LOS_ANGELES, taken, TUESDAY))[0] == "Wed 02 10:00"


def test_the_wall_clock_holds_across_the_end_of_summer_time():
    before = datetime(2026, 10, 26, 18, 0, tzinfo=UTC)
    window = WeeklyWindow(2, time(9), time(10))
    found = first_meetings([window], LOS_ANGELES, [], before)
    assert local(found) == ["Wed 28 09:00", "Wed 04 09:00"]
    assert found[1].starts_at - found[0].starts_at == timedelta(days=7, hours=1)


def test_the_hour_that_spring_skips_is_never_offered():
    before = datetime(2027, 3, 8, 18, 0, tzinfo=UTC)
    night = WeeklyWindow(6, time(1), time(5))
    found = first_meetings([night], LOS_ANGELES, [], before)
    assert local(found)[:3] == ["Sun 14 01:00", "Sun 14 03:00", "Sun 14 04:00"]


def test_the_hour_that_autumn_repeats_is_offered_as_two_different_instants():
    before = datetime(2026, 10, 26, 18, 0, tzinfo=UTC)
    night = WeeklyWindow(6, time(0), time(3))
    found = first_meetings([night], LOS_ANGELES, [], before)[:4]
    assert local(found) == ["Sun 01 00:00", "Sun 01 01:00", "Sun 01 01:00", "Sun 01 02:00"]
    assert len({each.starts_at for each in found}) == 4


def test_full_hours_are_those_of_the_therapists_own_clock():
    window = WeeklyWindow(2, time(9), time(11))
    found = first_meetings([window], "Asia/Kolkata", [], TUESDAY)
    assert local(found, "Asia/Kolkata")[0] == "Wed 09 09:00"
    assert found[0].starts_at.minute == 30


def test_an_interval_must_end_after_it_starts():
    with pytest.raises(ValueError, match="ends after"):
        hours(3, 3)


def test_touching_intervals_are_joined_and_separate_ones_are_not():
    assert joined([hours(5, 6), hours(1, 2), hours(2, 4)]) == (hours(1, 4), hours(5, 6))


intervals = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(
    lambda pair: hours(pair[0], pair[0] + pair[1])
)


@given(st.lists(intervals, max_size=6), st.lists(intervals, max_size=6))
def test_cutting_out_keeps_exactly_the_hours_that_are_open_and_not_taken(free, taken):
    def hours_of(found):
        return {
            hour
            for hour in range(90)
            if any(hours(hour, hour + 1).within(each) for each in joined(found))
        }

    left = without(free, taken)
    assert hours_of(left) == hours_of(free) - hours_of(taken)
    assert joined(left) == left


@given(
    st.integers(0, 6),
    st.integers(0, 22),
    st.sampled_from([LOS_ANGELES, "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_every_meeting_lies_in_its_window_and_none_overlap(weekday, hour, zone, day):
    window = WeeklyWindow(weekday, time(hour), time(hour + 1, 45))
    at = datetime.combine(day, time(13, 7), UTC)
    found = first_meetings([window], zone, [], at)
    for meeting in found:
        here = meeting.starts_at.astimezone(ZoneInfo(zone))
        assert (here.weekday(), here.minute) == (weekday, 0)
        assert meeting.ends_at - meeting.starts_at == FIRST_MEETING
    assert not any(one.overlaps(other) for one in found for other in found if one != other)
