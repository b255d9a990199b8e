"""What can go wrong around the application."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from core.database import db

SAID_BY_THE_SERVER = "canary of the server"


@contextmanager
def database_away(app: Flask) -> Iterator[None]:
    """Every statement fails as it does when the server is gone."""

    def gone(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        raise sa.exc.OperationalError(statement, parameters, OSError(SAID_BY_THE_SERVER))

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", gone)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", gone)
