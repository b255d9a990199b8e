"""Payment methods, payment intents and the charges they make."""

from billing.sandbox import cards
from billing.sandbox.call import Call, listing
from billing.sandbox.cards import Card
from billing.sandbox.catalogue import amount_of, currency_of
from billing.sandbox.errors import ApiError, BadParameter, CardDeclined, Json
from billing.sandbox.events import record
from billing.sandbox.parameters import Params
from billing.sandbox.store import new_id

# Stripe, "Minimum and maximum charge amounts"; other currencies have no floor here.
LEAST_CHARGE = {"usd": 50, "eur": 50, "cad": 50, "aud": 50, "gbp": 30}
PAYABLE = ("requires_payment_method", "requires_confirmation")
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def create_payment_method(call: Call) -> Json:
    call.params.only("type", "card")
    given = call.params.need_group("card")
    card, expiry = _card_given(given), (given.whole("exp_month"), given.whole("exp_year"))
    given.text("cvc")
    billing = call.params.anything("billing_details")
    return _add_method(call, card, expiry, billing, call.params.metadata())


def retrieve_payment_method(call: Call, id_: str) -> Json:
    return method_named(call, id_, "id")


def method_for(call: Call, card: Card) -> Json:
    return _add_method(call, card, (None, None), None, {})


def method_named(call: Call, id_: str, param: str) -> Json:
    """A stored payment method, or the test card behind a name such as `pm_card_visa`."""
    card = cards.card_named(id_, "pm_card_")
    return method_for(call, card) if card else call.books.get("payment_method", id_, param=param)


def create_payment_intent(call: Call) -> Json:
    params = call.params
    confirm, method_id = params.flag("confirm"), params.text("payment_method")
    amount, currency = amount_of(params, "amount", least=1), currency_of(params)
    refuse_too_small(amount, currency)
    _read_unused(params)
    intent = add_intent(call, params, amount, currency, customer_of(call))
    if method_id is not None:
        method = method_named(call, method_id, "payment_method")
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
        call.books.save(intent)
    return _confirmed(call, intent) if confirm else intent


def retrieve_payment_intent(call: Call, id_: str) -> Json:
    call.params.text("client_secret")
    return call.books.get("payment_intent", id_)


def update_payment_intent(call: Call, id_: str) -> Json:
    intent = call.books.get("payment_intent", id_)
    intent["metadata"] = merged_metadata(intent["metadata"], call.params.metadata_changes())
    intent["description"] = call.params.text("description") or intent["description"]
    return call.books.save(intent)


def list_payment_intents(call: Call) -> Json:
    return listing(call, "payment_intent", "/v1/payment_intents", by=("customer",))


def confirm_payment_intent(call: Call, id_: str) -> Json:
    intent = call.books.get("payment_intent", id_)
    method_id = call.params.text("payment_method")
    _read_unused(call.params)
    if method_id is not None:
        intent["payment_method"] = method_named(call, method_id, "payment_method")["id"]
    return _confirmed(call, intent)


def cancel_payment_intent(call: Call, id_: str) -> Json:
    intent = call.books.get("payment_intent", id_)
    reason = call.params.one_of("cancellation_reason", CANCEL_REASONS)
    _refuse_state(intent, PAYABLE, "canceled")
    if intent.get("_session"):
        raise ApiError(
            "This payment belongs to a Checkout session: expire the session instead.",
            code="payment_intent_unexpected_state",
        )
    return cancel_intent(call, intent, reason)


def retrieve_charge(call: Call, id_: str) -> Json:
    return call.books.get("charge", id_)


def list_charges(call: Call) -> Json:
    return listing(call, "charge", "/v1/charges", by=("payment_intent", "customer"))


def add_intent(
    call: Call, params: Params, amount: int, currency: str, customer: str | None
) -> Json:
    """A new intent with what `params` says of it; `payment_intent.created` is recorded."""
    id_ = new_id("pi")
    intent = call.books.add(
        {
            "id": id_,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": params.only("capture_method", "automatic", "automatic_async")
            or "automatic_async",
            "client_secret": new_id(f"{id_}_secret"),
            "confirmation_method": "automatic",
            "created": call.now,
            "currency": currency,
            "customer": customer,
            "description": params.text("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": params.metadata(),
            "next_action": None,
            "payment_method": None,
            "payment_method_types": params.texts("payment_method_types") or ["card"],
            "receipt_email": params.text("receipt_email"),
            "shipping": params.anything("shipping"),
            "statement_descriptor": params.text("statement_descriptor", longest=22),
            "statement_descriptor_suffix": params.text("statement_descriptor_suffix", longest=22),
            "status": "requires_payment_method",
        }
    )
    record(call, "payment_intent.created", intent)
    return intent


def charge_intent(call: Call, intent: Json, method: Json) -> Json:
    """Ask the issuer: the intent succeeds, or CardDeclined is raised and the attempt is kept."""
    card = cards.CARDS[method["_card"]]
    charge = call.books.add(_charge(call, intent, method, card))
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"]}
    if card.code is not None:
        raise _declined(call, intent, charge, method)
    intent |= {
        "amount_received": intent["amount"],
        "status": "succeeded",
        "last_payment_error": None,
    }
    call.books.save(intent)
    record(call, "charge.succeeded", charge)
    record(call, "payment_intent.succeeded", intent)
    return intent


def cancel_intent(call: Call, intent: Json, reason: str | None) -> Json:
    intent |= {"status": "canceled", "canceled_at": call.now, "cancellation_reason": reason}
    record(call, "payment_intent.canceled", call.books.save(intent))
    return intent


def refuse_too_small(amount: int, currency: str) -> None:
    if amount < LEAST_CHARGE.get(currency, 1):
        raise ApiError(
            f"The least that can be charged is {LEAST_CHARGE.get(currency, 1)} minor units.",
            param="amount",
            code="amount_too_small",
        )


def customer_of(call: Call) -> str | None:
    """The customer a request names. Raises ResourceMissing when there is none."""
    id_ = call.params.text("customer")
    return None if id_ is None else str(call.books.get("customer", id_, param="customer")["id"])


def merged_metadata(kept: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Stripe's rule: keys are added or replaced one by one, an empty text removes its key."""
    return {key: text for key, text in (kept | given).items() if text}


def _card_given(params: Params) -> Card:
    token, number = params.text("token"), params.text("number")
    card = cards.card_named(token, "tok_") if token else cards.CARDS.get(number or "")
    if card is None:
        raise BadParameter(
            "Only Stripe's published test cards can be used here.",
            param=params.path("token" if token else "number"),
            code="resource_missing" if token else "incorrect_number",
        )
    return card


def _add_method(
    call: Call,
    card: Card,
    expiry: tuple[int | None, int | None],
    billing: object,
    metadata: dict[str, str],
) -> Json:
    nobody = {"address": None, "email": None, "name": None, "phone": None}
    return call.books.add(
        {
            "id": new_id("pm"),
            "object": "payment_method",
            "billing_details": nobody | (billing if isinstance(billing, dict) else {}),
            "card": {
                "brand": card.brand,
                "country": "US",
                "exp_month": expiry[0] or 12,
                "exp_year": expiry[1] or 2040,
                "funding": "credit",
                "last4": card.last4,
            },
            "created": call.now,
            "customer": None,
            "livemode": False,
            "metadata": metadata,
            "type": "card",
            "_card": card.number,
        }
    )


def _read_unused(params: Params) -> None:
    """Settings that change nothing for a card that needs no further step."""
    params.texts("payment_method_types")
    params.anything("automatic_payment_methods")
    params.flag("off_session")
    params.text("return_url")
    params.only("confirmation_method", "automatic")


def _confirmed(call: Call, intent: Json) -> Json:
    _refuse_state(intent, PAYABLE, "confirmed")
    if intent["payment_method"] is None:
        raise ApiError(
            "There is no payment method to confirm with.",
            param="payment_method",
            code="payment_intent_unexpected_state",
        )
    return charge_intent(call, intent, call.books.get("payment_method", intent["payment_method"]))


def _refuse_state(intent: Json, allowed: tuple[str, ...], verb: str) -> None:
    if intent["status"] not in allowed:
        raise ApiError(
            f"A payment that is {intent['status']} cannot be {verb}.",
            code="payment_intent_unexpected_state",
        )


def _declined(call: Call, intent: Json, charge: Json, method: Json) -> CardDeclined:
    error = CardDeclined(
        charge["failure_message"],
        charge["failure_code"],
        charge["outcome"]["reason"],
        charge["id"],
    )
    intent |= {
        "payment_method": None,
        "status": "requires_payment_method",
        "last_payment_error": error.body()["error"] | {"payment_method": method},
    }
    del intent["last_payment_error"]["payment_intent"]
    error.payment_intent = call.books.save(intent)
    record(call, "charge.failed", charge)
    record(call, "payment_intent.payment_failed", intent)
    return error


def _charge(call: Call, intent: Json, method: Json, card: Card) -> Json:
    paid = card.code is None
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "balance_transaction": new_id("txn") if paid else None,
        "billing_details": method["billing_details"],
        "captured": paid,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": card.code,
        "failure_message": None if paid else cards.decline_message(card),
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": {
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": card.decline_code,
            "type": "authorized" if paid else "issuer_declined",
        },
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": dict(method["card"]), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
    }
