"""Trying out a wish: who would enter and who would leave the first list, before anything is kept.

What a wish costs is the number of people more if it alone did not count. Wishes about the person
are never counted, nor is anything that a public profile does not print; licence and risk are never
offered for relaxing; no count below ten is given as a figure, and the others are rounded: whoever
tries two wishes and subtracts learns no count below ten either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import matching
from matching.market import Market
from practice.intake.answers import Answers
from practice.matches.obstacles import FEWEST_TOLD, TOLD, rounded
from practice.matches.reasons import ReasonWords
from practice.matches.search import Offers, Search

WISHES: Mapping[str, str] = {
    "hours": "Hours",
    "payment": "Price and way of paying",
    "format": "Way of meeting",
    "languages": "Languages",
    "service": "Kind of help",
    "wishes": "Approach",
}
COSTS: Mapping[str, str] = {
    "hours": "Your hours",
    "payment": "Your limit or way of paying",
    "format": "How you would meet",
    "language": "Your languages",
    "service": "The kind of help",
    "must.approach": "An approach you must have",
}
CLOSER = "Others are now closer to what you ask for."
FEW = f"fewer than {FEWEST_TOLD}"


@dataclass(frozen=True)
class Listed:
    """Somebody of the first list, now or then; `why` says why they leave it."""

    id: str
    name: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """`moved` names the wishes that change; `costs`: about how many a wish leaves out, it alone.

    `sets_aside` when the client demands something about the person, which `fitting` leaves out.
    """

    moved: list[str]
    entering: list[Listed]
    leaving: list[Listed]
    staying: list[Listed]
    fitting: str
    sets_aside: bool
    costs: list[tuple[str, int]]

    @property
    def finds_nobody(self) -> bool:
        return not self.entering and not self.staying


@dataclass(frozen=True)
class _Answers:
    """What the engine says of the wishes now and then, taken in one piece."""

    now: Offers
    then: Offers
    left: dict[str, tuple[matching.Failure, ...]]
    market: Market


def preview(before: Search, after: Search, moved: Answers, currency: str) -> Preview:
    """`before` and `after` ask one market, with the wishes as they stand and as they would."""
    found = _asked(before, after)
    was, would = _ids(found.now), _ids(found.then)
    profiles = before.profiles([*dict.fromkeys([*was, *would])])
    told = {
        each: tuple(ReasonWords(profiles[each], after.values, currency).public(failures))
        for each, failures in found.left.items()
    }
    return Preview(
        moved=[words for page, words in WISHES.items() if page in moved],
        entering=[Listed(each, profiles[each].name) for each in would if each not in was],
        leaving=[
            Listed(each, profiles[each].name, told[each] or (CLOSER,))
            for each in was
            if each not in would
        ],
        staying=[Listed(each, profiles[each].name) for each in would if each in was],
        fitting=in_figures(found.market.eligible),
        sets_aside=any(_is_about_the_person(*each) for each in after.values.wishes.items()),
        costs=_costs(found.market),
    )


def in_figures(count: int) -> str:
    return FEW if count < FEWEST_TOLD else f"about {rounded(count)}"


def _costs(market: Market) -> list[tuple[str, int]]:
    """The dearest first, of ten or more; of the others nothing is told apart."""
    gains = market.gains.items()
    told = {rule: rounded(count) for rule, count in gains if count >= FEWEST_TOLD}
    dearest_first = sorted(COSTS.keys() & told.keys(), key=lambda rule: (-told[rule], rule))
    return [(COSTS[rule], told[rule]) for rule in dearest_first]


def _asked(before: Search, after: Search) -> _Answers:
    with before.market.held() as index:
        now, then = before.offers(), after.offers()
        gone = [each for each in _ids(now) if each not in _ids(then)]
        left = {each: index.explain(after.values, each).failures for each in gone}
        return _Answers(now, then, left, index.market(_without_identity(after.values)))


def _is_about_the_person(name: str, wish: matching.Wish) -> bool:
    return wish.is_must and f"must.{name}" not in TOLD


def _without_identity(client: matching.Client) -> matching.Client:
    kept: dict[str, Any] = {
        name: wish for name, wish in client.wishes.items() if f"must.{name}" in TOLD
    }
    return replace(client, wishes=kept)


def _ids(offers: Offers) -> list[str]:
    return [match.id for match in offers.results]
