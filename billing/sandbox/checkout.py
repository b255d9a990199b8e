"""Checkout sessions: opened by the merchant, paid or left by the payer, or ended by the clock."""

from urllib.parse import urlsplit

from billing.sandbox.call import Call, as_list, listing
from billing.sandbox.catalogue import LARGEST_AMOUNT, price_of_line
from billing.sandbox.errors import ApiError, BadParameter, Json, ParameterMissing
from billing.sandbox.events import record
from billing.sandbox.parameters import Params
from billing.sandbox.payments import (
    add_intent,
    cancel_intent,
    charge_intent,
    customer_of,
    merged_metadata,
    method_named,
    refuse_too_small,
)
from billing.sandbox.store import new_id

MINUTE = 60
SHORTEST, LONGEST = 30 * MINUTE, 24 * 60 * MINUTE
MOST_LINES = 100


def create_session(call: Call) -> Json:
    """Stripe API reference, "Create a Checkout Session", mode `payment` alone."""
    if call.params.only("mode", "payment") is None:
        raise ParameterMissing("mode")
    lines = _lines(call)
    session = call.books.add(_session(call, lines))
    for line in lines:
        call.books.add(line | {"_session": session["id"]})
    return session


def retrieve_session(call: Call, id_: str) -> Json:
    return call.books.get("checkout.session", id_)


def update_session(call: Call, id_: str) -> Json:
    session = call.books.get("checkout.session", id_)
    session["metadata"] = merged_metadata(session["metadata"], call.params.metadata_changes())
    return call.books.save(session)


def list_sessions(call: Call) -> Json:
    return listing(
        call,
        "checkout.session",
        "/v1/checkout/sessions",
        by=("payment_intent", "customer", "status"),
    )


def list_line_items(call: Call, id_: str) -> Json:
    call.params.whole("limit")
    return line_items_of(call, call.books.get("checkout.session", id_))


def line_items_of(call: Call, session: Json) -> Json:
    lines = call.books.all("item", _session=session["id"])
    return as_list(f"/v1/checkout/sessions/{session['id']}/line_items", lines, False)


def expire_session(call: Call, id_: str) -> Json:
    session = call.books.get("checkout.session", id_)
    _refuse_unless_open(session)
    return _end(call, session)


def expire_due(call: Call) -> None:
    """End every open session whose time has come; before anything else looks at it."""
    for session in call.books.sessions_due(call.now):
        _end(call, session)


def pay_session(call: Call, session: Json, method: Json) -> Json:
    """Charge the session's amount. Raises CardDeclined and leaves the session open."""
    _refuse_unless_open(session)
    if session["amount_total"] == 0:
        return _complete(call, session, "no_payment_required")
    charge_intent(call, _intent_of(call, session), method)
    return _complete(call, session, "paid")


def retrieve_payment_page(call: Call, id_: str) -> Json:
    """What Stripe's own tools read before they pay a session for a merchant in test mode."""
    return _payment_page(call.books.get("checkout.session", id_))


def confirm_payment_page(call: Call, id_: str) -> Json:
    session = call.books.get("checkout.session", id_)
    method = method_named(call, call.params.need_text("payment_method"), "payment_method")
    expected = call.params.whole("expected_amount")
    if expected is not None and expected != session["amount_total"]:
        raise ApiError(
            "The amount has changed since the page was read.",
            param="expected_amount",
            code="checkout_amount_mismatch",
        )
    return _payment_page(pay_session(call, session, method))


def address_after(session: Json) -> str:
    """Where the payer goes on, with the session's id in place of its placeholder."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _lines(call: Call) -> list[Json]:
    asked = call.params.groups("line_items")
    if not 1 <= len(asked) <= MOST_LINES:
        raise BadParameter(
            f"line_items holds 1 to {MOST_LINES} lines.",
            param="line_items",
            code="parameter_missing" if not asked else None,
        )
    return [_line(call, params) for params in asked]


def _line(call: Call, params: Params) -> Json:
    price = _price(call, params)
    quantity = params.need_whole("quantity")
    if quantity < 1:
        raise BadParameter("quantity must be at least 1.", param=params.path("quantity"))
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["_product_name"],
        "price": price,
        "quantity": quantity,
    }


def _price(call: Call, params: Params) -> Json:
    id_, data = params.text("price"), params.group("price_data")
    if (id_ is None) == (data is None):
        raise BadParameter(
            "A line needs either price or price_data.",
            param=params.path("price"),
            code="parameter_missing",
        )
    if data is not None:
        return price_of_line(call, data)
    return call.books.get("price", id_ or "", param=params.path("price"))


def _session(call: Call, lines: list[Json]) -> Json:
    params, id_ = call.params, new_id("cs_test", 58)
    total, currency = _total(lines)
    intent_data = _checked_intent_data(params)
    email = params.text("customer_email")
    _read_unused(params)
    return {
        "id": id_,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "status": None},
        "cancel_url": _address(params, "cancel_url"),
        "client_reference_id": params.text("client_reference_id", longest=200),
        "created": call.now,
        "currency": currency,
        "customer": customer_of(call),
        "customer_details": None,
        "customer_email": email,
        "expires_at": _expiry(call),
        "livemode": False,
        "locale": params.text("locale"),
        "metadata": params.metadata(),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": params.texts("payment_method_types") or ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "submit_type": params.one_of("submit_type", ("auto", "book", "donate", "pay")),
        "success_url": _needed_address(params, "success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": params.only("ui_mode", "hosted", "hosted_page") or "hosted_page",
        "url": f"{call.public_url}/pay/{id_}",
        "_intent_data": intent_data,
    }


def _total(lines: list[Json]) -> tuple[int, str]:
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise BadParameter("All lines must share one currency.", param="line_items")
    total, currency = sum(line["amount_total"] for line in lines), currencies.pop()
    if total > LARGEST_AMOUNT:
        raise ApiError("The total is too large.", param="line_items", code="amount_too_large")
    if total > 0:
        refuse_too_small(total, currency)
    return total, currency


def _checked_intent_data(params: Params) -> object:
    """`payment_intent_data` as it came, after a trial reading: it is used when somebody pays."""
    given = params.group("payment_intent_data")
    if given is not None:
        _try_reading(given)
    return params.anything("payment_intent_data") or {}


def _try_reading(data: Params) -> None:
    for name in ("description", "receipt_email"):
        data.text(name)
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        data.text(name, longest=22)
    data.metadata()
    data.anything("shipping")
    data.only("capture_method", "automatic", "automatic_async")


def _read_unused(params: Params) -> None:
    """Settings of Stripe's hosted page that change nothing here."""
    params.only("customer_creation", "if_required")
    params.only("billing_address_collection", "auto")
    params.only("allow_promotion_codes", "false")
    for name in ("adaptive_pricing", "automatic_tax", "invoice_creation"):
        group = params.group(name)
        if group is not None:
            group.only("enabled", "false")


def _expiry(call: Call) -> int:
    """Stripe: at least 30 minutes and at most 24 hours from now, seconds since the epoch."""
    at = call.params.whole("expires_at")
    if at is None:
        return call.now + LONGEST
    if not SHORTEST <= at - call.now <= LONGEST:
        raise BadParameter("expires_at must lie 30 minutes to 24 hours ahead.", param="expires_at")
    return at


def _needed_address(params: Params, name: str) -> str:
    address = _address(params, name)
    if address is None:
        raise ParameterMissing(name)
    return address


def _address(params: Params, name: str) -> str | None:
    address = params.text(name)
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadParameter(f"{name} must be a whole http address.", param=name, code="url_invalid")
    return address


def _refuse_unless_open(session: Json) -> None:
    if session["status"] != "open":
        raise ApiError(
            f"This Checkout session is {session['status']}, not open.",
            code="checkout_session_not_open",
        )


def _intent_of(call: Call, session: Json) -> Json:
    """The session's intent, made when somebody first tries to pay."""
    if session["payment_intent"] is not None:
        return call.books.get("payment_intent", session["payment_intent"])
    settings = Params(session["_intent_data"])
    intent = add_intent(
        call, settings, session["amount_total"], session["currency"], session["customer"]
    )
    call.books.save(intent | {"_session": session["id"]})
    session["payment_intent"] = intent["id"]
    call.books.save(session)
    return call.books.get("payment_intent", intent["id"])


def _complete(call: Call, session: Json, payment_status: str) -> Json:
    session |= {
        "customer_details": {"email": session["customer_email"], "name": None, "phone": None},
        "payment_status": payment_status,
        "status": "complete",
        "url": None,
    }
    record(call, "checkout.session.completed", call.books.save(session))
    return session


def _end(call: Call, session: Json) -> Json:
    session |= {"status": "expired", "url": None}
    if session["payment_intent"] is not None:
        intent = call.books.get("payment_intent", session["payment_intent"])
        cancel_intent(call, intent, "abandoned")
    record(call, "checkout.session.expired", call.books.save(session))
    return session


def _payment_page(session: Json) -> Json:
    return {
        "id": session["id"],
        "object": "payment_page",
        "currency": session["currency"],
        "livemode": False,
        "mode": "payment",
        "payment_status": session["payment_status"],
        "session_id": session["id"],
        "status": session["status"],
        "total_summary": {"due": session["amount_total"], "total": session["amount_total"]},
    }
