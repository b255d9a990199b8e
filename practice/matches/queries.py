"""Reads of requests and proposals, shaped for pages."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from core.database import db
from practice.accounts.models import Client, User
from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.intake.models import Intake
from practice.intake.policy import intakes_of
from practice.matches.deadlines import DAYS_TO_CHOOSE_A_TIME
from practice.matches.market.changes import Version, version_columns, version_of
from practice.matches.models import MatchAlert, MatchRequest, Proposal, RequestState
from practice.matches.policy import requests_of, requests_to

# Whoever could not answer, or said no, is not offered again at once.
OFFERED_AGAIN_AFTER = timedelta(days=30)
LONGEST_HISTORY = 50
ANSWERED_SHOWN = 20


@dataclass(frozen=True)
class Footing:
    """What a search stands on: two consents, whether any request was made, the version."""

    has_notice: bool
    scores_count: bool
    has_asked: bool
    version: Version


def footing_of(client: Client) -> Footing:
    """One query. Scores count in a match only while the consent to assessment stands."""
    return _footing_in(*db.session.execute(_footing(), {"client": client.id}).one())


def footings_of(client_ids: Collection[int]) -> dict[int, Footing]:
    """As `footing_of`, by client, in one query for all of them."""
    wanted = _footings(Client.id).add_columns(Client.id).where(Client.id.in_(client_ids))
    return {row[-1]: _footing_in(*row[:-1]) for row in db.session.execute(wanted)}


def _footing_in(
    notice: bool, assessment: bool, asked: bool, epoch: uuid.UUID | None, number: int | None
) -> Footing:
    return Footing(bool(notice), bool(assessment), bool(asked), version_of(epoch, number))


@cache
def _footing() -> sa.Select[bool, bool, bool, uuid.UUID, int]:
    # Building the clauses costs more than asking them, and they never change.
    return _footings(sa.bindparam("client", type_=sa.Integer))


def _footings(client_id: sa.ColumnElement[int]) -> sa.Select[bool, bool, bool, uuid.UUID, int]:
    return sa.select(
        in_force(Purpose.privacy_notice, client_id),
        in_force(Purpose.assessment, client_id),
        sa.exists().where(MatchRequest.client_id == client_id),
        *version_columns(),
    )


def submitted_intake(client: Client) -> Intake | None:
    """What was submitted last, with its answers in the same query."""
    newest = (
        intakes_of(client)
        .where(Intake.submitted_at.is_not(None))
        .order_by(Intake.submitted_at.desc(), Intake.id.desc())
        .limit(1)
        .options(joinedload(Intake.answers))
    )
    return db.session.scalars(newest).unique().first()


def history_of(client: Client) -> Sequence[MatchRequest]:
    """What the client asked, the newest first: at most one of them is out."""
    newest_first = requests_of(client).order_by(MatchRequest.id.desc())
    return _all(newest_first.limit(LONGEST_HISTORY))


def turned_down(history: Iterable[MatchRequest], at: datetime) -> frozenset[str]:
    """Public ids of therapists who lately said no to this client or did not answer in time."""
    return frozenset(
        str(request.therapist.public_id)
        for request in history
        if request.sent_at > at - OFFERED_AGAIN_AFTER and request.was_turned_down(at)
    )


def request_of(client: Client, public_id: uuid.UUID) -> MatchRequest | None:
    return db.session.scalars(
        requests_of(client).where(MatchRequest.public_id == public_id)
    ).first()


def request_to(user: User, public_id: uuid.UUID) -> MatchRequest | None:
    return db.session.scalars(requests_to(user).where(MatchRequest.public_id == public_id)).first()


@dataclass(frozen=True)
class Inbox:
    """What a therapist was asked: `waiting` for an answer, the longest first, then the rest."""

    waiting: Sequence[MatchRequest]
    accepted: Sequence[MatchRequest]
    answered: Sequence[MatchRequest]


def inbox_of(user: User) -> Inbox:
    """Three queries, however many requests there are."""
    oldest_first = requests_to(user).order_by(MatchRequest.sent_at, MatchRequest.id)
    newest_first = requests_to(user).order_by(MatchRequest.sent_at.desc(), MatchRequest.id.desc())
    ended = MatchRequest.state.not_in((RequestState.sent, RequestState.accepted))
    return Inbox(
        _all(oldest_first.where(MatchRequest.state == RequestState.sent)),
        _all(oldest_first.where(MatchRequest.state == RequestState.accepted)),
        _all(newest_first.where(ended).limit(ANSWERED_SHOWN)),
    )


def waiting_count(user: User) -> int:
    """How many requests wait for this therapist's answer."""
    waiting = requests_to(user).where(MatchRequest.state == RequestState.sent).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting)) or 0


def number_of(client: Client, digest: str) -> uuid.UUID | None:
    """The number of the list under which exactly this was shown to this client before."""
    kept = sa.select(Proposal.public_id)
    return db.session.scalar(kept.where(Proposal.client_id == client.id, Proposal.digest == digest))


def requests_that_wait(at: datetime) -> list[int]:
    """Keys of requests whose time may have run out by now, the earliest due first."""
    may_be_due = sa.or_(
        sa.and_(MatchRequest.state == RequestState.sent, MatchRequest.answer_due_at <= at),
        # Five working days are never less than five days.
        sa.and_(
            MatchRequest.state == RequestState.accepted,
            MatchRequest.answered_at <= at - timedelta(days=DAYS_TO_CHOOSE_A_TIME),
        ),
    )
    waiting = sa.select(MatchRequest.id).where(may_be_due)
    return list(db.session.scalars(waiting.order_by(MatchRequest.answer_due_at)))


def untold_alerts() -> list[MatchAlert]:
    return list(db.session.scalars(sa.select(MatchAlert).where(MatchAlert.told_at.is_(None))))


def wants_to_be_told(client: Client) -> bool:
    waiting = sa.select(MatchAlert.id).where(
        MatchAlert.client_id == client.id, MatchAlert.told_at.is_(None)
    )
    return db.session.scalar(waiting) is not None


def _all(wanted: sa.Select[MatchRequest]) -> Sequence[MatchRequest]:
    return db.session.scalars(wanted).all()
