"""What tests of the client's rights look at: every byte that is kept, and whose rows are whose."""

import uuid
from typing import Any

import sqlalchemy as sa
from flask import Flask

from core.database import Base, db, unit_of_work
from practice.accounts.models import Client
from practice.privacy import operations, queries
from tests.conftest import NOW

LOG = {"audit_entries", "audit_concerns", "outbox_messages", "ledger_entries", "kept_mails"}


def bytes_kept(app: Flask) -> bytes:
    """Every value of every table as the database has it, sealed columns as their bytes."""
    with app.app_context(), db.engine.connect() as connection:
        tables = Base.metadata.sorted_tables
        return b"\n".join(
            _bytes_of(value)
            for table in tables
            for row in connection.execute(sa.text(f'SELECT * FROM "{table.name}"'))
            for value in row
        )


def _bytes_of(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def rows_by_table(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row as it stands, the log and what waits to be sent apart."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in LOG
        }


def erase(app: Flask, reference: uuid.UUID, **options: Any) -> uuid.UUID:
    """Forget a client in a transaction of its own; returns the reference of the erasure."""
    with app.app_context(), unit_of_work() as session:
        client = queries.client_with(session, reference)
        assert client is not None
        at = options.pop("at", NOW)
        return operations.erase(session, client, client.user, at, **options).public_id


def client_now(reference: uuid.UUID) -> Client | None:
    return queries.client_with(db.session(), reference)
