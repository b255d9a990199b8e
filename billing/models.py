"""Payers, orders, charges and refunds; the events of the payment company, each once."""

import enum
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Key, enum_column


class Payer(Identified, Base):
    """Whoever pays, known here by an opaque reference alone."""

    __tablename__ = "payers"

    reference: Mapped[uuid.UUID] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class OrderState(enum.StrEnum):
    created = "created"
    open = "open"
    paid = "paid"
    expired = "expired"


ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.created: frozenset({OrderState.open, OrderState.paid, OrderState.expired}),
    OrderState.open: frozenset({OrderState.paid, OrderState.expired}),
    OrderState.expired: frozenset({OrderState.paid}),
    OrderState.paid: frozenset(),
}


class Order(Identified, Base):
    """What is to be paid. `reference` is the caller's opaque id; amounts are minor units.

    `description` is neutral: it is all that the payment company reads.
    """

    __tablename__ = "orders"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    payer_id: Mapped[int] = mapped_column(sa.ForeignKey("payers.id"), index=True)
    reference: Mapped[uuid.UUID] = mapped_column(unique=True)
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    description: Mapped[str] = mapped_column(sa.String(60))
    state: Mapped[OrderState] = enum_column(OrderState, default=OrderState.created)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    checkout_id: Mapped[str | None] = mapped_column(sa.String(100), unique=True)
    checkout_url: Mapped[str] = mapped_column(sa.String(600), default="")

    payer: Mapped[Payer] = relationship(lazy="joined")
    charge: Mapped["Charge | None"] = relationship(back_populates="order", lazy="joined")


class Charge(Identified, Base):
    """Money received for an order, once."""

    __tablename__ = "charges"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    amount: Mapped[int]
    payment_intent: Mapped[str] = mapped_column(sa.String(100), unique=True)
    captured_at: Mapped[datetime]

    order: Mapped[Order] = relationship(back_populates="charge")
    refunds: Mapped[list["Refund"]] = relationship(back_populates="charge", lazy="selectin")


class RefundState(enum.StrEnum):
    requested = "requested"
    done = "done"
    failed = "failed"


class Refund(Identified, Base):
    """Money given back. Its public id is the idempotency key of the call."""

    __tablename__ = "refunds"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    charge_id: Mapped[int] = mapped_column(sa.ForeignKey("charges.id"), index=True)
    amount: Mapped[int]
    state: Mapped[RefundState] = enum_column(RefundState, default=RefundState.requested)
    because: Mapped[str] = mapped_column(sa.String(40))
    requested_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    stripe_refund: Mapped[str | None] = mapped_column(sa.String(100), unique=True)

    charge: Mapped[Charge] = relationship(back_populates="refunds")


class WebhookEvent(Base):
    """An event that was handled; its id is stored in the transaction of its effect."""

    __tablename__ = "webhook_events"

    id: Mapped[Key]
    event_id: Mapped[str] = mapped_column(sa.String(100), unique=True)
    type: Mapped[str] = mapped_column(sa.String(80))
    handled_at: Mapped[datetime]
