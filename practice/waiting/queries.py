"""Reads of the waiting list, shaped for its pages and its runs."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.database import db
from practice.accounts.models import Client, User
from practice.matches.models import MatchRequest, RequestState
from practice.therapists.models import Therapist
from practice.waiting.models import (
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


def run_with(public_id: uuid.UUID) -> WaitingRun | None:
    wanted = sa.select(WaitingRun).where(WaitingRun.public_id == public_id)
    return db.session.scalars(wanted).first()


def waiting_for(user: User) -> Sequence[WaitingEntry]:
    """Who waits, the longest first."""
    longest_first = entries_for(user).order_by(WaitingEntry.joined_at, WaitingEntry.id)
    return db.session.scalars(longest_first).all()


def placement_for(user: User, public_id: uuid.UUID) -> Placement | None:
    """One that can still be decided."""
    wanted = placements_for(user).where(
        Placement.public_id == public_id, Placement.state.in_(UNDECIDED)
    )
    return db.session.scalars(wanted).first()


def undecided_in(user: User, run: WaitingRun) -> Sequence[Placement]:
    """The longest waiting first."""
    theirs = placements_for(user).where(Placement.run_id == run.id, Placement.state.in_(UNDECIDED))
    longest_first = theirs.join(WaitingEntry, WaitingEntry.id == Placement.entry_id)
    order = WaitingEntry.joined_at, Placement.id
    return db.session.scalars(longest_first.order_by(*order)).all()


def offered_to(user: User) -> Sequence[Placement]:
    """What clients have not answered yet, the earliest due first."""
    offered = placements_for(user).where(Placement.state == PlacementState.offered)
    return db.session.scalars(offered.order_by(Placement.due_at, Placement.id)).all()


def entries_to_place() -> list[int]:
    """Keys of who can be placed now, first come first: nobody asked, and nothing offered yet."""
    asked = sa.exists().where(
        MatchRequest.client_id == WaitingEntry.client_id,
        MatchRequest.state.in_((RequestState.sent, RequestState.accepted)),
    )
    offered = sa.exists().where(
        Placement.client_id == WaitingEntry.client_id,
        Placement.state == PlacementState.offered,
    )
    able = may_be_placed().where(~asked, ~offered).order_by(WaitingEntry.joined_at, WaitingEntry.id)
    return list(db.session.scalars(able.with_only_columns(WaitingEntry.id)))


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
