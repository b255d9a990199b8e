"""Times as a page shows them: by day on the client's clock, with the therapist's beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from practice.appointments.availability import Interval
from practice.vocabularies import vocabulary
from practice.when import day_words, same_clock, time_words


@dataclass(frozen=True)
class Time:
    """A choice: its value for the form, the client's time, and the therapist's where it differs."""

    value: str
    own: str
    theirs: str


def days_of(times: Iterable[Interval], zone: str, their_zone: str) -> list[tuple[str, list[Time]]]:
    """(day, its times) in the client's zone, in order."""
    days: dict[str, list[Time]] = {}
    for one in times:
        days.setdefault(day_words(one.starts_at, zone), []).append(_time(one, zone, their_zone))
    return list(days.items())


def _time(one: Interval, zone: str, their_zone: str) -> Time:
    alike = same_clock(zone, their_zone, one.starts_at)
    theirs = "" if alike else time_words(one.starts_at, their_zone)
    return Time(one.starts_at.isoformat(), time_words(one.starts_at, zone), theirs)


def template_words() -> dict[str, Any]:
    formats = vocabulary("formats").terms
    return {"FORMATS": {term.code: term.label() for term in formats}}
