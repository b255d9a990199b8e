"""What the console shows of backups: the last of each kind of act, and what lies in BACKUP_DIR."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.audit import AuditEntry
from core.backup.errors import BackupRefused
from core.backup.making import FILE, backups_in, pace
from core.config import current_settings
from core.database import db
from core.outbox import failed_at, is_open
from practice.oversight.backups.operations import (
    FAILED,
    MADE,
    MAKE,
    REHEARSAL_FAILED,
    REHEARSED,
    RESTORED,
)

# A day and a bit: a nightly backup is not late in the morning.
FRESH = timedelta(hours=26)
REHEARSED_WITHIN = timedelta(days=92)
SHOWN = 20


@dataclass(frozen=True)
class Act:
    """One backup, rehearsal or restore, as it was recorded."""

    at: datetime
    went_well: bool
    details: dict[str, Any]

    @property
    def figures(self) -> str:
        if not self.went_well or "rows" not in self.details:
            return ""
        seconds = self.details["milliseconds"] / 1000
        return f"{self.details['rows']:,} rows in {pace(seconds, self.details['database_bytes'])}"

    @property
    def reason(self) -> str:
        """Why it went wrong, in words."""
        words = {kind.__name__: kind.message for kind in BackupRefused.__subclasses__()}
        return words.get(self.details.get("reason", ""), "It could not be written or read.")


@dataclass(frozen=True)
class Kept:
    """A backup that lies in BACKUP_DIR."""

    name: str
    size: int


@dataclass(frozen=True)
class Standing:
    """How the backups stand; None where nothing of the kind was ever done here.

    `failure` is the refusal of a place, `has_failed` what went wrong otherwise.
    """

    backup: Act | None
    failure: Act | None
    has_failed: bool
    rehearsal: Act | None
    restore: Act | None
    folder: Path | None
    kept: list[Kept]
    is_being_made: bool

    def is_stale(self, at: datetime) -> bool:
        return self.backup is not None and at - self.backup.at > FRESH

    def needs_rehearsal(self, at: datetime) -> bool:
        return self.rehearsal is None or at - self.rehearsal.at > REHEARSED_WITHIN


def standing() -> Standing:
    backup, failure = _last(MADE), _last(FAILED)
    if failure and backup and failure.at < backup.at:
        failure = None
    return Standing(
        backup=backup,
        failure=failure,
        has_failed=_has_failed(backup),
        rehearsal=_last(REHEARSED, REHEARSAL_FAILED),
        restore=_last(RESTORED),
        folder=current_settings().backup_dir,
        kept=_kept(current_settings().backup_dir),
        is_being_made=is_open(db.session(), MAKE),
    )


def _last(*actions: str) -> Act | None:
    acts = sa.select(AuditEntry).where(AuditEntry.action.in_(actions))
    entry = db.session.scalars(acts.order_by(AuditEntry.id.desc()).limit(1)).first()
    if entry is None:
        return None
    return Act(entry.at, entry.action not in {FAILED, REHEARSAL_FAILED}, entry.details)


def _kept(folder: Path | None) -> list[Kept]:
    """The newest first. A folder that is away just now holds nothing that can be shown."""
    if folder is None or not folder.is_dir():
        return []
    newest = reversed(backups_in(folder)[-SHOWN:])
    return [Kept(path.name, (path / FILE).stat().st_size) for path in newest]


def _has_failed(backup: Act | None) -> bool:
    """Whether one that was asked for since the last that is whole met an error."""
    failed = failed_at(db.session(), MAKE)
    return failed is not None and (backup is None or backup.at < failed)
