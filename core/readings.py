"""Who read what: each view of clinical content adds one row to the log, in its own transaction.

A page about one client names them in the row (`audit_entries.client_id`). A page that shows
several, such as a caseload, still adds one row; whom it showed stands beside it, one line each in
`audit_concerns`, so that "who opened my record" finds both by an index. The row's details hold
how many there were and a digest of their ids: lines that are taken away or added later no longer
fit the row, and the row is what the ledger seals.
"""

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.audit import AuditEntry
from core.database import Base, Key

VIEWED = ".viewed"


class AuditConcern(Base):
    """One of several clients whom the row of a reading concerns. `client_id` is a public id."""

    __tablename__ = "audit_concerns"

    id: Mapped[Key]
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entries.id"), index=True)
    client_id: Mapped[uuid.UUID] = mapped_column(index=True)


def viewed(
    session: Session,
    *,
    at: datetime,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID | None,
    actor_id: uuid.UUID | None,
    actor_role: str,
    clients: Collection[uuid.UUID],
    **details: Any,
) -> AuditEntry:
    """Write down one reading, at once: without its row there is no page.

    `clients` are the public ids of everybody whom the page shows.
    """
    if not action.endswith(VIEWED):
        raise ValueError(f"the action of a reading ends in {VIEWED}")
    several = sorted(set(clients)) if len(set(clients)) > 1 else []
    if several:
        details |= {"clients": len(several), "concerns": concerns_digest(several)}
    entry = audit.record(
        session,
        at=at,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        actor_id=actor_id,
        actor_role=actor_role,
        client_id=None if several else next(iter(clients), None),
        **details,
    )
    session.flush()
    if several:
        lines = [{"entry_id": entry.id, "client_id": client} for client in several]
        session.execute(sa.insert(AuditConcern), lines)
    return entry


def readings_of(client: uuid.UUID) -> sa.Select[AuditEntry]:
    """Every reading that showed this client, alone or among others."""
    among = sa.select(AuditConcern.entry_id).where(AuditConcern.client_id == client)
    return sa.select(AuditEntry).where(
        AuditEntry.action.endswith(VIEWED, autoescape=True),
        sa.or_(AuditEntry.client_id == client, AuditEntry.id.in_(among)),
    )


def concerns_digest(clients: Collection[uuid.UUID]) -> str:
    """SHA-256, in hex, of the sorted ids, one a line."""
    return hashlib.sha256("\n".join(sorted(map(str, clients))).encode()).hexdigest()
