"""Laying the market out when a web process starts, so that no visitor is the one who waits for it.

Whoever asks for matches meanwhile waits for the same lay-out to end, never for a second one. If it
fails, as before the first migration, the first page lays it out.
"""

import gc
from threading import Thread

from flask import Flask

from core.clock import now
from core.logs import log, where
from practice.matches.market.changes import the_version
from practice.matches.market.in_place import market_for


def warm_up(app: Flask) -> Thread:
    """Begins at once and in the background; to be called in the process that answers, not before
    it forks."""
    thread = Thread(target=_warm, args=(app,), name="market", daemon=True)
    thread.start()
    return thread


def _warm(app: Flask) -> None:
    try:
        with app.app_context():
            at = now()
            market = market_for(at, at.date(), the_version())
        log("market.warmed", count=market.size)
    except Exception as error:
        log("market.not_warmed", error=type(error), where=where(error))
    # What stands by now stays: to look through it for garbage again and again would slow pages.
    gc.collect()
    gc.freeze()
