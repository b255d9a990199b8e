"""Rows as a backup knows them: one canonical form that both databases write and read.

Ids are 32 hexadecimal digits, instants "2026-12-01 18:00:00.000000" in UTC, truth is 1 or 0,
bytes are hexadecimal. The tables are those that are there, not those that the models name, so
that a backup of an older schema can be put back as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint

from core.backup.errors import BackupRefused, CheckFailed
from core.database import is_sqlite

VERSION_TABLE = "alembic_version"
AT_ONCE = 500

Row = Sequence[Any]
Batch = Sequence[Row]


@dataclass(frozen=True)
class Table:
    """A table as it stands in a database; its columns in order, by name and type."""

    name: str
    columns: dict[str, sa.types.TypeEngine[Any]]
    key: tuple[str, ...]


def tables_of(connection: sa.Connection) -> list[Table]:
    """By name. Asked for together: one by one, that took most of a small backup's statements."""
    inspector = sa.inspect(connection)
    columns = {name: found for (_, name), found in inspector.get_multi_columns().items()}
    keys = {name: found for (_, name), found in inspector.get_multi_pk_constraint().items()}
    return [
        _table(name, columns[name], keys[name]) for name in sorted({*columns} - {VERSION_TABLE})
    ]


def revision_of(connection: sa.Connection) -> str:
    """The schema's revision, "" for a database without tables of ours."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    found: str = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")) or ""
    return found


def count(connection: sa.Connection, table: str) -> int:
    counted: int = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0
    return counted


def has_rows(connection: sa.Connection, table: str) -> bool:
    return (
        connection.execute(sa.select(1).select_from(sa.table(table)).limit(1)).first() is not None
    )


def database_bytes(connection: sa.Connection) -> int:
    size = "page_count * page_size FROM pragma_page_count, pragma_page_size"
    if not is_sqlite(connection):
        size = "pg_database_size(current_database())"
    measured: int = connection.scalar(sa.text(f"SELECT {size}")) or 0
    return measured


def batches(connection: sa.Connection, table: Table) -> Iterator[Batch]:
    """The rows of a table in the order of its key, a few hundred at a time."""
    quote = connection.dialect.identifier_preparer.quote
    form = _form_on_sqlite if is_sqlite(connection) else _form_on_postgresql
    shown = ", ".join(form(quote(name), kind) for name, kind in table.columns.items())
    order = ", ".join(quote(name) for name in table.key)
    asked = sa.text(f"SELECT {shown} FROM {quote(table.name)} ORDER BY {order}")
    rows = connection.execution_options(stream_results=True, max_row_buffer=AT_ONCE).execute(asked)
    yield from ([tuple(row) for row in part] for part in rows.partitions(AT_ONCE))


def fill(
    connection: sa.Connection, table: Table, columns: Sequence[str], rows: Iterable[Batch]
) -> int:
    """Put rows in canonical form into a table; returns how many.

    Raises BackupRefused when the disk is full or the server gone, CheckFailed for a row that this
    kind of database does not take.
    """
    kinds = [table.columns[name] for name in columns]
    put = _insert if is_sqlite(connection) else _copy
    dbapi = connection.dialect.loaded_dbapi
    try:
        return put(connection, table, columns, kinds, rows)
    except dbapi.OperationalError as error:
        raise BackupRefused(f"The database cannot be written to: {_first_line(error)}.") from None
    except dbapi.Error:
        # Its text may quote the row.
        raise CheckFailed(f"A row of {table.name} does not fit into this database.") from None


def empty(connection: sa.Connection, name: str) -> None:
    """What a migration itself put into a table is in the backup too, as it was then."""
    connection.execute(sa.table(name).delete())


@contextmanager
def unbound(connection: sa.Connection) -> Iterator[None]:
    """Rows may come in any order inside; afterwards every foreign key holds, or CheckFailed."""
    with (_sqlite_unbound if is_sqlite(connection) else _postgresql_unbound)(connection):
        yield


@contextmanager
def _sqlite_unbound(connection: sa.Connection) -> Iterator[None]:
    """Its keys are off in a database that is being built: only looked at here."""
    yield
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise CheckFailed(LOOSE)


@contextmanager
def _postgresql_unbound(connection: sa.Connection) -> Iterator[None]:
    bonds = connection.execute(_FOREIGN_KEYS).all()
    for table, name, _definition in bonds:
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    yield
    try:
        for table, name, definition in bonds:
            connection.exec_driver_sql(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    except sa.exc.IntegrityError:
        raise CheckFailed(LOOSE) from None


_FOREIGN_KEYS = sa.text(
    "SELECT conrelid\\:\\:regclass\\:\\:text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'f' AND connamespace = current_schema()\\:\\:regnamespace"
    " ORDER BY conrelid, conname"
)
LOOSE = "Rows of the backup name others that are not in it; nothing was restored."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _table(
    name: str, found: Iterable[ReflectedColumn], key: ReflectedPrimaryKeyConstraint
) -> Table:
    columns = {column["name"]: column["type"] for column in found}
    return Table(name, columns, tuple(key["constrained_columns"] or columns))


def _form_on_sqlite(column: str, kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.LargeBinary):
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE lower(hex({column})) END"
    return column


_POSTGRESQL: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.Uuid, "replace({0}::text, '-', '')"),
    (sa.DateTime, "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
    (sa.Date, "to_char({0}, 'YYYY-MM-DD')"),
    (sa.Time, "to_char({0}::interval, 'HH24:MI:SS.US')"),
    (sa.Boolean, "{0}::int"),
    (sa.LargeBinary, "encode({0}, 'hex')"),
)


def _form_on_postgresql(column: str, kind: sa.types.TypeEngine[Any]) -> str:
    forms = (form for of, form in _POSTGRESQL if isinstance(kind, of))
    # SQLAlchemy would read a single colon as one of its own parameters.
    return next(forms, "{0}").format(column).replace(":", "\\:")


def _insert(
    connection: sa.Connection,
    table: Table,
    columns: Sequence[str],
    kinds: Sequence[sa.types.TypeEngine[Any]],
    rows: Iterable[Batch],
) -> int:
    quote = connection.dialect.identifier_preparer.quote
    names, marks = ", ".join(map(quote, columns)), ", ".join("?" * len(columns))
    statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"
    read = _reader(kinds, bytes.fromhex)
    cursor, put = connection.connection.cursor(), 0
    for batch in rows:
        cursor.executemany(statement, [read(row) for row in batch])
        put += len(batch)
    return put


def _copy(
    connection: sa.Connection,
    table: Table,
    columns: Sequence[str],
    kinds: Sequence[sa.types.TypeEngine[Any]],
    rows: Iterable[Batch],
) -> int:
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    read = _reader(kinds, lambda text: "\\x" + text)
    cursor, put = connection.connection.cursor(), 0
    with cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy:
        for batch in rows:
            for row in batch:
                copy.write_row(read(row))
            put += len(batch)
    _count_on(connection, table)
    return put


def _count_on(connection: sa.Connection, table: Table) -> None:
    """Let the keys that PostgreSQL gives out go on after the highest one that came back."""
    quote = connection.dialect.identifier_preparer.quote
    for key in table.key:
        sequence = connection.scalar(
            sa.text("SELECT pg_get_serial_sequence(:table, :key)"),
            {"table": quote(table.name), "key": key},
        )
        if sequence:
            highest = f"(SELECT max({quote(key)}) FROM {quote(table.name)})"
            connection.execute(
                sa.text(f"SELECT setval(:sequence, coalesce({highest}, 1), {highest} IS NOT NULL)"),
                {"sequence": sequence},
            )


def _reader(
    kinds: Sequence[sa.types.TypeEngine[Any]], from_hex: Callable[[str], Any]
) -> Callable[[Row], Row]:
    """Gives the bytes among a row's values the form that the database takes."""
    places = [at for at, kind in enumerate(kinds) if isinstance(kind, sa.LargeBinary)]
    if not places:
        return lambda row: row

    def read(row: Row) -> Row:
        values = list(row)
        for at in places:
            values[at] = None if values[at] is None else from_hex(values[at])
        return values

    return read
