"""What time alone makes due: telling the client, and reminding of a review."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from core.database import db, unit_of_work
from practice.accounts.models import Client, User
from practice.care.emergency.mails import tell_leads
from practice.care.emergency.models import REVIEW_WITHIN, EmergencyOpening, OpeningKind
from practice.care.emergency.operations import tell
from practice.one_by_one import whatever_happens

# The lead is reminded while there is time left, and once more when there is none.
REMIND_BEFORE = timedelta(hours=6)


def tell_clients(at: datetime) -> None:
    """Each in a transaction of its own, so that one that fails holds up nobody."""
    for key in _due_notices(at):
        with whatever_happens(), unit_of_work() as session:
            opening = session.get(EmergencyOpening, key, with_for_update={"of": EmergencyOpening})
            if opening is not None and _is_due(opening, at):
                tell(session, opening, at)


def remind_of_reviews(at: datetime) -> None:
    for key in _unreviewed(at):
        with whatever_happens(), unit_of_work() as session:
            opening = session.get(EmergencyOpening, key)
            if opening is not None and opening.wants_review:
                tell_leads(session, opening, at, _occasion(opening, at))


def _occasion(opening: EmergencyOpening, at: datetime) -> str:
    return "overdue" if opening.review_is_overdue(at) else "reminder"


def _is_due(opening: EmergencyOpening, at: datetime) -> bool:
    due = opening.notice_due_at
    return opening.told_at is None and due is not None and due <= at


def _due_notices(at: datetime) -> list[int]:
    due = sa.select(EmergencyOpening.id).where(
        EmergencyOpening.told_at.is_(None), EmergencyOpening.notice_due_at <= at, _can_be_told()
    )
    return list(db.session.scalars(due.order_by(EmergencyOpening.notice_due_at)))


def _can_be_told() -> sa.ColumnElement[bool]:
    closed = sa.select(Client.id).join(User, User.id == Client.user_id)
    return EmergencyOpening.client_id.not_in(closed.where(User.disabled_at.is_not(None)))


def _unreviewed(at: datetime) -> list[int]:
    waiting = sa.select(EmergencyOpening.id).where(
        EmergencyOpening.kind == OpeningKind.danger,
        EmergencyOpening.opened_at <= at - REVIEW_WITHIN + REMIND_BEFORE,
        ~EmergencyOpening.review.has(),
    )
    return list(db.session.scalars(waiting.order_by(EmergencyOpening.id)))
