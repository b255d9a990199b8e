"""Whether somebody proposed still fits, from the rows of this transaction."""

from dataclasses import dataclass
from datetime import datetime

import matching
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.operations import entry_now, failing_rules
from practice.matches.queries import footing_of
from practice.matches.search import values_for
from practice.therapists.models import Therapist
from practice.waiting.models import Placement

# Whether there is a place is found out by taking it.
TAKEN_LATER = frozenset({"capacity"})


@dataclass(frozen=True)
class Fit:
    """The two as the engine sees them now, and whether no rule fails, room apart."""

    client: matching.Client
    therapist: matching.Therapist
    holds: bool


def fit_now(placement: Placement, therapist: Therapist, at: datetime) -> Fit | None:
    """None for a client without a place, and for a therapist who is no longer listed."""
    client = placement.client
    if not client.place:
        return None
    answers = answers_of(latest_submitted(client))
    values = values_for(client, answers, at, footing_of(client))
    entry = entry_now(therapist, values, at)
    if entry is None:
        return None
    failing = failing_rules(values, entry.values) - TAKEN_LATER
    return Fit(values, entry.values, holds=not failing)
