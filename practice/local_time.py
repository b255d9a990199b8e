"""From a wall clock to an instant, with one rule for the days on which clocks change."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo


def instant_at(day: date, at: time, zone: str) -> datetime:
    """The first instant (aware, UTC) on that day at which the clock shows this time or a later one.

    So a time that a clock change skips becomes the moment of the change, and a time that occurs
    twice means its first occurrence. `zone` is an IANA name.
    """
    here = ZoneInfo(zone)
    wall = datetime.combine(day, at)
    before = wall.replace(tzinfo=here, fold=0).astimezone(UTC)
    if before.astimezone(here).replace(tzinfo=None) == wall:
        return before
    return _change_before(before, here)


def _change_before(after: datetime, here: tzinfo) -> datetime:
    """The moment at which the offset in force at `after` began, at most a day earlier."""
    offset = after.astimezone(here).utcoffset()
    start = after - timedelta(days=1)

    def has_changed(seconds: int) -> bool:
        return (start + timedelta(seconds=seconds)).astimezone(here).utcoffset() == offset

    return start + timedelta(seconds=bisect_left(range(86400), True, key=has_changed))
