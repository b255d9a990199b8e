"""Everything that signs in to an account beside its password, and since when.

For whoever takes an account back: what was added by somebody else has to be found and removed, and
signing in to do so may be just what they cannot.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts import second_factors
from practice.accounts.models import AuthenticatorApp, Passkey, RecoveryCode, User

APP, CODES = "app", "codes"


@dataclass(frozen=True)
class Way:
    """`key` names it in a form; `kind` is all that is said of it to somebody not known yet."""

    key: str
    kind: str
    name: str
    added_at: datetime
    is_factor: bool = True


def ways_in(session: Session, user: User) -> list[Way]:
    """Passkeys, the app (set up or being set up) and recovery codes, in this order."""
    factors = second_factors.factors_of(session, user)
    ways = [
        Way(str(one.public_id), "A passkey", f"The passkey “{one.name}”", one.created_at)
        for one in factors.passkeys
    ]
    app = second_factors.app_of(session, user)
    if app is not None:
        ways.append(
            Way(APP, "An authenticator app", "The authenticator app", app.created_at,
                is_factor=app.confirmed_at is not None)
        )  # fmt: skip
    if made := factors.codes_made_at:
        ways.append(Way(CODES, "Recovery codes", "The recovery codes", made, is_factor=False))
    return ways


def remove(session: Session, user: User, keys: Collection[str]) -> int:
    """Remove the ways with these keys, codes that have nothing left to stand in for too."""
    chosen = [one for one in ways_in(session, user) if one.key in keys]
    kept = [one for one in ways_in(session, user) if one.key not in keys]
    for way in chosen:
        session.execute(_rows(user, way))
    if not any(one.is_factor for one in kept):
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.flush()
    return len(chosen)


def _rows(user: User, way: Way) -> sa.Delete:
    if way.key == APP:
        return sa.delete(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id)
    if way.key == CODES:
        return sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id)
    own = sa.and_(Passkey.user_id == user.id, Passkey.public_id == uuid.UUID(way.key))
    return sa.delete(Passkey).where(own)
