"""Orders, their payment pages, and refunds: the rules over what was paid and what goes back.

The payment company is never called inside a transaction. First the intent is committed, then
the call is made with the intent's id as its key, then the answer is written down; an outbox row
finishes what a crash left between the three.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.models import Charge, Order, OrderState, Payer, Refund, RefundState
from billing.signals import order_expired, order_paid, refund_done, refund_failed
from billing.stripe_port import (
    Broken,
    CheckoutIntent,
    CheckoutPage,
    Payment,
    RefundAnswer,
    Refused,
    Unknown,
    stripe_port,
)
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from core.outbox import post

DESCRIPTION = "Group programme"

# A payment page must live at least 30 minutes (Stripe, "Create a Checkout Session"); the rest
# is the time we have to ask for it.
CHECKOUT_LASTS = timedelta(minutes=35)
ASK_WITHIN = CHECKOUT_LASTS - timedelta(minutes=31)
ASK_AFTER = timedelta(minutes=3)
SETTLE_AFTER = timedelta(minutes=1)
OVERDUE = timedelta(hours=1)
MOST_OVERDUE = 50

SETTLE, GIVE_BACK = "billing.settle", "billing.refund"


class PaymentPageAway(Refusal):
    message = "The payment page could not be opened just now. Nothing was charged."


class OrderClosed(Refusal):
    message = (
        "This payment can no longer be made. "
        "If you have paid already, it counts, or all of it goes back."
    )


class OverRefund(Refusal):
    message = "That is more than is left of this payment."


def place_order(
    session: Session,
    *,
    payer_reference: uuid.UUID,
    reference: uuid.UUID,
    amount: int,
    currency: str,
    at: datetime,
    expires_at: datetime,
) -> Order:
    """Write down what is to be paid; nobody outside is told yet.

    `amount` is in minor units, above 0. A second call with a reference gets the same order.
    """
    known = session.scalar(sa.select(Order).where(Order.reference == reference))
    if known is not None:
        return known
    order = Order(
        payer_id=_payer_id(session, payer_reference, at),
        reference=reference,
        amount=amount,
        currency=currency,
        description=DESCRIPTION,
        created_at=at,
        expires_at=expires_at,
    )
    session.add(order)
    session.flush()
    _post_settle(session, order, "ended", at, due_at=expires_at + SETTLE_AFTER, end=True)
    return order


def open_checkout(order_id: uuid.UUID, *, success_url: str, cancel_url: str, at: datetime) -> str:
    """The address of the order's payment page; the same one however often it is asked for.

    Takes the order's public id and no session: it is called between transactions. Raises
    OrderClosed when the order is paid, over or was refused, PaymentPageAway when nobody answers.
    """
    order = _order(db.session(), order_id)
    if order.state is OrderState.open and at < order.expires_at:
        return order.checkout_url
    if order.state is not OrderState.created:
        raise OrderClosed
    page = _opened_page(_intent_of(order, success_url, cancel_url))
    return _write_down_page(order_id, page, at)


def can_be_replaced(order: Order, at: datetime) -> bool:
    """Nobody has the address of its payment page, and it is too late to ask for one."""
    return order.was_never_opened and (order.is_settled or at > order.created_at + ASK_WITHIN)


def close_order(session: Session, order_id: uuid.UUID, at: datetime) -> None:
    """Nobody waits for this money any more: end the payment page after the commit.

    Money that was quicker is still received; `order_paid` then finds nobody waiting.
    """
    _post_settle(session, _order(session, order_id), "closed", at, due_at=at, end=True)


def receive_payment(session: Session, order_id: uuid.UUID, payment: Payment, at: datetime) -> None:
    """Mark an order paid, once, and tell who waits for it in the same transaction."""
    order = _locked_order(session, order_id)
    if order is None or order.state is OrderState.paid:
        return
    order.receive(payment.payment_intent, payment.amount, at)
    session.flush()
    order_paid.send(order, session=session, at=at)


def expire_order(session: Session, order_id: uuid.UUID, at: datetime) -> None:
    """Mark an order as over, unless it was paid."""
    order = _locked_order(session, order_id)
    if order is None or order.is_settled:
        return
    order.move_to(OrderState.expired)
    session.flush()
    order_expired.send(order, session=session, at=at)


def request_refund(
    session: Session, order_id: uuid.UUID, amount: int, because: str, at: datetime
) -> Refund:
    """Promise to give `amount` minor units back; the outbox carries it out.

    Raises OverRefund when all refunds together would exceed what was captured, NotFound when
    nothing was paid. `because` is a neutral code.
    """
    charge = _locked_charge(session, order_id)
    if not 0 < amount <= charge.refundable:
        raise OverRefund
    refund = Refund(charge=charge, amount=amount, because=because, requested_at=at)
    session.add(refund)
    session.flush()
    _post_give_back(session, refund, "asked", at)
    return refund


def forget_orders(session: Session, order_ids: Sequence[int]) -> None:
    """Delete settled orders with what was paid and given back; open ones stay.

    For whoever no longer has to keep them; a payer without an order is forgotten too.
    """
    settled = sa.select(Order.id).where(
        Order.id.in_(order_ids), Order.state.in_((OrderState.paid, OrderState.expired))
    )
    gone = list(session.scalars(settled))
    charges = sa.select(Charge.id).where(Charge.order_id.in_(gone))
    session.execute(sa.delete(Refund).where(Refund.charge_id.in_(charges)))
    session.execute(sa.delete(Charge).where(Charge.order_id.in_(gone)))
    payers = list(session.scalars(sa.select(Order.payer_id).where(Order.id.in_(gone))))
    session.execute(sa.delete(Order).where(Order.id.in_(gone)))
    with_orders = sa.select(Order.payer_id)
    session.execute(sa.delete(Payer).where(Payer.id.in_(payers), Payer.id.not_in(with_orders)))


def settle(payload: dict[str, Any]) -> None:
    """The outbox handler that asks how an order ended. `end` closes a page that is still open."""
    order = _order(db.session(), uuid.UUID(payload["order"]))
    if order.is_settled:
        return
    if order.was_never_opened:
        # Its page may exist, but nobody was given the address: no money can come.
        _in_a_transaction(lambda session, at: expire_order(session, order.public_id, at))
        return
    page = _page_now(order.checkout_id or "", end=payload["end"])
    _in_a_transaction(lambda session, at: apply_page(session, page, at))


def give_back(payload: dict[str, Any]) -> None:
    """The outbox handler that carries a refund out, once however often it is tried."""
    refund = _refund(db.session(), uuid.UUID(payload["refund"]))
    if refund.state is not RefundState.requested:
        return
    answer = _refund_made(refund.public_id, refund.charge.payment_intent, refund.amount)
    if answer is None:
        _in_a_transaction(lambda session, at: _fail(session, refund.public_id, at))
        return
    _in_a_transaction(lambda session, at: apply_refund(session, answer, at))


def apply_page(session: Session, page: CheckoutPage, at: datetime) -> None:
    """What a payment page says becomes the state of its order, in whatever order it is heard."""
    if page.order_id is None:
        return
    if page.payment is not None:
        receive_payment(session, page.order_id, page.payment, at)
    elif page.is_expired:
        expire_order(session, page.order_id, at)


def apply_refund(session: Session, answer: RefundAnswer, at: datetime) -> None:
    """What the payment company says of a refund; one that was made elsewhere counts too."""
    refund = _refund_told_of(session, answer, at)
    if refund is None:
        return
    refund.stripe_refund = answer.id
    if answer.status == "succeeded":
        _finish(session, refund, at)
    elif answer.status in {"failed", "canceled"}:
        _fail(session, refund.public_id, at)


def reconcile(at: datetime) -> None:
    """Ask again about whatever has been unknown for an hour; a sweep, it only posts the asking."""
    if not _anything_overdue(db.session(), at):
        return
    with unit_of_work() as session:
        for order in session.scalars(_overdue_orders(at)):
            _post_settle(session, order, f"{at:%Y-%m-%dT%H}", at, due_at=at, end=True)
        for refund in session.scalars(_overdue_refunds(at)):
            _post_give_back(session, refund, f"{at:%Y-%m-%dT%H}", at)


def _payer_id(session: Session, reference: uuid.UUID, at: datetime) -> int:
    known = sa.select(Payer.id).where(Payer.reference == reference)
    found = session.scalar(known)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(Payer(reference=reference, created_at=at))
    except IntegrityError:
        # Somebody wrote the same payer down a moment ago.
        pass
    return session.scalars(known).one()


def _intent_of(order: Order, success_url: str, cancel_url: str) -> CheckoutIntent:
    return CheckoutIntent(
        order_id=order.public_id,
        description=order.description,
        amount=order.amount,
        currency=order.currency,
        expires_at=order.expires_at,
        success_url=success_url,
        cancel_url=cancel_url,
    )


def _opened_page(intent: CheckoutIntent) -> CheckoutPage:
    db.session.rollback()
    try:
        return stripe_port().open_checkout(intent)
    except (Refused, Broken) as error:
        # Nobody has the address of a page that may exist: a fresh order may take its place.
        _in_a_transaction(lambda session, at: expire_order(session, intent.order_id, at))
        raise PaymentPageAway from error
    except Unknown as error:
        raise PaymentPageAway from error


def _write_down_page(order_id: uuid.UUID, page: CheckoutPage, at: datetime) -> str:
    with unit_of_work() as session:
        order = _locked_order(session, order_id)
        if order is None or order.is_settled:
            raise OrderClosed
        if order.was_never_opened:
            order.open_at(page.id, page.url)
            _post_settle(session, order, "opened", at, due_at=at + ASK_AFTER, end=False)
        return order.checkout_url


def _page_now(checkout_id: str, *, end: bool) -> CheckoutPage:
    db.session.rollback()
    page = stripe_port().checkout(checkout_id)
    return stripe_port().end_checkout(checkout_id) if end and page.is_open else page


def _refund_made(refund_id: uuid.UUID, payment_intent: str, amount: int) -> RefundAnswer | None:
    """The refund as the payment company made it, or None when it refuses to.

    Looks for it first: the key of an earlier try may have been forgotten by now.
    """
    db.session.rollback()
    made = stripe_port().refund_named(refund_id, payment_intent)
    if made is not None:
        return made
    try:
        return stripe_port().give_back(refund_id, payment_intent, amount)
    except Refused:
        return None


def _refund_told_of(session: Session, answer: RefundAnswer, at: datetime) -> Refund | None:
    ours = sa.or_(
        Refund.stripe_refund == answer.id,
        Refund.public_id == answer.refund_id if answer.refund_id else sa.false(),
    )
    known = session.scalars(sa.select(Refund).where(ours).with_for_update()).first()
    return known or _refund_made_elsewhere(session, answer, at)


def _refund_made_elsewhere(session: Session, answer: RefundAnswer, at: datetime) -> Refund | None:
    charge = session.scalar(sa.select(Charge).where(Charge.payment_intent == answer.payment_intent))
    if charge is None:
        return None
    refund = Refund(charge=charge, amount=answer.amount, because="elsewhere", requested_at=at)
    session.add(refund)
    return refund


def _finish(session: Session, refund: Refund, at: datetime) -> None:
    if refund.state is RefundState.requested:
        refund.state, refund.done_at = RefundState.done, at
        session.flush()
        refund_done.send(refund, session=session, at=at)


def _fail(session: Session, refund_id: uuid.UUID, at: datetime) -> None:
    refund = _refund(session, refund_id)
    if refund.state is not RefundState.failed:
        refund.state = RefundState.failed
        session.flush()
        refund_failed.send(refund, session=session, at=at)


def _in_a_transaction(act: Callable[[Session, datetime], None]) -> None:
    with unit_of_work() as session:
        act(session, now())


def _post_settle(
    session: Session, order: Order, why: str, at: datetime, *, due_at: datetime, end: bool
) -> None:
    payload = {"order": str(order.public_id), "end": end}
    key = f"{SETTLE}:{order.public_id}:{why}"
    post(session, SETTLE, payload, dedupe_key=key, at=at, due_at=due_at)


def _post_give_back(session: Session, refund: Refund, why: str, at: datetime) -> None:
    payload = {"refund": str(refund.public_id)}
    key = f"{GIVE_BACK}:{refund.public_id}:{why}"
    post(session, GIVE_BACK, payload, dedupe_key=key, at=at)


def _anything_overdue(session: Session, at: datetime) -> bool:
    overdue = (_overdue_orders(at), _overdue_refunds(at))
    return any(session.scalars(some.limit(1)).first() is not None for some in overdue)


def _overdue_orders(at: datetime) -> sa.Select[Any]:
    waiting = Order.state.in_((OrderState.created, OrderState.open))
    overdue = sa.and_(waiting, Order.expires_at < at - OVERDUE)
    return sa.select(Order).where(overdue).order_by(Order.id).limit(MOST_OVERDUE)


def _overdue_refunds(at: datetime) -> sa.Select[Any]:
    waiting = Refund.state == RefundState.requested
    overdue = sa.and_(waiting, Refund.requested_at < at - OVERDUE)
    return sa.select(Refund).where(overdue).order_by(Refund.id).limit(MOST_OVERDUE)


def _order(session: Session, order_id: uuid.UUID) -> Order:
    order = session.scalar(sa.select(Order).where(Order.public_id == order_id))
    if order is None:
        raise NotFound
    return order


def _locked_order(session: Session, order_id: uuid.UUID) -> Order | None:
    """The order as it stands now, held until the end of the transaction."""
    return session.scalars(
        sa.select(Order)
        .options(sa.orm.lazyload("*"))
        .where(Order.public_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def _locked_charge(session: Session, order_id: uuid.UUID) -> Charge:
    charge = session.scalars(
        sa.select(Charge)
        .join(Order)
        .where(Order.public_id == order_id)
        .with_for_update(of=Charge)
        .execution_options(populate_existing=True)
    ).first()
    if charge is None:
        raise NotFound
    return charge


def _refund(session: Session, refund_id: uuid.UUID) -> Refund:
    refund = session.scalar(sa.select(Refund).where(Refund.public_id == refund_id))
    if refund is None:
        raise NotFound
    return refund
