"""Opening, paying, leaving and ending a Checkout session, over loopback."""

from datetime import timedelta

import pytest
import stripe

from billing.sandbox import CardDeclined
from tests.billing.sandbox.conftest import asked, open_session

NOTHING_MOVED = ("charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")


def test_a_session_opens_unpaid_with_a_page_to_pay_on(client, address):
    session = open_session(client)

    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (24000, "usd")
    assert session.payment_intent is None
    assert session.url == f"{address}/pay/{session.id}"
    assert session.expires_at - session.created == 24 * 3600
    assert session.metadata["order"] == session.client_reference_id


def test_a_paid_session_leads_to_its_intent_charge_and_lines(client, sandbox):
    opened = open_session(
        client,
        payment_intent_data={
            "metadata": {"order": "A1"},
            "description": "Group programme",
            "statement_descriptor_suffix": "PROGRAMME",
        },
    )
    sandbox.pay(opened.id)

    session = client.v1.checkout.sessions.retrieve(
        opened.id, {"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    intent, charge = session.payment_intent, session.payment_intent.latest_charge
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert (intent.status, intent.amount_received) == ("succeeded", 24000)
    assert intent.metadata["order"] == "A1"
    assert (charge.amount_captured, charge.amount_refunded, charge.paid) == (24000, 0, True)
    assert charge.payment_method_details.card.last4 == "4242"
    assert [line.description for line in session.line_items.data] == ["Group programme"]
    assert client.v1.checkout.sessions.list({"payment_intent": intent.id}).data[0].id == opened.id


def test_a_session_can_be_made_of_stored_prices(client):
    product = client.v1.products.create({"name": "Group programme"})
    price = client.v1.prices.create({"product": product.id, "unit_amount": 6000, "currency": "USD"})
    session = open_session(client, line_items=[{"price": price.id, "quantity": 4}])

    [line] = client.v1.checkout.sessions.line_items.list(session.id).data
    assert (session.amount_total, line.quantity, line.price.unit_amount) == (24000, 4, 6000)


def test_a_declined_card_leaves_the_session_open_for_another(client, sandbox):
    session = open_session(client)
    with pytest.raises(CardDeclined) as declined:
        sandbox.pay(session.id, "4000000000009995")

    tried = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert declined.value.decline_code == "insufficient_funds"
    assert (tried.status, tried.payment_status) == ("open", "unpaid")
    assert tried.payment_intent.status == "requires_payment_method"
    assert tried.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    assert "number" not in str(tried)

    sandbox.pay(session.id)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert paid.payment_status == "paid"
    assert paid.payment_intent.id == tried.payment_intent.id
    charges = client.v1.charges.list({"payment_intent": paid.payment_intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


def test_a_session_ends_by_itself_and_takes_no_money_afterwards(client, sandbox):
    session = open_session(client, expires_at=int(sandbox_now(sandbox)) + 1810)
    sandbox.advance(timedelta(seconds=1811))

    ended = client.v1.checkout.sessions.retrieve(session.id)
    assert (ended.status, ended.url) == ("expired", None)
    with pytest.raises(Exception, match="expired, not open"):
        sandbox.pay(session.id)
    assert [event["type"] for event in sandbox.events()] == ["checkout.session.expired"]


def test_a_merchant_ends_a_session_and_with_it_the_intent_of_a_declined_try(client, sandbox):
    session = open_session(client)
    with pytest.raises(CardDeclined):
        sandbox.pay(session.id, "4000000000000002")
    ended = client.v1.checkout.sessions.expire(session.id, {"expand": ["payment_intent"]})

    assert (ended.status, ended.payment_intent.status) == ("expired", "canceled")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)


def test_a_paid_session_cannot_be_ended_or_paid_again(client, sandbox):
    session = open_session(client)
    sandbox.pay(session.id)

    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)
    with pytest.raises(Exception, match="complete, not open"):
        sandbox.pay(session.id)
    assert len(client.v1.charges.list().data) == 1


def test_the_intent_of_a_session_is_not_cancelled_behind_its_back(client, sandbox):
    session = open_session(client)
    with pytest.raises(CardDeclined):
        sandbox.pay(session.id, "4000000000000002")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.cancel(intent)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_free_session_completes_without_an_intent(client, sandbox):
    free = {"currency": "usd", "unit_amount": 0, "product_data": {"name": "Group programme"}}
    session = open_session(client, line_items=[{"price_data": free, "quantity": 1}])
    paid = sandbox.pay(session.id)

    assert (paid["payment_status"], paid["payment_intent"]) == ("no_payment_required", None)
    assert [event["type"] for event in sandbox.events()] == ["checkout.session.completed"]


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 1])
def test_a_session_lives_between_half_an_hour_and_a_day(client, sandbox, minutes):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, expires_at=int(sandbox_now(sandbox)) + minutes * 60)
    assert refused.value.param == "expires_at"


def line(**overrides) -> list[dict]:
    data = {"currency": "usd", "unit_amount": 24000, "product_data": {"name": "Programme"}}
    return [{"price_data": data | overrides, "quantity": 1}]


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "/back"}, "success_url"),
        ({"line_items": line(unit_amount="12.50")}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": line(unit_amount=-1)}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": line(unit_amount=49)}, "amount"),
        ({"line_items": line(currency="dollars")}, "line_items[0][price_data][currency]"),
        ({"line_items": line(colour="red")}, "line_items[0][price_data][colour]"),
        ({"payment_intent_data": {"colour": "red"}}, "payment_intent_data[colour]"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]"),
        ({"customer": "cus_none"}, "customer"),
        ({"metadata": {"note": "x" * 501}}, "metadata"),
    ],
)
def test_a_session_that_cannot_be_is_refused_by_the_parameter_at_fault(client, changed, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, **changed)
    assert refused.value.param == param
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize("name", ["mode", "line_items", "success_url"])
def test_what_a_session_needs_is_named_when_it_is_missing(client, name):
    params = asked()
    del params[name]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(params)
    assert (refused.value.param, refused.value.code) == (name, "parameter_missing")


def test_lists_come_newest_first_in_pages(client):
    opened = [open_session(client).id for _ in range(5)]
    first = client.v1.checkout.sessions.list({"limit": 2})

    assert [session.id for session in first.data] == opened[:2:-1]
    assert first.has_more
    assert [session.id for session in first.auto_paging_iter()] == opened[::-1]


def sandbox_now(sandbox) -> float:
    return sandbox.desk.clock().timestamp()
