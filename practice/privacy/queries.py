"""Reads for the client's rights: what goes on, what was asked for, and whose is whose."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from practice.accounts.models import Client, Role
from practice.appointments.models import Appointment, AppointmentState
from practice.care.emergency.models import OpeningReason
from practice.care.models import Episode
from practice.consent.models import Purpose, Revocation, Signature
from practice.groups.models import LIVE, Enrolment
from practice.groups.operations import refund_now
from practice.matches.models import MatchRequest, RequestState
from practice.privacy.models import ErasureRequest, LegalHold, Restriction, RetentionRun

# The row of the log that says, of an erasure, which emergency openings were told with it.
OPENINGS_TOLD = "erasure.openings_told"


@dataclass(frozen=True)
class ToldOpening:
    """An emergency opening as the page of an erasure tells it; `at` is UTC, nobody is named."""

    at: datetime
    role_label: str
    reason_label: str


def client_with(session: Session, public_id: uuid.UUID) -> Client | None:
    return session.scalars(sa.select(Client).where(Client.public_id == public_id)).first()


def waiting_erasure(session: Session, client: Client) -> ErasureRequest | None:
    """The wish that still waits for its day."""
    return session.scalars(
        _erasures_of(client).where(
            ErasureRequest.done_at.is_(None), ErasureRequest.cancelled_at.is_(None)
        )
    ).first()


def client_of_waiting(session: Session, reference: uuid.UUID) -> Client | None:
    """Whose wish this is, if it still waits."""
    wanted = (
        sa.select(Client)
        .join(ErasureRequest, ErasureRequest.client_ref == Client.public_id)
        .where(ErasureRequest.public_id == reference)
        .where(ErasureRequest.done_at.is_(None), ErasureRequest.cancelled_at.is_(None))
    )
    return session.scalars(wanted).first()


def done_erasure(session: Session, client: Client) -> ErasureRequest | None:
    return session.scalars(_erasures_of(client).where(ErasureRequest.done_at.is_not(None))).first()


def erasure_with(session: Session, reference: uuid.UUID) -> ErasureRequest | None:
    """An erasure that was done, by the reference that only the person has."""
    done = sa.select(ErasureRequest).where(
        ErasureRequest.public_id == reference, ErasureRequest.done_at.is_not(None)
    )
    return session.scalars(done).first()


def openings_told_with(session: Session, request: ErasureRequest) -> list[ToldOpening]:
    """Emergency openings of which the person hears with this erasure, the oldest first."""
    rows = session.scalars(
        sa.select(AuditEntry.details).where(
            AuditEntry.action == OPENINGS_TOLD, AuditEntry.subject_id == request.public_id
        )
    )
    return [_told(one) for details in rows for one in details.get("openings", ())]


def _told(one: dict[str, str]) -> ToldOpening:
    at = datetime.fromisoformat(one["at"])
    return ToldOpening(at, Role(one["role"]).label, OpeningReason(one["reason"]).label)


def restrictions_after(session: Session, request: ErasureRequest) -> Sequence[Restriction]:
    theirs = (
        sa.select(Restriction)
        .join(Client, Client.id == Restriction.client_id)
        .where(Client.public_id == request.client_ref)
        .order_by(Restriction.id)
    )
    return session.scalars(theirs).all()


def erasures_due(session: Session, at: datetime) -> Sequence[ErasureRequest]:
    due = sa.select(ErasureRequest).where(
        ErasureRequest.done_at.is_(None),
        ErasureRequest.cancelled_at.is_(None),
        ErasureRequest.due_at <= at,
    )
    return session.scalars(due.order_by(ErasureRequest.due_at)).all()


def unfinished_erasures(session: Session) -> Sequence[ErasureRequest]:
    """Those after which something still stays."""
    unfinished = sa.select(ErasureRequest).where(
        ErasureRequest.done_at.is_not(None), ErasureRequest.complete_at.is_(None)
    )
    return session.scalars(unfinished.order_by(ErasureRequest.id)).all()


def standing_holds(session: Session) -> Sequence[LegalHold]:
    standing = sa.select(LegalHold).where(LegalHold.lifted_at.is_(None))
    return session.scalars(standing.order_by(LegalHold.placed_at)).all()


def standing_hold(session: Session, public_id: uuid.UUID) -> LegalHold | None:
    found = sa.select(LegalHold).where(
        LegalHold.public_id == public_id, LegalHold.lifted_at.is_(None)
    )
    return session.scalars(found).first()


def last_runs(session: Session, most: int = 10) -> Sequence[RetentionRun]:
    newest = sa.select(RetentionRun).order_by(RetentionRun.at.desc(), RetentionRun.id.desc())
    return session.scalars(newest.limit(most)).all()


def live_enrolments(session: Session, client: Client) -> Sequence[Enrolment]:
    live = sa.select(Enrolment).where(Enrolment.client_id == client.id, Enrolment.state.in_(LIVE))
    return session.scalars(live.order_by(Enrolment.id)).all()


def refund_of_leaving(session: Session, client: Client, at: datetime) -> int:
    """What would go back if every seat were given up now, minor units."""
    return sum(refund_now(session, one, at) for one in live_enrolments(session, client))


def standing_signatures(
    session: Session, client: Client, purpose: Purpose | None = None
) -> Sequence[Signature]:
    standing = (
        sa.select(Signature)
        .outerjoin(Revocation, Revocation.signature_id == Signature.id)
        .where(Signature.client_id == client.id, Revocation.id.is_(None))
        .order_by(Signature.id.desc())
    )
    if purpose is not None:
        standing = standing.where(Signature.purpose == purpose)
    return session.scalars(standing).all()


def waiting_requests(session: Session, client: Client) -> Sequence[MatchRequest]:
    waiting = sa.select(MatchRequest).where(
        MatchRequest.client_id == client.id,
        MatchRequest.state.in_((RequestState.sent, RequestState.accepted)),
    )
    return session.scalars(waiting).all()


def open_episodes(session: Session, client: Client) -> Sequence[Episode]:
    open_ = sa.select(Episode).where(Episode.client_id == client.id, Episode.ended_at.is_(None))
    return session.scalars(open_.order_by(Episode.id)).all()


def meetings_ahead(session: Session, client: Client, at: datetime) -> Sequence[Appointment]:
    ahead = sa.select(Appointment).where(
        Appointment.client_id == client.id,
        Appointment.state == AppointmentState.booked,
        Appointment.starts_at > at,
    )
    return session.scalars(ahead.order_by(Appointment.starts_at)).all()


def _erasures_of(client: Client) -> sa.Select[ErasureRequest]:
    return sa.select(ErasureRequest).where(ErasureRequest.client_ref == client.public_id)
