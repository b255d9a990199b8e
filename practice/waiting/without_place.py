"""For whom the newest proposal has no place, and whom of them a person should call.

Severity is sealed: everybody's who is without a place is opened in the process, in one query.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.database import db
from practice.accounts.models import User
from practice.waiting.models import Placement, PlacementState, WaitingEntry, WaitingRun
from practice.waiting.queries import listed, newest_made_run
from practice.waiting.urgency import SEVERE

Listed = tuple[WaitingEntry, Placement | None]


@dataclass(frozen=True)
class ToCall:
    """How many whose need is severe fit nobody at all, and how many fit and found no place."""

    fit_nobody: int = 0
    found_no_place: int = 0

    @property
    def people(self) -> int:
        return self.fit_nobody + self.found_no_place


def to_call(user: User) -> ToCall:
    return counted(without_place(user, newest_made_run()))


def counted(rows: Sequence[Listed]) -> ToCall:
    severe = [placement for _, placement in rows if placement and is_to_be_called(placement)]
    fit_nobody = sum(fits_nobody(placement) for placement in severe)
    return ToCall(fit_nobody, len(severe) - fit_nobody)


def without_place(user: User, run: WaitingRun | None) -> Sequence[Listed]:
    """The most severe first, and then the longest waiting."""
    if run is None or not run.stands:
        return []
    unplaced = listed(user, run).where(Placement.state == PlacementState.unplaced)
    return sorted(db.session.execute(unplaced).all(), key=by_severity)


def by_severity(row: Sequence[Any]) -> int:
    """The most severe first; those whom no proposal has looked at come last."""
    placement: Placement | None = row[1]
    return -placement.found["severity"] if placement is not None else 0


def is_to_be_called(placement: Placement) -> bool:
    """Their need is severe, and nobody is proposed for them."""
    severity: int = placement.found["severity"]
    return placement.state is PlacementState.unplaced and severity >= SEVERE


def fits_nobody(placement: Placement) -> bool:
    """Whatever is proposed: when it was worked out there was nobody for them."""
    return not placement.candidates
