"""Making a backup: one snapshot of the whole database, written while others go on writing."""

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.backup import tables
from core.backup.container import SealingFile
from core.backup.errors import BackupRefused, BeingWritten, PlaceTaken
from core.disk import remember_names
from core.keeping import KeyKeeper
from core.ledger import LedgerCheckpoint, newest_checkpoint

FILE = "backup.attune"
UNFINISHED = f"{FILE}.unfinished"
NAMED = "attune-%Y%m%dT%H%M%SZ"
GB = 1_000_000_000
ENOUGH_TO_MEASURE = 100_000_000

Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Manifest:
    """The last record of a backup: what must be in it. `ledger` is its size and root."""

    id: str
    made_at: str
    revision: str
    counts: dict[str, int]
    database_bytes: int
    ledger: dict[str, Any] | None = None

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


@dataclass(frozen=True)
class Made:
    """A finished backup. Sizes are bytes."""

    manifest: Manifest
    path: Path
    size: int
    seconds: float

    @property
    def rows(self) -> int:
        return sum(self.manifest.counts.values())

    @property
    def pace(self) -> str:
        return pace(self.seconds, self.manifest.database_bytes)


def make_backup(
    engine: sa.Engine, folder: Path, keeper: KeyKeeper, at: datetime, tell: Tell
) -> Made:
    """Write a backup into `folder`, which is made if only its last part is missing.

    The file gets its name when it is whole; before that it is `backup.attune.unfinished`. What
    reaches the disk is encrypted. `tell(table, rows)` hears how far it is. Raises PlaceTaken for a
    folder with something in it, BackupRefused for one that cannot be written to.
    """
    began = time.monotonic()
    with _file_in(folder) as file, snapshot(engine) as connection:
        manifest = _write(connection, file, keeper, at, tell)
        size = file.tell()
    return Made(manifest, folder / FILE, size, time.monotonic() - began)


def keep_newest(folder: Path, number: int) -> list[Path]:
    """Remove all but the newest backups of a folder that holds several; returns what went.

    What a killed backup left behind goes too.
    """
    whole = backups_in(folder)
    gone = [*whole[: max(0, len(whole) - number)], *_abandoned_in(folder)]
    for path in gone:
        shutil.rmtree(path)
    return gone


def backups_in(folder: Path) -> list[Path]:
    """The whole backups of a folder that holds several, the oldest first."""
    return sorted(path.parent for path in folder.glob(f"attune-*Z/{FILE}"))


def _abandoned_in(folder: Path) -> list[Path]:
    """Folders with a file that nobody is writing any more."""
    begun = [path for path in folder.glob(f"attune-*Z/{UNFINISHED}") if _is_abandoned(path)]
    return sorted(path.parent for path in begun)


def _is_abandoned(path: Path) -> bool:
    with suppress(BackupRefused, OSError), _locked(path):
        return not (path.parent / FILE).exists()
    return False


def named_after(at: datetime) -> str:
    return at.astimezone(UTC).strftime(NAMED)


def pace(seconds: float, size: int) -> str:
    """Minutes per GB of the database, in words; a small one says more about starting up."""
    if size < ENOUGH_TO_MEASURE:
        return f"{seconds:.1f} seconds"
    return f"{seconds:.1f} seconds, {seconds / 60 / size * GB:.2f} minutes per GB"


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One instant of the database, however long it is looked at; writers do not wait for it."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _write(
    connection: sa.Connection, file: IO[bytes], keeper: KeyKeeper, at: datetime, tell: Tell
) -> Manifest:
    revision = tables.revision_of(connection)
    if not revision:
        raise BackupRefused("The database has no tables yet; there is nothing to back up.")
    id, made_at = str(uuid.uuid4()), at.isoformat()
    sealing = SealingFile(file, keeper, id=id, made_at=made_at, revision=revision)
    counts = _write_tables(connection, sealing, tell)
    size, ledger = tables.database_bytes(connection), ledger_of(connection)
    manifest = Manifest(id, made_at, revision, counts, size, ledger)
    sealing.write(_line({"end": asdict(manifest)}))
    sealing.close()
    return manifest


def ledger_of(connection: sa.Connection) -> dict[str, Any] | None:
    """Size and root of the ledger as last signed, None before the first sealing."""
    if not sa.inspect(connection).has_table(LedgerCheckpoint.__tablename__):
        return None
    newest = newest_checkpoint(Session(connection))
    return {"size": newest.size, "root": newest.root.hex()} if newest else None


def _write_tables(connection: sa.Connection, sealing: SealingFile, tell: Tell) -> dict[str, int]:
    counts, rows = {}, 0
    for table in tables.tables_of(connection):
        counts[table.name] = 0
        sealing.write(_line({"table": table.name, "columns": list(table.columns)}))
        for batch in tables.batches(connection, table):
            sealing.write(_line(batch))
            counts[table.name] += len(batch)
            tell(table.name, rows := rows + len(batch))
    return counts


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def _file_in(folder: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name only when everything inside went well, and is safe on disk."""
    made_here = _prepare(folder)
    try:
        with _locked(folder / UNFINISHED) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                (folder / UNFINISHED).rename(folder / FILE)
            except BaseException:
                (folder / UNFINISHED).unlink(missing_ok=True)
                raise
        remember_names(folder)
    except OSError as error:
        raise BackupRefused(f"{folder} cannot be written to: {error.strerror}.") from None
    finally:
        if made_here:
            with suppress(OSError):
                folder.rmdir()


def _prepare(folder: Path) -> bool:
    """Whether the folder was made here. What an earlier backup that was killed left may go."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise PlaceTaken(f"{folder} is not a folder.") from None
        if {path.name for path in folder.iterdir()} - {UNFINISHED}:
            raise PlaceTaken from None
        return False
    except OSError as error:
        raise BackupRefused(f"{folder} cannot be made: {error.strerror}.") from None
    return True


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    with open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BeingWritten from None
        file.truncate(0)
        yield file
