"""The duty rota as intervals: where nobody is there, and what a local day and time mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS_AHEAD = 14


@dataclass(frozen=True, order=True)
class Span:
    """From an instant until another, which is not part of it. Both are aware."""

    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at


def gaps(covered: Iterable[Span], within: Span) -> list[Span]:
    """The parts of `within` that no span covers, in order."""
    found, free_from = [], within.starts_at
    for span in sorted(covered):
        if span.starts_at > free_from:
            found.append(Span(free_from, min(span.starts_at, within.ends_at)))
        free_from = max(free_from, span.ends_at)
        if free_from >= within.ends_at:
            return found
    return [*found, Span(free_from, within.ends_at)]


def shift_span(day: date, starts: time, ends: time, zone: str) -> Span:
    """A shift on a local day; one that ends no later than it starts ends on the next day.

    A time that a clock change leaves out counts as if the clock had not changed yet, and of a
    time that comes twice the first one counts.
    """
    last_day = day if ends > starts else day + timedelta(days=1)
    return Span(_instant(day, starts, zone), _instant(last_day, ends, zone))


def local_day(day: date, zone: str) -> Span:
    """A whole local day: 23 or 25 hours when a clock changes."""
    return Span(_instant(day, time(), zone), _instant(day + timedelta(days=1), time(), zone))


def hours(spans: Iterable[Span]) -> int:
    """Their length together in hours, rounded up: half an hour without anybody counts."""
    seconds = sum((span.length for span in spans), timedelta()).total_seconds()
    return int(-(-seconds // 3600))


def _instant(day: date, at: time, zone: str) -> datetime:
    # Through UTC, because two local instants of one zone are subtracted by their wall times.
    local = datetime.combine(day, at, tzinfo=ZoneInfo(zone))
    return local.astimezone(ZoneInfo("UTC"))
