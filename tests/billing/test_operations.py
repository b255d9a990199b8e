import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from billing.models import Order, OrderState, Refund, RefundState
from billing.operations import (
    CHECKOUT_LASTS,
    OrderClosed,
    OverRefund,
    PaymentPageAway,
    close_order,
    open_checkout,
    place_order,
    reconcile,
    request_refund,
)
from billing.queries import paid_for
from core.database import db, unit_of_work
from core.errors import NotFound
from core.outbox import OutboxMessage
from tests.builders.billing import CANCEL, SUCCESS, make_order, placed_order
from tests.conftest import NOW

CREATE = "/v1/checkout/sessions"


def opened(order_id, at=NOW):
    return open_checkout(order_id, success_url=SUCCESS, cancel_url=CANCEL, at=at)


def order_at(order_id) -> Order:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Order).where(Order.public_id == order_id)).one()


def paid_order(bank, amount=24000):
    order_id = placed_order(amount)
    opened(order_id)
    bank.pay(order_id)
    bank.deliver()
    return order_id


def refund(order_id, amount, at=NOW):
    with unit_of_work() as session:
        return request_refund(session, order_id, amount, "left", at).public_id


def refund_at(refund_id) -> Refund:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Refund).where(Refund.public_id == refund_id)).one()


def test_one_reference_makes_one_order(session):
    reference, payer = uuid.uuid4(), uuid.uuid4()
    placed = [
        place_order(
            session,
            payer_reference=payer,
            reference=reference,
            amount=100,
            currency="USD",
            at=NOW,
            expires_at=NOW + CHECKOUT_LASTS,
        )
        for _ in range(2)
    ]
    assert placed[0] is placed[1]


def test_asking_fifty_times_for_the_payment_page_opens_one(session, bank):
    order_id = placed_order()
    assert len({opened(order_id) for _ in range(50)}) == 1
    assert len({event["id"] for event in bank.sandbox.events()}) == 0
    bank.pay(order_id)
    assert bank.count("charge.succeeded") == 1


def test_the_payment_company_learns_an_opaque_id_an_amount_and_neutral_words(session, bank):
    order_id = placed_order()
    opened(order_id)
    page = bank.sandbox.session(bank.checkout_of(order_id))
    assert page["client_reference_id"] == str(order_id)
    assert page["metadata"] == {"order": str(order_id)}
    assert page["amount_total"] == 24000
    assert page["customer"] is page["customer_email"] is None
    assert bank.lines_of_pages() == [["Group programme"]]


@pytest.mark.parametrize("kind", ["timeout", "429", "409", "503"])
def test_without_an_answer_the_same_key_is_asked_again(session, bank, kind):
    order_id = placed_order()
    bank.sandbox.fail_next(kind, path=CREATE)
    with pytest.raises(PaymentPageAway):
        opened(order_id)
    assert order_at(order_id).state is OrderState.created
    assert opened(order_id)


def test_a_page_whose_answer_was_lost_is_found_again(session, bank):
    order_id = placed_order()
    bank.sandbox.fail_next("timeout", applied=True, path=CREATE)
    with pytest.raises(PaymentPageAway):
        opened(order_id)
    assert opened(order_id)
    assert len(bank.lines_of_pages()) == 1
    bank.pay(order_id)
    bank.deliver()
    assert order_at(order_id).state is OrderState.paid


def test_an_error_that_would_be_replayed_ends_the_order(session, bank):
    order_id = placed_order()
    bank.sandbox.fail_next("500", path=CREATE)
    with pytest.raises(PaymentPageAway):
        opened(order_id)
    assert order_at(order_id).state is OrderState.expired


def test_a_page_asked_for_too_late_ends_the_order(session, bank, clock):
    order_id = placed_order()
    clock.move(timedelta(minutes=20))
    with pytest.raises(PaymentPageAway):
        opened(order_id, at=clock.now())
    with pytest.raises(OrderClosed):
        opened(order_id, at=clock.now())


def test_a_page_is_not_offered_after_its_time(session, bank, clock):
    order_id = placed_order()
    opened(order_id)
    clock.move(CHECKOUT_LASTS)
    with pytest.raises(OrderClosed):
        opened(order_id, at=clock.now())


def test_money_is_found_even_when_no_webhook_ever_comes(session, bank, clock):
    order_id = placed_order()
    opened(order_id)
    bank.pay(order_id)
    bank.sandbox.drop()
    clock.move(timedelta(minutes=3))
    bank.carry_out()
    assert order_at(order_id).state is OrderState.paid
    assert paid_for(session, [order_id])[order_id].amount == 24000


def test_an_order_nobody_paid_is_over_after_its_time(session, bank, clock):
    order_id = placed_order()
    opened(order_id)
    clock.move(CHECKOUT_LASTS + timedelta(minutes=2))
    bank.carry_out()
    assert order_at(order_id).state is OrderState.expired


def test_an_order_whose_page_was_never_opened_is_over_without_asking(session, bank, clock):
    order_id = placed_order()
    clock.move(CHECKOUT_LASTS + timedelta(minutes=2))
    bank.carry_out()
    assert order_at(order_id).state is OrderState.expired


def test_a_closed_order_can_no_longer_be_paid(session, bank):
    order_id = placed_order()
    opened(order_id)
    with unit_of_work() as work:
        close_order(work, order_id, NOW)
    bank.carry_out()
    assert bank.sandbox.session(bank.checkout_of(order_id))["status"] == "expired"
    assert order_at(order_id).state is OrderState.expired


def test_what_stayed_unknown_for_an_hour_is_asked_about_each_hour(session, bank, clock):
    order_id = placed_order()
    opened(order_id)
    bank.pay(order_id)
    bank.sandbox.drop()
    with unit_of_work() as work:
        work.execute(sa.update(OutboxMessage).values(dead_at=NOW))
    clock.move(CHECKOUT_LASTS + timedelta(hours=2))
    reconcile(clock.now())
    reconcile(clock.now())
    bank.carry_out()
    assert order_at(order_id).state is OrderState.paid


def test_a_refund_leaves_once_however_often_it_is_tried(session, bank, clock):
    order_id = paid_order(bank)
    refund_id = refund(order_id, 10000)
    bank.sandbox.fail_next("timeout", applied=True, path="/v1/refunds")
    bank.carry_out()
    clock.move(timedelta(minutes=1))
    bank.carry_out()
    clock.move(timedelta(minutes=1))
    bank.carry_out()
    assert bank.given_back() == 10000
    assert refund_at(refund_id).state is RefundState.done


def test_a_refund_that_met_a_replayed_error_leaves_when_the_key_is_forgotten(session, bank, clock):
    order_id = paid_order(bank)
    refund_id = refund(order_id, 10000)
    bank.sandbox.fail_next("500", path="/v1/refunds", times=1)
    bank.carry_out()
    for _ in range(30):
        clock.move(timedelta(hours=1))
        reconcile(clock.now())
        bank.carry_out()
    assert bank.given_back() == 10000
    assert refund_at(refund_id).state is RefundState.done


def test_more_than_was_paid_never_goes_back(session, bank):
    order_id = paid_order(bank)
    refund(order_id, 20000)
    with pytest.raises(OverRefund):
        refund(order_id, 4001)
    refund(order_id, 4000)
    with pytest.raises(OverRefund):
        refund(order_id, 1)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_than_nothing_are_no_refund(session, bank, amount):
    order_id = paid_order(bank)
    with pytest.raises(OverRefund):
        refund(order_id, amount)


def test_nothing_goes_back_of_what_was_never_paid(session):
    order = make_order(session)
    with pytest.raises(NotFound):
        request_refund(session, order.public_id, 1, "left", NOW)


def test_a_refund_the_bank_returned_can_be_made_again(session, bank):
    order_id = paid_order(bank)
    refund_id = refund(order_id, 24000)
    bank.carry_out()
    bank.sandbox.fail_refund(refund_at(refund_id).stripe_refund)
    bank.deliver()
    assert refund_at(refund_id).state is RefundState.failed
    assert paid_for(session, [order_id])[order_id].refunded == 0
    refund(order_id, 24000)
    bank.carry_out()
    assert paid_for(session, [order_id])[order_id].refunded == 24000
