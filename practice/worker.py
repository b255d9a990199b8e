"""The worker: carries out the outbox and does what time alone makes due."""

import signal
import threading
import time
from datetime import timedelta
from types import FrameType

from flask import Flask

from core.logs import log, where
from core.outbox import drain
from practice.wiring import sweep

PAUSE = 0.5
SWEEP_EVERY = timedelta(seconds=5)


def work(app: Flask, stop: threading.Event) -> None:
    """Work until told to stop; an error is logged and the next round goes on."""
    swept = 0.0
    while not stop.is_set():
        if time.monotonic() - swept >= SWEEP_EVERY.total_seconds():
            _guarded(app, sweep)
            swept = time.monotonic()
        if not _guarded(app, drain):
            stop.wait(PAUSE)


def work_until_signalled(app: Flask) -> None:
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    work(app, stop)


def _guarded(app: Flask, step) -> int:  # type: ignore[no-untyped-def]
    try:
        return step(app, app.extensions["clock"].now()) or 0
    except Exception as error:
        log("worker.failed", error=type(error).__name__, where=where(error))
        return 0
