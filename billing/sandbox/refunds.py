"""Refunds: full or in parts, never more than was captured."""

from billing.sandbox.call import Call, listing
from billing.sandbox.catalogue import amount_of
from billing.sandbox.errors import ApiError, Json, ParameterMissing
from billing.sandbox.events import record
from billing.sandbox.payments import merged_metadata
from billing.sandbox.store import new_id

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create_refund(call: Call) -> Json:
    charge = _charge_to_refund(call)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = amount_of(call.params, "amount", least=1) if "amount" in call.params else left
    _refuse_too_much(charge, amount, left)
    refund = call.books.add(_refund(call, charge, amount))
    _count(call, charge, amount)
    record(call, "refund.created", refund)
    record(call, "charge.refunded", charge)
    return _with_reference(call, refund)


def retrieve_refund(call: Call, id_: str) -> Json:
    return call.books.get("refund", id_)


def update_refund(call: Call, id_: str) -> Json:
    refund = call.books.get("refund", id_)
    refund["metadata"] = merged_metadata(refund["metadata"], call.params.metadata_changes())
    return call.books.save(refund)


def list_refunds(call: Call) -> Json:
    return listing(call, "refund", "/v1/refunds", by=("charge", "payment_intent"))


def fail_refund(call: Call, id_: str) -> Json:
    """The bank sends a refund back days later: the money is with the merchant again."""
    refund = call.books.get("refund", id_)
    if refund["status"] != "succeeded":
        raise ApiError(f"A refund that is {refund['status']} cannot fail.")
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    call.books.save(refund)
    charge = call.books.get("charge", refund["charge"])
    _count(call, charge, -refund["amount"])
    record(call, "refund.updated", refund)
    record(call, "refund.failed", refund)
    return refund


def _charge_to_refund(call: Call) -> Json:
    charge, intent = call.params.text("charge"), call.params.text("payment_intent")
    if charge is not None:
        return _succeeded(call.books.get("charge", charge, param="charge"))
    if intent is None:
        raise ParameterMissing("charge")
    latest = call.books.get("payment_intent", intent, param="payment_intent")["latest_charge"]
    return _succeeded(call.books.find(latest) if latest else None)


def _succeeded(charge: Json | None) -> Json:
    if charge is None or not charge["paid"]:
        raise ApiError("There is no successful charge to refund.", code="charge_not_refundable")
    return charge


def _refuse_too_much(charge: Json, amount: int, left: int) -> None:
    if left <= 0:
        raise ApiError(
            f"Charge {charge['id']} has been refunded already.", code="charge_already_refunded"
        )
    if amount > left:
        raise ApiError(
            f"Of this charge {left} minor units are left to refund, not {amount}.", param="amount"
        )


def _refund(call: Call, charge: Json, amount: int) -> Json:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number"},
            "type": "card",
        },
        "metadata": call.params.metadata(),
        "payment_intent": charge["payment_intent"],
        "reason": call.params.one_of("reason", REASONS),
        "receipt_number": None,
        "status": "succeeded",
    }


def _count(call: Call, charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    call.books.save(charge)


def _with_reference(call: Call, refund: Json) -> Json:
    """Stripe learns the bank's reference a little later and says so in `refund.updated`."""
    answered = {**refund, "destination_details": dict(refund["destination_details"])}
    refund["destination_details"]["card"] = {
        "reference": new_id("arn", 23).removeprefix("arn_"),
        "reference_status": "available",
        "reference_type": "acquirer_reference_number",
    }
    record(call, "refund.updated", call.books.save(refund))
    return answered
