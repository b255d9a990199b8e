"""Match cards: everything about one offer that a client reads, and figures that add up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import matching
from matching import Standing
from practice.matches.profiles import Profile
from practice.matches.search import Offers, Search
from practice.matches.words import FACTOR_LABELS, LINE_LABELS, WishWords, price_words, tally
from practice.therapists.queries import LicenceEvidence

LEFT_OPEN = "you left this open"
ALIKE = "the same for everyone"


@dataclass(frozen=True)
class Card:
    """One therapist for one client. `sum` holds (name, thousandths, most), adding up to `total`.

    `has_record` says that outcomes count in it, whether or not any of this therapist's do.
    `about_as_close_as` names the one before when the two are too near to call one closer.
    """

    profile: Profile
    evidence: LicenceEvidence | None
    price: str
    tally: str
    wishes: list[tuple[str, str, str]]
    sum: list[tuple[str, int, int]]
    total: int
    has_record: bool = False
    about_as_close_as: str = ""


def cards_of(search: Search, offers: Offers, currency: str) -> list[Card]:
    """The cards of what is offered, in its order."""
    return list(_cards(search, offers, currency))


def _cards(search: Search, offers: Offers, currency: str) -> Iterator[Card]:
    profiles = search.profiles([match.id for match in offers.results])
    before: matching.Match | None = None
    for match, explanation in zip(offers.results, offers.explanations, strict=True):
        near = before is not None and matching.about_as_close(before.total, match.total)
        name = profiles[before.id].name if before and near else ""
        card = card_of(search.values, explanation, profiles[match.id], currency)
        yield replace(card, about_as_close_as=name)
        before = match


def card_of(
    client: matching.Client, explanation: matching.Explanation, profile: Profile, currency: str
) -> Card:
    return Card(
        profile=profile,
        evidence=profile.evidence_in(client.place),
        price=price_words(profile, currency),
        tally=tally(explanation.lines),
        wishes=WishWords(client, currency).all(explanation.lines),
        sum=_sum(explanation),
        total=matching.shown_total(explanation.total),
        has_record=explanation.has_record,
    )


def _sum(explanation: matching.Explanation) -> list[tuple[str, int, int]]:
    shown = matching.thousandths(explanation.points)
    has_record = explanation.has_record
    lines = [
        (_name(line, has_record), shown[line.factor], line.weight) for line in explanation.lines
    ]
    besides = {matching.LITTLE_KNOWN: explanation.lines[-1].weight, matching.NEEDED_ELSEWHERE: 0}
    return lines + [
        (LINE_LABELS[line], shown[line], most) for line, most in besides.items() if line in shown
    ]


def _name(line: matching.Line, has_record: bool) -> str:
    label = FACTOR_LABELS[line.factor]
    if line.factor == "record":
        return label if has_record else f"{label} ({ALIKE})"
    return f"{label} ({LEFT_OPEN})" if line.standing is Standing.not_asked else label
