"""Where a backup is put: in the place of a database, or beside it for a rehearsal."""

import os
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.backup import tables
from core.backup.errors import BackupRefused, InUse, NotEmpty
from core.disk import remember_names
from core.erasures import Line

LEAVE_WITHIN = 5.0
LOOK_EVERY = 0.05
# A file that is thrown away unless it is finished needs no journal on disk, only a way back.
BUILDING = ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-262144")


@dataclass(frozen=True)
class Known:
    """What the database that goes knew and the backup cannot; nothing if it was not `readable`.

    `erasures` are lines of the register (core.erasures), `mails` the dedupe keys of those that
    were sent since the backup was made.
    """

    erasures: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    readable: bool = True


@dataclass(frozen=True)
class Place:
    """An empty database inside a transaction."""

    connection: sa.Connection
    known: Known


@contextmanager
def instead_of(url: str, *, since: datetime, replace: bool) -> Iterator[Place]:
    """A place that becomes the database at `url` when nothing goes wrong inside.

    Raises NotEmpty unless `replace`, and InUse when anything else is connected.
    """
    path = _sqlite_path(url)
    with (
        _sqlite_instead_of(path, since, replace)
        if path
        else _postgresql_instead_of(url, since, replace)
    ) as place:
        yield place


@contextmanager
def beside(url: str, *, since: datetime) -> Iterator[Place]:
    """A place that leaves nothing behind, even when this process is killed."""
    path = _sqlite_path(url)
    with _sqlite_beside(path, since) if path else _postgresql_beside(url, since) as place:
        yield place


def forget_killed_restore(url: str) -> None:
    """Remove what a killed restore was building: it may hold keys of people erased since.

    Left alone while anybody is in the database, a restore too; the next start looks again.
    """
    path = _sqlite_path(url)
    if path is None or not path.name:
        return
    left = path.with_name(f"{path.name}.restoring")
    if not left.exists():
        return
    with suppress(BackupRefused, OSError), _alone_with(path, replace=False):
        for end in ("-wal", "-shm", ""):
            left.with_name(left.name + end).unlink(missing_ok=True)
        remember_names(path.parent)


def _sqlite_path(url: str) -> Path | None:
    made = sa.make_url(url)
    return Path(made.database or "") if made.get_backend_name() == "sqlite" else None


@contextmanager
def _sqlite_instead_of(path: Path, since: datetime, replace: bool) -> Iterator[Place]:
    building = path.with_name(f"{path.name}.restoring")
    with _alone_with(path, replace) as old:
        known = _known_to(old, since)
        if not replace and not (known.readable and old is not None and _is_empty(old)):
            raise NotEmpty
        _make_private(building)
        try:
            with _built(building) as connection:
                yield Place(connection, known)
            _take_name(building, path)
        finally:
            building.unlink(missing_ok=True)


@contextmanager
def _alone_with(path: Path, replace: bool) -> Iterator[sqlite3.Connection | None]:
    """The old database with nobody else in it, and kept so; None when it is beyond reading.

    Leaving write-ahead mode works for a sole user only, and puts all there is into one file.
    """
    was_there = path.exists()
    old = _connected(path)
    try:
        try:
            if old.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
                raise InUse
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise InUse from None
        except sqlite3.DatabaseError:
            if not replace:
                raise NotEmpty from None
            yield None
        else:
            yield old
    finally:
        old.close()
        if not was_there and path.exists() and path.stat().st_size == 0:
            path.unlink()


def _connected(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.Error:
        raise BackupRefused(f"{path} cannot be opened.") from None


def _is_empty(old: sqlite3.Connection) -> bool:
    names = old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    ours = (name for (name,) in names if name != tables.VERSION_TABLE)
    return all(old.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() is None for name in ours)


def _known_to(old: sqlite3.Connection | None, since: datetime) -> Known:
    if old is None:
        return Known(readable=False)
    try:
        return _known(lambda statement: old.execute(statement).fetchall(), _sqlite_has(old), since)
    except sqlite3.DatabaseError:
        return Known(readable=False)


def _sqlite_has(old: sqlite3.Connection) -> Callable[[str], bool]:
    asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return lambda name: old.execute(asked, (name,)).fetchone() is not None


def _make_private(path: Path) -> None:
    """An empty file that only its owner reads. What a killed restore left is in nobody's use."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


@contextmanager
def _built(path: Path, *, unlinked: bool = False) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for pragma in BUILDING:
            cursor.execute(f"PRAGMA {pragma}")
        if unlinked:
            path.unlink()
        with connection.begin() as transaction:
            yield connection
            if unlinked:
                transaction.rollback()


def _take_name(building: Path, path: Path) -> None:
    """In one step; whoever looks finds the old database or the new one, each of them whole."""
    with building.open("rb+") as file:
        os.fsync(file.fileno())
    if path.exists() and path.stat().st_size:
        _keep_owner(building, path.stat())
    # Of an old one that could not be read; its log must never be taken for the new one's.
    for left in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + left).unlink(missing_ok=True)
    building.replace(path)
    remember_names(path.parent)


def _keep_owner(path: Path, old: os.stat_result) -> None:
    path.chmod(old.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(path, old.st_uid, old.st_gid)


@contextmanager
def _sqlite_beside(path: Path, since: datetime) -> Iterator[Place]:
    """The file loses its name as soon as it is open, so that it ends with this process."""
    known = Known(readable=False)
    if path.exists():
        with suppress(sqlite3.DatabaseError):
            live = _connected(path)
            known = _known_to(live, since)
            live.close()
    handle, building = tempfile.mkstemp(prefix=f"{path.name}.rehearsal-", dir=path.parent)
    os.close(handle)
    with _built(Path(building), unlinked=True) as connection:
        yield Place(connection, known)


@contextmanager
def _postgresql_instead_of(url: str, since: datetime, replace: bool) -> Iterator[Place]:
    with _transaction(url) as connection:
        _require_alone(connection)
        known = _known_on_postgresql(connection, since)
        names = sa.inspect(connection).get_table_names()
        rows = (tables.has_rows(connection, name) for name in names if name != tables.VERSION_TABLE)
        if not replace and any(rows):
            raise NotEmpty
        if names:
            quote = connection.dialect.identifier_preparer.quote
            connection.exec_driver_sql(f"DROP TABLE {', '.join(map(quote, names))} CASCADE")
        yield Place(connection, known)


@contextmanager
def _postgresql_beside(url: str, since: datetime) -> Iterator[Place]:
    """A schema of its own inside a transaction that is never committed."""
    schema = f"attune_rehearsal_{uuid.uuid4().hex}"
    with _transaction(url) as connection:
        known = _known_on_postgresql(connection, since)
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {schema}")
        yield Place(connection, known)
        connection.rollback()


@contextmanager
def _transaction(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET LOCAL TimeZone TO 'UTC'")
        yield connection


def _require_alone(connection: sa.Connection) -> None:
    """A program that has just ended may take a moment to be gone."""
    patience = time.monotonic() + LEAVE_WITHIN
    while connection.scalar(_OTHERS):
        if time.monotonic() > patience:
            raise InUse
        time.sleep(LOOK_EVERY)
        connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))


_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
)


def _known_on_postgresql(connection: sa.Connection, since: datetime) -> Known:
    def rows(statement: str) -> list[Any]:
        return list(connection.exec_driver_sql(statement).all())

    return _known(rows, sa.inspect(connection).has_table, since)


def _known(rows: Callable[[str], list[Any]], has: Callable[[str], bool], since: datetime) -> Known:
    """Asked in words that any schema of ours understands, older and newer ones too."""
    erasures: list[Any] = []
    mails: list[Any] = []
    if has("erasures"):
        erasures = rows("SELECT at, owner, realm FROM erasures ORDER BY id")
    if has("outbox_messages"):
        instant = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        mails = rows(
            f"SELECT dedupe_key FROM outbox_messages WHERE kind = 'mail' AND done_at >= '{instant}'"
        )
    return Known(tuple(_line(*erasure) for erasure in erasures), tuple(key for (key,) in mails))


def _line(at: Any, owner: Any, realm: str) -> str:
    instant = datetime.fromisoformat(str(at))
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return Line(instant, uuid.UUID(str(owner)), realm).text
