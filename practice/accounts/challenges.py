"""What a passkey has to sign: made here, kept here, good once and for five minutes."""

import secrets
import uuid
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
    public_id: uuid.UUID,
    purpose: ChallengePurpose,
    user: User | None,
    at: datetime,
) -> bytes:
    """The challenge, used up: of two answers to it one gets PasskeyRefused."""
    owner = (
        PasskeyChallenge.user_id.is_(None) if user is None else PasskeyChallenge.user_id == user.id
    )
    good = sa.and_(
        PasskeyChallenge.public_id == public_id,
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
