"""Promises counted in working days: Monday to Friday, less the federal holidays of the US."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import holidays

from practice.local_time import instant_at

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ClosedDays:
    """Federal holidays, on the day they are observed too, and the days a clinic adds."""

    own: frozenset[date] = frozenset()

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and (day in self.own or day in _federal_holidays(day.year))


def after_working_days(
    instant: datetime, n: int, zone: str, closed: Container[date] = ClosedDays()
) -> datetime:
    """The instant (aware, UTC) by which n working days have passed in `zone`.

    Begun on a working day it is the same local time n working days later. Begun on a day off,
    counting starts with the next working day, and it is the midnight that ends the n-th: a later
    beginning never has an earlier end. ValueError when n is below 1.
    """
    if n < 1:
        raise ValueError("a promise takes at least one working day")
    local = instant.astimezone(ZoneInfo(zone))
    last = next(islice(_working_days_after(local.date(), closed), n - 1, None))
    if is_working_day(local.date(), closed):
        return instant_at(last, local.time(), zone)
    return instant_at(last + ONE_DAY, time(), zone)


def is_working_day(day: date, closed: Container[date] = ClosedDays()) -> bool:
    return day.weekday() < 5 and day not in closed


def _working_days_after(day: date, closed: Container[date]) -> Iterator[date]:
    while True:
        day += ONE_DAY
        if is_working_day(day, closed):
            yield day


@lru_cache(maxsize=16)
def _federal_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year))
