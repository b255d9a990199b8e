"""Doing one thing of a row, so that one that fails holds up nobody behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.logs import log, where


@contextmanager
def whatever_happens() -> Iterator[None]:
    """Log what fails by its class and place alone, and go on; it is due again the next time.

    Goes around a unit of work, never inside: what had been done of the one that fails is undone.
    """
    try:
        yield
    except Exception as error:
        log("sweep.failed", error=type(error), where=where(error))
