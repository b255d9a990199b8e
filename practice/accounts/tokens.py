"""The links in mails: used once, good for a while, and known to us only by their hash."""

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.errors import Refusal
from practice.accounts.models import EmailToken, EmailTokenPurpose, User
from practice.accounts.signing_in import token_hash

GOOD_FOR = {
    EmailTokenPurpose.confirm: timedelta(hours=24),
    EmailTokenPurpose.reset: timedelta(hours=1),
    EmailTokenPurpose.invitation: timedelta(days=7),
    EmailTokenPurpose.new_address: timedelta(hours=24),
    EmailTokenPurpose.old_address: timedelta(hours=72),
    EmailTokenPurpose.keep_factor: timedelta(hours=24),
}
# What these undo, a thief may have done: no later change takes them from the owner.
UNDOES = (EmailTokenPurpose.old_address, EmailTokenPurpose.keep_factor)


class LinkOver(Refusal):
    """A link that was used, has run out or never was; the three are not told apart."""

    message = "This link is no longer good. It may have been used already, or it is too old."


def issue(session: Session, user: User, purpose: EmailTokenPurpose, at: datetime) -> str:
    """A new link for this user; earlier ones of the same purpose stop working.

    Links to take an address back are for one change each, so those stay good beside one another.
    """
    if purpose is not EmailTokenPurpose.old_address:
        _void(session, user, EmailToken.purpose == purpose, at)
    token = secrets.token_urlsafe(32)
    session.add(
        EmailToken(
            token_hash=token_hash(token),
            user_id=user.id,
            purpose=purpose,
            created_at=at,
            expires_at=at + GOOD_FOR[purpose],
        )
    )
    session.flush()
    return token


def owner(session: Session, token: str, purpose: EmailTokenPurpose, at: datetime) -> User:
    """Whose good link this is, leaving it good; raises LinkOver."""
    user = session.scalars(
        sa.select(User)
        .join(EmailToken, EmailToken.user_id == User.id)
        .where(_good(token, purpose, at))
    ).first()
    if user is None or user.is_disabled:
        raise LinkOver
    return user


def use(session: Session, token: str, purpose: EmailTokenPurpose, at: datetime) -> User:
    """Whose link this is, using it up: of two at the same time one gets LinkOver."""
    user = owner(session, token, purpose, at)
    used = session.execute(
        sa.update(EmailToken).where(_good(token, purpose, at)).values(used_at=at)
    )
    if used.rowcount != 1:
        raise LinkOver
    return user


def issued_at(session: Session, token: str) -> datetime | None:
    known = sa.select(EmailToken.created_at).where(EmailToken.token_hash == token_hash(token))
    return session.scalar(known)


def void_ways_in(session: Session, user: User, at: datetime) -> None:
    """No link sent to this user so far works any more, but those that undo something."""
    _void(session, user, EmailToken.purpose.not_in(UNDOES), at)


def _good(token: str, purpose: EmailTokenPurpose, at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        EmailToken.token_hash == token_hash(token),
        EmailToken.purpose == purpose,
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > at,
    )


def _void(session: Session, user: User, which: sa.ColumnElement[bool], at: datetime) -> None:
    unused = sa.and_(EmailToken.user_id == user.id, which, EmailToken.used_at.is_(None))
    session.execute(sa.update(EmailToken).where(unused).values(used_at=at))
