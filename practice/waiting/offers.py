"""A place that is kept for one client: yes, not this one, or the time runs out.

Each takes the actor and the instant, records the act and flushes; the caller commits.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from practice.accounts.models import User
from practice.consent.operations import lock_consents_of
from practice.matches import operations as matches
from practice.matches.models import MatchRequest
from practice.therapists.operations import give_back_place
from practice.waiting.acts import record, tell_client
from practice.waiting.models import Placement, PlacementState
from practice.waiting.refusals import OfferIsOver


def agree(
    session: Session,
    placement: Placement,
    *,
    share: Collection[str],
    name: str,
    actor: User,
    at: datetime,
) -> MatchRequest:
    """Ask the therapist, with the place that was kept; they stay on the list until there is a yes.

    Raises OfferIsOver and whatever `matches.operations.ask` does.
    """
    _lock(session, placement)
    _require_open(placement, at)
    assert placement.therapist is not None
    request = matches.ask(
        session,
        placement.client,
        placement.therapist,
        share=share,
        name=name,
        actor=actor,
        at=at,
        keeps_place=True,
    )
    _move(placement, PlacementState.agreed, at)
    record(session, placement, "agreed", actor, at)
    return request


def decline(session: Session, placement: Placement, actor: User, at: datetime) -> None:
    """Not this one: back on the list, and this therapist is not proposed again. OfferIsOver."""
    _lock(session, placement)
    _require_open(placement, at)
    _free(session, placement, PlacementState.declined, at)
    record(session, placement, "declined", actor, at)


def withdraw(session: Session, placement: Placement, actor: User | None, at: datetime) -> None:
    """The place goes back because of something else. Raises WrongState."""
    _lock(session, placement)
    _free(session, placement, PlacementState.withdrawn, at)
    record(session, placement, "withdrawn", actor, at)


def lapse(session: Session, placement: Placement, at: datetime) -> bool:
    """Let the place go when nobody has answered in time; the client is told."""
    _lock(session, placement)
    if not placement.is_due(at):
        return False
    _free(session, placement, PlacementState.lapsed, at)
    record(session, placement, "lapsed", None, at)
    tell_client(session, placement, "lapsed", at)
    return True


def _lock(session: Session, placement: Placement) -> None:
    lock_consents_of(session, placement.client)
    session.refresh(placement, with_for_update={"of": Placement})


def _require_open(placement: Placement, at: datetime) -> None:
    if placement.state is not PlacementState.offered or placement.is_due(at):
        raise OfferIsOver


def _free(session: Session, placement: Placement, state: PlacementState, at: datetime) -> None:
    _move(placement, state, at)
    assert placement.therapist_id is not None
    give_back_place(session, placement.therapist_id)


def _move(placement: Placement, state: PlacementState, at: datetime) -> None:
    placement.move_to(state)
    placement.ended_at = at
