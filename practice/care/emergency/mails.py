"""Mails around emergency openings: they say that something waits, never what or about whom."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Role, User, UserRole
from practice.accounts.neutral_mail import say_something_waits
from practice.care.emergency.models import EmergencyOpening
from practice.care.emergency.policy import MAY_DECIDE

STAFF_PAGE = "/emergency"


def tell_deciders(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    people = holders_of(session, *MAY_DECIDE)
    _tell(session, _others(people, opening), opening, at, "asked")


def tell_leads(session: Session, opening: EmergencyOpening, at: datetime, occasion: str) -> None:
    people = holders_of(session, Role.clinical_lead)
    _tell(session, _others(people, opening), opening, at, occasion)


def tell_reader(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    _tell(session, [opening.asked_by], opening, at, "answered")


def tell_client(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    _tell(session, [opening.client.user], opening, at, "told", path="/today")


def _tell(
    session: Session,
    people: Iterable[User],
    opening: EmergencyOpening,
    at: datetime,
    occasion: str,
    path: str = STAFF_PAGE,
) -> None:
    for person in people:
        about = f"emergency {occasion}:{opening.public_id}"
        say_something_waits(session, person, at, path=path, about=about)


def _others(people: Iterable[User], opening: EmergencyOpening) -> list[User]:
    """Neither who asked, nor the client, should they work here too."""
    concerned = {opening.asked_by_id, opening.client.user_id}
    return [person for person in people if person.id not in concerned]


def holders_of(session: Session, *roles: Role) -> list[User]:
    """Colleagues with one of these roles who can sign in."""
    holds = sa.select(UserRole.id).where(UserRole.user_id == User.id, UserRole.role.in_(roles))
    able = sa.select(User).where(
        holds.exists(), User.disabled_at.is_(None), User.email_confirmed_at.is_not(None)
    )
    return list(session.scalars(able.order_by(User.id)))
