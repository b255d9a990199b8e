import json
import random
import time
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import stripe

from billing.models import Charge, OrderState, Refund, WebhookEvent
from billing.sandbox.transport import InProcess
from billing.signals import order_paid
from core.config import SANDBOX_WEBHOOK_SECRET
from core.database import db
from core.outbox import OutboxMessage
from tests.billing.test_operations import opened, order_at, paid_order, refund
from tests.builders.billing import placed_order


def count(model) -> int:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def event_about(order_id, **changes):
    page = {
        "id": "cs_1",
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "amount_total": 24000,
        "client_reference_id": str(order_id),
    }
    event = {
        "id": "evt_1",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": page},
    }
    return json.dumps(event | changes)


def signed(body, *, age=0, secret=SANDBOX_WEBHOOK_SECRET):
    at = int(time.time()) - age
    made = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return {"Stripe-Signature": made}


@pytest.mark.parametrize(
    "headers",
    [
        lambda body: {},
        lambda body: {"Stripe-Signature": "t=1,v1=0"},
        lambda body: {"Stripe-Signature": "nonsense"},
        lambda body: signed(body, secret="whsec_of_somebody_else"),
        lambda body: signed(body + " "),
        lambda body: signed(body, age=301),
        lambda body: signed(body, age=-301),
    ],
    ids=["none", "forged", "nonsense", "other secret", "other body", "old", "from the future"],
)
def test_what_is_not_genuine_is_refused_and_writes_nothing(app, bank, headers):
    with app.app_context():
        body = event_about(placed_order())
    assert bank.post(body.encode(), headers(body)) == 400
    with app.app_context():
        assert count(WebhookEvent) == count(Charge) == 0


@pytest.mark.parametrize("age", [299, -299])
def test_a_signature_is_good_for_five_minutes_either_side(app, bank, age):
    with app.app_context():
        body = event_about(placed_order())
    assert bank.post(body.encode(), signed(body, age=age)) == 200
    with app.app_context():
        assert count(Charge) == 1


def test_an_event_of_the_other_mode_is_refused(app, bank):
    with app.app_context():
        body = event_about(placed_order(), livemode=True)
    assert bank.post(body.encode(), signed(body)) == 400
    with app.app_context():
        assert count(Charge) == 0


def test_a_genuine_event_about_somebody_elses_order_changes_nothing(app, bank):
    body = event_about("no id of ours")
    assert bank.post(body.encode(), signed(body)) == 200
    with app.app_context():
        assert count(Charge) == 0


@pytest.mark.parametrize("order", ["created", "reverse"])
def test_each_event_twice_in_either_order_is_one_charge(session, bank, order):
    order_id = placed_order()
    opened(order_id)
    bank.pay(order_id)
    bank.sandbox.repeat()
    bank.sandbox.order(order)
    attempts = bank.deliver()
    assert len(attempts) == 2 * len(bank.sandbox.events())
    assert {attempt.status for attempt in attempts} == {200}
    assert order_at(order_id).state is OrderState.paid
    assert count(Charge) == 1


def test_late_word_that_a_page_is_over_does_not_undo_a_payment(session, bank):
    order_id = paid_order(bank)
    body = event_about(order_id, type="checkout.session.expired")
    event = json.loads(body)
    event["data"]["object"] |= {"status": "expired", "payment_status": "unpaid"}
    body = json.dumps(event)
    assert bank.post(body.encode(), signed(body)) == 200
    assert order_at(order_id).state is OrderState.paid


def test_who_waits_is_told_once_and_a_receiver_that_fails_undoes_everything(session, bank, app):
    order_id = placed_order()
    opened(order_id)
    bank.pay(order_id)
    told = []

    def stumble(order, *, session, at):
        told.append(order.public_id)
        if len(told) == 1:
            raise ZeroDivisionError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    with order_paid.connected_to(stumble):
        assert 500 in {attempt.status for attempt in bank.deliver()}
        bank.sandbox.repeat()
        bank.deliver()
    app.config["PROPAGATE_EXCEPTIONS"] = True
    assert told == [order_id] * 2
    assert count(Charge) == 1


def test_a_refund_made_in_the_payment_companys_own_pages_counts(session, bank):
    order_id = paid_order(bank)
    client = stripe.StripeClient(bank.sandbox.api_key, http_client=InProcess(bank.sandbox))
    intent = order_at(order_id).charge.payment_intent
    client.v1.refunds.create({"payment_intent": intent, "amount": 5000})
    bank.deliver()
    assert order_at(order_id).charge.refunded == 5000
    assert count(Refund) == 1


def test_while_the_payment_company_cannot_be_asked_it_is_told_to_come_again(session, bank):
    order_id = paid_order(bank)
    refund(order_id, 5000)
    bank.carry_out()
    bank.sandbox.fail_next("503", path="/v1/refunds", times=99)
    assert {attempt.status for attempt in bank.deliver()} >= {503}


def test_many_events_in_any_order_and_often_give_the_same_books(session, bank, proving):
    orders = [placed_order(1000 + number) for number in range(200 if proving else 20)]
    for order_id in orders:
        opened(order_id)
        bank.pay(order_id)
    bank.deliver()
    for number, order_id in enumerate(orders[::2]):
        refund(order_id, 1 + number)
    bank.carry_out()
    before = books(orders)
    with db.engine.begin() as connection:
        connection.execute(sa.delete(WebhookEvent))
    for seed in range(3):
        bank.sandbox.repeat()
        bank.sandbox.order("shuffle", random.Random(seed).randint(0, 999))
        assert {attempt.status for attempt in bank.deliver()} == {200}
    assert books(orders) == before


def books(orders):
    db.session.rollback()
    db.session.expire_all()
    charges = {(charge.amount, charge.refunded) for charge in db.session.scalars(sa.select(Charge))}
    states = [order_at(order_id).state for order_id in orders]
    return states, charges, count(Refund), count(Charge)


def test_nothing_of_the_payment_is_said_in_what_waits_to_be_carried_out(session, bank):
    order_id = paid_order(bank)
    refund(order_id, 100)
    for message in db.session.scalars(sa.select(OutboxMessage)):
        assert set(message.payload) <= {"order", "end", "refund"}


def test_the_clock_of_the_suite_stands_elsewhere_than_the_wall():
    """Else the tests of freshness above would prove nothing about which clock is read."""
    assert abs((datetime.now(UTC) - datetime(2026, 12, 1, 18, tzinfo=UTC)).total_seconds()) > 300
