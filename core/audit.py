"""Who did what, when, in what role: one row in the transaction of the act.

The provable ledger seals these rows afterwards; rows are only ever added.
"""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Identified, Json


class AuditEntry(Identified, Base):
    """An act. `details` holds codes, dates and public ids, never clinical content."""

    __tablename__ = "audit_entries"

    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    actor_role: Mapped[str] = mapped_column(sa.String(40), default="")
    action: Mapped[str] = mapped_column(sa.String(80), index=True)
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    # The public id of the client whose record the act concerns.
    client_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


def record(
    session: Session,
    *,
    at: datetime,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID | None,
    actor_id: uuid.UUID | None,
    actor_role: str = "",
    client_id: uuid.UUID | None = None,
    **details: Any,
) -> AuditEntry:
    """Add the row of an act to its own transaction. Ids are public ids.

    `actor_id` is None when the machine itself acted (a hold that ran out, a lapse). `client_id`
    names whose record the act concerns, None if nobody's; an act that reads clinical content
    ends in ".viewed".
    """
    entry = AuditEntry(
        at=at,
        actor_id=actor_id,
        actor_role=actor_role,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        client_id=client_id,
        details=details,
    )
    session.add(entry)
    return entry
