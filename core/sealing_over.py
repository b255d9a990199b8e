"""Sealing what a table holds in the clear, and opening it again: for migrations.

It knows tables by their names alone, as they are at that step, so no model is needed. Reached as
`op.get_context().config.attributes["sealer"]`.
"""

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core import sealing
from core.clock import now
from core.database import UtcDateTime
from core.keeping import current_keeper
from core.sealing import KEY_BYTES, KEY_ID_BYTES, Place

BATCH = 500
SYSTEM = uuid.UUID(int=0)

_DATA_KEYS = sa.table(
    "data_keys",
    sa.column("id", sa.LargeBinary),
    sa.column("owner", sa.Uuid),
    sa.column("realm", sa.String),
    sa.column("wrapped", sa.LargeBinary),
    sa.column("kek", sa.String),
    sa.column("created_at", UtcDateTime()),
    sa.column("retired_at", UtcDateTime()),
)


@dataclass(frozen=True)
class Column:
    """A column in the clear, `sealed` its name afterwards.

    `owner` is the SQL of the owner's public id and `joins` what it needs, over the table `t`;
    without an owner it is the installation's. `empty` is what stands for nothing
    written.
    """

    table: str
    name: str
    realm: str
    owner: str = ""
    joins: str = ""
    empty: str = ""

    @property
    def sealed(self) -> str:
        return f"{self.name}_sealed"


Spec = Sequence[str]
"""The fields of a Column in their order: migrations import nothing of ours."""


class Sealer:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.has_worked = False

    def identify(self, table: str) -> None:
        """Give every row a public id that has none yet."""
        rows = sa.table(table, sa.column("id", sa.Integer), sa.column("public_id", sa.Uuid))
        naming = sa.update(rows).where(rows.c.id == sa.bindparam("row"))
        naming = naming.values(public_id=sa.bindparam("name"))
        unnamed = sa.select(rows.c.id).where(rows.c.public_id.is_(None)).limit(BATCH)
        while found := self.connection.scalars(unnamed).all():
            self.connection.execute(naming, [{"row": row, "name": uuid.uuid4()} for row in found])

    def seal(self, *columns: Spec) -> None:
        """Write each value sealed into its new column; empty ones become NULL."""
        for column in _read(columns):
            for batch in self._batches(column, column.name, sa.Text()):
                self.has_worked = True
                self._write(column, column.sealed, sa.LargeBinary(), self._sealed(column, batch))

    def open(self, *columns: Spec) -> None:
        """The way back: write each value in the clear, save what was erased."""
        for column in _read(columns):
            for batch in self._batches(column, column.sealed, sa.LargeBinary()):
                self._write(column, column.name, sa.Text(), self._opened(column, batch))

    def index(self, spec: Spec, into: str, kind: str) -> None:
        """Write the blind index of each value in the clear; see `core.encryption.blind_index`."""
        from core.encryption import blind_index

        [column] = _read([spec])
        for batch in self._batches(column, column.name, sa.Text()):
            values = [(row.id, blind_index(kind, row.value)) for row in batch]
            self._write(column, into, sa.String(), values)

    def _batches(
        self, column: Column, name: str, type_: sa.types.TypeEngine[Any]
    ) -> Iterable[Sequence[sa.Row[Any]]]:
        owner = column.owner or "NULL"
        query = sa.text(
            f'SELECT t.id AS id, t.public_id AS public_id, {owner} AS owner, t."{name}" AS value'
            f' FROM "{column.table}" t {column.joins}'
            f' WHERE t.id > :after AND t."{name}" IS NOT NULL ORDER BY t.id LIMIT {BATCH}'
        ).columns(id=sa.Integer, public_id=sa.Uuid, owner=sa.Uuid, value=type_)
        after = 0
        while found := self.connection.execute(query, {"after": after}).all():
            after = found[-1].id
            yield found

    def _write(
        self,
        column: Column,
        name: str,
        type_: sa.types.TypeEngine[Any],
        values: Sequence[tuple[int, object]],
    ) -> None:
        table = sa.table(column.table, sa.column("id", sa.Integer), sa.column(name, type_))
        writing = sa.update(table).where(table.c.id == sa.bindparam("row"))
        writing = writing.values({name: sa.bindparam("value")})
        if values:
            self.connection.execute(writing, [{"row": row, "value": v} for row, v in values])

    def _sealed(self, column: Column, batch: Sequence[sa.Row[Any]]) -> list[tuple[int, object]]:
        written = [row for row in batch if row.value not in {"", column.empty}]
        owners = {row.owner or SYSTEM for row in written}
        keys = self._active(owners, column.realm)
        sealed: list[tuple[int, object]] = []
        for row in written:
            owner = row.owner or SYSTEM
            key_id, data_key = keys[owner]
            cipher = sealing.cipher_for(data_key, column.table, column.sealed)
            place = Place(column.table, column.sealed, owner, row.public_id)
            value = sealing.seal(row.value.encode(), cipher, key_id, place)
            sealed.append((row.id, value))
        return sealed

    def _opened(self, column: Column, batch: Sequence[sa.Row[Any]]) -> list[tuple[int, object]]:
        keys = self._known({sealing.key_id_of(row.value) for row in batch})
        opened: list[tuple[int, object]] = []
        for row in batch:
            owner = row.owner or SYSTEM
            key = keys.get(sealing.key_id_of(row.value))
            if key is None:
                continue  # Erased: what stands for nothing stays.
            cipher = sealing.cipher_for(key, column.table, column.sealed)
            place = Place(column.table, column.sealed, owner, row.public_id)
            opened.append((row.id, sealing.unseal(row.value, cipher, place).decode()))
        return opened

    def _active(
        self, owners: Iterable[uuid.UUID], realm: str
    ) -> dict[uuid.UUID, tuple[bytes, bytes]]:
        """The id and the bytes of each owner's data key, made where there is none."""
        wanted = set(owners)
        keys = _DATA_KEYS.c
        theirs = sa.select(_DATA_KEYS).where(
            keys.owner.in_(wanted), keys.realm == realm, keys.retired_at.is_(None)
        )
        found = {row.owner: (row.id, _bare(row)) for row in self.connection.execute(theirs)}
        made = {owner: _new_key(owner, realm) for owner in wanted - found.keys()}
        if made:
            self.connection.execute(sa.insert(_DATA_KEYS), [row for row, _ in made.values()])
        return found | {owner: (row["id"], bare) for owner, (row, bare) in made.items()}

    def _known(self, key_ids: set[bytes]) -> dict[bytes, bytes]:
        """The bytes of these data keys; what was sealed under a destroyed one cannot be opened."""
        query = sa.select(_DATA_KEYS).where(_DATA_KEYS.c.id.in_(key_ids))
        return {row.id: _bare(row) for row in self.connection.execute(query)}


def _new_key(owner: uuid.UUID, realm: str) -> tuple[dict[str, Any], bytes]:
    """The row of a fresh data key, and the key itself."""
    key_id, bare = os.urandom(KEY_ID_BYTES), os.urandom(KEY_BYTES)
    kek, wrapped = current_keeper().wrap(bare, sealing.bound_to(owner, realm, key_id))
    row = {"id": key_id, "owner": owner, "realm": realm, "wrapped": wrapped, "kek": kek}
    return row | {"created_at": now()}, bare


def _bare(row: sa.Row[Any]) -> bytes:
    bound = sealing.bound_to(row.owner, row.realm, row.id)
    return current_keeper().unwrap(row.kek, row.wrapped, bound)


def _read(specs: Iterable[Spec]) -> list[Column]:
    return [Column(*spec) for spec in specs]
