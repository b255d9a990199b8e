"""Giving every owner new data keys and sealing every row again, while people go on writing.

A rotation is a row; what is left of it is read from the database, so that it goes on after any
interruption where it was:

1. every data key in use is marked;
2. each marked key is retired and another takes its place: from then on it opens, but seals no more;
3. rows on a retired key are sealed again, each by an update that holds only if nobody wrote since;
4. a retired key that no row uses is deleted. It is locked first, which waits for whoever is still
   writing with it (`core.keys.sealing_keys`), and only then are the rows looked through;
5. keys that an earlier key-encryption key wrapped are wrapped by the current one.

A value that does not open (`Unreadable`, `MissingKey`) is left as it is and counted; its key stays.
While others hold what is left it looks again, but not for ever: see `HeldUp`.
"""

import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import keys, sealing
from core.clock import now
from core.database import Base, db, unit_of_work
from core.encryption import sealed_columns
from core.keeping import MissingKey, current_keeper
from core.keys import DataKey, KeyRotation, KnownKey
from core.sealing import HEADER_BYTES, KEY_ID_BYTES, Place, Unreadable

KEYS_AT_ONCE = 1000
ROWS_AT_ONCE = 200
A_MOMENT = 0.05
# Far longer than any page or piece of work holds a row, in seconds.
PATIENCE = 10.0
PLAIN = {"synchronize_session": False}


class HeldUp(RuntimeError):
    """Nothing moves any more: somebody holds the rows that are left. The next call goes on."""

    def __init__(self, left: int) -> None:
        super().__init__(
            f"{left} values are still on old keys and somebody holds them; look for a connection "
            "to the database that has been busy for long, then call this again"
        )


@dataclass(frozen=True)
class Progress:
    """What one short transaction did: the step's word, and how many keys or rows it did."""

    step: str
    done: int


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values as its table has it."""

    table: sa.Table
    name: str

    @property
    def value(self) -> sa.Column[Any]:
        return self.table.c[self.name]

    @property
    def key_id(self) -> sa.Function[bytes]:
        """The data key in front of each value."""
        start = HEADER_BYTES - KEY_ID_BYTES + 1
        return sa.func.substr(self.value, start, KEY_ID_BYTES, type_=sa.LargeBinary)


def begin(session: Session, at: datetime) -> KeyRotation:
    """The rotation that is to be finished, or a new one over every key in use now."""
    unfinished = open_rotation(session)
    if unfinished is not None:
        return unfinished
    rotation = KeyRotation(started_at=at)
    session.add(rotation)
    session.flush()
    in_use = sa.update(DataKey).where(DataKey.retired_at.is_(None))
    session.execute(in_use.values(rotation_id=rotation.id), execution_options=PLAIN)
    return rotation


def carry_on() -> Iterator[Progress]:
    """Do what is left of the unfinished rotation, in short transactions of its own.

    Raises HeldUp.
    """
    yield from _retire_all()
    unreadable = yield from _leave_old_keys()
    left, moved = _left(), time.monotonic()
    while left > unreadable:
        # Somebody was writing with an old key, or held a row: look again.
        time.sleep(A_MOMENT)
        unreadable = yield from _leave_old_keys()
        before, left = left, _left()
        if left != before:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE:
            raise HeldUp(left)
    yield from _wrap_all_again()
    _finish(unreadable)


def open_rotation(session: Session) -> KeyRotation | None:
    return session.scalars(sa.select(KeyRotation).where(KeyRotation.is_open.is_(True))).first()


def last_rotation(session: Session) -> KeyRotation | None:
    """The newest one that is finished."""
    finished = sa.select(KeyRotation).where(KeyRotation.finished_at.is_not(None))
    return session.scalars(finished.order_by(KeyRotation.id.desc())).first()


def rows_on_old_keys(session: Session) -> int:
    """How many values are still sealed under a key that was retired, or is about to be."""
    counts = (
        sa.select(sa.func.count()).where(column.key_id.in_(OLD)) for column in all_sealed_columns()
    )
    return sum(session.scalar(count) or 0 for count in counts)


def all_sealed_columns() -> list[SealedColumn]:
    """Every confidential column of every table, by name."""
    models = [cast(type[Base], mapper.class_) for mapper in Base.registry.mappers]
    found = [
        SealedColumn(cast(sa.Table, model.__table__), column.column)
        for model in models
        for column in sealed_columns(model)
    ]
    return sorted(found, key=lambda one: (one.table.name, one.name))


RETIRED = sa.select(DataKey.id).where(DataKey.retired_at.is_not(None))
OLD = sa.select(DataKey.id).where(DataKey.rotation_id.is_not(None))


def _left() -> int:
    # What others have committed since is to be seen.
    db.session.rollback()
    return rows_on_old_keys(db.session())


def _retire_all() -> Iterator[Progress]:
    marked = sa.select(DataKey.id, DataKey.owner, DataKey.realm).where(
        DataKey.rotation_id.is_not(None), DataKey.retired_at.is_(None)
    )
    retired = KEYS_AT_ONCE
    while retired == KEYS_AT_ONCE:
        with unit_of_work() as session:
            found = session.execute(marked.limit(KEYS_AT_ONCE).with_for_update()).all()
            _replace(session, [(row.id, row.owner, row.realm) for row in found])
        retired = len(found)
        yield Progress("keys retired", retired)


def _replace(session: Session, found: list[tuple[bytes, uuid.UUID, str]]) -> None:
    these = DataKey.id.in_([key_id for key_id, _, _ in found])
    retiring = sa.update(DataKey).where(these).values(retired_at=now())
    session.execute(retiring, execution_options=PLAIN)
    if found:
        fresh = [keys.new_key(owner, realm) for _, owner, realm in found]
        session.execute(sa.insert(DataKey), fresh)


def _leave_old_keys() -> Generator[Progress, None, int]:
    """One look at all that is on old keys; returns how many values do not open."""
    unreadable = yield from _seal_all_again()
    yield from _delete_unused()
    return unreadable


def _seal_all_again() -> Generator[Progress, None, int]:
    """Pass once through every table; returns how many values on old keys do not open."""
    unreadable = 0
    for column in all_sealed_columns():
        last: int | None = 0
        while last is not None:
            with unit_of_work() as session:
                last, sealed, shut = _seal_batch(session, column, last)
            unreadable += shut
            yield Progress("rows sealed", sealed)
    return unreadable


def _seal_batch(session: Session, column: SealedColumn, after: int) -> tuple[int | None, int, int]:
    """The id to go on after (None at the end), how many were sealed, how many do not open."""
    rows = session.execute(_on_old_keys(column, after)).all()
    held = keys.held(session, {sealing.key_id_of(row.value) for row in rows})
    # Made where there is none: a database may have come back without it. Whoever is being erased
    # loses a new one as well (`core.keys.destroy`).
    active = keys.sealing_keys(session, {(key.owner, key.realm) for key in held.values()})
    values, unreadable = [], 0
    for row in rows:
        old = held.get(sealing.key_id_of(row.value))
        if old is None:
            continue  # Erased since the row was read.
        try:
            new = active[old.owner, old.realm]
            value = _under(new, _opened(row, column, old), row, column)
        except (MissingKey, Unreadable):
            unreadable += 1
        else:
            values.append({"row": row.id, "was": row.value, "becomes": value})
    _write(session, column, values)
    return (rows[-1].id if rows else None), len(values), unreadable


def _on_old_keys(column: SealedColumn, after: int) -> sa.Select[Any]:
    table = column.table.c
    return (
        sa.select(table.id, table.public_id, column.value.label("value"))
        .where(table.id > after, column.key_id.in_(RETIRED))
        .order_by(table.id)
        .limit(ROWS_AT_ONCE)
        # Whoever writes the row now is not waited for: the next pass comes by again.
        .with_for_update(key_share=True, skip_locked=True)
    )


def _opened(row: sa.Row[Any], column: SealedColumn, key: KnownKey) -> bytes:
    place = Place(column.table.name, column.name, key.owner, row.public_id)
    return sealing.unseal(row.value, key.cipher(column.table.name, column.name), place)


def _under(key: KnownKey, value: bytes, row: sa.Row[Any], column: SealedColumn) -> bytes:
    place = Place(column.table.name, column.name, key.owner, row.public_id)
    return sealing.seal(value, key.cipher(column.table.name, column.name), key.id, place)


def _write(session: Session, column: SealedColumn, values: list[dict[str, Any]]) -> None:
    """Only where nobody wrote since."""
    if not values:
        return
    unchanged = sa.and_(
        column.table.c.id == sa.bindparam("row"), column.value == sa.bindparam("was")
    )
    writing = sa.update(column.table).where(unchanged)
    session.connection().execute(writing.values({column.name: sa.bindparam("becomes")}), values)
    counted = sa.update(KeyRotation).where(KeyRotation.is_open.is_(True))
    counted = counted.values(sealed=KeyRotation.sealed + len(values))
    session.execute(counted, execution_options=PLAIN)


def _delete_unused() -> Iterator[Progress]:
    last: bytes | None = b""
    while last is not None:
        with unit_of_work() as session:
            batch = RETIRED.where(DataKey.id > last).order_by(DataKey.id).limit(KEYS_AT_ONCE)
            # Waits for whoever still writes with one of them; what they wrote is seen below.
            found = set(session.scalars(batch.with_for_update()))
            unused = found - _used(session, found)
            gone = sa.delete(DataKey).where(DataKey.id.in_(unused))
            session.execute(gone, execution_options=PLAIN)
        last = max(found, default=None)
        yield Progress("old keys deleted", len(unused))


def _used(session: Session, key_ids: set[bytes]) -> set[bytes]:
    used: set[bytes] = set()
    for column in all_sealed_columns():
        query = sa.select(column.key_id).where(column.key_id.in_(key_ids)).distinct()
        used.update(session.scalars(query) if key_ids else ())
    return used


def _wrap_all_again() -> Iterator[Progress]:
    last: bytes | None = b""
    while last is not None:
        kek = current_keeper().current()
        with unit_of_work() as session:
            others = sa.select(DataKey).where(DataKey.kek != kek, DataKey.id > last)
            batch = others.order_by(DataKey.id).limit(KEYS_AT_ONCE)
            found = session.scalars(batch.with_for_update(key_share=True)).all()
            wrapped = sum(_wrap_again(key) for key in found)
            last = found[-1].id if found else None
        yield Progress("keys wrapped again", wrapped)


def _wrap_again(key: DataKey) -> bool:
    """Under the current key-encryption key; one that does not unwrap is left as it is."""
    bound, keeper = sealing.bound_to(key.owner, key.realm, key.id), current_keeper()
    with suppress(MissingKey, Unreadable):
        key.kek, key.wrapped = keeper.wrap(keeper.unwrap(key.kek, key.wrapped, bound), bound)
        return True
    return False


def _finish(unreadable: int) -> None:
    with unit_of_work() as session:
        rotation = open_rotation(session)
        if rotation is not None:
            rotation.is_open, rotation.finished_at = None, now()
            rotation.unreadable = unreadable
