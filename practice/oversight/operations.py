"""What administrators change: the duty rota. Accounts and texts change in their own rooms."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import NotFound, Refusal
from practice.accounts.models import User
from practice.intake.models import DutyShift
from practice.intake.policy import FLAG_READERS
from practice.oversight.rota import Span, shift_span


class OnDutyAlready(Refusal):
    message = "This person is on duty at that time already."


class CannotReadFlags(Refusal):
    message = "This person cannot open flags. Give them the role of duty clinician first."


class InThePast(Refusal):
    message = "A shift cannot be put into the past."


def add_shifts(
    session: Session,
    person: User,
    day: date,
    starts: time,
    ends: time,
    weeks: int,
    zone: str,
    actor: User,
    at: datetime,
) -> list[DutyShift]:
    """Put somebody on the rota from a local day on, once a week for `weeks` weeks.

    All of them or none: raises CannotReadFlags, InThePast or OnDutyAlready.
    """
    if not person.has(*FLAG_READERS) or person.is_disabled:
        raise CannotReadFlags
    # Two of the same shift at once (a double click) would both find the time free.
    session.execute(sa.select(User.id).where(User.id == person.id).with_for_update())
    days = [day + timedelta(weeks=week) for week in range(weeks)]
    spans = [shift_span(day, starts, ends, zone) for day in days]
    return [_add_shift(session, person, span, actor, at) for span in spans]


def remove_shift(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> None:
    """Take a shift off the rota; one that is running ends now. Raises NotFound for a past one."""
    shift = session.scalars(
        sa.select(DutyShift)
        .where(DutyShift.public_id == public_id, DutyShift.ends_at > at)
        .with_for_update(of=DutyShift)
    ).first()
    if shift is None:
        raise NotFound
    if shift.starts_at < at:
        shift.ends_at = at
    else:
        session.delete(shift)
    _record(session, shift, actor, "rota.shift_removed", at)
    session.flush()


def _add_shift(session: Session, person: User, span: Span, actor: User, at: datetime) -> DutyShift:
    if span.ends_at <= at:
        raise InThePast
    if session.scalar(sa.select(_overlaps(person, span).exists())):
        raise OnDutyAlready
    shift = DutyShift(
        user=person,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        created_at=at,
        created_by_id=actor.id,
    )
    session.add(shift)
    session.flush()
    _record(session, shift, actor, "rota.shift_added", at)
    return shift


def _overlaps(person: User, span: Span) -> sa.Select[tuple[int]]:
    return sa.select(DutyShift.id).where(
        DutyShift.user_id == person.id,
        DutyShift.starts_at < span.ends_at,
        DutyShift.ends_at > span.starts_at,
    )


def _record(session: Session, shift: DutyShift, actor: User, action: str, at: datetime) -> None:
    record(
        session,
        at=at,
        action=action,
        subject_kind="shift",
        subject_id=shift.public_id,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
        person=shift.user.name or shift.user.email,
        shift=f"{_utc(shift.starts_at)} to {_utc(shift.ends_at)} UTC",
    )


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
