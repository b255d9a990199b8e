"""Pages of payments: on the way to the payment page and back, the receipt, and the webhook."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from billing.models import Order, OrderState
from billing.operations import OrderClosed, PaymentPageAway, open_checkout
from billing.queries import order_of, paid_of
from billing.stripe_port import Unknown
from billing.webhooks import NotGenuine, receive
from core.access import policy
from core.clock import SystemClock, now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts.policy import anyone, is_client, the_client
from practice.groups.models import Enrolment, EnrolmentState
from practice.groups.operations import renew_order
from practice.groups.policy import enrolments_visible_to
from practice.groups.presenting import statement_words
from practice.payments.policy import orders_of

bp = Blueprint("payments", __name__)

PAYABLE = frozenset({EnrolmentState.held})


@bp.post("/enrolments/<uuid:enrolment>/payment")
@policy(is_client)
def pay(enrolment: uuid.UUID) -> Response:
    """On to the payment page; pressing twice leads to the same one."""
    client = the_client()
    with unit_of_work() as session:
        renew_order(session, enrolment, client, now())
    held = _enrolment(enrolment)
    if held.state not in PAYABLE or held.order_id is None:
        return _back_to(enrolment)
    try:
        return redirect(_payment_page(enrolment, held.order_id), 303)
    except (PaymentPageAway, OrderClosed) as refusal:
        flash(refusal.message, "clay")
        return _back_to(enrolment)


@bp.get("/enrolments/<uuid:enrolment>/payment")
@policy(is_client)
def returned(enrolment: uuid.UUID) -> str | Response:
    """Back from the payment page. What counts is what the bank tells us, not this visit."""
    found = _enrolment(enrolment)
    order = order_of(db.session(), found.order_id) if found.order_id else None
    if order is None or order.is_settled:
        return _back_to(enrolment)
    return render_template("payments/returned.html", enrolment=found, order=order)


@bp.get("/receipts/<uuid:order>")
@policy(is_client)
def receipt(order: uuid.UUID) -> str:
    found = db.session.scalar(orders_of(the_client()).where(Order.public_id == order))
    if found is None or found.state is not OrderState.paid:
        raise NotFound
    return render_template(
        "payments/receipt.html",
        order=found,
        paid=paid_of(found),
        enrolment=_paid_with(found),
        zone=the_client().zone,
        statement=statement_words(),
    )


@bp.post("/webhooks/stripe")
@policy(anyone)
def webhook() -> tuple[str, int]:
    """Signed by the payment company. The wall clock judges how fresh a signature is."""
    signature = request.headers.get("Stripe-Signature", "")
    try:
        receive(request.get_data(), signature, heard_at=SystemClock().now(), at=now())
    except NotGenuine:
        return "not genuine", 400
    except Unknown:
        return "ask again", 503
    return "", 200


def _enrolment(enrolment: uuid.UUID) -> Enrolment:
    mine = enrolments_visible_to(the_client().user)
    found = db.session.scalar(mine.where(Enrolment.public_id == enrolment))
    if found is None:
        raise NotFound
    return found


def _paid_with(order: Order) -> Enrolment | None:
    mine = enrolments_visible_to(the_client().user)
    return db.session.scalar(mine.where(Enrolment.order_id == order.public_id))


def _payment_page(enrolment: uuid.UUID, order_id: uuid.UUID) -> str:
    settings = current_settings()
    back = f"{settings.base_url}/enrolments/{enrolment}"
    return open_checkout(order_id, success_url=f"{back}/payment", cancel_url=back, at=now())


def _back_to(enrolment: uuid.UUID) -> Response:
    return redirect(url_for("groups.enrolment", enrolment=enrolment), 303)
