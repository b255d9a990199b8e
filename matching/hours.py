"""Weekly hours: local wall time outside, 168 bits of one UTC week inside.

Bit h of a week stands for the hour that starts h hours after Monday 00:00 UTC. It is set when
every instant of that hour lies, in local wall time, inside a weekly window. An hour that is only
partly covered does not count, so a zone that is off by half an hour loses the ragged ends. Wall
time that the clocks skip covers nothing; wall time that they repeat covers both passes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from matching.errors import BadValue

HOURS_A_WEEK = 168
EVERY_HOUR = (1 << HOURS_A_WEEK) - 1
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MINUTES_A_DAY = 24 * 60
_QUARTER = 15
_QUARTERS_A_WEEK = 4 * HOURS_A_WEEK
# Masks that repeat through a week of quarters: the lowest 1, 2, 4 and 8 of 4, 8, 16 and 32 bits.
_LOWEST = {
    bits: ((1 << _QUARTERS_A_WEEK) - 1) // ((1 << 4 * bits) - 1) * ((1 << bits) - 1)
    for bits in (1, 2, 4, 8)
}
_WINDOW = re.compile(r"([a-z]{3}) (\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


@dataclass(frozen=True, order=True)
class Window:
    """One weekly window; weekday 0 is Monday, minutes count from local midnight, end excluded."""

    weekday: int
    starts: int
    ends: int

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < 7:
            raise BadValue("hours", "a weekday is a number from 0 to 6")
        if not 0 <= self.starts < self.ends <= _MINUTES_A_DAY:
            raise BadValue("hours", "a window must end after it starts, on the same day")

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Read "tue 18:00-21:00"; "24:00" ends a day. Raises BadValue."""
        found = _WINDOW.fullmatch(text)
        if found is None or found[1] not in WEEKDAYS:
            raise BadValue("hours", f"{text!r} is not written like 'tue 18:00-21:00'")
        _, *clock = found.groups()
        start_hour, start_minute, end_hour, end_minute = map(int, clock)
        weekday = WEEKDAYS.index(found[1])
        return cls(weekday, 60 * start_hour + start_minute, 60 * end_hour + end_minute)

    @classmethod
    def of(cls, weekday: int, starts: time, ends: time) -> "Window":
        """From times of day; an end at 00:00 is the midnight that ends the day."""
        end = 60 * ends.hour + ends.minute
        return cls(weekday, 60 * starts.hour + starts.minute, end or _MINUTES_A_DAY)

    def __str__(self) -> str:
        clock = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (self.starts, self.ends))
        return f"{WEEKDAYS[self.weekday]} {'-'.join(clock)}"


@dataclass(frozen=True)
class Nearest:
    """The therapist's hour that comes closest to one of the client's, and by how many hours."""

    hour: int
    away: int


def weekly_bits(windows: Iterable[Window | str], zone: str, on: date) -> int:
    """The hours of the UTC week containing `on` that the windows cover whole, as 168 bits.

    Raises BadValue for a window that cannot be read ("hours") or an unknown zone ("zone").
    """
    parsed = [Window.parse(each) if isinstance(each, str) else each for each in windows]
    return _whole_hours(_in_utc(_local_quarters(parsed), zone, monday_of(on)))


def hours_in(bits: int) -> Iterator[int]:
    """The numbers of the hours that are set, earliest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def nearest(wanted: int, offered: int) -> Nearest | None:
    """How far the week `offered` is from meeting `wanted`; None when either is empty.

    The week is a circle: Sunday 23:00 is one hour from Monday 00:00. Of several that are equally
    near, the earliest in the week.
    """
    for away in range(HOURS_A_WEEK // 2 + 1):
        near = offered & (_turned(wanted, away) | _turned(wanted, HOURS_A_WEEK - away))
        if near:
            return Nearest(next(hours_in(near)), away)
    return None


def starts_at(hour: int, on: date) -> datetime:
    """The instant (UTC) at which this hour of the UTC week containing `on` begins."""
    return datetime.combine(monday_of(on), time(), UTC) + timedelta(hours=hour)


def monday_of(on: date) -> date:
    return on - timedelta(days=on.weekday())


def known_zone(zone: str) -> ZoneInfo:
    """The zone of this IANA name; raises BadValue."""
    try:
        return ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise BadValue("zone", f"{zone!r} is not a time zone") from None


def _local_quarters(windows: Iterable[Window]) -> int:
    """A bit for each quarter of an hour of a local week: whether every minute of it is covered."""
    bits = 0
    for starts, ends in _joined(windows):
        first = -(-starts // _QUARTER)
        bits |= (1 << max(first, ends // _QUARTER)) - (1 << first)
    return bits


def _joined(windows: Iterable[Window]) -> list[list[int]]:
    """From and to, in minutes of the local week; windows that meet or overlap are one."""
    joined: list[list[int]] = []
    for starts, ends in sorted(_in_minutes(window) for window in windows):
        if joined and starts <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], ends)
        else:
            joined.append([starts, ends])
    return joined


def _in_minutes(window: Window) -> tuple[int, int]:
    midnight = window.weekday * _MINUTES_A_DAY
    return midnight + window.starts, midnight + window.ends


def _in_utc(local: int, zone: str, monday: date) -> int:
    """Quarters of the local week to quarters of the UTC week."""
    bits = 0
    for there, here, mask in _even_stretches(zone, monday):
        bits |= (local >> there & mask) << here
    return bits


def _whole_hours(quarters: int) -> int:
    """A bit for each hour of which all four quarters are set.

    The first quarter of each hour stands for it, and every fourth bit is moved next to the one
    before, in steps that halve the gaps (Hacker's Delight, 2nd edition, 7–4).
    """
    halves = quarters & quarters >> 1
    hours = halves & halves >> 2 & _LOWEST[1]
    for bits in (1, 2, 4):
        hours = (hours | hours >> 3 * bits) & _LOWEST[2 * bits]
    return int.from_bytes(hours.to_bytes(_QUARTERS_A_WEEK // 8, "little")[::4], "little")


@lru_cache(maxsize=1024)
def _even_stretches(zone: str, monday: date) -> tuple[tuple[int, int, int], ...]:
    """Where local time runs evenly: the first quarter there, in UTC, and a mask for them all."""
    quarters = _local_quarter_of_each_utc_quarter(zone, monday)
    starts = [0, *(at for at, (one, two) in enumerate(pairwise(quarters), 1) if two != one + 1)]
    ends = [*starts[1:], len(quarters)]
    return tuple(
        (quarters[start], start, (1 << end - start) - 1)
        for start, end in zip(starts, ends, strict=True)
    )


def _local_quarter_of_each_utc_quarter(zone: str, monday: date) -> list[int]:
    """Which local quarter of an hour each of the 672 of this UTC week is.

    Every offset and every change of offset since 1972 is a multiple of 15 minutes (IANA time zone
    database), so within one of them local time runs evenly and the mapping is exact.
    """
    there = known_zone(zone)
    start = datetime.combine(monday, time(), UTC)
    quarters = (start + timedelta(minutes=_QUARTER * each) for each in range(_QUARTERS_A_WEEK))
    return [_quarter_of(each.astimezone(there)) for each in quarters]


def _quarter_of(local: datetime) -> int:
    return (local.weekday() * _MINUTES_A_DAY + local.hour * 60 + local.minute) // _QUARTER


def _turned(bits: int, by: int) -> int:
    """The week with every hour moved later by `by` hours, round the circle."""
    return (bits << by | bits >> (HOURS_A_WEEK - by)) & EVERY_HOUR
