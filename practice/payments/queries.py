"""Reads of a client's payments, shaped for others: what was paid, what went back, what is open."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, contains_eager

from billing.models import Charge, Order
from practice.accounts.models import Client
from practice.payments.policy import orders_of


@dataclass(frozen=True)
class PaymentLine:
    """One order. `key` is the order's own; `paid_at` is None unless money came."""

    key: int
    order: Order
    paid_at: datetime | None

    @property
    def is_settled(self) -> bool:
        return self.order.is_settled


def payment_lines(session: Session, client: Client) -> list[PaymentLine]:
    """Every order of this client, the first one first."""
    orders = (
        orders_of(client)
        .outerjoin(Charge, Charge.order_id == Order.id)
        .options(contains_eager(Order.charge))
        .order_by(Order.id)
    )
    return [
        PaymentLine(order.id, order, order.charge.captured_at if order.charge else None)
        for order in session.scalars(orders).unique()
    ]
