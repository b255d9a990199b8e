"""The worker: carries out the outbox and does what time alone makes due."""

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from types import FrameType

from flask import Flask

from core.logs import log, where
from core.outbox import drain
from practice.wiring import sweep_one

PAUSE = 0.5
SWEEP_EVERY = 5.0


def work(app: Flask, stop: threading.Event) -> None:
    """Work until told to stop; an error is logged and the next round goes on."""
    swept = -SWEEP_EVERY
    while not stop.is_set():
        if time.monotonic() - swept >= SWEEP_EVERY:
            _sweep(app)
            swept = time.monotonic()
        if not _guarded(app, _carry_out_one):
            stop.wait(PAUSE)


def work_until_signalled(app: Flask) -> None:
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    work(app, stop)


def _sweep(app: Flask) -> None:
    """One that fails does not keep the others from being done."""
    for due in app.extensions["sweeps"]:
        _guarded(app, partial(sweep_one, due=due))


def _carry_out_one(app: Flask, at: datetime) -> int:
    """One, so that each lease begins when its work does."""
    return drain(app, at, most=1)


def _guarded(app: Flask, step: Callable[..., int | None]) -> int:
    try:
        return step(app, at=app.extensions["clock"].now()) or 0
    except Exception as error:
        log("worker.failed", error=type(error), where=where(error))
        return 0
