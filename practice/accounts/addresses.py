"""Changing one's e-mail address, and taking it back when somebody else changed it.

The new address counts once its mail was answered by whoever is signed in. The old one is told, and
can take the account back for three days, whatever was changed after that: whoever reads it then
chooses a new password, and what was added since as a second factor is gone.

What was there before may be a thief's too, or it is what keeps out somebody who reads the mailbox
that its owner has just left. So it goes only with the password there was when the change was asked.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Refusal
from practice.accounts import mails, operations, tokens
from practice.accounts.acts import record_about
from practice.accounts.models import EmailChange, EmailTokenPurpose, User
from practice.accounts.queries import user_with
from practice.accounts.tokens import LinkOver
from practice.accounts.ways_in import remove, ways_in

UNUSABLE_PASSWORD = "taken back"


class SameAddress(Refusal):
    message = "This is the address you have already."


class OneMustRemain(Refusal):
    """Staff read other people's records: nobody takes all that from a mailbox."""

    message = (
        "People who work here keep a second factor. Leave one of them, or ask two administrators "
        "to remove them all."
    )


def ask(session: Session, user: User, email: str, at: datetime) -> None:
    """Send a link to the new address; if somebody has it already, that is said there alone."""
    if email == user.email:
        raise SameAddress
    operations.take_turn(session, user)
    session.add(
        EmailChange(
            user=user, old_email=user.email, new_email=email, asked_at=at,
            password_hash=user.password_hash,
        )
    )  # fmt: skip
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
    change, replaced = changes[0], user.email
    _free(session, change.old_email, at)
    _exchange(session, user, change.old_email)
    for undone in changes:
        undone.undone_at = at
    user.password_hash = UNUSABLE_PASSWORD
    newer = [one.key for one in ways_in(session, user) if one.added_at >= change.asked_at]
    removed = remove(session, user, newer)
    tokens.void_ways_in(session, user, at)
    operations.end_all_sessions(session, user, user, at)
    mails.send_address_taken_back(session, replaced, user, at)
    record_about(session, user, user, "address.taken_back", at, removed=removed)
    session.flush()
    return tokens.issue(session, user, EmailTokenPurpose.reset, at)


def begin_again(
    session: Session, token: str, keys: Collection[str], *, password_hash: str, at: datetime
) -> None:
    """After taking back: the new password, and away with these ways in.

    Whoever calls has seen the password of before, if there are any. Raises LinkOver, or
    OneMustRemain for staff.
    """
    user = tokens.owner(session, token, EmailTokenPurpose.reset, at)
    operations.take_turn(session, user)
    kept = [one for one in ways_in(session, user) if one.key not in keys]
    if keys and user.is_staff and not any(one.is_factor for one in kept):
        raise OneMustRemain
    if keys:
        removed = remove(session, user, keys)
        record_about(session, user, user, "ways_in.removed", at, removed=removed)
    operations.reset_password(session, token, password_hash=password_hash, at=at)


def asked_for(session: Session, user: User) -> EmailChange | None:
    """The newest change of this person's address."""
    return _latest(session, user)


def to_undo(session: Session, token: str, at: datetime) -> EmailChange:
    """The change that this link takes back, the first of several; raises LinkOver."""
    user = tokens.owner(session, token, EmailTokenPurpose.old_address, at)
    changes = _confirmed_since(session, user, tokens.issued_at(session, token))
    if not changes:
        raise LinkOver
    return changes[0]


def is_taken_back(user: User) -> bool:
    """Whether nobody has chosen a password since the account was taken back."""
    return user.password_hash == UNUSABLE_PASSWORD


def password_before(session: Session, user: User) -> str | None:
    """Hash of the password there was when what was taken back last had been asked for."""
    undone = sa.select(EmailChange).where(
        EmailChange.user_id == user.id, EmailChange.undone_at.is_not(None)
    )
    newest = session.scalars(undone.order_by(EmailChange.undone_at.desc(), EmailChange.id)).first()
    return newest.password_hash if newest else None


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
