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
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from matching.errors import BadValue

HOURS_A_WEEK = 168
EVERY_HOUR = (1 << HOURS_A_WEEK) - 1
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Flags = npt.NDArray[np.bool_]

_MINUTES_A_DAY = 24 * 60
_MINUTES_A_WEEK = 7 * _MINUTES_A_DAY
_QUARTERS_A_WEEK = 4 * HOURS_A_WEEK
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
    open_locally = _local_quarters(parsed)
    open_in_utc = open_locally[_local_quarter_of_each_utc_quarter(zone, monday_of(on))]
    whole_hours = _all_of_each(open_in_utc, 4)
    return int.from_bytes(np.packbits(whole_hours, bitorder="little").tobytes(), "little")


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


def _local_quarters(windows: Iterable[Window]) -> Flags:
    """For each quarter of an hour of a local week, whether every minute of it is covered."""
    minutes = np.zeros(_MINUTES_A_WEEK, dtype=np.bool_)
    for window in windows:
        midnight = window.weekday * _MINUTES_A_DAY
        minutes[midnight + window.starts : midnight + window.ends] = True
    return _all_of_each(minutes, 15)


def _all_of_each(covered: Flags, size: int) -> Flags:
    """Shape (n,) to (n / size,): whether every one of a run of `size` is set."""
    runs: Flags = covered.reshape(-1, size)
    return np.asarray(runs.all(axis=1), dtype=np.bool_)


@lru_cache(maxsize=1024)
def _local_quarter_of_each_utc_quarter(zone: str, monday: date) -> npt.NDArray[np.intp]:
    """Which local quarter of an hour each of the 672 of this UTC week is.

    Every offset and every change of offset since 1972 is a multiple of 15 minutes (IANA time zone
    database), so within one of them local time runs evenly and the mapping is exact.
    """
    there = known_zone(zone)
    start = datetime.combine(monday, time(), UTC)
    quarters = (start + timedelta(minutes=15 * each) for each in range(_QUARTERS_A_WEEK))
    found = np.fromiter((_quarter_of(each.astimezone(there)) for each in quarters), dtype=np.intp)
    found.flags.writeable = False
    return found


def _quarter_of(local: datetime) -> int:
    return (local.weekday() * _MINUTES_A_DAY + local.hour * 60 + local.minute) // 15


def _turned(bits: int, by: int) -> int:
    """The week with every hour moved later by `by` hours, round the circle."""
    return (bits << by | bits >> (HOURS_A_WEEK - by)) & EVERY_HOUR
