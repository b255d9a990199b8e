"""What a passkey has to sign: made here, kept here, good once and for five minutes.

A browser may wait for several at once: one a page that is open, and each page asks for its own.
"""

import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import ChallengePurpose, PasskeyChallenge, User
from practice.accounts.passkeys import PasskeyRefused

GOOD_FOR = timedelta(minutes=5)
CHALLENGE_BYTES = 32


def issue(
    session: Session, purpose: ChallengePurpose, user: User | None, at: datetime
) -> PasskeyChallenge:
    """A new challenge; `user` is None when nobody has said yet who they are."""
    row = PasskeyChallenge(
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        purpose=purpose,
        user_id=user.id if user else None,
        expires_at=at + GOOD_FOR,
    )
    session.add(row)
    session.flush()
    return row


def take(
    session: Session,
    public_ids: Collection[uuid.UUID],
    challenge: bytes,
    purpose: ChallengePurpose,
    user: User | None,
    at: datetime,
) -> bytes:
    """The one that was answered, if it is among these; of two answers one gets PasskeyRefused."""
    owner = (
        PasskeyChallenge.user_id.is_(None) if user is None else PasskeyChallenge.user_id == user.id
    )
    good = sa.and_(
        PasskeyChallenge.public_id.in_(public_ids),
        PasskeyChallenge.challenge == challenge,
        PasskeyChallenge.purpose == purpose,
        PasskeyChallenge.expires_at > at,
        owner,
    )
    row = session.scalars(sa.select(PasskeyChallenge).where(good)).first()
    if row is None:
        raise PasskeyRefused
    taken = session.execute(sa.delete(PasskeyChallenge).where(PasskeyChallenge.id == row.id))
    if taken.rowcount != 1:
        raise PasskeyRefused
    return row.challenge
