"""Holds what people agreed to against the ledger: texts, signatures and revocations."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.canonical import instant
from core.encryption import Erased, Unreadable
from core.ledger import LedgerEntry
from practice.consent.copying import REVOKED, SIGNED, WITNESSED, sealed_details
from practice.consent.models import ConsentDocument, Signature
from practice.consent.operations import text_hash

IN_ONE_READ = 200


def differences_from_ledger(session: Session) -> Iterator[str]:
    """A sentence for each text or signature that is not what its sealed act says."""
    yield from _texts(session)
    yield from _signatures(session)


def _texts(session: Session) -> Iterator[str]:
    published = _details_by_subject(session, "document.published")
    for document in session.scalars(sa.select(ConsentDocument)):
        sealed = published.get(document.public_id)
        if sealed and sealed["text_hash"] != text_hash(document.body):
            yield f"the text of {document.purpose.value} version {document.version} was changed"


def _signatures(session: Session) -> Iterator[str]:
    """Those whose words can still be read; what was erased can no longer be compared."""
    last = 0
    while rows := session.scalars(_after(last)).all():
        last = rows[-1].id
        acts = _acts_about(session, [row.public_id for row in rows])
        for row in rows:
            yield from _differences(row, acts.get(row.public_id, []))


def _differences(row: Signature, acts: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    try:
        now = sealed_details(row)
    except (Erased, Unreadable):
        return
    for action, details in acts:
        if action in {SIGNED, WITNESSED} and details["evidence"] != now["evidence"]:
            yield f"signature {row.public_id} is not what was sealed"
        if action == REVOKED and (
            row.revocation is None or instant(row.revocation.revoked_at) != details["revoked_at"]
        ):
            yield f"signature {row.public_id} was taken back, but its row does not say so"


def _after(last: int) -> sa.Select[Signature]:
    return (
        sa.select(Signature)
        .options(sa.orm.joinedload(Signature.revocation), sa.orm.joinedload(Signature.client))
        .where(Signature.id > last)
        .order_by(Signature.id)
        .limit(IN_ONE_READ)
    )


def _acts_about(session: Session, public_ids: list[Any]) -> dict[Any, list[tuple[str, Any]]]:
    acts: dict[Any, list[tuple[str, Any]]] = {}
    about = (
        sa.select(AuditEntry.subject_id, AuditEntry.action, AuditEntry.details)
        .join(LedgerEntry, LedgerEntry.entry_id == AuditEntry.id)
        .where(AuditEntry.subject_id.in_(public_ids), AuditEntry.blanked_by.is_(None))
    )
    for subject, action, details in session.execute(about):
        if "evidence" in details:
            acts.setdefault(subject, []).append((action, details))
    return acts


def _details_by_subject(session: Session, action: str) -> dict[Any, dict[str, Any]]:
    acts = sa.select(AuditEntry.subject_id, AuditEntry.details).where(AuditEntry.action == action)
    return {row.subject_id: row.details for row in session.execute(acts)}
