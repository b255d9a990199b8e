"""Payers, orders, charges and refunds; the events of the payment company, each once."""

import enum
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Key, enum_column
from core.errors import WrongState


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

    @property
    def is_settled(self) -> bool:
        return self.state in {OrderState.paid, OrderState.expired}

    @property
    def was_never_opened(self) -> bool:
        """Nobody was ever given the address of its payment page."""
        return self.checkout_id is None

    def move_to(self, state: OrderState) -> None:
        if state not in ORDER_TRANSITIONS[self.state]:
            raise WrongState
        self.state = state

    def open_at(self, checkout_id: str, url: str) -> None:
        self.move_to(OrderState.open)
        self.checkout_id, self.checkout_url = checkout_id, url

    def receive(self, payment_intent: str, amount: int, at: datetime) -> None:
        """The money is here, even when it comes after the order had run out."""
        self.move_to(OrderState.paid)
        self.charge = Charge(amount=amount, payment_intent=payment_intent, captured_at=at)


class Charge(Identified, Base):
    """Money received for an order, once."""

    __tablename__ = "charges"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    amount: Mapped[int]
    payment_intent: Mapped[str] = mapped_column(sa.String(100), unique=True)
    captured_at: Mapped[datetime]

    order: Mapped[Order] = relationship(back_populates="charge")
    refunds: Mapped[list["Refund"]] = relationship(
        back_populates="charge", lazy="selectin", order_by="Refund.id"
    )

    @property
    def refunded(self) -> int:
        """What went back or is on its way, minor units."""
        return sum(refund.amount for refund in self.refunds if refund.counts)

    @property
    def refundable(self) -> int:
        return max(self.amount - self.refunded, 0)


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

    @property
    def counts(self) -> bool:
        return self.state is not RefundState.failed


class WebhookEvent(Base):
    """An event that was handled; its id is stored in the transaction of its effect."""

    __tablename__ = "webhook_events"

    id: Mapped[Key]
    event_id: Mapped[str] = mapped_column(sa.String(100), unique=True)
    type: Mapped[str] = mapped_column(sa.String(80))
    handled_at: Mapped[datetime]
