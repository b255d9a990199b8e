"""Data keys: one for each owner and realm, wrapped by a key-encryption key (`core.keeping`).

Whoever destroys a data key has erased everything sealed under it. Keys are unwrapped for one
transaction and forgotten with it, so that a destroyed one is gone at once in every process.

What others call: `Realm`, `SYSTEM`, `destroy(session, owner, realm)`, `derived(purpose)`.
"""

import enum
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from core import sealing
from core.clock import now
from core.database import Base, Identified
from core.keeping import current_keeper
from core.sealing import KEY_BYTES, KEY_ID_BYTES

SYSTEM = uuid.UUID(int=0)
"""The owner of what belongs to the installation itself."""

IN_ONE_QUERY = 500
OPENED = "_opened"
"""Under this name a row remembers what was opened of it (`core.encryption`)."""


class Realm(enum.StrEnum):
    """What is erased together.

    `account`: the address, the name and the second factor of somebody who signs in (owner: the
    user's public id). `personal`: what a client told us and may take back at once. `record`: what
    another person was shown or the law keeps (owner of both: the client's public id). `system`:
    work that waits and mails kept for the demo (owner: SYSTEM).
    """

    account = "account"
    personal = "personal"
    record = "record"
    system = "system"


_ACTIVE = "retired_at IS NULL"


class DataKey(Base):
    """A wrapped data key. `kek` names what wrapped it; a retired one opens but seals no more.

    `rotation_id` names the rotation that is to put another in its place (`core.rotation`).
    """

    __tablename__ = "data_keys"
    __table_args__ = (
        sa.Index(
            "uq_data_keys_active_owner_realm",
            "owner",
            "realm",
            unique=True,
            sqlite_where=sa.text(_ACTIVE),
            postgresql_where=sa.text(_ACTIVE),
        ),
    )

    id: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    owner: Mapped[uuid.UUID] = mapped_column(index=True)
    realm: Mapped[str] = mapped_column(sa.String(20))
    wrapped: Mapped[bytes] = mapped_column(sa.LargeBinary)
    kek: Mapped[str] = mapped_column(sa.String(40), index=True)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None] = mapped_column(index=True)
    rotation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("key_rotations.id"), index=True)


class KeyRotation(Identified, Base):
    """One rotation; `is_open` is True for at most one, and NULL for what is finished.

    `sealed` counts rows over all its runs, `unreadable` what was left because it does not open.
    """

    __tablename__ = "key_rotations"

    is_open: Mapped[bool | None] = mapped_column(default=True, unique=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    sealed: Mapped[int] = mapped_column(default=0)
    unreadable: Mapped[int] = mapped_column(default=0)


Owned = tuple[uuid.UUID, str]


def destroy(session: Session, owner: uuid.UUID, realm: str | None = None) -> int:
    """Erase all that is sealed for this owner [in this realm]; returns how many keys went.

    There is no way back but a backup, and restoring one destroys again.
    """
    session.flush()
    theirs = DataKey.owner == owner
    if realm is not None:
        theirs = sa.and_(theirs, DataKey.realm == realm)
    gone = 0
    # Again until nothing is left: a rotation may have put a new one in the place of an old one.
    while deleted := _deleted(session, theirs):
        gone += deleted
    forget(session)
    for row in session.identity_map.values():
        row.__dict__.pop(OPENED, None)
    return gone


def derived(purpose: str) -> bytes:
    """32 bytes for HMAC, from the installation's root secret: never rotated with the data keys."""
    return current_keeper().derived(purpose)


@dataclass
class KeyRing:
    """The data keys that this transaction has met. None stands for one that was destroyed."""

    known: dict[bytes, "KnownKey | None"] = field(default_factory=dict)
    active: dict[Owned, "KnownKey"] = field(default_factory=dict)
    owners: dict[tuple[object, ...], uuid.UUID] = field(default_factory=dict)


@dataclass
class KnownKey:
    """A row of `data_keys`, unwrapped when its first value is opened."""

    id: bytes
    owner: uuid.UUID
    realm: str
    kek: str
    wrapped: bytes
    _ciphers: dict[tuple[str, str], AESGCMSIV] = field(default_factory=dict)
    _bare: bytes = b""

    def cipher(self, table: str, column: str) -> AESGCMSIV:
        if (table, column) not in self._ciphers:
            self._ciphers[table, column] = sealing.cipher_for(self._unwrapped(), table, column)
        return self._ciphers[table, column]

    def _unwrapped(self) -> bytes:
        if not self._bare:
            bound = sealing.bound_to(self.owner, self.realm, self.id)
            self._bare = current_keeper().unwrap(self.kek, self.wrapped, bound)
        return self._bare


def ring(session: Session) -> KeyRing:
    found: KeyRing = session.info.setdefault("key_ring", KeyRing())
    return found


def forget(session: Session) -> None:
    session.info.pop("key_ring", None)


def meet(session: Session, key_ids: Iterable[bytes]) -> None:
    """Load these keys at once, those that are not known yet."""
    known = ring(session).known
    missing = sorted(set(key_ids) - known.keys())
    for start in range(0, len(missing), IN_ONE_QUERY):
        wanted = missing[start : start + IN_ONE_QUERY]
        known.update(dict.fromkeys(wanted))
        with session.no_autoflush:
            rows = session.execute(_COLUMNS.where(DataKey.id.in_(wanted))).all()
        for row in rows:
            known[row.id] = _read(row)


def held(session: Session, key_ids: Iterable[bytes]) -> dict[bytes, KnownKey]:
    """Those of these keys that are there, locked against deletion until the transaction ends."""
    wanted = _COLUMNS.where(DataKey.id.in_(set(key_ids))).order_by(DataKey.id)
    return {row.id: _read(row) for row in session.execute(_kept(wanted))}


def active(session: Session, wanted: Iterable[Owned]) -> dict[Owned, KnownKey]:
    """The active key of each owner and realm that has one, locked against deletion."""
    keys = ring(session)
    missing = set(wanted) - keys.active.keys()
    owners = sorted({owner for owner, _ in missing})
    for start in range(0, len(owners), IN_ONE_QUERY):
        theirs = DataKey.owner.in_(owners[start : start + IN_ONE_QUERY])
        found = _COLUMNS.where(theirs, DataKey.retired_at.is_(None)).order_by(DataKey.id)
        for row in session.execute(_kept(found)):
            key = keys.known.get(row.id) or _read(row)
            keys.known[row.id] = keys.active[row.owner, row.realm] = key
    return {owned: keys.active[owned] for owned in wanted if owned in keys.active}


def sealing_keys(session: Session, wanted: Iterable[Owned]) -> dict[Owned, KnownKey]:
    """The active key of each owner and realm, made where there is none yet.

    A key is locked against deletion: the rotation deletes an old one only when nobody is about
    to write with it.
    """
    wanted = sorted(set(wanted))
    unmade = set(wanted) - active(session, wanted).keys()
    if unmade:
        session.execute(_insert(session), [new_key(*owned) for owned in sorted(unmade)])
    # Where another process was quicker, its key is the one.
    return active(session, wanted)


def new_key(owner: uuid.UUID, realm: str) -> dict[str, object]:
    """The row of a fresh data key."""
    key_id = os.urandom(KEY_ID_BYTES)
    bound = sealing.bound_to(owner, realm, key_id)
    kek, wrapped = current_keeper().wrap(os.urandom(KEY_BYTES), bound)
    return {
        "id": key_id,
        "owner": owner,
        "realm": realm,
        "wrapped": wrapped,
        "kek": kek,
        "created_at": now(),
    }


_COLUMNS = sa.select(DataKey.id, DataKey.owner, DataKey.realm, DataKey.kek, DataKey.wrapped)
_Found = sa.Select[bytes, uuid.UUID, str, str, bytes]
_PLAIN = {"synchronize_session": False}


def _read(row: sa.Row[bytes, uuid.UUID, str, str, bytes]) -> KnownKey:
    return KnownKey(row.id, row.owner, row.realm, row.kek, row.wrapped)


def _kept(query: _Found) -> _Found:
    return query.with_for_update(read=True, key_share=True)


def _deleted(session: Session, theirs: sa.ColumnElement[bool]) -> int:
    gone = session.execute(sa.delete(DataKey).where(theirs), execution_options=_PLAIN)
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _insert(session: Session) -> sa.Insert:
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if on_sqlite else postgresql.insert
    return insert(DataKey.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]


@sa.event.listens_for(Session, "after_transaction_end")
def _forget_with_the_transaction(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        forget(session)


@sa.event.listens_for(Session, "after_soft_rollback")
def _forget_what_was_rolled_back(session: Session, _transaction: SessionTransaction) -> None:
    # A key that was made after a savepoint is not there any more.
    forget(session)
