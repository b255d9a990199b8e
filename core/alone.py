"""Long work that one process at a time does: a lock that ends with whoever holds it.

It outlives transactions and needs no renewing: on PostgreSQL an advisory lock of a connection of
its own, on SQLite a lock on a file in DATA_DIR.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from core.config import current_settings
from core.database import db
from core.outbox import Elsewhere


@contextmanager
def alone_at(work: str) -> Iterator[bool]:
    """Whether nobody else is at `work` (a plain name); if so, nobody can begin it inside."""
    if db.engine.dialect.name == "postgresql":
        locked = _advisory_lock(work)
    else:
        locked = _file_lock(current_settings().data_dir / f"{work}.lock")
    with locked as is_mine:
        yield is_mine


@contextmanager
def alone_or_elsewhere(work: str) -> Iterator[None]:
    """For what the outbox carries out and what may outlive its lease. Raises Elsewhere."""
    with alone_at(work) as is_alone:
        if not is_alone:
            raise Elsewhere
        yield


@contextmanager
def _advisory_lock(work: str) -> Iterator[bool]:
    number = sa.func.hashtextextended(work, 0)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_mine = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))))
        try:
            yield is_mine
        finally:
            if is_mine:
                connection.scalar(sa.select(sa.func.pg_advisory_unlock(number)))


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    with open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
