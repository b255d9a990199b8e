"""The clock is an argument: rules take an instant, only views and workers ask for it here."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from flask import current_app


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands still until moved; for tests and the demo world."""

    def __init__(self, at: datetime) -> None:
        self._at = require_aware(at)

    def now(self) -> datetime:
        return self._at

    def move_to(self, at: datetime) -> None:
        self._at = require_aware(at)

    def move(self, by: timedelta) -> None:
        self._at += by


def now() -> datetime:
    """The instant of this request or job: aware, UTC."""
    clock: Clock = current_app.extensions["clock"]
    return clock.now()


def require_aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)
