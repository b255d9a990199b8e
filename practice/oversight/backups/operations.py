"""Backups as the console and the command line make them: where they go, and what is recorded.

Each backup, rehearsal and restore leaves an audit entry; the console shows the last ones.
"""

import uuid
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.alone import alone_or_elsewhere
from core.audit import record
from core.backup import checking, making, restoring, settling
from core.backup.errors import BackupRefused, BeingWritten
from core.backup.making import FILE, Made, Manifest, Tell, keep_newest, named_after
from core.backup.places import Known
from core.backup.reading import header_of
from core.backup.restoring import Restored, Steps
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import Refusal
from core.keeping import current_keeper
from core.ledger import seal_now
from core.outbox import Elsewhere, post_alone
from practice.accounts.models import EmailToken, SignInSession, User

MAKE = "oversight.backup"
MADE, FAILED = "backup.made", "backup.failed"
REHEARSED, REHEARSAL_FAILED = "backup.rehearsed", "backup.rehearsal_failed"
ASKED, RESTORED = "backup.asked_for", "backup.restored"


class NowhereToGo(Refusal):
    message = "BACKUP_DIR is not set, so there is no place to put a backup."


def quietly(_table: str, _rows: int) -> None:
    """For a backup that nobody watches."""


def make(folder: Path, at: datetime, tell: Tell = quietly) -> Made:
    """Write a backup into this folder and record it; raises BackupRefused."""
    seal_now(at)
    made = making.make_backup(db.engine, folder, current_keeper(), at, tell)
    facts = _figures(made.manifest, made.seconds) | {"size": made.size}
    _record(MADE, made.manifest.id, facts)
    return made


def rehearse(folder: Path, at: datetime, tell: Tell = quietly) -> Restored:
    """Restore into a database beside this one and let it go; the outcome is recorded either way."""
    url, keeper = current_settings().database_url, current_keeper()
    try:
        restored = restoring.rehearse(url, folder, keeper, steps(), at=at, tell=tell)
    except BackupRefused as refusal:
        _record(REHEARSAL_FAILED, _id_in(folder), {"reason": type(refusal).__name__})
        raise
    _record(REHEARSED, restored.manifest.id, _figures(restored.manifest, restored.seconds))
    return restored


def restore(folder: Path, at: datetime, tell: Tell, *, replace: bool) -> Restored:
    """Put this backup in the place of the database; raises BackupRefused."""
    url, keeper = current_settings().database_url, current_keeper()
    db.engine.dispose()
    return restoring.restore(url, folder, keeper, steps(), replace=replace, at=at, tell=tell)


def steps() -> Steps:
    """What a restored database is told, and what is looked at before it is believed."""
    return Steps(
        settle=(
            settling.erase_again,
            settling.keep_mails_from_going_twice,
            sign_everybody_out,
            write_it_down,
        ),
        checks=(checking.keys_open, checking.values_open, checking.ledger_holds),
    )


def sign_everybody_out(
    session: Session, _known: Known, _manifest: Manifest, at: datetime
) -> list[str]:
    """A browser that was ended since the backup, or a link that was used, must not live again."""
    browsers = sa.update(SignInSession).where(SignInSession.ended_at.is_(None))
    session.execute(browsers.values(ended_at=at))
    links = sa.update(EmailToken).where(EmailToken.used_at.is_(None))
    session.execute(links.values(used_at=at))
    return ["everybody is signed out, and links in older mails no longer work"]


def write_it_down(session: Session, _known: Known, manifest: Manifest, at: datetime) -> list[str]:
    _add(session, RESTORED, manifest.id, {"made_at": manifest.made_at}, at)
    return []


def ask_for_backup(session: Session, actor: User, at: datetime) -> None:
    """Let the worker make a backup in BACKUP_DIR; while it does there is nothing to add.

    Raises NowhereToGo without one.
    """
    if current_settings().backup_dir is None:
        raise NowhereToGo
    if not post_alone(session, MAKE, {"name": named_after(at)}, at):
        return
    record(
        session, at=at, action=ASKED, subject_kind="backup", subject_id=None,
        actor_id=actor.public_id, actor_role=actor.main_role,
    )  # fmt: skip


def make_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. A backup may take longer than a lease, so one is made at a time.

    Taken up again, after a crash or by another worker, it finds the backup if it was finished.
    """
    with alone_or_elsewhere(MAKE):
        settings = current_settings()
        folder = (settings.backup_dir or settings.data_dir) / payload["name"]
        if not (folder / FILE).exists():
            _make_or_say_why(folder, settings.backup_keep)


def _make_or_say_why(folder: Path, keep: int) -> None:
    db.session.rollback()
    try:
        make(folder, now())
    except BeingWritten:
        # By a worker that lost the connection that said so; the next look finds it finished.
        raise Elsewhere from None
    except BackupRefused as refusal:
        _record(FAILED, None, {"reason": type(refusal).__name__})
    else:
        keep_newest(folder.parent, keep)


def _id_in(folder: Path) -> str | None:
    with suppress(BackupRefused):
        return header_of(folder).id
    return None


def _figures(manifest: Manifest, seconds: float) -> dict[str, Any]:
    return {
        "rows": sum(manifest.counts.values()),
        "database_bytes": manifest.database_bytes,
        "milliseconds": round(seconds * 1000),
    }


def _record(action: str, id: str | None, facts: dict[str, Any]) -> None:
    with unit_of_work() as session:
        _add(session, action, id, facts, now())


def _add(
    session: Session, action: str, id: str | None, facts: dict[str, Any], at: datetime
) -> None:
    record(
        session, at=at, action=action, subject_kind="backup",
        subject_id=uuid.UUID(id) if id else None, actor_id=None, **facts,
    )  # fmt: skip
