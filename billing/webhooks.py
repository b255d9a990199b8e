"""What the payment company tells us: believed only when signed, each event once.

Events come repeated, out of order and late (Stripe, "Webhooks"). So the state is taken from the
object: "paid" and "over" are final there, and a refund, whose state can still turn, is asked for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import stripe
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.models import WebhookEvent
from billing.operations import apply_page, apply_refund, receive_payment
from billing.stripe_port import Payment, known_id, page_of, stripe_port
from core.config import current_settings
from core.database import db, unit_of_work

TOLERANCE = 300

Effect = Callable[[Session, datetime], None]


class NotGenuine(Exception):
    """Not signed by the payment company, too old, or from its other mode: nothing is written."""


class _HandledBefore(Exception):
    pass


@dataclass(frozen=True)
class Event:
    id: str
    type: str
    livemode: bool
    subject: dict[str, Any]


def receive(body: bytes, signature: str, *, heard_at: datetime, at: datetime) -> None:
    """Take in one delivery: the raw body, its `Stripe-Signature`, the wall clock's instant.

    `at` is the instant of the effects. Raises NotGenuine, or Unknown when the payment company
    has to be asked and does not answer: it will then deliver the event again.
    """
    event = verified(body, signature, heard_at)
    if event.type in EFFECTS and not _is_known(event):
        effect = EFFECTS[event.type](event.subject)
        _handle_once(event, effect, at)


def verified(body: bytes, signature: str, heard_at: datetime) -> Event:
    """The event, if the raw bytes are signed, fresh to 300 s and of our own mode."""
    settings = current_settings()
    try:
        stripe.WebhookSignature.verify_header(body, signature, settings.stripe_webhook_secret)
        said_at = _said_at(signature)
        event = _event_in(json.loads(body))
    except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError) as error:
        raise NotGenuine from error
    if abs(heard_at.timestamp() - said_at) > TOLERANCE:
        raise NotGenuine
    if event.livemode is not ("_live_" in settings.stripe_api_key):
        raise NotGenuine
    return event


def _said_at(signature: str) -> int:
    parts = dict(part.split("=", 1) for part in signature.split(","))
    return int(parts["t"])


def _event_in(said: dict[str, Any]) -> Event:
    return Event(said["id"], said["type"], said["livemode"], said["data"]["object"])


def _handle_once(event: Event, effect: Effect, at: datetime) -> None:
    try:
        with unit_of_work() as session:
            _write_down(session, event, at)
            effect(session, at)
    except _HandledBefore:
        return


def _write_down(session: Session, event: Event, at: datetime) -> None:
    session.add(WebhookEvent(event_id=event.id, type=event.type, handled_at=at))
    try:
        session.flush()
    except IntegrityError as error:
        raise _HandledBefore from error


def _is_known(event: Event) -> bool:
    known = sa.select(WebhookEvent.id).where(WebhookEvent.event_id == event.id)
    found = db.session.scalar(known) is not None
    db.session.rollback()
    return found


def _of_checkout(subject: dict[str, Any]) -> Effect:
    page = page_of(subject)
    return lambda session, at: apply_page(session, page, at)


def _of_payment(subject: dict[str, Any]) -> Effect:
    order_id = known_id((subject.get("metadata") or {}).get("order"))
    payment = Payment(subject["id"], subject["amount_received"])

    def effect(session: Session, at: datetime) -> None:
        if order_id is not None:
            receive_payment(session, order_id, payment, at)

    return effect


def _of_refund(subject: dict[str, Any]) -> Effect:
    # A refund that succeeded can still come back, so a late event may say what is no longer true.
    answer = stripe_port().refund(subject["id"])
    return lambda session, at: apply_refund(session, answer, at)


EFFECTS: dict[str, Callable[[dict[str, Any]], Effect]] = {
    "checkout.session.completed": _of_checkout,
    "checkout.session.async_payment_succeeded": _of_checkout,
    "checkout.session.expired": _of_checkout,
    "payment_intent.succeeded": _of_payment,
    "refund.created": _of_refund,
    "refund.updated": _of_refund,
    "refund.failed": _of_refund,
}
