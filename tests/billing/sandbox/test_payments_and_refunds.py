"""Intents, refunds and keys, over loopback."""

from decimal import Decimal

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.sandbox.conftest import client_of, open_session, paid_intent


def test_an_intent_confirmed_with_a_good_card_is_paid_at_once(client):
    intent = paid_intent(client)

    assert (intent.status, intent.amount_received) == ("succeeded", 24000)
    assert client.v1.charges.retrieve(intent.latest_charge).captured


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_a_decline_is_a_card_error_that_can_be_mended(client, method, code, decline_code):
    intent = client.v1.payment_intents.create(
        {"amount": 24000, "currency": "usd", "payment_method": method}
    )
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.confirm(intent.id)

    assert (declined.value.code, declined.value.http_status) == (code, 402)
    assert declined.value.error.decline_code == decline_code
    assert declined.value.error.payment_intent.status == "requires_payment_method"
    mended = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert mended.status == "succeeded"


def test_a_paid_intent_is_neither_confirmed_again_nor_cancelled(client):
    intent = paid_intent(client)
    for act in (client.v1.payment_intents.confirm, client.v1.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            act(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_only_published_test_cards_are_taken_in(client, sandbox):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "4111111111111111", "cvc": "123"}}
        )
    assert "4111" not in str(refused.value)


def test_refunds_go_in_parts_up_to_what_was_captured_and_no_further(client):
    intent = paid_intent(client)
    parts = [
        client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})
        for amount in (1, 9999)
    ]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 14001})
    rest = client.v1.refunds.create({"charge": intent.latest_charge})
    with pytest.raises(stripe.InvalidRequestError) as nothing_left:
        client.v1.refunds.create({"charge": intent.latest_charge, "amount": 1})

    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert refused.value.param == "amount"
    assert rest.amount == 14000
    assert nothing_left.value.code == "charge_already_refunded"
    assert (charge.amount_refunded, charge.refunded) == (24000, True)
    listed = client.v1.refunds.list({"payment_intent": intent.id}).data
    assert [refund.id for refund in listed] == [rest.id, parts[1].id, parts[0].id]


@given(amounts=st.lists(st.integers(-5, 700), min_size=1, max_size=8))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_refund_is_made_exactly_when_that_much_is_left(client, amounts):
    intent, left = paid_intent(client, 1000), 1000
    for amount in amounts:
        params = {"payment_intent": intent.id, "amount": amount}
        if 1 <= amount <= left:
            left -= client.v1.refunds.create(params).amount
        else:
            with pytest.raises(stripe.InvalidRequestError):
                client.v1.refunds.create(params)

    charge = client.v1.charges.retrieve(intent.latest_charge)
    refunds = client.v1.refunds.list({"charge": charge.id}).data
    assert 1000 - left == charge.amount_refunded == sum(refund.amount for refund in refunds)


def test_a_failed_charge_has_nothing_to_refund(client):
    intent = client.v1.payment_intents.create(
        {"amount": 24000, "currency": "usd", "payment_method": "pm_card_chargeDeclined"}
    )
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_a_refund_that_the_bank_returns_can_be_made_again(client, sandbox):
    intent = paid_intent(client)
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    sandbox.fail_refund(refund.id)

    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 0
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 24000


def test_every_amount_is_a_whole_number_of_minor_units(client, sandbox):
    session = open_session(client)
    sandbox.pay(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    client.v1.refunds.create({"payment_intent": intent, "amount": 12345})

    amounts = [value for event in sandbox.events() for value in amounts_in(event["data"])]
    assert {24000, 12345} <= set(amounts)
    assert all(type(amount) is int for amount in amounts)


def amounts_in(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            named = name.startswith(("amount", "unit_amount")) and name != "unit_amount_decimal"
            if named and not isinstance(inner, dict):
                yield inner
            yield from amounts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from amounts_in(inner)
    assert not isinstance(value, float | Decimal)


def test_a_wrong_key_opens_nothing(address):
    with pytest.raises(stripe.AuthenticationError):
        client_of("sk_test_another", address).v1.charges.list()


def test_what_is_not_there_is_said_to_be_missing(client):
    intent = paid_intent(client)
    for retrieve, id_ in (
        (client.v1.charges.retrieve, "ch_none"),
        (client.v1.charges.retrieve, intent.id),
        (client.v1.checkout.sessions.retrieve, "cs_test_none"),
        (client.v1.events.retrieve, "evt_none"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as missing:
            retrieve(id_)
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")


def test_an_address_that_the_sandbox_does_not_serve_says_so(client):
    with pytest.raises(stripe.InvalidRequestError, match="does not answer POST /v1/coupons"):
        client.v1.coupons.create({"percent_off": 10})
