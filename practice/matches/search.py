"""One client's search: their values, the market now, and what the engine says about the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

import matching
from core.database import db
from practice.accounts.models import Client
from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.matches.index import client_values, market_at, without_scope
from practice.matches.market import Market
from practice.matches.profiles import Profile
from practice.matches.queries import turned_down_by

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


def search_for(client: Client, answers: Mapping[str, Any], at: datetime) -> Search:
    """Raises `index.NoPlace` for a client who has not said where they will be."""
    values = client_values(
        client,
        answers,
        at,
        exclude=turned_down_by(client, at),
        with_scores=scores_count(client),
    )
    return Search(values, market_at(at, client.place))


def scores_count(client: Client) -> bool:
    """Scores count in a match only while the consent to assessment stands."""
    return bool(db.session.scalar(sa.select(in_force(Purpose.assessment, client.id))))
