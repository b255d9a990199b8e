"""Weekly hours in local wall time: as people type, tick and read them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from practice.local_time import instant_at

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_CODES = tuple(name[:3].lower() for name in WEEKDAYS)

_WRITTEN = re.compile(
    r"(?P<day>[a-z]{3}) +(?P<starts>[0-9]{1,2}:[0-9]{2}) *[-–] *(?P<ends>[0-9]{1,2}:[0-9]{2})"
)


class BadHours(ValueError):
    """Hours that make no window; the message can stand beside the field."""


@dataclass(frozen=True, order=True)
class WeeklyWindow:
    """From `starts` (included) to `ends` (excluded) each week; weekday 0 is Monday.

    A window lies within one day: `starts` is before `ends`, else BadHours.
    """

    weekday: int
    starts: time
    ends: time

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < len(WEEKDAYS):
            raise BadHours("A week has seven days, counted from 0 for Monday.")
        if self.starts >= self.ends:
            raise BadHours("The hours must end after they start, on the same day.")

    def __str__(self) -> str:
        """The form in which hours are written down: "tue 18:00-21:00"."""
        return f"{DAY_CODES[self.weekday]} {self.starts:%H:%M}-{self.ends:%H:%M}"

    @property
    def label(self) -> str:
        """As people read it: "Tuesday 18:00–21:00"."""
        return f"{WEEKDAYS[self.weekday]} {self.starts:%H:%M}–{self.ends:%H:%M}"

    def covers(self, other: "WeeklyWindow") -> bool:
        same_day = self.weekday == other.weekday
        return same_day and self.starts <= other.starts and other.ends <= self.ends


@dataclass(frozen=True)
class Daypart:
    code: str
    label: str
    starts: time
    ends: time


DAYPARTS = (
    Daypart("morning", "Morning", time(8), time(12)),
    Daypart("afternoon", "Afternoon", time(12), time(17)),
    Daypart("evening", "Evening", time(17), time(21)),
)

CELLS: Mapping[str, WeeklyWindow] = {
    f"{day}-{part.code}": WeeklyWindow(weekday, part.starts, part.ends)
    for weekday, day in enumerate(DAY_CODES)
    for part in DAYPARTS
}


def parse_window(text: str) -> WeeklyWindow:
    """Read "tue 18:00-21:00", in any case and with a hyphen or a dash; raises BadHours."""
    written = _WRITTEN.fullmatch(text.strip().lower())
    if not written or written["day"] not in DAY_CODES:
        raise BadHours(f"Please write hours like “tue 18:00-21:00”, not “{text.strip()}”.")
    weekday = DAY_CODES.index(written["day"])
    return WeeklyWindow(weekday, _time_of_day(written["starts"]), _time_of_day(written["ends"]))


def merged(windows: Iterable[WeeklyWindow]) -> tuple[WeeklyWindow, ...]:
    """The same hours in as few windows as possible, in the order of the week."""
    joined: list[WeeklyWindow] = []
    for window in sorted(windows):
        last = joined[-1] if joined else None
        if last and last.weekday == window.weekday and window.starts <= last.ends:
            joined[-1] = WeeklyWindow(last.weekday, last.starts, max(last.ends, window.ends))
        else:
            joined.append(window)
    return tuple(joined)


def windows_of_cells(cells: Iterable[str]) -> tuple[WeeklyWindow, ...]:
    """The windows behind ticked cells such as "tue-evening"; raises BadHours for another code."""
    try:
        return merged(CELLS[cell] for cell in cells)
    except KeyError as unknown:
        raise BadHours(f"There is no part of the week called {unknown}.") from None


def cells_of_windows(windows: Iterable[WeeklyWindow]) -> tuple[str, ...]:
    """The cells that these hours cover wholly, in the order of the week."""
    joined = merged(windows)
    return tuple(code for code, cell in CELLS.items() if any(one.covers(cell) for one in joined))


def occurrences(
    window: WeeklyWindow, zone: str, from_date: date, until_date: date
) -> Iterator[tuple[datetime, datetime]]:
    """(starts_at, ends_at) of a window on its local days, `until_date` excluded; aware UTC.

    The wall clock rules on a day of clock change (`instant_at`): hours that are skipped are left
    out, and hours that occur twice count from their first occurrence. A window that is skipped
    altogether does not occur that day.
    """
    day = from_date + timedelta(days=(window.weekday - from_date.weekday()) % 7)
    while day < until_date:
        starts_at = instant_at(day, window.starts, zone)
        ends_at = instant_at(day, window.ends, zone)
        if starts_at < ends_at:
            yield starts_at, ends_at
        day += timedelta(days=7)


def _time_of_day(text: str) -> time:
    hours, minutes = map(int, text.split(":"))
    try:
        return time(hours, minutes)
    except ValueError:
        raise BadHours(f"There is no time {text}; a day runs from 00:00 to 23:59.") from None
