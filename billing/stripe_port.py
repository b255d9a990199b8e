"""The one door to the payment company: the real client, and errors that say what is known.

`STRIPE_API_BASE` may point to the sandbox; the code that runs is the same.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe
from flask import current_app

from core.config import Settings, current_settings

CONNECT_TIMEOUT, ANSWER_TIMEOUT = 3.05, 10.0
RETRIES = 2
STATEMENT_SUFFIX = "PROGRAMME"

Answer = TypeVar("Answer")


class Unknown(Exception):
    """No answer to trust: it may or may not have happened. Ask again with the same key."""


class Broken(Unknown):
    """An error of theirs, which the same key would only bring back (for 24 hours)."""


class Refused(Exception):
    """The payment company said no; nothing has happened."""


@dataclass(frozen=True)
class CheckoutIntent:
    """What the payment company is told: an opaque id, a neutral word, an amount in minor units."""

    order_id: uuid.UUID
    description: str
    amount: int
    currency: str
    expires_at: datetime
    success_url: str
    cancel_url: str


@dataclass(frozen=True)
class Payment:
    """Money that was received, in minor units."""

    payment_intent: str
    amount: int


@dataclass(frozen=True)
class CheckoutPage:
    """A payment page as it stands. `payment` is there exactly when it was paid."""

    id: str
    url: str
    status: str
    order_id: uuid.UUID | None
    payment: Payment | None

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def is_expired(self) -> bool:
        return self.status == "expired"


@dataclass(frozen=True)
class RefundAnswer:
    """A refund as it stands; `status` is Stripe's word."""

    id: str
    status: str
    amount: int
    payment_intent: str
    refund_id: uuid.UUID | None


class StripePort:
    """Calls with a bound on their time. Each raises Refused, Unknown or, of these, Broken."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls, settings: Settings) -> "StripePort":
        addresses: Any = {"api": settings.stripe_api_base} if settings.stripe_api_base else {}
        return cls(
            stripe.StripeClient(
                settings.stripe_api_key,
                base_addresses=addresses,
                max_network_retries=RETRIES,
                http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, ANSWER_TIMEOUT)),
            )
        )

    def open_checkout(self, intent: CheckoutIntent) -> CheckoutPage:
        """Make the payment page of an order; the same order always gets the same page."""
        sessions = self._client.v1.checkout.sessions
        key = f"order-{intent.order_id}"
        made = _asked(
            lambda: sessions.create(_checkout_parameters(intent), {"idempotency_key": key})
        )
        return page_of(made)

    def checkout(self, checkout_id: str) -> CheckoutPage:
        return page_of(_asked(lambda: self._client.v1.checkout.sessions.retrieve(checkout_id)))

    def end_checkout(self, checkout_id: str) -> CheckoutPage:
        """Close a page that is still open; Refused when it is not."""
        return page_of(_asked(lambda: self._client.v1.checkout.sessions.expire(checkout_id)))

    def give_back(self, refund_id: uuid.UUID, payment_intent: str, amount: int) -> RefundAnswer:
        """Refund `amount` of a payment, once per refund id."""
        wanted: Any = {
            "payment_intent": payment_intent,
            "amount": amount,
            "reason": "requested_by_customer",
            "metadata": {"refund": str(refund_id)},
        }
        key: Any = {"idempotency_key": f"refund-{refund_id}"}
        return refund_of(_asked(lambda: self._client.v1.refunds.create(wanted, key)))

    def refund(self, stripe_refund: str) -> RefundAnswer:
        return refund_of(_asked(lambda: self._client.v1.refunds.retrieve(stripe_refund)))

    def refund_named(self, refund_id: uuid.UUID, payment_intent: str) -> RefundAnswer | None:
        """The refund of a payment that carries our id, if it was ever made."""
        wanted: Any = {"payment_intent": payment_intent, "limit": 100}
        made = _asked(lambda: self._client.v1.refunds.list(wanted))
        answers = (refund_of(refund) for refund in made.data)
        return next((answer for answer in answers if answer.refund_id == refund_id), None)


def stripe_port() -> StripePort:
    """The door of this application."""
    kept: StripePort | None = current_app.extensions.get("stripe_port")
    if kept is None:
        kept = StripePort.from_settings(current_settings())
        current_app.extensions["stripe_port"] = kept
    return kept


def page_of(session: Any) -> CheckoutPage:
    """Read a Checkout Session, from an answer or from inside an event."""
    fields = _plain(session)
    paid = fields.get("payment_status") == "paid" and fields.get("payment_intent")
    return CheckoutPage(
        id=fields["id"],
        url=fields.get("url") or "",
        status=fields.get("status") or "",
        order_id=known_id(fields.get("client_reference_id")),
        payment=Payment(_id_of(paid), fields["amount_total"]) if paid else None,
    )


def refund_of(refund: Any) -> RefundAnswer:
    """Read a Refund, from an answer or from inside an event."""
    fields = _plain(refund)
    return RefundAnswer(
        id=fields["id"],
        status=fields.get("status") or "",
        amount=fields["amount"],
        payment_intent=_id_of(fields.get("payment_intent")),
        refund_id=known_id((fields.get("metadata") or {}).get("refund")),
    )


def known_id(text: object) -> uuid.UUID | None:
    """Our id in a field that others can fill too."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _checkout_parameters(intent: CheckoutIntent) -> Any:
    # The same for every call about this order: a key with other parameters would be refused.
    named = {"order": str(intent.order_id)}
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "client_reference_id": str(intent.order_id),
        "metadata": named,
        "payment_intent_data": {
            "metadata": named,
            "description": intent.description,
            "statement_descriptor_suffix": STATEMENT_SUFFIX,
        },
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": intent.currency.lower(),
                    "unit_amount": intent.amount,
                    "product_data": {"name": intent.description},
                },
            }
        ],
        "expires_at": int(intent.expires_at.astimezone(UTC).timestamp()),
        "success_url": intent.success_url,
        "cancel_url": intent.cancel_url,
    }


def _asked(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except stripe.InvalidRequestError as error:
        raise Refused(error.code or "") from error
    except stripe.APIError as error:
        kind = Broken if error.http_status == 500 else Unknown
        raise kind(type(error).__name__) from error
    except stripe.StripeError as error:
        raise Unknown(type(error).__name__) from error


def _plain(found: Any) -> dict[str, Any]:
    fields: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
    return fields


def _id_of(expandable: Any) -> str:
    """Stripe gives an id, or the whole object when it was asked to expand it."""
    if isinstance(expandable, str) or expandable is None:
        return expandable or ""
    return str(_plain(expandable)["id"])
