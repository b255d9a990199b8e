"""Leaving nothing of a destroyed key in the database's files.

Deleting a row hides it at once from everybody who asks the database. Its bytes stay: on SQLite in
the write-ahead log until that is checked in, on PostgreSQL in the table until it is written anew.
What the log before it still holds, PostgreSQL's own included, goes as the log is recycled; archived
logs are backups.
"""

import re
import time
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.clock import now
from core.database import db, is_sqlite, unit_of_work
from core.keys import DataKey
from core.logs import log
from core.outbox import OutboxMessage, post

OVERWRITE = "keys.overwrite"
TABLE = DataKey.__tablename__
# Whoever reads keys waits no longer than this for the table to be written, in milliseconds.
LONGEST_LOCK = 2000
# So long for those who still see the table as it was before, in seconds.
PATIENCE = 10.0
LOOK_EVERY = 0.1
# Nobody reads keys while the table is written, so that is tried less often.
WRITE_EVERY = 1.0
# The server's function whose report says how many dead rows it took along.
COPIES = "copy_table_data"


class StillSeen(RuntimeError):
    """Somebody's transaction is older than the erasure; what it may see is kept for it."""


def ask_to_overwrite(session: Session, key: str, at: datetime) -> None:
    """Do it once this transaction has committed. `key` names the occasion."""
    post(session, OVERWRITE, {}, dedupe_key=f"{OVERWRITE}:{key}:{at.isoformat()}", at=at)


def overwrite(_payload: dict[str, Any]) -> None:
    """The outbox handler; what is asked for several times is done once.

    Raises StillSeen, or the database's own error when the table is in use for too long: the work is
    tried again later.
    """
    _take_over_what_waits()
    with db.engine.connect() as connection:
        if is_sqlite(connection):
            _empty_the_log(connection)
        else:
            _write_anew(connection.execution_options(isolation_level="AUTOCOMMIT"))


def _take_over_what_waits() -> None:
    """Others whose keys are gone already: their rows can be seen, so they have committed."""
    with unit_of_work() as session:
        waits = sa.and_(
            OutboxMessage.kind == OVERWRITE,
            OutboxMessage.done_at.is_(None),
            OutboxMessage.leased_until.is_(None),
        )
        done = sa.update(OutboxMessage).where(waits)
        session.execute(done.values(done_at=now(), payload_sealed=None))


def _empty_the_log(connection: sa.Connection) -> None:
    """Check SQLite's log in and cut it off, if nobody reads.

    Whoever reads keeps it for now; it is overwritten as others write. In the file itself what is
    deleted is overwritten at once (`secure_delete`).
    """
    connection.exec_driver_sql("PRAGMA busy_timeout=500")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.exec_driver_sql("PRAGMA busy_timeout=30000")


def _write_anew(connection: sa.Connection) -> None:
    """PostgreSQL: the table into a new file. VACUUM alone would leave the bytes in its pages.

    A role that does not own the table may not, and is only warned: that is logged, as is a server
    that reports nothing of the copy, for then nobody knows.
    """
    patience = time.monotonic() + PATIENCE
    _wait_for_older_views(connection, patience)
    while _are_any(dead := _rewritten(connection)):
        _be_patient(patience, WRITE_EVERY)
    if not dead:
        log("keys.left_on_disk")


def _wait_for_older_views(connection: sa.Connection, patience: float) -> None:
    """A row that some transaction may still see would be written anew as well."""
    newest = connection.scalar(sa.text("SELECT pg_current_xact_id()::xid::text"))
    while connection.scalar(_OLDER_VIEWS, {"newest": newest}):
        _be_patient(patience, LOOK_EVERY)


def _be_patient(patience: float, pause: float) -> None:
    if time.monotonic() + pause > patience:
        raise StillSeen
    time.sleep(pause)


def _rewritten(connection: sa.Connection) -> str:
    """Write the table anew; how many dead rows had to be kept, in the server's words, or nothing.

    The one who still saw them need not be visible to us: the server's own ANALYZE of any table of
    this database is enough, and other roles' transactions are hidden. What the server reports of
    its copy is certain.
    """
    reports: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        if notice.source_function == COPIES:
            reports.append((notice.message_detail or "").split("\n")[0])

    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.add_notice_handler(hear)
    connection.exec_driver_sql(f"SET lock_timeout = {LONGEST_LOCK}")
    try:
        connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {TABLE}")
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
        driver.remove_notice_handler(hear)
    return "".join(reports)


def _are_any(dead: str) -> bool:
    """The words may be in any language, so only the number is read."""
    return re.search("[1-9]", dead) is not None


# Of other roles' transactions PostgreSQL tells us nothing; ours are all by one role.
_OLDER_VIEWS = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND pid <> pg_backend_pid()"
    " AND greatest(age(backend_xmin), age(backend_xid)) > age(CAST(:newest AS xid))"
)
