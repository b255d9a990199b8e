"""Instants in the words of a page: always with their day, and with their place where it matters."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_words(at: datetime, zone: str) -> str:
    """ "Tuesday 1 December"."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{here:%A} {here.day} {here:%B}"


def time_words(at: datetime, zone: str) -> str:
    """ "09:00"."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def moment_words(at: datetime, zone: str) -> str:
    """ "Tuesday 1 December at 09:00"."""
    return f"{day_words(at, zone)} at {time_words(at, zone)}"


def date_words(at: datetime, zone: str) -> str:
    """ "1 December 2026"."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{here.day} {here:%B %Y}"


def deadline_words(due: datetime, zone: str) -> str:
    """ "by 10:00 on Thursday 3 December"; a midnight ends the day before it: "by the end of …"."""
    if due.astimezone(ZoneInfo(zone)).time() == time():
        return f"by the end of {day_words(due - timedelta(seconds=1), zone)}"
    return f"by {time_words(due, zone)} on {day_words(due, zone)}"


def zone_words(zone: str) -> str:
    """ "Los Angeles time"."""
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def same_clock(one: str, other: str, at: datetime) -> bool:
    """Whether the wall clocks of two zones agree at this instant."""
    return at.astimezone(ZoneInfo(one)).utcoffset() == at.astimezone(ZoneInfo(other)).utcoffset()
