"""One process at a time writes the ledger or changes the key that signs it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

# Any number that nobody else takes an advisory lock on.
ONE_SEALER = 0x6C6564676572


def is_only_sealer(session: Session, *, waiting: bool) -> bool:
    """SQLite has one writer at a time anyway; on PostgreSQL a lock for this transaction."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    if waiting:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_SEALER)))
        return True
    return bool(session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(ONE_SEALER))))
