"""What this process knows to be written down already, so that it need not ask again."""

import uuid
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime

from flask import current_app

import matching
from core.database import unit_of_work
from matching.prices import NO_PRICES
from practice.accounts.models import Client
from practice.matches.kept import A_LIST, ShownAs, proposal_digest
from practice.matches.operations import keep_proposal
from practice.matches.queries import number_of

MOST_REMEMBERED = 10_000


def keep_shown(
    client: Client,
    values: matching.Client,
    shown: Collection[matching.Therapist],
    weights: matching.Weights,
    at: datetime,
    prices: matching.Prices = NO_PRICES,
    shown_as: ShownAs = A_LIST,
) -> uuid.UUID | None:
    """What is shown for the first time is written down before it is shown; its number."""
    digest = proposal_digest(values, shown, weights, prices, shown_as)
    number = kept_before(client, digest)
    if number is not None:
        return number
    with unit_of_work() as session:
        keep_proposal(session, client, values, shown, weights, at, prices, shown_as)
    return kept_before(client, digest)


def kept_before(client: Client, digest: str) -> uuid.UUID | None:
    """The number under which this is kept; rows are only ever added, so it stays true."""
    known: OrderedDict[tuple[str, str], uuid.UUID] = current_app.extensions.setdefault(
        "kept_proposals", OrderedDict()
    )
    key = (str(client.public_id), digest)
    number = known.get(key) or number_of(client, digest)
    if number is not None:
        known[key] = number
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
    return number
