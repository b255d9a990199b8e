"""How a therapist was found, in the words and bars of their page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from practice.matches.models import MatchRequest, RequestState
from practice.places import place
from practice.vocabularies import vocabulary

FEW = "too few to tell"
# Of requests, which are exact: days back from now.
PERIODS = (30, 90)
SINCE = timedelta(days=max(PERIODS))
MOST_PLACES = 3
MOST_CONCERNS = 5
SAID_YES = frozenset({RequestState.accepted, RequestState.met})

# By rule: what of one's own stands in the way, and where it is mended (endpoint and its values).
SETTINGS: Mapping[str, tuple[str, str, str, Mapping[str, str]]] = {
    "capacity": ("No open place", "Change how many people you can take", "therapists.profile", {}),
    "hours": ("Your hours", "Change your hours", "therapists.hours", {}),
    "payment": (
        "Your fee and ways of paying",
        "Change your fee and ways of paying",
        "therapists.edit",
        {"section": "fees"},
    ),
    "format": (
        "Ways of meeting",
        "Change how people meet you",
        "therapists.edit",
        {"section": "practice"},
    ),
    "language": (
        "Your languages",
        "Change your languages",
        "therapists.edit",
        {"section": "practice"},
    ),
    "service": ("Whom you see", "Change whom you see", "therapists.edit", {"section": "people"}),
    "must.approach": (
        "Approaches you list",
        "Change your approaches",
        "therapists.edit",
        {"section": "practice"},
    ),
}


@dataclass(frozen=True)
class Cost:
    """One setting and how many people more, with where to mend it; `share` of the longest bar."""

    setting: str
    people: str
    share: float
    mend: str
    endpoint: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One line of a table: what, and its figures."""

    what: str
    figures: list[str]


@dataclass(frozen=True)
class Told:
    """A report in words; `found` is "" where it is too few to tell."""

    lines: list[Line]
    found: str
    is_listed: bool
    costs: list[Cost]
    lacking: list[tuple[str, str]]

    @property
    def pictured(self) -> list[tuple[str, str, float]]:
        return [(cost.setting, f"{cost.people} more", cost.share) for cost in self.costs]


def told(figures: Mapping[str, Any]) -> Told:
    """What noise has made impossible, more found than looked, is put right."""
    is_listed, searches = "found" in figures, figures["searches"]
    found = min(figures.get("found", 0), searches)
    shown = figures["shown"]
    counts = {
        "People who looked for a therapist": searches,
        "Of these you could be offered to": found,
        "People who had you in their list": shown,
        "People who had you among their first three": min(figures["first"], shown),
    }
    return Told(
        lines=[Line(what, [in_words(count)]) for what, count in counts.items()],
        found=in_words(found) if found else "",
        is_listed=is_listed,
        costs=costs_of(figures) if is_listed else [],
        lacking=_lacking(figures["lacking"]) if is_listed else [],
    )


def requests_in_words(requests: Collection[MatchRequest], at: datetime) -> list[Line]:
    """One's own requests are no secret from oneself: these are exact."""
    counts = [
        _counts([one for one in requests if _is_within(one, days, at)], at) for days in PERIODS
    ]
    return [Line(what, [str(each[what]) for each in counts]) for what in counts[0]]


def in_words(count: int) -> str:
    return f"about {count:,}" if count else FEW


def costs_of(figures: Mapping[str, Any]) -> list[Cost]:
    """The dearest first: settings, then licences elsewhere among them."""
    alone, places = figures["alone"], figures["places"]
    dearest = sorted(places, key=lambda each: (-places[each], each))[:MOST_PLACES]
    found = [(alone[rule], *SETTINGS[rule]) for rule in SETTINGS if rule in alone]
    found += [(places[each], *_licence_in(each)) for each in dearest]
    longest = max((count for count, *_ in found), default=1)
    found.sort(key=lambda each: (-each[0], each[1]))
    return [
        Cost(setting, in_words(count), count / longest, mend, endpoint, values)
        for count, setting, mend, endpoint, values in found
    ]


def _licence_in(code: str) -> tuple[str, str, str, Mapping[str, str]]:
    name = place(code).name
    return f"No licence in {name}", "Look at your licences", "therapists.licences", {}


def _lacking(concerns: Mapping[str, int]) -> list[tuple[str, str]]:
    most = sorted(concerns, key=lambda each: (-concerns[each], each))[:MOST_CONCERNS]
    return [(vocabulary("concerns").label(each), in_words(concerns[each])) for each in most]


def _counts(requests: Collection[MatchRequest], at: datetime) -> dict[str, int]:
    return {
        "Requests to you": len(requests),
        "Of these you said yes to": sum(
            one.state in SAID_YES or _let_go_of(one) for one in requests
        ),
        "You said no to": sum(one.state is RequestState.declined for one in requests),
        "Not answered in time": sum(
            one.lapsed_unanswered or one.is_overdue(at) for one in requests
        ),
    }


def _let_go_of(request: MatchRequest) -> bool:
    """Whether they said yes and no time was chosen."""
    return request.state is RequestState.lapsed and not request.lapsed_unanswered


def _is_within(request: MatchRequest, days: int, at: datetime) -> bool:
    return request.sent_at > at - timedelta(days=days)
