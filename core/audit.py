"""Who did what, when, in what role: one row in the transaction of the act.

The ledger (`core.ledger`) seals these rows afterwards; rows are only ever added. What it seals
names nobody: people and things stand there as keyed pseudonyms, and details as a salted
commitment. Both are written with the row, so that after an erasure has blanked the row
(`core.blanking`) what was sealed can still be told from it.
"""

import hmac
import secrets
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.canonical import commitment
from core.database import Base, Identified, Json
from core.keys import derived

SALT_BYTES = 16
_WAITS = "sealed_as IS NULL"


class AuditEntry(Identified, Base):
    """An act. `details` holds codes, dates and public ids, never clinical content.

    `sealed_as` is its number in the ledger, None while it waits. `blanked_by` is the public id of
    the act that took the people out of this row.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index(
            "ix_audit_entries_unsealed",
            "id",
            sqlite_where=sa.text(_WAITS),
            postgresql_where=sa.text(_WAITS),
        ),
    )

    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    actor_role: Mapped[str] = mapped_column(sa.String(40), default="")
    action: Mapped[str] = mapped_column(sa.String(80), index=True)
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    # The public id of the client whose record the act concerns.
    client_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    actor_pseudonym: Mapped[str | None] = mapped_column(sa.String(64))
    subject_pseudonym: Mapped[str | None] = mapped_column(sa.String(64))
    client_pseudonym: Mapped[str | None] = mapped_column(sa.String(64))
    salt: Mapped[str] = mapped_column(sa.String(32), default="", server_default="")
    details_digest: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    sealed_as: Mapped[int | None]
    blanked_by: Mapped[uuid.UUID | None] = mapped_column(index=True)

    def commitments(self) -> dict[str, str | None]:
        """The pseudonyms, and the details under a fresh salt; needs the public id."""
        salt = secrets.token_hex(SALT_BYTES)
        return {
            "salt": salt,
            "details_digest": commitment(salt, self.details),
            "actor_pseudonym": pseudonym(self.public_id, "actor", self.actor_id),
            "subject_pseudonym": pseudonym(self.public_id, "subject", self.subject_id),
            "client_pseudonym": pseudonym(self.public_id, "client", self.client_id),
        }


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
        public_id=uuid.uuid4(),
        at=at,
        actor_id=actor_id,
        actor_role=actor_role,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        client_id=client_id,
        details=details,
    )
    for column, value in entry.commitments().items():
        setattr(entry, column, value)
    session.add(entry)
    return entry


def last_act(session: Session, action: str) -> AuditEntry | None:
    """The newest act of this name."""
    acts = sa.select(AuditEntry).where(AuditEntry.action == action)
    return session.scalars(acts.order_by(AuditEntry.id.desc()).limit(1)).first()


def pseudonym(entry: uuid.UUID, place: str, public_id: uuid.UUID | None) -> str | None:
    """Who or what stands in this place of this act: HMAC-SHA-256 in hex, None for nobody.

    Another one in every act, so that an export links no two acts of the same person; whoever
    holds the installation's key and an id can still tell which acts are theirs.
    """
    if public_id is None:
        return None
    named = f"{place}\0".encode() + entry.bytes + public_id.bytes
    return hmac.digest(derived("pseudonym"), named, "sha256").hex()
