"""One client's search: their values, the market now, and what the engine says about the two."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import matching
from practice.accounts.models import Client
from practice.matches.index import client_values, without_scope
from practice.matches.market import Market, market_for
from practice.matches.models import MatchRequest
from practice.matches.profiles import Profile
from practice.matches.queries import Footing, footing_of, history_of, turned_down

SHOWN = 3
MOST_SHOWN = 30


@dataclass(frozen=True)
class Search:
    """What one client is looking for and who there is. Made anew for each page."""

    values: matching.Client
    market: Market

    def ranking(self, limit: int = SHOWN) -> matching.Ranking:
        return self.market.index.rank(self.values, self.market.weights, limit)

    def explain(self, therapist_id: str) -> matching.Explanation:
        return self.market.index.explain(self.values, therapist_id, self.market.weights)

    def why_not(self, therapist_id: str, limit: int = SHOWN) -> matching.WhyNot | None:
        """None for anybody who cannot be found at all, whatever the reason."""
        if therapist_id not in self.market.profiles:
            return None
        return self.market.index.why_not(self.values, therapist_id, self.market.weights, limit)

    def profile(self, therapist_id: str) -> Profile:
        return self.market.profiles[therapist_id]

    @cached_property
    def licensed_with_room(self) -> list[Profile]:
        return self.market.licensed_with_room(self.values.place)

    @cached_property
    def is_beyond_every_scope(self) -> bool:
        """Whether nobody may be offered only because everybody who could be is out of scope."""
        if self.ranking(1).results:
            return False
        eased = without_scope(self.values)
        return bool(self.market.index.rank(eased, self.market.weights, 1).results)


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
    history = history_of(client) if history is None else history
    values = client_values(
        client,
        answers,
        at,
        exclude=turned_down(history, at),
        with_scores=footing.scores_count,
    )
    return Search(values, market_for(at, values.on, footing.stamp))
