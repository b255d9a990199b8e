"""A log with acts in it, sealed, and its export."""

import io
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry, record
from core.exporting import begin_export
from core.ledger import seal_now
from core.signing import published_keys
from core.verifying import Verified, verify
from tests.conftest import NOW


def make_act(session: Session, **columns: Any) -> AuditEntry:
    """A flushed act of somebody about somebody."""
    given = {
        "at": NOW,
        "action": "request.viewed",
        "subject_kind": "match_request",
        "subject_id": uuid.uuid4(),
        "actor_id": uuid.uuid4(),
        "actor_role": "therapist",
        "client_id": uuid.uuid4(),
    }
    entry = record(session, **given | columns)
    session.flush()
    return entry


def seal_acts(session: Session, number: int) -> list[AuditEntry]:
    """So many sealed acts, after the one that announces the key."""
    entries = [make_act(session, n=n) for n in range(number)]
    session.commit()
    seal_now(NOW)
    return entries


def exported(session: Session) -> bytes:
    export = begin_export(session)
    assert export is not None
    return b"".join(export.lines(session))


def public_key(session: Session) -> bytes:
    return bytes.fromhex(published_keys(session)[0].public)


def verified(data: bytes, *keys: bytes, **options: Any) -> Verified:
    return verify(io.BytesIO(data), keys, **options)


def behind_its_back(session: Session, statement: str, **values: Any) -> None:
    """Change the database as somebody would who does not come through the application."""
    session.connection().execute(sa.text(statement), values)
    session.commit()
    session.expire_all()
