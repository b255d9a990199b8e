"""The lead decides on what is proposed: another therapist, no, or yes to some or all at once.

Each takes the actor, the instant and which version of the run they have `seen`, records the act and
flushes; the caller commits. Nobody decides on what a colleague has changed unseen. Nothing is done
to a client or a therapist before a yes; a yes is all or nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.config import current_settings
from core.errors import NotAllowed
from practice.accounts.models import Role, User
from practice.consent.operations import lock_consents_of_all
from practice.matches.market.in_place import newest_weights
from practice.matches.operations import keep_proposals
from practice.therapists.operations import NoRoom, take_place
from practice.waiting.acts import record, tell_client
from practice.waiting.changing import Board, GivesWay, Seat
from practice.waiting.fitting import Fit, fits_now
from practice.waiting.models import UNDECIDED, Placement, PlacementState, WaitingRun
from practice.waiting.queries import (
    open_places,
    therapists_of,
    who_has_asked,
    who_still_waits,
    who_was_offered,
)
from practice.waiting.refusals import (
    CannotConfirm,
    ChangedMeanwhile,
    CostsChanged,
    DecidedAlready,
    NoLongerThere,
    NotOnTheirList,
    RunIsOver,
)
from practice.waiting.since import Since, name_of, since_of
from practice.waiting.urgency import priority
from practice.working_days import after_working_days

DAYS_TO_ANSWER = 3


def change(
    session: Session, placement: Placement, therapist: str, actor: User, at: datetime, *, seen: int
) -> GivesWay | None:
    """Propose another therapist of their list (public id); returns who gives way, if anybody.

    Where somebody does, nothing in the run may have changed since: it is what was said to cost.
    Raises NotAllowed, RunIsOver, NoLongerThere, DecidedAlready, NotOnTheirList, ChangedMeanwhile
    and CostsChanged.
    """
    _require_lead(actor, [placement])
    _lock(session, placement.run, [placement])
    if placement.state not in UNDECIDED:
        raise DecidedAlready
    if placement.version > seen:
        raise ChangedMeanwhile
    board = board_of(session, placement.run, actor)
    if therapist not in dict(placement.candidates) or not board.is_possible(therapist):
        raise NotOnTheirList
    moved = board.gives_way(placement.id, therapist)
    if moved is not None and placement.run.version > seen:
        raise CostsChanged
    if moved is not None:
        _propose(session, _locked(session, moved.key), moved.goes_to, actor, at)
    _propose(session, placement, therapist, actor, at)
    session.flush()
    return moved


def reject(
    session: Session, placement: Placement, reason: str, actor: User, at: datetime, *, seen: int
) -> None:
    """Not these two: the client waits on, and the two are not proposed for each other again.

    Raises NotAllowed, RunIsOver, NoLongerThere, DecidedAlready, and ChangedMeanwhile: a reason is
    about the two who stood on the page.
    """
    _require_lead(actor, [placement])
    _lock(session, placement.run, [placement])
    if placement.state not in UNDECIDED:
        raise DecidedAlready
    if not _is_as_seen(placement, seen):
        raise ChangedMeanwhile
    placement.move_to(PlacementState.rejected)
    placement.reason = reason
    _decided(placement, actor, at)
    record(session, placement, "rejected", actor, at)
    session.flush()


def confirm(
    session: Session,
    run: WaitingRun,
    chosen: Collection[Placement],
    actor: User,
    at: datetime,
    *,
    seen: int,
) -> list[Since]:
    """Keep a place for each who is as seen and ask each client, or none of it; returns the others.

    Raises NotAllowed, RunIsOver, NoLongerThere, and CannotConfirm where anything is in the way, or
    nobody is as seen.
    """
    placements = sorted(chosen, key=lambda each: each.id)
    _require_lead(actor, placements)
    lock_consents_of_all(session, [each.client for each in placements])
    _lock(session, run, placements)
    changed = since_of((each for each in placements if not _is_as_seen(each, seen)), actor)
    placements = [each for each in placements if _is_as_seen(each, seen)]
    if not placements:
        raise CannotConfirm([], changed)
    fits = _found_again(placements, at)
    _require_no_problem(session, placements, fits, changed)
    _offer(session, placements, [fit for fit in fits if fit is not None], actor, at)
    return changed


def board_of(session: Session, run: WaitingRun, actor: User) -> Board:
    """What is undecided in a run, over the places that are open at this moment.

    Nobody moves their own: where `actor` is on the list, they stay as they are.
    """
    wanted = sa.select(Placement).where(Placement.run_id == run.id, Placement.state.in_(UNDECIDED))
    placements = session.scalars(wanted.order_by(Placement.id)).all()
    known = {therapist for each in placements for therapist, _ in each.candidates}
    return Board([_seat(each, actor) for each in placements], open_places(known))


def _seat(placement: Placement, actor: User) -> Seat:
    found = placement.found
    urgent = priority(found["severity"], found["days"])
    stays = placement.client.user_id == actor.id
    return Seat(placement.id, placement.candidates, placement.proposed, urgent, stays)


def _require_lead(actor: User, placements: Sequence[Placement]) -> None:
    is_own = any(each.client.user_id == actor.id for each in placements)
    if is_own or not actor.has(Role.clinical_lead):
        raise NotAllowed


def _lock(session: Session, run: WaitingRun, placements: Sequence[Placement]) -> None:
    """One decision on a run at a time, on what is there now."""
    session.refresh(run, with_for_update={"of": WaitingRun})
    if not run.stands:
        raise RunIsOver
    wanted = sa.select(Placement).where(Placement.id.in_([each.id for each in placements]))
    locked = wanted.order_by(Placement.id).with_for_update(of=Placement)
    found = session.scalars(locked.execution_options(populate_existing=True)).all()
    if len(found) < len(placements):
        # Between the page and the lock the client left, or the next proposal took its place.
        raise NoLongerThere
    if any(each.run_id != run.id for each in found):
        raise RunIsOver


def _is_as_seen(placement: Placement, seen: int) -> bool:
    """Whether it is still proposed, and nobody has changed it since."""
    return placement.state is PlacementState.proposed and placement.version <= seen


def _propose(
    session: Session, placement: Placement, therapist: str | None, actor: User, at: datetime
) -> None:
    placement.propose(therapist)
    placement.changed_at, placement.changed_by = at, actor
    _count(placement)
    record(session, placement, "changed", actor, at)


def _decided(placement: Placement, actor: User, at: datetime) -> None:
    placement.decided_at, placement.decided_by = at, actor
    _count(placement)


def _count(placement: Placement) -> None:
    """The run is locked, so no other act has this number."""
    placement.run.version += 1
    placement.version = placement.run.version


def _locked(session: Session, key: int) -> Placement:
    """Whoever gives way may have left the list since they were looked at. Raises CostsChanged."""
    wanted = sa.select(Placement).where(Placement.id == key, Placement.state.in_(UNDECIDED))
    locked = wanted.with_for_update(of=Placement).execution_options(populate_existing=True)
    found = session.scalars(locked).first()
    if found is None:
        raise CostsChanged
    return found


def _found_again(placements: Sequence[Placement], at: datetime) -> list[Fit | None]:
    therapists = therapists_of([each.proposed or "" for each in placements])
    for placement in placements:
        placement.therapist = therapists[placement.proposed or ""]
    return fits_now([(each, therapists[each.proposed or ""]) for each in placements], at)


def _require_no_problem(
    session: Session,
    placements: Sequence[Placement],
    fits: Sequence[Fit | None],
    changed: Sequence[Since],
) -> None:
    """Takes each place that nothing is in the way of; raises CannotConfirm with all that is."""
    clients = [each.client_id for each in placements]
    busy = who_has_asked(clients) | who_was_offered(clients)
    waits = who_still_waits(each.entry_id for each in placements)
    said = [
        (
            each.public_id,
            _problem(
                session, each, fit, waits=each.entry_id in waits, is_busy=each.client_id in busy
            ),
        )
        for each, fit in zip(placements, fits, strict=True)
    ]
    if any(problem for _, problem in said):
        raise CannotConfirm([one for one in said if one[1]], changed)


def _problem(
    session: Session, placement: Placement, fit: Fit | None, *, waits: bool, is_busy: bool
) -> str:
    """Takes the place if nothing is in the way; one that was taken goes back with the others."""
    client, therapist = placement.client, placement.therapist
    assert therapist is not None
    name = client.preferred_name or "a client"
    if not waits:
        return "Somebody no longer waits."
    if is_busy:
        return f"{name_of(client)} has asked somebody meanwhile, or was offered a place."
    if fit is None or not fit.holds:
        return f"{therapist.name} no longer fits {name}: something has changed since."
    try:
        take_place(session, therapist.id)
    except NoRoom:
        return f"{therapist.name} has no open place left for {name}."
    return ""


def _offer(
    session: Session,
    placements: Sequence[Placement],
    fits: Sequence[Fit],
    actor: User,
    at: datetime,
) -> None:
    due_at = after_working_days(at, DAYS_TO_ANSWER, current_settings().zone)
    for placement in placements:
        placement.move_to(PlacementState.offered)
        placement.due_at = due_at
        _decided(placement, actor, at)
    pairs = zip(placements, fits, strict=True)
    shown = [(placement.client, fit.client, fit.therapist) for placement, fit in pairs]
    keep_proposals(session, shown, newest_weights(), at)
    for placement in placements:
        record(session, placement, "offered", actor, at)
    for placement in placements:
        tell_client(session, placement, "offered", at)
    session.flush()
