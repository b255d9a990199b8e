"""The duty rota: who is there for risk flags now, who is next, and what may be promised."""

from datetime import datetime

import sqlalchemy as sa

from core.config import current_settings
from core.database import db
from practice.accounts.models import Role, User, UserRole
from practice.intake.models import DutyShift
from practice.intake.policy import FLAG_READERS
from practice.intake.rota import promise_words


def promise(at: datetime, zone: str = "") -> str:
    """A true sentence for a client: when somebody reads a risky answer given at `at`.

    Times are told in `zone` (IANA), the organisation's own unless given.
    """
    running, coming = on_duty(at), next_shift(at)
    return promise_words(
        running.ends_at if running else None,
        coming.starts_at if coming else None,
        at,
        zone or current_settings().zone,
    )


def on_duty(at: datetime) -> DutyShift | None:
    """The shift now running; of several the one that lasts longest. It ends before `ends_at`."""
    return next(iter(shifts_at(at)), None)


def shifts_at(at: datetime) -> list[DutyShift]:
    """Every shift now running, the one that lasts longest first."""
    running = _kept_shifts().where(DutyShift.starts_at <= at, DutyShift.ends_at > at)
    return list(db.session.scalars(running.order_by(DutyShift.ends_at.desc(), DutyShift.id)))


def next_shift(at: datetime) -> DutyShift | None:
    """The first shift that begins after `at`."""
    coming = _kept_shifts().where(DutyShift.starts_at > at, DutyShift.ends_at > DutyShift.starts_at)
    return db.session.scalars(coming.order_by(DutyShift.starts_at, DutyShift.id).limit(1)).first()


def people_to_tell(at: datetime) -> list[User]:
    """Whose task a new flag is: those on duty, else the clinical leads and whoever is next."""
    if running := shifts_at(at):
        people = [shift.user for shift in running]
    else:
        coming = next_shift(at)
        people = [*_clinical_leads(), *([coming.user] if coming else [])]
    return list(dict.fromkeys(people))


def _clinical_leads() -> list[User]:
    leads = sa.select(User).where(_can_sign_in(), _holds(Role.clinical_lead))
    return list(db.session.scalars(leads.order_by(User.id)))


def _kept_shifts() -> sa.Select[DutyShift]:
    """Shifts of people who can still read flags; those of others would be promised in vain."""
    return (
        sa.select(DutyShift)
        .join(User, User.id == DutyShift.user_id)
        .where(_can_sign_in(), _holds(*FLAG_READERS))
    )


def _can_sign_in() -> sa.ColumnElement[bool]:
    return sa.and_(User.disabled_at.is_(None), User.email_confirmed_at.is_not(None))


def _holds(*roles: Role) -> sa.ColumnElement[bool]:
    return (
        sa.select(UserRole.id).where(UserRole.user_id == User.id, UserRole.role.in_(roles)).exists()
    )
