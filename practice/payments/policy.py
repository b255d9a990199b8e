"""Whose payments are whose."""

import sqlalchemy as sa

from billing.models import Order, Payer
from practice.accounts.models import Client
from practice.consent.policy import beyond_consent


@beyond_consent("a client's own orders")
def orders_of(client: Client) -> sa.Select[Order]:
    """A client's own orders, known to billing by an opaque reference."""
    return sa.select(Order).join(Payer).where(Payer.reference == client.public_id)
