"""Confidential columns: sealed as they are written, opened as they are read.

    class IntakeAnswer(Identified, Base):
        value = sealed_json(Realm.personal, owner="intake.client")
        note = sealed_text(Realm.personal, owner="intake.client")

Each makes a column of bytes, here `value_sealed`; code reads and writes `answer.value`. `owner` is
the path to whose data key seals it: "" is the row itself, None the installation (Realm.system).
The table, the column, the owner and the row's public id are authenticated with the value
(`core.sealing`): pasted anywhere else, or with its row moved to somebody else, it does not open.

Nothing is sealed for what is empty ("", or a JSON column's `empty`): its column is NULL. Whether
something was written is no secret; how long it is, is hidden to 64 bytes.

`index="email_index"` also writes `blind_index("email", …)` of the value, to look it up by; the
index compares what is left after `strip().lower()`.

A read raises `Erased` when the key was destroyed, and `Unreadable` when the value was tampered
with. The keys that a page needs are loaded together: the first value that is opened loads the
keys and the owners of every loaded row.

Queries cannot compare sealed columns; bulk updates and inserts write the column itself
(`payload_sealed=None`) or nothing of it.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, Generic, TypeVar, cast, overload

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapper, Session, mapped_column, object_session
from sqlalchemy.orm.exc import DetachedInstanceError

from core import keys, sealing
from core.database import Base
from core.errors import Erased
from core.keys import SYSTEM, KnownKey, Realm
from core.sealing import Place, Unreadable

__all__ = ["Erased", "Realm", "Unreadable", "blind_index", "sealed_json", "sealed_text"]

Path = tuple[str, ...]

T = TypeVar("T")
WAITING = b""
"""Stands in a column until the flush seals what was written."""


class NotSealed(RuntimeError):
    """A confidential value was about to reach the database as it is: a mistake of ours."""


class OwnerUnknown(RuntimeError):
    """A confidential value was written in a row that belongs to nobody yet: a mistake of ours."""


class SealedBytes(sa.TypeDecorator[bytes]):
    """A sealed value, or NULL for an empty one; refuses what was not sealed."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is not None and not value.startswith(sealing.VERSION):
            raise NotSealed
        return value


def sealed_text(realm: Realm, owner: str | None, *, index: str | None = None) -> "Sealed[str]":
    """A confidential text; empty is ""."""
    return Sealed(realm, owner, str, _text_to_bytes, bytes.decode, index)


def sealed_json(
    realm: Realm, owner: str | None, *, empty: Callable[[], Any] = lambda: None
) -> "Sealed[Any]":
    """A confidential JSON value; `empty()` is what reads as nothing written, None if not given."""
    return Sealed(realm, owner, empty, _json_to_bytes, json.loads)


def blind_index(kind: str, text: str) -> str:
    """What to look a sealed text up by: equal for equal texts, and meaningless without the key."""
    key = keys.derived(f"blind index {kind}")
    return hmac.new(key, text.strip().lower().encode(), hashlib.sha256).hexdigest()


class Sealed(Generic[T]):
    """The descriptor of a confidential column."""

    def __init__(
        self,
        realm: Realm,
        owner: str | None,
        empty: Callable[[], T],
        to_bytes: Callable[[T], bytes],
        from_bytes: Callable[[bytes], T],
        index: str | None = None,
    ) -> None:
        self.realm, self.empty, self.index = realm, empty, index
        self.to_bytes, self.from_bytes = to_bytes, from_bytes
        self.path: Path | None = None
        if owner is not None:
            self.path = tuple(owner.split(".")) if owner else ()

    def __set_name__(self, model: type, name: str) -> None:
        self.name, self.column = name, f"{name}_sealed"
        setattr(model, self.column, mapped_column(SealedBytes, nullable=True))

    @overload
    def __get__(self, row: None, model: type) -> "Sealed[T]": ...
    @overload
    def __get__(self, row: Base, model: type) -> T: ...
    def __get__(self, row: Base | None, model: type) -> "Sealed[T] | T":
        if row is None:
            return self
        sealed = getattr(row, self.column)
        if sealed is None:
            return self.empty()
        was, value = _opened(row).get(self.name, (None, None))
        if was == sealed:
            return cast(T, value)
        opened = self._open(row, sealed)
        _opened(row)[self.name] = (getattr(row, self.column), opened)
        return opened

    def __set__(self, row: Base, value: T) -> None:
        is_empty = value is None or value == self.empty()
        if self.index is not None:
            setattr(row, self.index, None if is_empty else blind_index(self.name, str(value)))
        setattr(row, self.column, None if is_empty else WAITING)
        _opened(row)[self.name] = (None if is_empty else WAITING, value)

    def seal(self, row: Base, key: KnownKey) -> None:
        """Put the value in its column; called by the flush."""
        _, value = _opened(row)[self.name]
        place = self.place(row, key.owner)
        cipher = key.cipher(place.table, place.column)
        sealed = sealing.seal(self.to_bytes(value), cipher, key.id, place)
        setattr(row, self.column, sealed)
        _opened(row)[self.name] = (sealed, value)

    def place(self, row: Base, owner: uuid.UUID) -> Place:
        return Place(row.__tablename__, self.column, owner, row.public_id)  # type: ignore[attr-defined]

    def _open(self, row: Base, sealed: bytes) -> T:
        session = _session_of(row)
        key = _key(session, sealed) or _key_after_rotation(session, row, self.column)
        sealed = getattr(row, self.column)
        owner = owner_of(session, row, self)
        if key.owner != owner or key.realm != self.realm:
            raise Unreadable
        place = self.place(row, owner)
        return self.from_bytes(sealing.unseal(sealed, key.cipher(place.table, self.column), place))


@cache
def sealed_columns(model: type) -> tuple[Sealed[Any], ...]:
    """The confidential columns of a model."""
    attributes = (one for ancestor in model.__mro__ for one in vars(ancestor).values())
    return tuple(one for one in attributes if isinstance(one, Sealed))


def prefetch(session: Session, rows: Iterable[Base]) -> None:
    """Load the keys of these rows at once; opening the first value does it for all loaded rows."""
    keys.meet(session, _key_ids(rows))


def owner_of(session: Session, row: Base, column: Sealed[Any]) -> uuid.UUID:
    """Whose data key seals this column of this row, by what the row belongs to now."""
    if column.path is None:
        return SYSTEM
    reached, rest = _walk(session, row, column.path)
    if not rest:
        owner: uuid.UUID = reached.public_id
        return owner
    step = _Step(type(reached), rest)
    known, key = keys.ring(session).owners, step.key(reached)
    if key not in known:
        others = [other for other in (*_loaded(session), *session.new) if type(other) is type(row)]
        _look_up_owners(session, step, {key[-1]} | step.met_by(session, others, column.path))
    if key not in known:
        raise OwnerUnknown(f"{type(row).__name__}.{column.name}")
    return known[key]


class _Step:
    """The way from a row whose relation is not loaded to the owner, by its foreign key."""

    def __init__(self, model: type[Base], path: Path) -> None:
        self.model, self.path = model, path
        self.attribute, target = _bond(model, path[0])
        self.target: Any = target.class_

    def key(self, reached: Any) -> tuple[object, ...]:
        return self.model, self.path, getattr(reached, self.attribute)

    def met_by(self, session: Session, rows: Iterable[Base], path: Path) -> set[Any]:
        """The foreign keys of those rows whose way to their owner ends here too."""
        ends = (_walk(session, row, path) for row in rows)
        here = (
            reached for reached, rest in ends if (type(reached), rest) == (self.model, self.path)
        )
        return {reached.__dict__.get(self.attribute) for reached in here}

    def owners(self, values: Collection[Any]) -> sa.Select[Any]:
        query, last = sa.select(self.target.id), self.target
        for name in self.path[1:]:
            query = query.join(getattr(last, name))
            last = sa.inspect(last).relationships[name].mapper.class_
        return query.add_columns(last.public_id).where(self.target.id.in_(values))


def _look_up_owners(session: Session, step: _Step, values: set[Any]) -> None:
    """Find the owners behind these foreign keys with one query."""
    found = sorted(value for value in values if value is not None)
    owners = keys.ring(session).owners
    for start in range(0, len(found), keys.IN_ONE_QUERY):
        with session.no_autoflush:
            rows = session.execute(step.owners(found[start : start + keys.IN_ONE_QUERY])).all()
        owners.update({(step.model, step.path, key): owner for key, owner in rows})


def _walk(session: Session, row: Base, path: Path) -> tuple[Any, Path]:
    """As far along the path as is loaded, and what remains of it."""
    reached: Any = row
    for position, name in enumerate(path):
        related = reached.__dict__.get(name) or _at_hand(session, reached, name)
        if related is None:
            return reached, path[position:]
        reached = related
    return reached, ()


def _at_hand(session: Session, row: Base, name: str) -> Any:
    """What a relation leads to, if the session has it under the foreign key."""
    attribute, target = _bond(type(row), name)
    value = row.__dict__.get(attribute)
    if value is None:
        return None
    return session.identity_map.get(target.identity_key_from_primary_key((value,)))


@cache
def _bond(model: type[Base], name: str) -> tuple[str, Mapper[Any]]:
    """The attribute of a relation's foreign key, and what it leads to."""
    relation = sa.inspect(model).relationships[name]
    [local] = relation.local_columns
    return sa.inspect(model).get_property_by_column(local).key, relation.mapper


def _key(session: Session, sealed: bytes) -> KnownKey | None:
    """The data key of a value, loaded with those of everything else that is loaded."""
    key_id = sealing.key_id_of(sealed)
    known = keys.ring(session).known
    if key_id not in known:
        keys.meet(session, {key_id} | _key_ids(_loaded(session)))
    return keys.ring(session).known[key_id]


def _key_after_rotation(session: Session, row: Base, column: str) -> KnownKey:
    """The key of a row that was re-sealed since it was read; raises Erased if it was not."""
    if sa.inspect(row).persistent:
        with session.no_autoflush:
            session.refresh(row, [column])
        sealed = getattr(row, column)
        if sealed is not None and (key := _key(session, sealed)) is not None:
            return key
    raise Erased


def _key_ids(rows: Iterable[Base]) -> set[bytes]:
    found = set()
    for row in rows:
        for column in sealed_columns(type(row)):
            if sealed := row.__dict__.get(column.column):
                with suppress(Unreadable):
                    found.add(sealing.key_id_of(sealed))
    return found


def _loaded(session: Session) -> list[Base]:
    return cast(list[Base], list(session.identity_map.values()))


def _session_of(row: Base) -> Session:
    session = object_session(row)
    if session is None:
        raise DetachedInstanceError(f"{type(row).__name__} is not in a session")
    return session


def _opened(row: Base) -> dict[str, tuple[bytes | None, Any]]:
    """What was opened or written, by name: the bytes that stood in the column, and the value."""
    opened: dict[str, tuple[bytes | None, Any]] = row.__dict__.setdefault(keys.OPENED, {})
    return opened


def _text_to_bytes(text: str) -> bytes:
    return text.encode()


def _json_to_bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@sa.event.listens_for(Session, "before_flush")
def _seal_what_waits(session: Session, _context: object, _instances: object) -> None:
    waiting = [
        (row, column, (owner_of(session, row, column), column.realm.value))
        for row in (*session.new, *session.dirty)
        for column in sealed_columns(cast(type[Base], type(row)))
        if _waits(session, row, column)
    ]
    if waiting:
        active = keys.sealing_keys(session, {owned for _, _, owned in waiting})
        for row, column, owned in waiting:
            column.seal(row, active[owned])


def _waits(session: Session, row: Base, column: Sealed[Any]) -> bool:
    """Whether to seal it: it was written, or its row is added again after a savepoint's end."""
    was, _ = _opened(row).get(column.name, (None, None))
    return was is not None and (was == WAITING or row in session.new)


@sa.event.listens_for(Base, "expire", propagate=True)
def _forget_what_was_opened(row: Base | None, _attributes: object) -> None:
    # A row that nobody holds any more is gone before it is told to expire.
    if row is not None:
        row.__dict__.pop(keys.OPENED, None)
