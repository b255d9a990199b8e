"""Reads over orders for the pages of others; ids in and out are public ids."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.models import Order, OrderState


@dataclass(frozen=True)
class Paid:
    """What came in for an order and what went back or is on its way, minor units."""

    state: OrderState
    amount: int
    refunded: int

    @property
    def kept(self) -> int:
        return self.amount - self.refunded


def order_of(session: Session, order_id: uuid.UUID) -> Order | None:
    return session.scalar(sa.select(Order).where(Order.public_id == order_id))


def paid_for(session: Session, order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Paid]:
    """Order id → what was paid, for many orders at once."""
    orders = session.scalars(sa.select(Order).where(Order.public_id.in_(list(order_ids))))
    return {order.public_id: paid_of(order) for order in orders}


def paid_of(order: Order) -> Paid:
    charge = order.charge
    if charge is None:
        return Paid(order.state, 0, 0)
    return Paid(order.state, charge.amount, charge.refunded)
