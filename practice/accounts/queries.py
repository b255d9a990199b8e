"""Reads about people who sign in."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.encryption import blind_index
from practice.accounts.models import SignInSession, User
from practice.accounts.signing_in import is_live


def user_with(session: Session, email: str) -> User | None:
    """The user of this address, however it is capitalised."""
    return session.scalars(sa.select(User).where(has_address(email))).first()


def has_address(email: str) -> sa.ColumnElement[bool]:
    """A clause over `User`: addresses are sealed, so they are found by their blind index."""
    return User.email_index == blind_index("email", email)


def live_sessions(session: Session, user: User, at: datetime) -> list[SignInSession]:
    """The browsers this person is signed in on, the latest seen first."""
    live = sa.select(SignInSession).where(SignInSession.user_id == user.id, is_live(at))
    return list(session.scalars(live.order_by(SignInSession.last_seen_at.desc(), SignInSession.id)))
