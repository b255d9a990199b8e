"""Putting a backup in the place of a database: all of it, or the old one stays.

On SQLite the new database is built in a file beside the old one and takes its name at the end; on
PostgreSQL everything happens in one transaction. The backup's own schema is made first, its rows
are put in, and then the migrations bring it up to date.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from core.backup import places, tables
from core.backup.checking import BEWARE
from core.backup.errors import CheckFailed, Damaged, OtherVersion
from core.backup.making import Manifest, Tell, pace
from core.backup.places import Known, Place
from core.backup.reading import Reading, verify
from core.keeping import KeyKeeper
from core.migrating import MIGRATIONS, alembic_config, owe_writing_anew, write_anew_if_owed

Check = Callable[[Session, Manifest], str]


@dataclass(frozen=True)
class Steps:
    """What the rest of the house does with rows that are back, and how it looks at them.

    `settle` runs over what is back and what the replaced database knew, at the instant of the
    restore; each check returns a line for the report or raises CheckFailed.
    """

    settle: tuple[Callable[[Session, Known, Manifest, datetime], list[str]], ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Restored:
    """What came back, and the lines of the report."""

    manifest: Manifest
    seconds: float
    lines: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What does not hold, but was so before the backup was made."""
        return [line for line in self.lines if line.startswith(BEWARE)]

    @property
    def pace(self) -> str:
        return pace(self.seconds, self.manifest.database_bytes)


def restore(
    url: str,
    folder: Path,
    keeper: KeyKeeper,
    steps: Steps,
    *,
    replace: bool,
    at: datetime,
    tell: Tell,
) -> Restored:
    """Put the backup of `folder` in the place of the database at `url`.

    Nothing is touched before all of the backup is verified, and nothing is kept unless every
    check holds. Raises what `verify` raises, NotEmpty, InUse or CheckFailed.
    """
    began = time.monotonic()
    manifest = _usable(folder, keeper, tell)
    with places.instead_of(url, since=manifest.instant, replace=replace) as place:
        reading = Reading(folder, keeper)
        lines = _bring_back(place, reading, manifest, steps, at, tell)
    _leave_nothing_in_the_clear(url)
    return Restored(manifest, time.monotonic() - began, lines)


def rehearse(
    url: str, folder: Path, keeper: KeyKeeper, steps: Steps, *, at: datetime, tell: Tell
) -> Restored:
    """Restore into a database beside the one at `url`, check it, and let it go again."""
    began = time.monotonic()
    manifest = _usable(folder, keeper, tell)
    with places.beside(url, since=manifest.instant) as place:
        reading = Reading(folder, keeper)
        lines = _bring_back(place, reading, manifest, steps, at, tell)
    return Restored(manifest, time.monotonic() - began, lines)


def _usable(folder: Path, keeper: KeyKeeper, tell: Tell) -> Manifest:
    manifest = verify(folder, keeper, tell)
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    if manifest.revision not in {script.revision for script in scripts}:
        raise OtherVersion
    return manifest


def _bring_back(
    place: Place, reading: Reading, manifest: Manifest, steps: Steps, at: datetime, tell: Tell
) -> list[str]:
    if _fill(place.connection, reading, manifest.revision, tell) != manifest:
        # Another file took its place since it was verified.
        raise Damaged
    lines = [_counted(place.connection, manifest)]
    config = alembic_config(place.connection)
    command.upgrade(config, "head")
    owe_writing_anew(config)
    with Session(place.connection, expire_on_commit=False) as session:
        for settle in steps.settle:
            lines += settle(session, place.known, manifest, at)
        session.flush()
        lines += [check(session, manifest) for check in steps.checks]
        session.commit()
    return lines


def _leave_nothing_in_the_clear(url: str) -> None:
    """A backup from before values were sealed had them in the rows that the migrations replaced."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        write_anew_if_owed(connection)


def _fill(connection: sa.Connection, reading: Reading, revision: str, tell: Tell) -> Manifest:
    """Make the backup's own schema and put its rows in, each verified once more as it comes."""
    command.upgrade(alembic_config(connection), revision)
    there = {table.name: table for table in tables.tables_of(connection)}
    put = 0
    with tables.unbound(connection):
        for part in reading.parts():
            if part.name not in there or not set(part.columns) <= there[part.name].columns.keys():
                raise OtherVersion
            tables.empty(connection, part.name)
            put += tables.fill(connection, there[part.name], part.columns, part.rows)
            tell(part.name, put)
    return reading.manifest


def _counted(connection: sa.Connection, manifest: Manifest) -> str:
    counts = {name: tables.count(connection, name) for name in manifest.counts}
    wrong = [name for name, count in counts.items() if count != manifest.counts[name]]
    if wrong:
        raise CheckFailed(f"Rows are missing in {', '.join(wrong)}; nothing was restored.")
    return f"{sum(counts.values())} rows in {len(counts)} tables, as many as were backed up"
