"""Whether somebody proposed still fits, from the rows of this transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import matching
from practice.accounts.models import Client
from practice.intake.queries import answers_of, latest_submitted_of
from practice.matches.market.entries import Entry, entries_of
from practice.matches.operations import failing_rules
from practice.matches.queries import Footing, footings_of
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


def fits_now(pairs: Sequence[tuple[Placement, Therapist]], at: datetime) -> list[Fit | None]:
    """In the order given; clients are read together, and therapists for each day meant.

    None for a client without a place, and for a therapist who is no longer listed.
    """
    asking = _asking([placement.client for placement, _ in pairs], at)
    days = {values.on for values in asking if values is not None}
    ids = [therapist.id for _, therapist in pairs]
    entries = {(day, each.row_id): each for day in days for each in entries_of(ids, at, day)}
    return [
        None if values is None else _fit(values, entries.get((values.on, therapist.id)))
        for values, (_, therapist) in zip(asking, pairs, strict=True)
    ]


def _asking(clients: Sequence[Client], at: datetime) -> list[matching.Client | None]:
    ids = [client.id for client in clients]
    intakes, footings = latest_submitted_of(ids), footings_of(ids)
    return [
        _values(client, answers_of(intakes.get(client.id)), at, footings[client.id])
        for client in clients
    ]


def _values(
    client: Client, answers: Mapping[str, Any], at: datetime, footing: Footing
) -> matching.Client | None:
    if not client.place:
        return None
    history = None if footing.has_asked else ()
    return values_for(client, answers, at, footing, history)


def _fit(values: matching.Client, entry: Entry | None) -> Fit | None:
    if entry is None:
        return None
    failing = failing_rules(values, entry.values) - TAKEN_LATER
    return Fit(values, entry.values, holds=not failing)
