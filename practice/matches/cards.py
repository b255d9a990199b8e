"""Match cards: everything about one offer that a client reads, and figures that add up."""

from collections.abc import Iterator
from dataclasses import dataclass

import matching
from matching import Standing
from practice.matches.profiles import Profile
from practice.matches.search import Search
from practice.matches.words import FACTOR_LABELS, WishWords, price_words, tally
from practice.therapists.queries import LicenceEvidence

LEFT_OPEN = "you left this open"
ALIKE = "the same for everyone"


@dataclass(frozen=True)
class Card:
    """One therapist for one client. `sum` holds (name, thousandths, most), adding up to `total`.

    `about_as_close_as` names the one before when the two are too near to call one closer.
    """

    profile: Profile
    evidence: LicenceEvidence | None
    price: str
    tally: str
    wishes: list[tuple[str, str, str]]
    sum: list[tuple[str, int, int]]
    total: int
    about_as_close_as: str


def cards_of(search: Search, ranking: matching.Ranking, currency: str) -> list[Card]:
    """The cards of a ranking, in its order."""
    return list(_cards(search, ranking, currency))


def _cards(search: Search, ranking: matching.Ranking, currency: str) -> Iterator[Card]:
    before: matching.Match | None = None
    for match in ranking.results:
        near = before is not None and matching.about_as_close(before.total, match.total)
        name = search.profile(before.id).name if before and near else ""
        yield card_of(search, match.id, currency, about_as_close_as=name)
        before = match


def card_of(
    search: Search, therapist_id: str, currency: str, *, about_as_close_as: str = ""
) -> Card:
    explanation, profile = search.explain(therapist_id), search.profile(therapist_id)
    return Card(
        profile=profile,
        evidence=profile.evidence_in(search.values.place),
        price=price_words(profile, currency),
        tally=tally(explanation.lines),
        wishes=WishWords(search.values, currency).all(explanation.lines),
        sum=_sum(explanation),
        total=matching.shown_total(explanation.total),
        about_as_close_as=about_as_close_as,
    )


def _sum(explanation: matching.Explanation) -> list[tuple[str, int, int]]:
    shown = matching.thousandths(explanation.points)
    return [(_name(line), shown[line.factor], line.weight) for line in explanation.lines]


def _name(line: matching.Line) -> str:
    label = FACTOR_LABELS[line.factor]
    if line.standing is not Standing.not_asked:
        return label
    return f"{label} ({ALIKE if line.factor == 'record' else LEFT_OPEN})"
