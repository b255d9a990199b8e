from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.hours import (
    CELLS,
    BadHours,
    WeeklyWindow,
    cells_of_windows,
    merged,
    occurrences,
    parse_window,
    windows_of_cells,
)

TUESDAY_EVENING = WeeklyWindow(1, time(18), time(21))


@st.composite
def windows(draw: st.DrawFn) -> WeeklyWindow:
    quarters = st.integers(0, 95)
    starts, ends = sorted(draw(st.lists(quarters, min_size=2, max_size=2, unique=True)))
    clock = [time(quarter // 4, quarter % 4 * 15) for quarter in (starts, ends)]
    return WeeklyWindow(draw(st.integers(0, 6)), *clock)


@pytest.mark.parametrize(
    "text", ["tue 18:00-21:00", " Tue  18:00 – 21:00 ", "TUE 18:00-21:00", "tue 18:00 -21:00"]
)
def test_hours_are_read_as_people_write_them(text: str) -> None:
    assert parse_window(text) == TUESDAY_EVENING


@given(windows())
def test_what_is_written_can_be_read_again(window: WeeklyWindow) -> None:
    assert parse_window(str(window)) == window


def test_people_read_the_whole_name_of_the_day() -> None:
    assert TUESDAY_EVENING.label == "Tuesday 18:00–21:00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Please write hours like"),
        ("tuesday 18:00-21:00", "Please write hours like"),
        ("xyz 18:00-21:00", "Please write hours like"),
        ("tue 18-21", "Please write hours like"),
        ("tue 18:00-24:00", "There is no time 24:00"),
        ("tue 18:60-19:00", "There is no time 18:60"),
        ("tue 21:00-18:00", "end after they start"),
        ("tue 18:00-18:00", "end after they start"),
    ],
)
def test_hours_that_make_no_window_are_refused_in_kind_words(text: str, said: str) -> None:
    with pytest.raises(BadHours, match=said):
        parse_window(text)


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_week_has_seven_days(weekday: int) -> None:
    with pytest.raises(BadHours, match="seven days"):
        WeeklyWindow(weekday, time(9), time(10))


@given(st.lists(windows(), max_size=8))
def test_merging_keeps_every_minute_and_leaves_windows_apart(
    given_hours: list[WeeklyWindow],
) -> None:
    joined = merged(given_hours)
    assert quarters_of(joined) == quarters_of(given_hours)
    assert sum(len(quarters_of([window])) for window in joined) == len(quarters_of(joined))
    assert merged(joined) == joined == tuple(sorted(joined))


def test_windows_that_touch_become_one() -> None:
    assert windows_of_cells(["tue-afternoon", "tue-morning", "wed-evening"]) == (
        WeeklyWindow(1, time(8), time(17)),
        WeeklyWindow(2, time(17), time(21)),
    )


@given(st.sets(st.sampled_from(list(CELLS))))
def test_what_was_ticked_is_ticked_again(cells: set[str]) -> None:
    assert set(cells_of_windows(windows_of_cells(cells))) == cells


def test_a_cell_is_ticked_only_when_it_is_wholly_covered() -> None:
    assert cells_of_windows([WeeklyWindow(1, time(8), time(16, 59))]) == ("tue-morning",)


def test_two_windows_can_cover_a_cell_together() -> None:
    halves = [WeeklyWindow(1, time(17), time(19)), WeeklyWindow(1, time(19), time(22))]
    assert cells_of_windows(halves) == ("tue-evening",)


def test_a_cell_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadHours, match="tue-night"):
        windows_of_cells(["tue-evening", "tue-night"])


def test_a_weekly_window_keeps_its_wall_time_across_clock_changes() -> None:
    zone = "America/Los_Angeles"
    found = list(occurrences(TUESDAY_EVENING, zone, date(2026, 1, 1), date(2029, 1, 1)))
    assert len(found) == 156
    for starts_at, ends_at in found:
        assert starts_at.astimezone(ZoneInfo(zone)).strftime("%a %H:%M") == "Tue 18:00"
        assert ends_at - starts_at == timedelta(hours=3)


def test_the_first_day_counts_and_the_last_does_not() -> None:
    tuesday = date(2026, 12, 1)
    [only] = occurrences(TUESDAY_EVENING, "UTC", tuesday, tuesday + timedelta(days=7))
    assert only[0] == datetime(2026, 12, 1, 18, tzinfo=UTC)
    assert not list(occurrences(TUESDAY_EVENING, "UTC", tuesday, tuesday))


@pytest.mark.parametrize(
    ("starts", "ends", "day", "hours"),
    [
        (time(1), time(4), date(2026, 3, 8), 2),  # one hour is skipped
        (time(2, 30), time(4), date(2026, 3, 8), 1),  # from the moment of the change
        (time(0), time(3), date(2026, 11, 1), 4),  # one hour occurs twice
        (time(1), time(1, 30), date(2026, 11, 1), 0.5),  # the first of the two
    ],
)
def test_the_wall_clock_rules_on_the_day_of_a_change(
    starts: time, ends: time, day: date, hours: float
) -> None:
    sunday = WeeklyWindow(6, starts, ends)
    [(starts_at, ends_at)] = occurrences(sunday, "America/New_York", day, day + timedelta(days=1))
    assert ends_at - starts_at == timedelta(hours=hours)


def test_a_window_that_is_skipped_altogether_does_not_occur_that_day() -> None:
    skipped = WeeklyWindow(6, time(2, 15), time(2, 45))
    month = occurrences(skipped, "America/New_York", date(2026, 3, 1), date(2026, 3, 31))
    assert [starts_at.day for starts_at, _ in month] == [1, 15, 22, 29]


def quarters_of(some: list[WeeklyWindow] | tuple[WeeklyWindow, ...]) -> set[tuple[int, int]]:
    return {
        (window.weekday, quarter)
        for window in some
        for quarter in range(minutes(window.starts) // 15, minutes(window.ends) // 15)
    }


def minutes(at: time) -> int:
    return at.hour * 60 + at.minute
