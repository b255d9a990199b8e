"""When a weekly group meets: the same wall time each week, whatever the clocks do in between."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from practice.local_time import instant_at


@dataclass(frozen=True)
class Meeting:
    """`number` counts from 1; the instants are aware, UTC."""

    number: int
    starts_at: datetime
    ends_at: datetime


def weekly(first: date, at: time, zone: str, *, minutes: int, count: int) -> list[Meeting]:
    """`count` meetings a week apart, `minutes` long, at this wall time in this IANA zone.

    A wall time that a clock change skips becomes the moment of the change; one that occurs twice
    means its first occurrence (see `practice.local_time`).
    """
    return [
        _meeting(number, first + timedelta(weeks=number - 1), at, zone, minutes)
        for number in range(1, count + 1)
    ]


def _meeting(number: int, day: date, at: time, zone: str, minutes: int) -> Meeting:
    starts = instant_at(day, at, zone)
    return Meeting(number, starts, starts + timedelta(minutes=minutes))
