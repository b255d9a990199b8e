"""Reads of requests and proposals, shaped for pages."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.database import db
from practice.accounts.models import Client, User
from practice.matches.models import MatchAlert, MatchRequest, Proposal, RequestState
from practice.matches.policy import requests_of, requests_to
from practice.therapists.models import Therapist

# Whoever could not answer, or said no, is not offered again at once.
OFFERED_AGAIN_AFTER = timedelta(days=30)
ANSWERED_SHOWN = 20


def turned_down_by(client: Client, at: datetime) -> frozenset[str]:
    """Public ids of therapists who lately said no to this client or did not answer in time."""
    ids = (
        requests_of(client)
        .join(Therapist, Therapist.id == MatchRequest.therapist_id)
        .where(MatchRequest.sent_at > at - OFFERED_AGAIN_AFTER, _was_turned_down(at))
        .with_only_columns(Therapist.public_id, maintain_column_froms=True)
    )
    return frozenset(str(public_id) for public_id in db.session.scalars(ids))


def _was_turned_down(at: datetime) -> sa.ColumnElement[bool]:
    """Declined, or nobody answered by the time that was promised, swept up already or not."""
    state, due = MatchRequest.state, MatchRequest.answer_due_at
    return sa.or_(
        state == RequestState.declined,
        sa.and_(state == RequestState.lapsed, MatchRequest.answered_at >= due),
        sa.and_(state == RequestState.sent, due <= at),
    )


def latest_request(client: Client) -> MatchRequest | None:
    """The request that is out, or else the one that ended last."""
    newest = requests_of(client).order_by(MatchRequest.id.desc()).limit(1)
    return db.session.scalars(newest).first()


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


def is_kept(client: Client, digest: str) -> bool:
    """Whether exactly this was shown to this client before."""
    kept = sa.select(Proposal.id).where(Proposal.client_id == client.id, Proposal.digest == digest)
    return db.session.scalar(kept) is not None


def requests_that_wait(at: datetime) -> list[int]:
    """Keys of requests whose time may have run out by now, the earliest due first."""
    may_be_due = sa.or_(
        sa.and_(MatchRequest.state == RequestState.sent, MatchRequest.answer_due_at <= at),
        MatchRequest.state == RequestState.accepted,
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
