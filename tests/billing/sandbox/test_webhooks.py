"""What is told, how it is signed, and in what order and how often it arrives."""

import http.server
import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
import stripe

from billing.sandbox import Sandbox
from billing.sandbox.transport import InProcess
from tests.billing.sandbox.conftest import SECRET, open_session
from tests.conftest import PATIENCE

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


@pytest.fixture
def paid(client, sandbox) -> str:
    session = open_session(client)
    sandbox.pay(session.id)
    return session.id


def test_a_payment_is_told_in_signed_events_that_stripes_own_client_verifies(
    sandbox, paid, receiver
):
    attempts = sandbox.deliver(receiver)

    completed = receiver.received[-1]
    assert receiver.types == PAID
    assert all(attempt.arrived for attempt in attempts)
    assert completed.data.object.id == paid
    assert completed.data.object.payment_status == "paid"
    assert completed.livemode is False
    assert sandbox.deliver(receiver) == []


def test_a_changed_body_is_not_taken_for_genuine(sandbox, paid):
    refused = []

    def tamper(body, headers):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(
                body.replace(b"24000", b"1"), headers["Stripe-Signature"], SECRET
            )
        refused.append(body)
        return 200

    sandbox.deliver(tamper)
    assert b"24000" in b"".join(refused)


def test_a_refund_is_told_with_the_charge_as_it_then_was(client, sandbox, paid, receiver):
    sandbox.deliver(receiver)
    intent = client.v1.checkout.sessions.retrieve(paid).payment_intent
    for amount in (1000, 23000):
        client.v1.refunds.create({"payment_intent": intent, "amount": amount})
    sandbox.deliver(receiver)

    told = receiver.received[len(PAID) :]
    assert Counter(event.type for event in told) == {
        "refund.created": 2,
        "charge.refunded": 2,
        "refund.updated": 2,
    }
    amounts = [e.data.object.amount_refunded for e in told if e.type == "charge.refunded"]
    assert amounts == [1000, 24000]


def test_events_can_be_fetched_as_they_were_told(client, sandbox, paid, receiver):
    sandbox.deliver(receiver)
    fetched = client.v1.events.retrieve(receiver.ids[-1])

    assert fetched.to_dict() == receiver.received[-1].to_dict()
    listed = client.v1.events.list({"type": "checkout.session.completed"}).data
    assert [event.id for event in listed] == [fetched.id]


@pytest.mark.parametrize("answer", [500, 302, 404])
def test_what_was_not_received_comes_again_after_a_wait(sandbox, paid, receiver, answer):
    sandbox.drop()
    assert sandbox.repeat("checkout.session.completed") == 1
    receiver.answers = [answer, answer]
    sandbox.deliver(receiver)
    sandbox.advance(timedelta(seconds=1))
    sandbox.deliver(receiver)
    too_early = sandbox.deliver(receiver)
    sandbox.advance(timedelta(seconds=2))
    sandbox.deliver(receiver)

    assert too_early == []
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1
    assert sandbox.deliveries()[-1] | {"event": ""} == {
        "event": "",
        "type": "checkout.session.completed",
        "state": "delivered",
        "attempts": 3,
        "answered": 200,
    }


def test_a_receiver_that_never_answers_is_given_up_after_three_days(sandbox, paid):
    def silent(body, headers):
        raise ConnectionRefusedError

    sandbox.deliver(silent)
    sandbox.advance(timedelta(days=3, seconds=1))
    assert len(sandbox.deliver(silent)) == len(PAID)
    sandbox.advance(timedelta(days=1))

    assert sandbox.deliver(silent) == []
    assert {row["state"] for row in sandbox.deliveries()} == {"given up"}


def test_everything_can_be_repeated_and_turned_round(sandbox, paid, receiver):
    sandbox.deliver(receiver)
    assert sandbox.repeat() == len(PAID)
    sandbox.order("reverse")
    sandbox.deliver(receiver)

    assert receiver.types == PAID + PAID[::-1]
    assert Counter(receiver.ids).most_common(1)[0][1] == 2


def test_a_shuffle_is_the_same_for_the_same_seed(sandbox, paid, receiver):
    orders = []
    for seed in (1, 1, 2, 3, 4, 5):
        sandbox.order("shuffle", seed)
        receiver.received.clear()
        sandbox.deliver(receiver)
        orders.append(tuple(receiver.types))
        sandbox.repeat()
    assert sorted(orders[0]) == sorted(PAID)
    assert orders[0] == orders[1]
    assert len(set(orders)) > 1


def test_held_webhooks_wait_for_their_release(sandbox, paid, receiver):
    sandbox.hold()
    assert sandbox.deliver(receiver) == []
    sandbox.release()
    assert len(sandbox.deliver(receiver)) == len(PAID)


def test_delayed_webhooks_fall_due_later(client, sandbox, receiver):
    sandbox.delay(60)
    sandbox.pay(open_session(client).id)
    assert sandbox.deliver(receiver) == []
    sandbox.advance(timedelta(seconds=60))
    assert len(sandbox.deliver(receiver)) == len(PAID)


def test_dropped_webhooks_never_arrive(sandbox, paid, receiver):
    assert sandbox.drop("checkout.session.completed") == 1
    sandbox.deliver(receiver)
    sandbox.advance(timedelta(days=1))
    sandbox.deliver(receiver)
    assert receiver.types == PAID[:-1]


def test_the_courier_delivers_over_http_without_being_asked(tmp_path):
    arrived, bodies = threading.Event(), []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(
                stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], SECRET)
            )
            self.send_response(204)
            self.end_headers()
            if bodies[-1].type == "checkout.session.completed":
                arrived.set()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sandbox = Sandbox(tmp_path / "s", f"http://127.0.0.1:{server.server_port}/hooks", SECRET)
    sandbox.start_courier()
    client = stripe.StripeClient(sandbox.api_key, http_client=InProcess(sandbox))
    sandbox.pay(open_session(client).id)

    assert arrived.wait(PATIENCE)
    sandbox.close()
    server.shutdown()
    server.server_close()
    assert [event.type for event in bodies] == PAID


def test_what_was_told_can_be_told_again_by_a_new_process(tmp_path, receiver):
    state = tmp_path / "s"
    before = Sandbox(state, webhook_secret=SECRET)
    client = stripe.StripeClient(before.api_key, http_client=InProcess(before))
    before.pay(open_session(client).id)
    before.close()

    after = Sandbox(state, webhook_secret=SECRET)
    after.deliver(receiver)
    after.close()
    assert receiver.types == PAID


def test_no_webhook_carries_what_stays_inside(sandbox, paid):
    def hidden(value):
        if isinstance(value, dict):
            return any(key.startswith("_") or hidden(inner) for key, inner in value.items())
        return isinstance(value, list) and any(hidden(inner) for inner in value)

    bodies = []
    sandbox.deliver(lambda body, headers: bodies.append(json.loads(body)) or 200)
    assert len(bodies) == len(PAID)
    assert not any(hidden(body) for body in bodies)
    assert "4242424242424242" not in json.dumps(bodies)
