"""What this process knows to be written down already, so that it need not ask again."""

import uuid
from collections import OrderedDict

from flask import current_app

from practice.accounts.models import Client
from practice.matches.queries import number_of

MOST_REMEMBERED = 10_000


def kept_before(client: Client, digest: str) -> uuid.UUID | None:
    """The number under which this list is kept; rows are only ever added, so it stays true."""
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
