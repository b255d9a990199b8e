"""Whom was found for a client, with reasons and the exact sum."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from core.config import current_settings
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.cards import Card, card_of
from practice.matches.memory import keep_shown
from practice.matches.search import search_for
from practice.waiting.models import Placement


@dataclass(frozen=True)
class Shown:
    """The card, and the number under which it is kept, so that it can be worked out again."""

    card: Card
    number: uuid.UUID | None


def shown_of_offer(placement: Placement, at: datetime) -> Shown | None:
    """As the two stand now; None when the therapist is no longer listed, or the client moved.

    Without prices: the place is theirs, so what others would give for it is no line of the sum.
    """
    client = placement.client
    if not client.place or placement.therapist is None:
        return None
    search = search_for(client, answers_of(latest_submitted(client)), at)
    public_id = str(placement.therapist.public_id)
    with search.market.held() as index:
        if public_id not in index:
            return None
        weights, therapist = search.market.weights, index.therapist(public_id)
        explanation = index.explain(search.values, public_id, weights)
    profile = search.profiles([public_id])[public_id]
    card = card_of(search.values, explanation, profile, current_settings().currency)
    return Shown(card, keep_shown(client, search.values, [therapist], weights, at))
