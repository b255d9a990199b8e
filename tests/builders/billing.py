"""Orders for tests."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from billing.models import Order
from billing.operations import CHECKOUT_LASTS, place_order
from core.database import unit_of_work
from tests.conftest import NOW

SUCCESS, CANCEL = "http://localhost/back", "http://localhost/cancelled"


def make_order(session: Session, amount: int = 24000, *, at: datetime = NOW) -> Order:
    """A flushed order of a payer of its own."""
    return place_order(
        session,
        payer_reference=uuid.uuid4(),
        reference=uuid.uuid4(),
        amount=amount,
        currency="USD",
        at=at,
        expires_at=at + CHECKOUT_LASTS,
    )


def placed_order(amount: int = 24000, *, at: datetime = NOW) -> uuid.UUID:
    """The public id of a committed order; needs an application context."""
    with unit_of_work() as session:
        return make_order(session, amount, at=at).public_id
