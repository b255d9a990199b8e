"""The sandbox over HTTP: `/v1/…` for clients, `/pay/…` for payers, `/sandbox/…` for tests."""

import socket
import time
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request

from billing.sandbox.answering import Answer, Request
from billing.sandbox.controls import controls
from billing.sandbox.pages import pages

if TYPE_CHECKING:
    from billing.sandbox.sandbox import Sandbox

LONGEST_REQUEST = 256 * 1024

api = Blueprint("api", __name__)


def create_app(sandbox: "Sandbox") -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_REQUEST
    app.extensions["sandbox"] = sandbox
    for blueprint in (api, pages, controls):
        app.register_blueprint(blueprint)
    return app


@api.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE"])
def endpoint(rest: str) -> Response:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    answer = sandbox.answer(_request(sandbox, f"/v1/{rest}"))
    if answer.lost:
        return _hang_up(answer)
    return Response(answer.body, status=answer.status, headers=answer.headers())


@api.get("/health")
def health() -> Response:
    return Response("ok\n", mimetype="text/plain")


def _request(sandbox: "Sandbox", path: str) -> Request:
    pairs = request.form if request.method == "POST" else request.args
    return Request(
        method=request.method,
        path=path,
        pairs=list(pairs.items(multi=True)),
        authorization=request.headers.get("Authorization"),
        idempotency_key=request.headers.get("Idempotency-Key"),
        public_url=sandbox.public_url or request.host_url.rstrip("/"),
    )


def _hang_up(answer: Answer) -> Response:
    """Close the connection under the answer; a server without a socket to close says 502."""
    time.sleep(answer.seconds)
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=502)
