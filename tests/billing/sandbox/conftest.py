"""A sandbox on a free port of loopback, spoken to by the real `stripe` client."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import stripe
from werkzeug.serving import make_server

from billing.sandbox import Sandbox
from billing.sandbox.__main__ import QuietHandler

SECRET = "whsec_for_tests"


@dataclass
class Receiver:
    """A receiver of webhooks that verifies each one; `answers` are used up before 200."""

    answers: list[int] = field(default_factory=list)
    received: list[stripe.Event] = field(default_factory=list)

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
        self.received.append(event)
        return self.answers.pop(0) if self.answers else 200

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.received]

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.received]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(tmp_path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "sandbox.sqlite3", webhook_secret=SECRET)
    yield sandbox
    sandbox.close()


@pytest.fixture
def address(sandbox) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, sandbox, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(sandbox, address) -> stripe.StripeClient:
    return client_of(sandbox.api_key, address)


def client_of(api_key: str, address: str, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key, base_addresses={"api": address}, max_network_retries=retries
    )


def asked(**overrides) -> dict:
    """A Checkout session as the product opens one: one line, 240 dollars, nothing personal."""
    return {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 24000,
                    "product_data": {"name": "Group programme"},
                },
                "quantity": 1,
            }
        ],
        "client_reference_id": "0e8f1c52-6f0e-4a54-9d5a-6f3b8f1f7f10",
        "metadata": {"order": "0e8f1c52-6f0e-4a54-9d5a-6f3b8f1f7f10"},
        "success_url": "http://localhost:8000/back?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8000/left",
    } | overrides


def open_session(client: stripe.StripeClient, **overrides) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(asked(**overrides))


def paid_intent(client: stripe.StripeClient, amount: int = 24000) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
