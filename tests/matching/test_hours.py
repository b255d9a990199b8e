"""From weekly wall time to the 168 hours of one UTC week."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from matching import BadValue, Window, hours_in, monday_of, starts_at, weekly_bits
from matching.hours import EVERY_HOUR, Nearest, nearest
from tests.matching.worlds import random_windows

LOS_ANGELES = "America/Los_Angeles"
WINTER, SUMMER = date(2026, 12, 1), date(2026, 7, 1)
MON, TUE, WED, SUN = 0, 24, 48, 144


def hours(*windows: str, zone: str = "UTC", on: date = WINTER) -> list[int]:
    return list(hours_in(weekly_bits(windows, zone, on)))


def test_bit_0_is_the_first_hour_of_monday_in_utc() -> None:
    assert hours("mon 00:00-01:00") == [MON]
    assert hours("sun 23:00-24:00") == [SUN + 23]


def test_a_local_evening_moves_with_the_season() -> None:
    evening = "tue 18:00-21:00"
    assert hours(evening, zone=LOS_ANGELES, on=WINTER) == [WED + 2, WED + 3, WED + 4]
    assert hours(evening, zone=LOS_ANGELES, on=SUMMER) == [WED + 1, WED + 2, WED + 3]


def test_the_end_of_the_local_week_wraps_round_the_utc_week() -> None:
    assert hours("sun 15:00-18:00", zone=LOS_ANGELES) == [MON, MON + 1, SUN + 23]
    assert hours("mon 08:00-10:00", zone="Asia/Tokyo") == [MON, SUN + 23]


def test_an_hour_that_is_only_partly_covered_does_not_count() -> None:
    assert hours("tue 18:15-20:59") == [TUE + 19]
    assert hours("tue 18:30-19:15") == []


def test_windows_that_meet_cover_the_hour_between_them() -> None:
    assert hours("tue 18:00-18:25", "tue 18:25-19:00") == [TUE + 18]
    assert hours("tue 18:00-18:25", "tue 18:26-19:00") == []


def test_a_zone_off_by_half_an_hour_loses_the_ragged_ends() -> None:
    assert hours("tue 18:00-21:00", zone="Asia/Kolkata") == [TUE + 13, TUE + 14]


def test_wall_time_that_the_clocks_skip_covers_nothing() -> None:
    spring = date(2026, 3, 8)
    assert hours("sun 02:00-03:00", zone=LOS_ANGELES, on=spring) == []
    assert hours("sun 01:00-04:00", zone=LOS_ANGELES, on=spring) == [SUN + 9, SUN + 10]


def test_wall_time_that_the_clocks_repeat_covers_both_passes() -> None:
    autumn = date(2026, 11, 1)
    assert hours("sun 01:00-02:00", zone=LOS_ANGELES, on=autumn) == [SUN + 8, SUN + 9]


def test_within_the_week_of_a_change_each_day_has_its_own_offset() -> None:
    change = date(2026, 10, 28)
    assert hours("sat 09:00-10:00", zone=LOS_ANGELES, on=change) == [5 * 24 + 16]
    assert hours("sun 09:00-10:00", zone=LOS_ANGELES, on=change) == [SUN + 17]
    assert hours("sat 09:00-10:00", zone="Europe/London", on=date(2026, 10, 25)) == [5 * 24 + 8]
    assert hours("sun 09:00-10:00", zone="Europe/London", on=date(2026, 10, 25)) == [SUN + 9]


@pytest.mark.parametrize(
    ("zone", "on"),
    [
        (LOS_ANGELES, date(2026, 11, 1)),
        (LOS_ANGELES, date(2026, 3, 8)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Asia/Kathmandu", WINTER),
        ("Pacific/Chatham", date(2026, 9, 27)),
        ("America/St_Johns", date(2026, 3, 8)),
    ],
)
def test_the_bits_equal_asking_the_clock_minute_by_minute(zone: str, on: date) -> None:
    small_hours = Window.parse("sun 00:35-05:20"), Window.parse("sun 05:20-06:01")
    windows = (*small_hours, *random_windows(Random(zone), 9))
    assert weekly_bits(windows, zone, on) == _minute_by_minute(windows, zone, on)


def test_every_hour_of_every_day_is_the_whole_week() -> None:
    days = [f"{day} 00:00-24:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    for on in (WINTER, date(2026, 3, 8), date(2026, 11, 1)):
        assert weekly_bits(days, LOS_ANGELES, on) == EVERY_HOUR


def test_hours_are_found_again_as_instants() -> None:
    assert starts_at(WED + 2, WINTER) == datetime(2026, 12, 2, 2, tzinfo=UTC)
    assert monday_of(date(2026, 12, 6)) == date(2026, 11, 30)


def test_the_nearest_hour_is_counted_round_the_week() -> None:
    assert nearest(1 << MON, 1 << SUN + 20) == Nearest(SUN + 20, 4)
    assert nearest(1 << TUE, 1 << TUE + 5 | 1 << TUE - 3) == Nearest(TUE - 3, 3)
    assert nearest(1 << TUE, 1 << TUE + 3 | 1 << TUE - 3) == Nearest(TUE - 3, 3)
    assert nearest(1 << TUE, 0) is None


@pytest.mark.parametrize(
    "text",
    [
        "tue 18:00-25:00",
        "tue 18:00-24:01",
        "tue 21:00-18:00",
        "tue 18:00-18:00",
        "tue 18:60-19:00",
        "dienstag 18:00-21:00",
        "xyz 18:00-21:00",
        "tue 6pm-9pm",
        "",
    ],
)
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(BadValue, match="hours"):
        weekly_bits([text], "UTC", WINTER)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "America"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(BadValue, match="zone"):
        weekly_bits(["tue 18:00-21:00"], zone, WINTER)


def test_a_window_reads_as_it_was_written() -> None:
    assert str(Window.parse("sun 09:05-24:00")) == "sun 09:05-24:00"
    assert Window.of(6, time(9, 5), time(0)) == Window.parse("sun 09:05-24:00")


def _minute_by_minute(windows: tuple[Window, ...], zone: str, on: date) -> int:
    start, there = starts_at(0, on), ZoneInfo(zone)
    bits = 0
    for hour in range(168):
        minutes = (start + timedelta(hours=hour, minutes=minute) for minute in range(60))
        if all(_is_open(windows, each.astimezone(there)) for each in minutes):
            bits |= 1 << hour
    return bits


def _is_open(windows: tuple[Window, ...], local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    return any(
        each.weekday == local.weekday() and each.starts <= minute < each.ends for each in windows
    )
