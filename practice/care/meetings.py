"""The meetings of an episode. Appointments stand right of care: the roof brings them in."""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app


@dataclass(frozen=True)
class Meeting:
    """A booked or cancelled meeting; instants are UTC."""

    public_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    zone: str
    format: str
    is_cancelled: bool


Meetings = Callable[[Collection[int]], dict[int, list[Meeting]]]


def connect(app: Flask, meetings: Meetings) -> None:
    """Say where meetings come from: {episode key: meetings, the earliest first} in one query."""
    app.extensions["meetings"] = meetings


def meetings_of(episode_ids: Collection[int]) -> dict[int, list[Meeting]]:
    found: Meetings = current_app.extensions["meetings"]
    return found(episode_ids)
