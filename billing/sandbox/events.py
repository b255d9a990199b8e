"""What happened, kept as Stripe keeps it: an event with the object as it was at that moment."""

from billing.sandbox.call import Call, as_list, page_from
from billing.sandbox.errors import Json
from billing.sandbox.store import new_id, visible

API_VERSION = "2026-10-28.endive"


def record(call: Call, type_: str, subject: Json) -> Json:
    """Store an event and, where somebody listens, its delivery, in the act's transaction."""
    event = call.books.add(
        {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": call.now,
            "data": {"object": visible(subject)},
            "livemode": False,
            "pending_webhooks": call.endpoints,
            "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
            "type": type_,
        }
    )
    if call.endpoints:
        queue_delivery(call, event)
    return event


def queue_delivery(call: Call, event: Json) -> None:
    delay = int(call.books.setting("delay", "0"))
    call.books.db.execute(
        "INSERT INTO deliveries (event, type, due_at) VALUES (?, ?, ?)",
        (event["id"], event["type"], call.now + delay),
    )


def retrieve_event(call: Call, id_: str) -> Json:
    return call.books.get("event", id_)


def list_events(call: Call) -> Json:
    type_ = call.params.text("type")
    page = page_from(call.params, {"type": type_} if type_ else {}, {})
    return as_list("/v1/events", *call.books.page("event", page))
