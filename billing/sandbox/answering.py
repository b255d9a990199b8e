"""From a request to its answer: key, planned trouble, replay, endpoint, and what is kept."""

import base64
import hmac
import json
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass

from billing.sandbox import endpoints, faults, idempotency
from billing.sandbox.call import Call
from billing.sandbox.desk import Asked, Desk
from billing.sandbox.errors import ApiError, Json, ServerError, WrongKey
from billing.sandbox.expansion import expanded
from billing.sandbox.faults import Fault
from billing.sandbox.idempotency import Kept
from billing.sandbox.parameters import parse
from billing.sandbox.store import new_id, visible


@dataclass(frozen=True)
class Request:
    """A request as it came: `pairs` are the form's or the query's, still flat."""

    method: str
    path: str
    pairs: list[tuple[str, str]]
    authorization: str | None
    idempotency_key: str | None
    public_url: str

    @property
    def replayable_key(self) -> str | None:
        return self.idempotency_key if self.method == "POST" else None


@dataclass(frozen=True)
class Answer:
    """`lost` answers are never sent; `replay_of` names the request that is answered again."""

    status: int
    body: str
    request_id: str
    replay_of: str | None = None
    lost: bool = False
    seconds: float = 0.0

    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Request-Id": self.request_id}
        if self.replay_of is not None:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": self.replay_of}
        if self.status == 500:
            # Asking again with the same key would only bring the same answer.
            headers["Stripe-Should-Retry"] = "false"
        return headers


def answer(desk: Desk, api_key: str, request: Request) -> Answer:
    """Carry the request out once; its effects are on disk before this returns."""
    request_id = new_id("req", 14)
    return respond(request_id, lambda: _admitted(desk, api_key, request, request_id))


def respond(request_id: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, or the error it raises as an answer."""
    try:
        return act()
    except ApiError as error:
        return Answer(error.status, _text(error.body()), request_id)


def check_key(authorization: str | None, api_key: str) -> None:
    """Raises WrongKey unless the request carries our key, as a bearer or as a basic user."""
    if not hmac.compare_digest(_key_in(authorization or "").encode(), api_key.encode()):
        raise WrongKey("This is not the sandbox's API key.")


def _admitted(desk: Desk, api_key: str, request: Request, request_id: str) -> Answer:
    check_key(request.authorization, api_key)
    asked = Asked(parse(request.pairs), request.public_url, request_id, request.replayable_key)
    with desk.call(asked) as call:
        return _met_by_trouble(call, request, faults.take(call, request.path))


def _met_by_trouble(call: Call, request: Request, fault: Fault) -> Answer:
    refusal = fault.refusal()
    if refusal is not None:
        return Answer(refusal.status, _text(refusal.body()), call.request_id or "")
    if fault.loses_the_request:
        return _lost(call, fault)
    reply = _once(call, request, fault)
    return _lost(call, fault) if fault.loses_the_answer else reply


def _lost(call: Call, fault: Fault) -> Answer:
    return Answer(0, "", call.request_id or "", lost=True, seconds=fault.seconds)


def _once(call: Call, request: Request, fault: Fault) -> Answer:
    """The kept answer when there is one; else the endpoint's, kept for the next time."""
    print_ = idempotency.fingerprint(request.method, request.path, request.pairs)
    request_id = call.request_id or ""
    try:
        kept = idempotency.recall(call, print_)
        if kept is not None:
            return Answer(kept.status, kept.body, request_id, replay_of=kept.request_id)
        status, body = _carried_out(call, request, fault)
    except ApiError as error:
        if error.kept:
            idempotency.keep(call, print_, Kept(error.status, _text(error.body()), request_id))
        return Answer(error.status, _text(error.body()), request_id)
    idempotency.keep(call, print_, Kept(status, _text(body), request_id))
    return Answer(status, _text(body), request_id)


def _carried_out(call: Call, request: Request, fault: Fault) -> tuple[int, Json]:
    if fault.breaks_the_endpoint:
        raise ServerError
    endpoint, ids = endpoints.find(request.method, request.path)
    with call.books.attempt():
        body = _run(call, endpoint, ids)
    if fault.breaks_the_answer:
        raise ServerError
    return 200, body


def _run(call: Call, endpoint: endpoints.Endpoint, ids: dict[str, str]) -> Json:
    paths = call.params.texts("expand")
    body = endpoint(call, **ids)
    call.params.refuse_leftovers()
    return expanded(call, body, paths)


def _text(body: Json) -> str:
    return json.dumps(visible(body), indent=2)


def _key_in(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    return _user_in(given) if scheme.lower() == "basic" else ""


def _user_in(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[0]
    except (NotBase64, UnicodeDecodeError):
        return ""
