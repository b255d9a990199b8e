"""The same key asks once, whatever happens to the first answer."""

import threading
from datetime import timedelta

import pytest
import stripe

from tests.billing.sandbox.conftest import asked, client_of, open_session, paid_intent


def key(name: str) -> stripe.RequestOptions:
    return {"idempotency_key": name}


def test_the_same_request_under_the_same_key_is_answered_again(client):
    first = client.v1.checkout.sessions.create(asked(), key("order-1"))
    again = client.v1.checkout.sessions.create(asked(), key("order-1"))

    assert again.id == first.id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.request_id
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_another_request_under_the_same_key_is_an_error(client):
    client.v1.checkout.sessions.create(asked(), key("order-1"))
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(asked(client_reference_id="other"), key("order-1"))
    with pytest.raises(stripe.IdempotencyError):
        client.v1.products.create({"name": "Programme"}, key("order-1"))
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_decline_is_replayed_and_not_tried_again(client):
    params = {
        "amount": 24000,
        "currency": "usd",
        "payment_method": "pm_card_chargeDeclined",
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(params, key("pay-1"))
    assert len(client.v1.charges.list().data) == 1


def test_a_refused_refund_stays_refused_under_its_key(client):
    intent = paid_intent(client)
    params = {"payment_intent": intent.id, "amount": 30000}
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create(params, key("refund-1"))
        assert refused.value.headers.get("Idempotent-Replayed") == replayed


def test_a_request_that_could_not_be_read_uses_no_key_up(client):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(asked(mode="setup"), key("order-1"))
    assert client.v1.checkout.sessions.create(asked(), key("order-1")).status == "open"


def test_a_key_is_forgotten_after_a_day(client, sandbox):
    first = client.v1.checkout.sessions.create(asked(), key("order-1"))
    sandbox.advance(timedelta(hours=24, seconds=1))
    assert client.v1.checkout.sessions.create(asked(), key("order-1")).id != first.id


def test_one_key_pressed_by_many_at_once_makes_one_session(sandbox, address):
    opened, start = [], threading.Barrier(8)

    def press() -> None:
        client = client_of(sandbox.api_key, address)
        start.wait()
        opened.append(client.v1.checkout.sessions.create(asked(), key("order-1")).id)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    assert len(set(opened)) == 1


def test_an_error_before_the_effect_is_replayed_and_nothing_happened(client, sandbox):
    sandbox.fail_next("500", path="/v1/checkout")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.checkout.sessions.create(asked(), key("order-1"))
    assert client.v1.checkout.sessions.list().data == []
    assert client.v1.checkout.sessions.create(asked(), key("order-2")).status == "open"


def test_an_error_after_the_effect_hides_a_session_that_is_there(client, sandbox):
    sandbox.fail_next("500", applied=True, path="/v1/checkout")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as spoilt:
            client.v1.checkout.sessions.create(asked(), key("order-1"))
        assert spoilt.value.http_status == 500
    [session] = client.v1.checkout.sessions.list().data
    assert session.client_reference_id == asked()["client_reference_id"]


def test_a_lost_request_can_be_sent_again_under_its_key(client, sandbox):
    sandbox.fail_next("timeout", path="/v1/checkout")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.create(asked(), key("order-1"))
    again = client.v1.checkout.sessions.create(asked(), key("order-1"))

    assert "Idempotent-Replayed" not in again.last_response.headers
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_lost_answer_is_found_again_under_its_key(client, sandbox):
    intent = paid_intent(client)
    sandbox.fail_next("timeout", applied=True, path="/v1/refunds")
    params = {"payment_intent": intent.id, "amount": 500}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(params, key("refund-1"))
    again = client.v1.refunds.create(params, key("refund-1"))

    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 500


@pytest.mark.parametrize(
    ("kind", "error"), [("429", stripe.RateLimitError), ("409", stripe.APIError)]
)
def test_a_request_turned_away_at_the_door_succeeds_later(client, sandbox, kind, error):
    sandbox.fail_next(kind, times=2)
    for _ in range(2):
        with pytest.raises(error):
            client.v1.checkout.sessions.create(asked(), key("order-1"))
    assert client.v1.checkout.sessions.create(asked(), key("order-1")).status == "open"


def test_a_fault_waits_for_the_path_it_is_meant_for(client, sandbox):
    sandbox.fail_next("503", path="/v1/refunds")
    session = open_session(client)
    sandbox.pay(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    with pytest.raises(stripe.APIError):
        client.v1.refunds.create({"payment_intent": intent})


def test_a_fault_that_could_not_happen_is_refused(sandbox):
    with pytest.raises(ValueError, match="a fault is one of"):
        sandbox.fail_next("418")
    with pytest.raises(ValueError, match="cannot have taken effect"):
        sandbox.fail_next("429", applied=True)
