"""Commands for tests and demonstrations, under the sandbox's own key: `POST /sandbox/hold` …"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, jsonify, request

from billing.sandbox import webhooks
from billing.sandbox.answering import check_key
from billing.sandbox.errors import ApiError, BadParameter, Json, UnknownAddress
from billing.sandbox.parameters import Params, parse

if TYPE_CHECKING:
    from billing.sandbox.sandbox import Sandbox

controls = Blueprint("controls", __name__, url_prefix="/sandbox")


@controls.get("/state")
def state() -> Response:
    """Every event and every delivery, oldest first."""
    sandbox = _sandbox()
    check_key(request.headers.get("Authorization"), sandbox.api_key)
    return jsonify({"events": sandbox.events(), "deliveries": sandbox.deliveries()})


@controls.post("/<name>")
def command(name: str) -> Response:
    sandbox = _sandbox()
    check_key(request.headers.get("Authorization"), sandbox.api_key)
    if name not in COMMANDS:
        raise UnknownAddress(f"The sandbox knows: {', '.join(COMMANDS)}.")
    act, known = COMMANDS[name]
    _refuse_unknown(known)
    return jsonify(act(sandbox, Params(parse(request.form.items(multi=True)))) or {"done": True})


@controls.errorhandler(ApiError)
def refused(error: ApiError) -> tuple[Response, int]:
    return jsonify(error.body()), error.status


def _repeat(sandbox: "Sandbox", params: Params) -> Json:
    return {"queued": sandbox.repeat(params.text("type"))}


def _drop(sandbox: "Sandbox", params: Params) -> Json:
    return {"dropped": sandbox.drop(params.text("type"))}


def _order(sandbox: "Sandbox", params: Params) -> None:
    how = params.one_of("order", webhooks.ORDERS) or "created"
    sandbox.order(how, params.whole("seed") or 0)


def _delay(sandbox: "Sandbox", params: Params) -> None:
    sandbox.delay(params.need_whole("seconds"))


def _deliver(sandbox: "Sandbox", _: Params) -> Json:
    return {"attempts": [asdict(attempt) for attempt in sandbox.deliver()]}


def _advance(sandbox: "Sandbox", params: Params) -> None:
    sandbox.advance(timedelta(seconds=params.need_whole("seconds")))


def _expire(sandbox: "Sandbox", params: Params) -> Json:
    return {"status": sandbox.expire(params.need_text("session"))["status"]}


def _fail_refund(sandbox: "Sandbox", params: Params) -> Json:
    return {"status": sandbox.fail_refund(params.need_text("refund"))["status"]}


def _fail_next(sandbox: "Sandbox", params: Params) -> None:
    kind, applied = params.need_text("kind"), params.flag("applied")
    path, times = params.text("path") or "/v1/", params.whole("times") or 1
    seconds = params.whole("seconds") or 0
    try:
        sandbox.fail_next(kind, applied=applied, path=path, times=times, seconds=seconds)
    except ValueError as error:
        raise BadParameter(str(error), param="kind") from None


Act = Callable[["Sandbox", Params], Json | None]

# Each command with the parameters it takes.
COMMANDS: dict[str, tuple[Act, frozenset[str]]] = {
    "hold": (lambda sandbox, _: sandbox.hold(), frozenset()),
    "release": (lambda sandbox, _: sandbox.release(), frozenset()),
    "repeat": (_repeat, frozenset({"type"})),
    "drop": (_drop, frozenset({"type"})),
    "order": (_order, frozenset({"order", "seed"})),
    "delay": (_delay, frozenset({"seconds"})),
    "deliver": (_deliver, frozenset()),
    "advance": (_advance, frozenset({"seconds"})),
    "expire": (_expire, frozenset({"session"})),
    "fail-refund": (_fail_refund, frozenset({"refund"})),
    "fail-next": (_fail_next, frozenset({"kind", "applied", "path", "times", "seconds"})),
}


def _refuse_unknown(known: frozenset[str]) -> None:
    for name in request.form:
        if name not in known:
            raise BadParameter(f"This command does not take {name}.", param=name)


def _sandbox() -> "Sandbox":
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox
