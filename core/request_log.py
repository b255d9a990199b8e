"""One line for each request: what kind it was, how it ended, how long it took. Never which."""

import time
from typing import Any

from flask import Flask, Response, request

from core.logs import METHODS, log, where
from core.request_ids import HEADER, request_id

_BEGAN = "attune.began"


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_write)
    # Flask's own way would write the address and the error's words.
    app.log_exception = _note_failure  # type: ignore[method-assign, assignment]


def _begin() -> None:
    request.environ[_BEGAN] = time.perf_counter()


def _write(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    began = request.environ.get(_BEGAN, time.perf_counter())
    log(
        "request.answered",
        method=request.method if request.method in METHODS else "OTHER",
        route=request.url_rule,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - began) * 1000),
    )
    return response


def _note_failure(thrown: Any) -> None:
    """`thrown` is what sys.exc_info gives."""
    kind, error, _place = thrown
    log("request.failed", error=kind, where=where(error))
