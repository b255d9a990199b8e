"""The keys that sign the ledger: Ed25519, one in use, the ones before it kept as public keys.

A key is made at the first sealing and sealed in the database like any other secret
(`core.encryption`, realm system), so that nobody who can only write to the database can sign or
pass off a key of theirs as published. Whoever rotates it has the old key sign the new one, says so
in the ledger, and the old secret is gone: what it signed stays as it is.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.audit import record
from core.canonical import KEY_ANNOUNCED, key_id, key_statement
from core.database import Base, Identified
from core.encryption import sealed_text
from core.errors import Refusal
from core.keys import Realm
from core.one_sealer import is_only_sealer


class KeyHasChanged(Refusal):
    """Somebody else's key came into use while this change waited for its turn."""

    message = "Another key has just come into use, so this one was not made. Nothing was changed."


class LedgerKey(Identified, Base):
    """A signing key. `public` and `secret` are hex; the secret of a retired key is empty."""

    __tablename__ = "ledger_keys"

    key: Mapped[str] = mapped_column(sa.String(32), unique=True)
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    public = sealed_text(Realm.system, None)
    secret = sealed_text(Realm.system, None)


@dataclass(frozen=True)
class SigningKey:
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def current_key(session: Session, at: datetime) -> SigningKey:
    """The key that signs now; the first one is made here, and vouches for itself."""
    row = _in_use(session)
    if row is not None:
        return _opened(row)
    key = SigningKey(Ed25519PrivateKey.generate())
    _add(session, key, key, at, None, "")
    return key


def rotate(
    session: Session, at: datetime, actor_id: uuid.UUID | None = None, actor_role: str = ""
) -> SigningKey:
    """Sign with a new key from now on; the old one announces it and can sign no more.

    Raises KeyHasChanged when another one came into use while the sealer had its turn.
    """
    before = _id_in_use(session)
    is_only_sealer(session, waiting=True)
    if _id_in_use(session) != before:
        raise KeyHasChanged
    current_key(session, at)
    row = _in_use(session, for_update=True)
    assert row is not None
    old, new = _opened(row), SigningKey(Ed25519PrivateKey.generate())
    row.secret, row.retired_at = "", at
    _add(session, new, old, at, actor_id, actor_role)
    return new


def published_keys(session: Session) -> Sequence[LedgerKey]:
    """Every key that has signed, the newest first."""
    return session.scalars(sa.select(LedgerKey).order_by(LedgerKey.id.desc())).all()


def _id_in_use(session: Session) -> str | None:
    in_use = sa.select(LedgerKey.key).where(LedgerKey.retired_at.is_(None))
    return session.scalars(in_use.order_by(LedgerKey.id.desc())).first()


def _in_use(session: Session, *, for_update: bool = False) -> LedgerKey | None:
    in_use = sa.select(LedgerKey).where(LedgerKey.retired_at.is_(None))
    if for_update:
        in_use = in_use.with_for_update()
    return session.scalars(in_use.order_by(LedgerKey.id.desc())).first()


def _opened(row: LedgerKey) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(row.secret)))


def _add(
    session: Session,
    key: SigningKey,
    signer: SigningKey,
    at: datetime,
    actor_id: uuid.UUID | None,
    actor_role: str,
) -> None:
    row = LedgerKey(key=key.id, made_at=at)
    row.public, row.secret = key.public.hex(), key.private.private_bytes_raw().hex()
    session.add(row)
    record(
        session,
        at=at,
        action=KEY_ANNOUNCED,
        subject_kind="ledger key",
        subject_id=row.public_id,
        actor_id=actor_id,
        actor_role=actor_role,
        key=key.id,
        public=key.public.hex(),
        signed_by=signer.id,
        signature=signer.sign(key_statement(key.public)).hex(),
    )
    session.flush()
