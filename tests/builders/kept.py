"""People who were built once and are put back: to build them as in life takes most of a test.

A builder that is `kept` runs as it stands the first time it is asked for something in a database
whose rows are known: the empty one that a test begins with, or one that holds nothing but what kept
builders have put there. What it wrote is remembered, and the next time put back row by row. As soon
as anybody else writes, rolls back or uses another database, builders only build; and while a test
has patched anything, so that what is built is made with the patch, and nobody else gets it.

What is put back has the ids, names and keys it had the first time; a test that builds the same
thing twice in one database gets two things, as ever.
"""

import copy
import enum
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from core import keys
from core.clock import now
from core.database import Base, is_sqlite
from practice.matches.market.changes import CHANGES
from practice.matches.models import MarketVersion
from tests.builders.watching import Moment, is_anything_patched, written

P = ParamSpec("P")
T = TypeVar("T")

Row = tuple[Any, ...]
Rows = dict[Row, Row]  # By primary key.
MOST_REMEMBERED = 500
PLAIN = (str, bytes, int, float, Decimal, date, time, timedelta, UUID, enum.Enum, type(None))


class CannotKeep(TypeError):
    """Something that is neither a plain value nor a row of the session."""


class RowOf(NamedTuple):
    """Stands for a row of the session, in what a builder is given and in what it returns."""

    model: type[Any]
    identity: Row


class Difference(NamedTuple):
    """Between two states of a table. What is gone is named by its keys."""

    added: list[Row]
    changed: list[tuple[Row, Row]]
    gone: list[Row]


class Statement(NamedTuple):
    """`text` has a question mark for each value of a row."""

    table: str
    text: str
    rows: list[Row]
    adds: bool = False

    def literally(self) -> str:
        parts = self.text.split("?")
        return ";".join(
            "".join(a + b for a, b in zip(parts, [*map(_literal, row), ""], strict=True))
            for row in self.rows
        )


@dataclass
class Built:
    """The database after some kept builders, and what the last of them did to it."""

    tables: Mapping[str, Rows]
    statements: list[Statement] = field(default_factory=list)
    result: Any = None
    market: Any = None
    committed: bool = False
    then: dict[Any, "Built"] = field(default_factory=dict)

    @functools.cached_property
    def touched(self) -> set[str]:
        """The tables with another row, or one less."""
        return {one.table for one in self.statements}

    @functools.cached_property
    def altered(self) -> set[str]:
        """The tables of which a row that was there is not as it was."""
        return {one.table for one in self.statements if not one.adds}

    @functools.cached_property
    def in_one_message(self) -> str:
        """As PostgreSQL takes it, the values in the text."""
        return ";".join(one.literally() for one in self.statements)


@dataclass
class Memory:
    """What was built, from empty databases on, and what of it the last one holds `since` when."""

    empty: dict[Engine, Built] = field(default_factory=dict)
    remembered: int = 0
    is_building: bool = False
    at: Built | None = None
    since: Moment | None = None

    def stand(self, at: Built, engine: Any, session: Session | None) -> None:
        self.at, self.since = at, Moment.now(engine, session)

    def known_to(self, session: Session) -> Built | None:
        """What this session may go on from; None where it may only build."""
        if self.is_building or self.since is None or is_anything_patched():
            return None
        return self.at if self.since.lasts_for(session) else None


_memory = Memory()


def begin(engine: Engine) -> None:
    """Say that this database is empty now."""
    if _memory.remembered > MOST_REMEMBERED:
        _memory.remembered = 0
        _memory.empty.clear()
    _memory.stand(_memory.empty.setdefault(engine, Built({})), engine, None)


def kept(
    build: Callable[Concatenate[Session, P], T],
) -> Callable[Concatenate[Session, P], T]:
    """A builder whose result is put back when it is asked for the same thing again."""
    signature = build.__module__, build.__qualname__

    @functools.wraps(build)
    def builder(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        before = _memory.known_to(session)
        if before is None:
            return build(session, *args, **kwargs)
        try:
            key = (signature, _frozen(session, args), _frozen(session, kwargs), now())
        except CannotKeep:
            return build(session, *args, **kwargs)
        if key in before.then:
            return _put_back(session, before.then[key])
        return _built(session, before, key, lambda: build(session, *args, **kwargs))

    return builder


def _built(session: Session, before: Built, key: Any, build: Callable[[], T]) -> T:
    began = Moment.now(session.get_bind(), session)
    _memory.is_building = True
    written.begin_anew()
    try:
        result = build()
        session.flush()
    finally:
        _memory.is_building = False
    try:
        frozen = _frozen(session, result)
    except CannotKeep:
        return result
    after = _after(session, before)
    after.result, after.committed = frozen, began.is_committed
    after.market = copy.deepcopy(session.info.get(CHANGES))
    before.then[key] = after
    _memory.remembered += 1
    _memory.stand(after, session.get_bind(), session)
    return result


def _after(session: Session, before: Built) -> Built:
    """What the tables hold now, compared with before; those nobody has written are as they were."""
    names = Base.metadata.tables if written.everywhere else written.tables
    changed = [table for table in Base.metadata.sorted_tables if table.name in names]
    tables, differences = dict(before.tables), {}
    for table in changed:
        old, new = before.tables.get(table.name, {}), _rows_of(session, table)
        # Rows that stayed are held once.
        tables[table.name] = {
            key: old[key] if old.get(key) == row else row for key, row in new.items()
        }
        differences[table.name] = Difference(
            added=[row for key, row in new.items() if key not in old],
            changed=[(old[key], row) for key, row in new.items() if old.get(key, row) != row],
            gone=[key for key in old if key not in new],
        )
    return Built(tables, _statements(changed, differences))


def _rows_of(session: Session, table: sa.Table) -> Rows:
    """As the driver gives them on SQLite, as text on PostgreSQL: what goes back in unchanged."""
    connection = session.connection()
    cast = "" if is_sqlite(connection) else "::text"
    columns = ", ".join(f'"{column.name}"{cast}' for column in table.columns)
    cursor = connection.connection.cursor()
    cursor.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {_order(table)}')
    return {_key_of(table, row): tuple(row) for row in cursor.fetchall()}


def _order(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.primary_key)


@functools.cache
def _key_at(table: sa.Table) -> list[int]:
    columns = list(table.columns)
    return [columns.index(column) for column in table.primary_key]


def _key_of(table: sa.Table, row: Row) -> Row:
    return tuple(row[place] for place in _key_at(table))


def _put_back(session: Session, after: Built) -> Any:
    connection = session.connection()
    cursor = connection.connection.cursor()
    if is_sqlite(connection):
        # Therapists name each other, in any order.
        cursor.execute("PRAGMA defer_foreign_keys=ON")
        for statement in after.statements:
            cursor.executemany(statement.text, statement.rows)
    else:
        cursor.execute(after.in_one_message)
    _take_another_epoch(cursor, after)
    # Not seen: the driver's own cursor wrote it.
    written.writes += 1
    _forget_what_changed(session, after)
    keys.forget(session)
    if after.market is not None:
        session.info[CHANGES] = copy.deepcopy(after.market)
    if after.committed:
        session.commit()
    _memory.stand(after, session.get_bind(), session)
    return _thawed(session, after.result)


def _forget_what_changed(session: Session, after: Built) -> None:
    """What the session has loaded stays, as after building; else a test would read again."""
    for row in session.identity_map.values():
        state = sa.inspect(row)
        tables = {table.name for table in state.mapper.tables}
        if tables & after.altered:
            session.expire(row)
            continue
        loaded = (one for one in state.mapper.relationships if one.key in state.dict)
        stale = [one.key for one in loaded if one.mapper.local_table.name in after.touched]  # type: ignore[attr-defined]
        if stale:
            session.expire(row, stale)


def _take_another_epoch(cursor: Any, after: Built) -> None:
    """Whoever kept a market of other rows under the same numbers must not take it for this one."""
    if after.tables.get(MarketVersion.__tablename__):
        cursor.execute(f"UPDATE market_versions SET epoch = '{uuid4().hex}'")


def _statements(tables: list[sa.Table], differences: Mapping[str, "Difference"]) -> list[Statement]:
    """In an order that breaks no bond: first what makes room for new rows, last what names them."""
    changes = [(table, *rows) for table in tables for rows in differences[table.name].changed]
    found = [_update(*change) for change in changes if not _names_another(*change)]
    for table in tables:
        one = differences[table.name]
        if one.added:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            marks = ", ".join("?" * len(table.columns))
            text = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
            found.append(Statement(table.name, text, one.added, adds=True))
    found += [_update(*change) for change in changes if _names_another(*change)]
    for table in reversed(tables):
        if gone := differences[table.name].gone:
            text = f'DELETE FROM "{table.name}" WHERE {_where(table)}'
            found.append(Statement(table.name, text, gone))
    return found


def _names_another(table: sa.Table, old: Row, new: Row) -> bool:
    """Whether it refers to another row now."""
    columns = zip(table.columns, old, new, strict=True)
    return any(column.foreign_keys and was != value for column, was, value in columns)


def _update(table: sa.Table, old: Row, new: Row) -> Statement:
    columns = zip(table.columns, old, new, strict=True)
    differ = [(column.name, value) for column, was, value in columns if was != value]
    names = ", ".join(f'"{name}" = ?' for name, _value in differ)
    values = (*(value for _name, value in differ), *_key_of(table, new))
    text = f'UPDATE "{table.name}" SET {names} WHERE {_where(table)}'
    return Statement(table.name, text, [values])


def _where(table: sa.Table) -> str:
    return " AND ".join(f'"{column.name}" = ?' for column in table.primary_key)


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _frozen(session: Session, value: Any) -> Any:
    """The value with rows named and everything hashable, or CannotKeep."""
    if isinstance(value, PLAIN):
        return type(value), value
    if isinstance(value, Base):
        return _named(session, value)
    if isinstance(value, Mapping):
        return dict, tuple((key, _frozen(session, each)) for key, each in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return type(value), tuple(_frozen(session, each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = ((one.name, _frozen(session, getattr(value, one.name))) for one in fields(value))
        return type(value), tuple(parts)
    raise CannotKeep(type(value))


def _named(session: Session, row: Base) -> RowOf:
    state = sa.inspect(row)
    if state.session is not session or not state.persistent:
        raise CannotKeep(type(row))
    return RowOf(type(row), tuple(state.identity))


def _thawed(session: Session, frozen: Any) -> Any:
    if isinstance(frozen, RowOf):
        return session.get_one(frozen.model, frozen.identity)
    kind, value = frozen
    if issubclass(kind, PLAIN):
        return value
    if kind is dict:
        return {key: _thawed(session, each) for key, each in value}
    if is_dataclass(kind):
        return kind(**{name: _thawed(session, each) for name, each in value})
    return kind(_thawed(session, each) for each in value)
