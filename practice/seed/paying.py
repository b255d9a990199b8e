"""The invented members pay for their seats, through the sandbox and the product's own path."""

import uuid
from datetime import datetime

import sqlalchemy as sa
import stripe
from flask import current_app

from billing.operations import CHECKOUT_LASTS, apply_page, open_checkout, place_order
from billing.queries import order_of
from billing.sandbox import Sandbox
from billing.sandbox.transport import InProcess
from billing.stripe_port import StripePort
from core.clock import now
from core.config import Settings, current_settings
from core.database import db, unit_of_work
from practice.groups.models import Enrolment, EnrolmentState


def pay_for_seats(at: datetime) -> None:
    """Place and pay an order for every held seat; without the sandbox nothing is paid."""
    settings = current_settings()
    if not settings.uses_sandbox:
        return
    sandbox = Sandbox(settings.data_dir / "sandbox.sqlite3", now=now)
    client = stripe.StripeClient(sandbox.api_key, http_client=InProcess(sandbox))
    current_app.extensions["stripe_port"] = StripePort(client)
    try:
        for enrolment_id in _held():
            _pay(sandbox, _ordered(enrolment_id, settings, at), settings, at)
    finally:
        del current_app.extensions["stripe_port"]
        sandbox.close()


def _held() -> list[int]:
    held = sa.select(Enrolment.id).where(
        Enrolment.state == EnrolmentState.held, Enrolment.order_id.is_(None)
    )
    return list(db.session.scalars(held))


def _ordered(enrolment_id: int, settings: Settings, at: datetime) -> uuid.UUID:
    with unit_of_work() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        order = place_order(
            session,
            payer_reference=enrolment.client.public_id,
            reference=uuid.uuid4(),
            amount=enrolment.price,
            currency=settings.currency,
            at=at,
            expires_at=at + CHECKOUT_LASTS,
        )
        enrolment.order_id = order.public_id
        return order.public_id


def _pay(sandbox: Sandbox, order_id: uuid.UUID, settings: Settings, at: datetime) -> None:
    address = settings.base_url
    open_checkout(order_id, success_url=address, cancel_url=address, at=at)
    order = order_of(db.session(), order_id)
    assert order is not None
    assert order.checkout_id is not None
    sandbox.pay(order.checkout_id)
    page = current_app.extensions["stripe_port"].checkout(order.checkout_id)
    with unit_of_work() as session:
        apply_page(session, page, at)
