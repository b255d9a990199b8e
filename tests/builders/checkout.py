"""A payment company for tests: the sandbox in the test's own process, on the test's clock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import stripe
from flask import Flask

from billing.models import Order
from billing.sandbox import Attempt, Sandbox
from billing.sandbox.checkout import line_items_of
from billing.sandbox.transport import InProcess
from billing.stripe_port import StripePort
from core.database import db
from core.outbox import drain


@dataclass
class Bank:
    """The sandbox as a test uses it: pay orders, deliver what the application must hear."""

    app: Flask
    sandbox: Sandbox

    def pay(self, order_id: object) -> None:
        """What the client does on the payment page."""
        self.sandbox.pay(self.checkout_of(order_id))

    def checkout_of(self, order_id: object) -> str:
        with self.app.app_context():
            wanted = sa.select(Order.checkout_id).where(Order.public_id == order_id)
            found = db.session.scalar(wanted)
        assert found is not None, "the payment page was never opened"
        return found

    def deliver(self) -> list[Attempt]:
        """One round of webhooks to the application's own address."""
        return self.sandbox.deliver(self.post)

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        browser = self.app.test_client()
        return browser.post("/webhooks/stripe", data=body, headers=dict(headers)).status_code

    def carry_out(self) -> None:
        """Let the outbox do what is due now."""
        drain(self.app, self.app.extensions["clock"].now())

    def count(self, type_: str) -> int:
        return sum(event["type"] == type_ for event in self.sandbox.events())

    def lines_of_pages(self) -> list[list[str]]:
        """What each payment page that was ever made says is paid for."""
        with self.sandbox.desk.call() as call:
            pages = call.books.all("checkout.session")
            told = [line_items_of(call, page)["data"] for page in pages]
        return [[line["description"] for line in lines] for lines in told]

    def given_back(self) -> int:
        """Minor units that left the payment company."""
        refunds = [
            event["data"]["object"]
            for event in self.sandbox.events()
            if event["type"] == "refund.created"
        ]
        return sum(refund["amount"] for refund in refunds)


@contextmanager
def bank_for(app: Flask, retries: int = 0, books: Path | str = ":memory:") -> Iterator[Bank]:
    """Its `books` in a file outlive the process that keeps them."""
    sandbox = Sandbox(books, now=_clock_of(app))
    client = stripe.StripeClient(
        sandbox.api_key, http_client=InProcess(sandbox), max_network_retries=retries
    )
    app.extensions["stripe_port"] = StripePort(client)
    try:
        yield Bank(app, sandbox)
    finally:
        del app.extensions["stripe_port"]
        sandbox.close()


def _clock_of(app: Flask) -> Callable[[], datetime]:
    now: Callable[[], datetime] = app.extensions["clock"].now
    return now
