"""Changing one's e-mail address, and taking it back when somebody else changed it.

The new address counts once its mail was answered by whoever is signed in. The old one is told, and
can take the account back for three days, whatever was changed after that: whoever reads it then
chooses a new password, and what was added since as a second factor is gone.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Refusal
from practice.accounts import mails, operations, tokens
from practice.accounts.acts import record_about
from practice.accounts.models import (
    AuthenticatorApp,
    EmailChange,
    EmailTokenPurpose,
    Passkey,
    RecoveryCode,
    User,
)
from practice.accounts.queries import user_with
from practice.accounts.tokens import LinkOver

UNUSABLE_PASSWORD = "taken back"


class SameAddress(Refusal):
    message = "This is the address you have already."


def ask(session: Session, user: User, email: str, at: datetime) -> None:
    """Send a link to the new address; if somebody has it already, that is said there alone."""
    if email == user.email:
        raise SameAddress
    operations.take_turn(session, user)
    session.add(EmailChange(user=user, old_email=user.email, new_email=email, asked_at=at))
    token = tokens.issue(session, user, EmailTokenPurpose.new_address, at)
    if user_with(session, email) is None:
        mails.send_new_address(session, email, token, at)
    else:
        mails.send_address_in_use(session, email, token, at)
    record_about(session, user, user, "address.change_asked", at)
    session.flush()


def confirm(session: Session, token: str, at: datetime) -> User:
    """The new address is theirs; raises LinkOver, also when somebody has taken it meanwhile."""
    user = _used(session, token, EmailTokenPurpose.new_address, at)
    change = _latest(session, user)
    if change is None or change.confirmed_at is not None:
        raise LinkOver
    _exchange(session, user, change.new_email)
    change.confirmed_at = at
    tokens.void_ways_in(session, user, at)
    undo = tokens.issue(session, user, EmailTokenPurpose.old_address, at)
    mails.send_address_changed(session, change.old_email, undo, at)
    record_about(session, user, user, "address.changed", at)
    session.flush()
    return user


def take_back(session: Session, token: str, at: datetime) -> str:
    """The old address again, every browser out; returns the token to choose a password with."""
    user = _used(session, token, EmailTokenPurpose.old_address, at)
    changes = _confirmed_since(session, user, tokens.issued_at(session, token))
    if not changes:
        raise LinkOver
    change = changes[0]
    _free(session, change.old_email, at)
    _exchange(session, user, change.old_email)
    for undone in changes:
        undone.undone_at = at
    user.password_hash = UNUSABLE_PASSWORD
    _remove_factors_since(session, user, change.asked_at)
    tokens.void_ways_in(session, user, at)
    operations.end_all_sessions(session, user, user, at)
    record_about(session, user, user, "address.taken_back", at)
    session.flush()
    return tokens.issue(session, user, EmailTokenPurpose.reset, at)


def _latest(session: Session, user: User) -> EmailChange | None:
    mine = sa.select(EmailChange).where(EmailChange.user_id == user.id)
    return session.scalars(mine.order_by(EmailChange.id.desc())).first()


def _confirmed_since(session: Session, user: User, at: datetime | None) -> list[EmailChange]:
    """The change of this instant, which its link bears too, and those after it; none if undone."""
    mine = sa.select(EmailChange).where(
        EmailChange.user_id == user.id,
        EmailChange.confirmed_at >= at,
        EmailChange.undone_at.is_(None),
    )
    changes = list(session.scalars(mine.order_by(EmailChange.id)))
    return changes if changes and changes[0].confirmed_at == at else []


def _used(session: Session, token: str, purpose: EmailTokenPurpose, at: datetime) -> User:
    operations.take_turn(session, tokens.owner(session, token, purpose, at))
    return tokens.use(session, token, purpose, at)


def _exchange(session: Session, user: User, email: str) -> None:
    try:
        with session.begin_nested():
            user.email = email
            session.flush()
    except IntegrityError:
        raise LinkOver from None


def _free(session: Session, email: str, at: datetime) -> None:
    """An account that nobody confirmed must not keep the owner of the address out."""
    squatter = user_with(session, email)
    if squatter is not None and not squatter.is_confirmed:
        squatter.email = f"{squatter.public_id}@nobody.invalid"
        squatter.disabled_at = at
        session.flush()


def _remove_factors_since(session: Session, user: User, since: datetime) -> None:
    for table in (Passkey, AuthenticatorApp, RecoveryCode):
        newer = sa.and_(table.user_id == user.id, table.created_at >= since)
        session.execute(sa.delete(table).where(newer))
