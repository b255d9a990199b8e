"""Reads of the waiting list, shaped for its pages and its runs."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.database import db
from core.outbox import was_given_up
from practice.accounts.models import Client, User
from practice.matches.models import MatchRequest, RequestState
from practice.therapists.models import Therapist
from practice.waiting.models import (
    NOT_DECIDED,
    UNDECIDED,
    Placement,
    PlacementState,
    WaitingEntry,
    WaitingRun,
)
from practice.waiting.policy import (
    entries_for,
    entries_of,
    may_be_placed,
    placements_for,
    placements_of,
)

RUN = "waiting.run"
OUT = (RequestState.sent, RequestState.accepted)
REFUSED = (PlacementState.declined, PlacementState.rejected)


def open_entry(client: Client) -> WaitingEntry | None:
    theirs = entries_of(client).where(WaitingEntry.left_at.is_(None))
    return db.session.scalars(theirs).first()


def offer_of(client: Client) -> Placement | None:
    theirs = placements_of(client).where(Placement.state == PlacementState.offered)
    return db.session.scalars(theirs).first()


def newest_placement(client: Client) -> Placement | None:
    """What was last offered and has ended."""
    ended = placements_of(client).where(Placement.ended_at.is_not(None))
    newest_first = ended.order_by(Placement.ended_at.desc(), Placement.id.desc())
    return db.session.scalars(newest_first).first()


def placement_of(client: Client, public_id: uuid.UUID) -> Placement | None:
    theirs = placements_of(client).where(
        Placement.public_id == public_id, Placement.therapist_id.is_not(None)
    )
    return db.session.scalars(theirs).first()


def newest_run() -> WaitingRun | None:
    """One that was stopped before it was made is as if it had not been asked for."""
    made_or_going_on = sa.or_(WaitingRun.made_at.is_not(None), WaitingRun.withdrawn_at.is_(None))
    newest = sa.select(WaitingRun).where(made_or_going_on).order_by(WaitingRun.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def newest_made_run() -> WaitingRun | None:
    """What there is to decide on, also while another is being made."""
    made = sa.select(WaitingRun).where(WaitingRun.made_at.is_not(None))
    newest = made.order_by(WaitingRun.made_at.desc(), WaitingRun.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def work_of(run: WaitingRun) -> str:
    """What the outbox knows the working out of this run by."""
    return f"{RUN}:{run.public_id}"


def has_failed(run: WaitingRun) -> bool:
    """Whether it was tried too often and set aside, so that nobody works it out any more."""
    return was_given_up(db.session(), work_of(run))


def run_with(public_id: uuid.UUID) -> WaitingRun | None:
    wanted = sa.select(WaitingRun).where(WaitingRun.public_id == public_id)
    return db.session.scalars(wanted).first()


@dataclass(frozen=True)
class Totals:
    """How many the lead may see: all who wait, and of those what the proposal says."""

    waiting: int
    first: datetime | None
    proposed: int
    unplaced: int


def totals(user: User, run: WaitingRun | None) -> Totals:
    """One query. `first` is since when whoever has waited longest waits."""
    states = (PlacementState.proposed, PlacementState.unplaced)
    counted = (sa.func.count(sa.case((Placement.state == state, 1))) for state in states)
    all_of_them = (
        listed(user, run)
        .order_by(None)
        .with_only_columns(
            sa.func.count(WaitingEntry.id), sa.func.min(WaitingEntry.joined_at), *counted
        )
    )
    return Totals(*db.session.execute(all_of_them).one())


def listed(user: User, run: WaitingRun | None) -> sa.Select[Any]:
    """(entry, what the run proposes and nobody has decided, or None), the longest waiting first."""
    undecided = sa.and_(
        Placement.entry_id == WaitingEntry.id,
        Placement.run_id == (run.id if run is not None and run.stands else None),
        Placement.state.in_(UNDECIDED),
    )
    return (
        entries_for(user)
        .select_from(WaitingEntry)
        .outerjoin(Placement, undecided)
        .add_columns(Placement)
        .order_by(WaitingEntry.joined_at, WaitingEntry.id)
    )


def placement_for(user: User, public_id: uuid.UUID) -> Placement | None:
    """One that can still be decided."""
    wanted = placements_for(user).where(
        Placement.public_id == public_id, Placement.state.in_(UNDECIDED)
    )
    return db.session.scalars(wanted).first()


def decided_for(user: User, public_id: uuid.UUID) -> Placement | None:
    """One on which somebody has decided, of a client who still waits."""
    wanted = placements_for(user).where(
        Placement.public_id == public_id,
        Placement.state.not_in(NOT_DECIDED),
    )
    return db.session.scalars(wanted).first()


def clients_of(user: User, placements: Collection[uuid.UUID]) -> list[Client]:
    if not placements:
        return []
    theirs = placements_for(user).where(Placement.public_id.in_(placements))
    return [each.client for each in db.session.scalars(theirs.order_by(Placement.id))]


def clients_with(placement_ids: Collection[int]) -> dict[int, Client]:
    """Whose these placements are, by their keys."""
    if not placement_ids:
        return {}
    wanted = sa.select(Placement).where(Placement.id.in_(placement_ids)).order_by(Placement.id)
    return {each.id: each.client for each in db.session.scalars(wanted)}


def proposed_in(user: User, run: WaitingRun, seen: int) -> Sequence[Placement]:
    """All that a run proposes, with what somebody has changed or decided since `seen`."""
    is_proposed, is_newer = Placement.state == PlacementState.proposed, Placement.version > seen
    theirs = _of_run(user, run).where(sa.or_(is_proposed, is_newer))
    return db.session.scalars(theirs.order_by(Placement.id)).all()


def among(user: User, run: WaitingRun, only: Collection[uuid.UUID]) -> Sequence[Placement]:
    """Those of `only` that are in a run, whatever has become of them."""
    theirs = _of_run(user, run).where(Placement.public_id.in_(only))
    return db.session.scalars(theirs.order_by(Placement.id)).all()


def _of_run(user: User, run: WaitingRun) -> sa.Select[Placement]:
    return placements_for(user).where(
        Placement.run_id == run.id, Placement.state != PlacementState.set_aside
    )


def offered_to(user: User) -> sa.Select[Placement]:
    """What clients have not answered yet, the earliest due first."""
    offered = placements_for(user).where(Placement.state == PlacementState.offered)
    return offered.order_by(Placement.due_at, Placement.id)


def who_has_asked(client_ids: Collection[int]) -> frozenset[int]:
    """Which of these clients have a request out, or a yes to one."""
    asked = sa.select(MatchRequest.client_id).where(
        MatchRequest.client_id.in_(client_ids), MatchRequest.state.in_(OUT)
    )
    return frozenset(db.session.scalars(asked))


def who_was_offered(client_ids: Collection[int]) -> frozenset[int]:
    offered = sa.select(Placement.client_id).where(
        Placement.client_id.in_(client_ids), Placement.state == PlacementState.offered
    )
    return frozenset(db.session.scalars(offered))


def who_still_waits(entry_ids: Iterable[int]) -> frozenset[int]:
    """Of these entries, those that are open and of whom what waiting rests on stands."""
    able = may_be_placed().where(WaitingEntry.id.in_(list(entry_ids)))
    return frozenset(db.session.scalars(able.with_only_columns(WaitingEntry.id)))


def entries_to_place() -> list[int]:
    """Keys of who can be placed now, first come first."""
    return list(db.session.scalars(can_be_placed_now().with_only_columns(WaitingEntry.id)))


def can_be_placed_now() -> sa.Select[WaitingEntry]:
    """First come first: whoever has asked nobody, and was offered nothing that is open."""
    asked = sa.exists().where(
        MatchRequest.client_id == WaitingEntry.client_id, MatchRequest.state.in_(OUT)
    )
    offered = sa.exists().where(
        Placement.client_id == WaitingEntry.client_id,
        Placement.state == PlacementState.offered,
    )
    able = may_be_placed().where(~asked, ~offered)
    return able.order_by(WaitingEntry.joined_at, WaitingEntry.id)


def refused_of(entry: WaitingEntry) -> frozenset[str]:
    """Therapists' public ids: not this one, said the client, or the lead."""
    wanted = sa.select(Placement).where(
        Placement.entry_id == entry.id, Placement.state.in_(REFUSED)
    )
    return frozenset(each.proposed for each in db.session.scalars(wanted) if each.proposed)


def rejected_of(entry: WaitingEntry) -> Sequence[Placement]:
    wanted = sa.select(Placement).where(
        Placement.entry_id == entry.id, Placement.state == PlacementState.rejected
    )
    return db.session.scalars(wanted.order_by(Placement.id)).all()


def offers_due(at: datetime) -> list[int]:
    due = sa.select(Placement.id).where(
        Placement.state == PlacementState.offered, Placement.due_at <= at
    )
    return list(db.session.scalars(due.order_by(Placement.due_at, Placement.id)))


def places_kept(therapist: Therapist) -> int:
    """How many places are taken for people of the list who have, or whose request has, no yes."""
    offered = sa.select(sa.func.count()).where(
        Placement.therapist_id == therapist.id, Placement.state == PlacementState.offered
    )
    asked = sa.select(sa.func.count()).where(
        MatchRequest.therapist_id == therapist.id, MatchRequest.keeps_place
    )
    return (db.session.scalar(offered) or 0) + (db.session.scalar(asked) or 0)


def open_places(public_ids: Iterable[str]) -> dict[str, int]:
    """How many places each has open at this moment, by public id."""
    wanted = sa.select(Therapist.public_id, Therapist.open_places).where(_among(public_ids))
    return {str(public_id): places for public_id, places in db.session.execute(wanted)}


def names_of(public_ids: Iterable[str]) -> dict[str, str]:
    wanted = sa.select(Therapist.public_id, Therapist.name).where(_among(public_ids))
    return {str(public_id): name for public_id, name in db.session.execute(wanted)}


def therapists_of(public_ids: Iterable[str]) -> dict[str, Therapist]:
    wanted = sa.select(Therapist).where(_among(public_ids))
    return {str(each.public_id): each for each in db.session.scalars(wanted)}


def _among(public_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    return Therapist.public_id.in_([uuid.UUID(each) for each in set(public_ids)])
