"""Whom was found for a client, with reasons and the exact sum."""

from datetime import datetime

from core.config import current_settings
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.cards import Card, card_of
from practice.matches.search import search_for
from practice.waiting.models import Placement


def card_of_offer(placement: Placement, at: datetime) -> Card | None:
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
        explanation = index.explain(search.values, public_id, search.market.weights)
    profiles = search.profiles([public_id])
    return card_of(search.values, explanation, profiles[public_id], current_settings().currency)
