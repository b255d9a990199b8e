"""Taking people out of the log without breaking the ledger: an act like any other, and sealed.

A blanked row keeps its pseudonyms, its commitment and the facts that are open anyway, so what was
sealed can still be told from it. Which rows were blanked is fixed by a digest in the sealed act of
blanking, and the act is vouched for with the installation's key, so that nobody who can only write
to the database can hide a row by making it look like erased (`core.checking`).
"""

import hashlib
import hmac
import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry, record
from core.keys import derived

BLANKED = "ledger.blanked"
# Codes that tell of no person: by the first word of an action, what stands open in the ledger.
_OF_CONSENT = frozenset("purpose version language text_hash capacity material_change".split())
OPEN_FACTS = {
    "consent": _OF_CONSENT,
    "document": _OF_CONSENT,
    "ledger": frozenset("key public signed_by signature rows rows_digest vouched".split()),
}


def blank(
    session: Session,
    public_ids: Collection[uuid.UUID],
    *,
    at: datetime,
    actor_id: uuid.UUID | None = None,
    actor_role: str = "",
    spares: Callable[[AuditEntry], bool] = lambda _row: False,
) -> int:
    """Take these people or things out of every row of the log; returns how many rows.

    A row that names one of them, as actor, subject, client or in its details, loses all its ids
    that are among them, and its details. A row that is spared stays as it is.
    """
    session.flush()
    naming = session.scalars(_naming(public_ids).order_by(AuditEntry.id).with_for_update())
    rows = [row for row in naming if not spares(row)]
    if not rows:
        return 0
    # One that was blanked before stays with the act that accounts for it.
    fresh = [row for row in rows if row.blanked_by is None]
    digest = rows_digest(row.public_id for row in fresh)
    act = record(
        session,
        at=at,
        action=BLANKED,
        subject_kind="log",
        subject_id=None,
        actor_id=actor_id,
        actor_role=actor_role,
        rows=len(fresh),
        rows_digest=digest,
        vouched=vouched(digest),
    )
    for row in rows:
        _blank(row, set(public_ids), act.public_id)
    session.flush()
    return len(rows)


def open_facts(action: str, details: dict[str, Any]) -> dict[str, Any]:
    """What of an act's details stands open in the ledger and outlives an erasure."""
    names = OPEN_FACTS.get(action.partition(".")[0], frozenset())
    return {name: value for name, value in details.items() if name in names}


def rows_digest(public_ids: Iterable[uuid.UUID]) -> str:
    """SHA-256, in hex, of the sorted public ids of rows, one a line."""
    return hashlib.sha256("\n".join(sorted(map(str, public_ids))).encode()).hexdigest()


def vouched(digest: str) -> str:
    """HMAC-SHA-256, in hex, of a digest of rows: that it was Attune that blanked them."""
    return hmac.digest(derived("blanking"), digest.encode(), "sha256").hex()


def _naming(public_ids: Collection[uuid.UUID]) -> sa.Select[AuditEntry]:
    columns = (AuditEntry.actor_id, AuditEntry.subject_id, AuditEntry.client_id)
    text = sa.type_coerce(AuditEntry.details, sa.Text)
    return sa.select(AuditEntry).where(
        sa.or_(
            *(column.in_(public_ids) for column in columns),
            *(text.contains(str(public_id)) for public_id in public_ids),
        )
    )


def _blank(row: AuditEntry, public_ids: set[uuid.UUID], act: uuid.UUID) -> None:
    row.actor_id = None if row.actor_id in public_ids else row.actor_id
    row.subject_id = None if row.subject_id in public_ids else row.subject_id
    row.client_id = None if row.client_id in public_ids else row.client_id
    row.details, row.salt = open_facts(row.action, row.details), ""
    row.blanked_by = row.blanked_by or act
