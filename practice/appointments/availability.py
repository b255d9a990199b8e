"""When a first meeting could begin: weekly hours, less what is taken, as interval algebra.

Instants are aware UTC; an interval holds its start and not its end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from practice.hours import WeeklyWindow, occurrences

FIRST_MEETING = timedelta(minutes=50)
NOTICE = timedelta(hours=24)
AHEAD = timedelta(days=14)
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Interval:
    """From `starts_at` (included) to `ends_at` (excluded)."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at >= self.ends_at:
            raise ValueError("an interval ends after it starts")

    def overlaps(self, other: "Interval") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def within(self, other: "Interval") -> bool:
        return other.starts_at <= self.starts_at and self.ends_at <= other.ends_at


def first_meetings(
    windows: Iterable[WeeklyWindow], zone: str, taken: Iterable[Interval], at: datetime
) -> list[Interval]:
    """Free first meetings of 50 minutes, the earliest first.

    Each begins on a full hour of the wall clock in `zone` (IANA), lies within the weekly hours,
    touches nothing taken, and starts at least a day and at most fourteen days after `at`.
    """
    bookable = Interval(at + NOTICE, at + AHEAD)
    free = without(open_intervals(windows, zone, bookable), taken)
    meetings = (meeting for each in free for meeting in _on_the_hour(each, zone))
    return [meeting for meeting in meetings if _starts_in(meeting, bookable)]


def open_intervals(
    windows: Iterable[WeeklyWindow], zone: str, around: Interval
) -> tuple[Interval, ...]:
    """The weekly hours as instants on every local day that `around` touches, joined."""
    first = around.starts_at.astimezone(ZoneInfo(zone)).date()
    after_last = around.ends_at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    found = (
        Interval(*occurrence)
        for window in windows
        for occurrence in occurrences(window, zone, first, after_last)
    )
    return joined(found)


def joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same instants in as few intervals as possible, in order."""
    found: list[Interval] = []
    for each in sorted(intervals):
        if found and each.starts_at <= found[-1].ends_at:
            found[-1] = Interval(found[-1].starts_at, max(found[-1].ends_at, each.ends_at))
        else:
            found.append(each)
    return tuple(found)


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> tuple[Interval, ...]:
    """What is left of the intervals when everything taken is cut out."""
    left = joined(intervals)
    for cut in joined(taken):
        left = tuple(piece for each in left for piece in _less(each, cut))
    return left


def _less(interval: Interval, cut: Interval) -> Iterator[Interval]:
    if not interval.overlaps(cut):
        yield interval
        return
    if interval.starts_at < cut.starts_at:
        yield Interval(interval.starts_at, cut.starts_at)
    if cut.ends_at < interval.ends_at:
        yield Interval(cut.ends_at, interval.ends_at)


def _on_the_hour(free: Interval, zone: str) -> Iterator[Interval]:
    starts_at = _next_full_hour(free.starts_at, zone)
    while starts_at + FIRST_MEETING <= free.ends_at:
        yield Interval(starts_at, starts_at + FIRST_MEETING)
        # Looked up again each time: clocks may change by half an hour.
        starts_at = _next_full_hour(starts_at + ONE_HOUR, zone)


def _next_full_hour(instant: datetime, zone: str) -> datetime:
    """The first instant from here on at which the minutes of the wall clock in `zone` are 0."""
    wall = instant.astimezone(ZoneInfo(zone))
    past = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    return instant + (ONE_HOUR - past if past else past)


def _starts_in(meeting: Interval, bookable: Interval) -> bool:
    return bookable.starts_at <= meeting.starts_at <= bookable.ends_at
