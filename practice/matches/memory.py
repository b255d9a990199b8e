"""What this process knows to be written down already, so that it need not ask again."""

from collections import OrderedDict

from flask import current_app

from practice.accounts.models import Client
from practice.matches.queries import is_kept

MOST_REMEMBERED = 10_000


def kept_before(client: Client, digest: str) -> bool:
    """Whether this proposal is kept; the rows are only ever added, so a yes stays true."""
    known: OrderedDict[tuple[str, str], None] = current_app.extensions.setdefault(
        "kept_proposals", OrderedDict()
    )
    key = (str(client.public_id), digest)
    if key not in known and not is_kept(client, digest):
        return False
    known[key] = None
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
    return True
