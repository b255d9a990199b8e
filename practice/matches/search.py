"""One client's search: their values, the market now, and what the engine says about the two.

Each method takes all of its answers from the market in one piece, while nobody changes it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import matching
from practice.accounts.models import Client
from practice.matches.market.changes import Version
from practice.matches.market.in_place import Market, market_for
from practice.matches.market.index import client_values, without_scope
from practice.matches.models import MatchRequest
from practice.matches.profiles import Profile
from practice.matches.queries import Footing, footing_of, history_of, turned_down

SHOWN = 3
MOST_SHOWN = 30


@dataclass(frozen=True)
class Offers:
    """Who is offered, the closest first, each with their arithmetic and what it rests on.

    `licensed` counts those who are licensed where the client is and have room; `weights` and
    `prices` are those that the arithmetic was made with.
    """

    results: tuple[matching.Match, ...]
    explanations: tuple[matching.Explanation, ...]
    therapists: tuple[matching.Therapist, ...]
    weights: matching.Weights
    prices: matching.Prices
    licensed: int
    has_more: bool


@dataclass(frozen=True)
class Verdict:
    """Why somebody is not shown, and the arithmetic all the same, by `weights` and `prices`.

    `told_of`: whoever is ahead of them and last among those shown, if so, and then themselves.
    """

    why: matching.WhyNot
    explanation: matching.Explanation
    told_of: tuple[matching.Therapist, ...]
    weights: matching.Weights
    prices: matching.Prices


@dataclass(frozen=True)
class Search:
    """What one client is looking for and who there is. Made anew for each page.

    `version` is the market's when the page began, `at` the instant.
    """

    values: matching.Client
    market: Market
    version: Version
    at: datetime

    def offers(self, limit: int = SHOWN) -> Offers:
        with self.market.held() as index:
            found = index.rank(self.values, self.market.weights, limit + 1, self.prices).results
            shown = found[:limit]
            return Offers(
                results=shown,
                explanations=tuple(self._explain(index, match.id) for match in shown),
                therapists=tuple(index.therapist(match.id) for match in shown),
                weights=self.market.weights,
                prices=self.prices,
                licensed=index.market(self.open_to_all).eligible,
                has_more=len(found) > limit,
            )

    def verdict(self, therapist_id: str, limit: int = SHOWN) -> Verdict | None:
        """None for anybody who cannot be found at all, whatever the reason."""
        with self.market.held() as index:
            if therapist_id not in index:
                return None
            weights, prices = self.market.weights, self.prices
            why = index.why_not(self.values, therapist_id, weights, limit, prices)
            return Verdict(
                why,
                self._explain(index, therapist_id),
                tuple(index.therapist(each) for each in _told_of(why, limit)),
                weights,
                prices,
            )

    def finds_somebody(self) -> bool:
        return self._finds(self.values)

    def is_beyond_every_scope(self) -> bool:
        """Whether nobody may be offered only because everybody who could be is out of scope."""
        with self.market.held():
            return not self._finds(self.values) and self._finds(without_scope(self.values))

    def left_out_by(self, asking: Mapping[str, matching.Client]) -> dict[str, int]:
        """Of those licensed here with room, how many each of these questions leaves out alone."""
        with self.market.held() as index:
            everybody = index.market(self.open_to_all).eligible
            return {
                name: everybody - index.market(client).eligible for name, client in asking.items()
            }

    def profiles(self, therapist_ids: Collection[str]) -> dict[str, Profile]:
        found = self.market.profiles(therapist_ids, self.version, self.at)
        return {profile.id: profile for profile in found}

    @property
    def prices(self) -> matching.Prices:
        """What places are worth to those who wait, while that counts."""
        return self.market.prices.at(self.at)

    @property
    def open_to_all(self) -> matching.Client:
        """Somebody in the same place who asks for nothing."""
        return matching.Client(place=self.values.place, on=self.values.on)

    def _explain(self, index: matching.Index, therapist_id: str) -> matching.Explanation:
        return index.explain(self.values, therapist_id, self.market.weights, self.prices)

    def _finds(self, values: matching.Client) -> bool:
        with self.market.held() as index:
            return bool(index.rank(values, self.market.weights, 1).results)


def _told_of(why: matching.WhyNot, limit: int) -> list[str]:
    is_behind = why.last_shown is not None and why.place is not None and why.place > limit
    return [why.last_shown, why.therapist_id] if is_behind else [why.therapist_id]


def search_for(
    client: Client,
    answers: Mapping[str, Any],
    at: datetime,
    *,
    footing: Footing | None = None,
    history: Iterable[MatchRequest] | None = None,
) -> Search:
    """Raises `index.NoPlace` for a client who has not said where they will be.

    `footing` and `history` are looked up unless a page has done so already.
    """
    footing = footing or footing_of(client)
    values = values_for(client, answers, at, footing, history)
    return Search(values, market_for(at, values.on, footing.version), footing.version, at)


def values_for(
    client: Client,
    answers: Mapping[str, Any],
    at: datetime,
    footing: Footing,
    history: Iterable[MatchRequest] | None = None,
) -> matching.Client:
    """What the engine is told of this client; raises `index.NoPlace`."""
    history = history_of(client) if history is None else history
    return client_values(
        client,
        answers,
        at,
        exclude=turned_down(history, at),
        with_scores=footing.scores_count,
    )
