"""What nobody decided goes: with the next run, with its own, and with whoever leaves the list.

What a legal hold protects is set aside instead: nobody decides on it any more, and it goes with the
first run after the hold, or when they leave the list after it. Only a room on the right knows of
holds: the roof brings its clause in.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Session

from practice.waiting.models import NOT_DECIDED, UNDECIDED, Placement, PlacementState

# Of a column of clients' keys, in the query around.
Clause = Callable[[Any], sa.ColumnElement[bool]]


def connect(app: Flask, is_held: Clause) -> None:
    """Say of whom nothing may be deleted."""
    app.extensions["placements_held"] = is_held


def let_go(session: Session, *which: sa.ColumnElement[bool]) -> None:
    """Delete what nobody decided of `which`, clauses of `Placement`; under a hold set it aside."""
    held = _is_held()
    session.execute(
        sa.update(Placement)
        .where(*which, Placement.state.in_(UNDECIDED), held)
        .values(state=PlacementState.set_aside)
        .execution_options(synchronize_session="fetch")
    )
    # Asked again: a hold may have been placed between the two statements.
    _delete(session, *which, ~held)


def _delete(session: Session, *which: sa.ColumnElement[bool]) -> None:
    """Those set aside as well: they go as soon as no hold stands."""
    gone = sa.delete(Placement).where(*which, Placement.state.in_(NOT_DECIDED))
    session.execute(gone.execution_options(synchronize_session="fetch"))


def _is_held() -> sa.ColumnElement[bool]:
    is_held: Clause = current_app.extensions["placements_held"]
    return is_held(Placement.client_id)
