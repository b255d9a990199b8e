"""How a profile is told to others: facts with where they come from, hours as parts of the day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from practice.hours import DAYPARTS, WEEKDAYS, Daypart
from practice.places import place
from practice.therapists.models import Licence, Therapist
from practice.vocabularies import vocabulary
from practice.when import date_words

ENOUGH = timedelta(hours=1)
_ANY_DAY = date(2001, 1, 1)


class Window(Protocol):
    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True)
class Fact:
    """Something about a therapist. `verified` means that we looked it up ourselves."""

    label: str
    value: str
    verified: bool = False
    note: str = ""


def profession_of(therapist: Therapist) -> str:
    """ "Psychologist", or the name of the supervised level of the profession."""
    term = vocabulary("professions").term(therapist.profession)
    return (therapist.is_associate and term.text("associate")) or term.label()


def facts_of(therapist: Therapist, at: datetime) -> list[Fact]:
    """What is said about a therapist beside the licences, verified first."""
    return [fact for fact in (*_checked(therapist), *_declared(therapist, at)) if fact.value]


def main_concerns(therapist: Therapist, most: int = 5) -> list[str]:
    """Labels of what they know best, at most `most`, in the order of the vocabulary."""
    best = sorted(therapist.skills, key=lambda code: -therapist.skills[code])[:most]
    return [label for code, label in vocabulary("concerns").choices() if code in best]


def concerns_by_skill(therapist: Therapist) -> list[tuple[str, list[str]]]:
    """(heading, labels) from what they know best to what they also know."""
    known = vocabulary("concerns").choices()
    found = [
        (heading, [label for code, label in known if therapist.skills.get(code) == skill])
        for skill, heading in SKILL_HEADINGS.items()
    ]
    return [(heading, labels) for heading, labels in found if labels]


SKILL_HEADINGS = {3: "Knows best", 2: "Works with often", 1: "Also works with"}


def approach_pairs(therapist: Therapist) -> list[tuple[str, str]]:
    """(name, one plain sentence) of each approach they say they are trained in."""
    terms = [term for term in vocabulary("approaches").terms if term.code in therapist.approaches]
    return [(term.label(), term.text("description")) for term in terms]


def formats_of(therapist: Therapist) -> list[str]:
    terms = vocabulary("formats").terms
    return [term.text("short") for term in terms if term.code in therapist.formats]


def languages_of(therapist: Therapist) -> list[str]:
    return [
        label for code, label in vocabulary("languages").choices() if code in therapist.languages
    ]


def services_of(therapist: Therapist) -> list[str]:
    terms = vocabulary("services").terms
    return [term.text("offer") for term in terms if term.code in therapist.services]


def payments_of(therapist: Therapist) -> list[str]:
    """What they accept, in words; insurance plans by name instead of "insurance"."""
    kinds = vocabulary("payments")
    plans = kinds.term("insurance").options
    named = (
        plans.labels(code for code in plans.codes if code in therapist.payments) if plans else []
    )
    accepted = [
        term.text("offer")
        for term in kinds.terms
        if term.code in therapist.payments and not (term.code == "insurance" and named)
    ]
    return accepted + named


def title_of(licence: Licence) -> str:
    """ "Washington", or "Texas (PSYPACT)" when the right comes from a compact."""
    name = place(licence.place).name
    return f"{name} ({licence.compact})" if licence.compact else name


def places_in_words(codes: Iterable[str]) -> str:
    return in_words(sorted(place(code).name for code in codes))


def in_words(labels: Iterable[str]) -> str:
    """["a", "b", "c"] → "a, b and c"."""
    *most, last = [*labels] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def hours_by_daypart(windows: Iterable[Window]) -> list[tuple[str, str]]:
    """("Mornings and evenings", "Monday to Friday"): parts of the day with an hour or more in it.

    Parts that fall on the same days stand together.
    """
    printed = printed_parts(windows)
    parts_on: dict[str, list[str]] = {}
    for part in DAYPARTS:
        days = days_in_words(weekday for weekday, each in printed if each is part)
        if days:
            parts_on.setdefault(days, []).append(f"{part.label.lower()}s")
    return [(in_words(parts).capitalize(), days) for days, parts in parts_on.items()]


def printed_parts(windows: Iterable[Window]) -> tuple[tuple[int, Daypart], ...]:
    """(weekday, part of the day) of each that has an hour or more in it, from Monday on.

    A profile prints these and no exact hours.
    """
    windows = list(windows)
    return tuple(
        (weekday, part)
        for weekday in range(len(WEEKDAYS))
        for part in DAYPARTS
        if any(window.weekday == weekday and _reaches(window, part) for window in windows)
    )


def days_in_words(weekdays: Iterable[int]) -> str:
    """{0, 1, 2, 4} → "Monday to Wednesday, Friday"; 0 is Monday."""
    runs: list[list[int]] = []
    for day in sorted(set(weekdays)):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_run_in_words(run) for run in runs)


def published(therapist: Therapist) -> list[tuple[str, list[str]]]:
    """(attribute, labels) of what they chose to publish about themselves."""
    return [
        (term.label(), term.options.labels(chosen))
        for term in vocabulary("identities").terms
        if term.options and (chosen := therapist.identities.get(term.code))
    ]


def _run_in_words(run: list[int]) -> str:
    if len(run) < 3:
        return ", ".join(WEEKDAYS[day] for day in run)
    return f"{WEEKDAYS[run[0]]} to {WEEKDAYS[run[-1]]}"


def _reaches(window: Window, part: Daypart) -> bool:
    starts = datetime.combine(_ANY_DAY, max(window.starts, part.starts))
    ends = datetime.combine(_ANY_DAY, min(window.ends, part.ends))
    return ends - starts >= ENOUGH


def _checked(therapist: Therapist) -> Iterable[Fact]:
    if therapist.npi:
        checked = therapist.npi_checked_at
        seen = date_words(checked, therapist.zone) if checked else ""
        note = f"Seen in the NPI registry on {seen}." if seen else ""
        yield Fact("National Provider Identifier", therapist.npi, checked is not None, note)


def _declared(therapist: Therapist, at: datetime) -> Iterable[Fact]:
    since = therapist.practising_since
    yield Fact("In practice", _years(at.year - since, since) if since else "")
    yield Fact("Languages", ", ".join(languages_of(therapist)))
    for attribute, labels in published(therapist):
        yield Fact(attribute, ", ".join(labels))


def _years(years: int, since: int) -> str:
    if years < 1:
        return f"Since {since}"
    return f"Since {since}, about {years} {'year' if years == 1 else 'years'}"
