"""What happens in one room because of another: signals, outbox handlers and sweeps, on the roof.

Rooms import only leftwards, so a room on the left tells the rooms on its right by signal.
"""

from collections.abc import Callable
from datetime import datetime

from flask import Flask

Sweep = Callable[[datetime], None]


def connect(app: Flask) -> None:
    app.extensions["sweeps"] = []


def sweep(app: Flask, at: datetime) -> None:
    """Do what time alone makes due (lapsed requests, holds that ran out)."""
    with app.app_context():
        for due in app.extensions["sweeps"]:
            due(at)
