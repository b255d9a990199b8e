"""Signed copies of consents: what was agreed, with the proof that the ledger holds it.

What others call: `copy_page(session, signature, at)`, outside a unit of work.
"""

import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import copies
from core.audit import AuditEntry, record
from core.canonical import digest, instant
from core.database import unit_of_work
from core.errors import Refusal
from core.keys import derived
from core.ledger import LedgerEntry, inclusion_of, newest_checkpoint, seal_now
from core.signing import published_keys
from practice.consent.models import Signature

SIGNED, WITNESSED = "consent.signed", "consent.witnessed"
REVOKED, REVOCATION_WITNESSED = "consent.revoked", "consent.revocation_witnessed"


class NotAsSealed(Refusal):
    message = (
        "What is on file about this consent is not what was sealed when it was signed. We cannot "
        "give you a copy of it. Please tell the clinic."
    )


def copy_page(session: Session, signature: Signature, at: datetime) -> str:
    """The copy as one page that carries its own proof (`core.copies`).

    Seals what is not sealed yet, and puts into the ledger what was signed before there was one;
    so it must not be called inside a unit of work. Raises NotAsSealed when the rows are no longer
    what was sealed.
    """
    if not _is_in_the_ledger(session, signature):
        with unit_of_work() as writing:
            _witness(writing, signature, at)
    if _acts_wait(session, signature):
        seal_now(at)
    return copies.readable(_copy(session, signature))


def sealed_details(signature: Signature) -> dict[str, Any]:
    """What an act about this signature says in the ledger."""
    return {
        "purpose": signature.purpose.value,
        "version": signature.document.version,
        "language": signature.document.language,
        "text_hash": signature.document.text_hash,
        "capacity": signature.capacity.value,
        "evidence": digest(facts_of(signature)),
    }


def facts_of(signature: Signature) -> dict[str, Any]:
    """Everything that a copy says about how it was signed; the ledger holds a digest of it."""
    document, evidence = signature.document, signature.evidence
    return {
        "capacity": signature.capacity.value,
        "document_version": document.version,
        "jurisdiction": document.jurisdiction,
        "language": document.language,
        "nonce": _nonce(signature),
        "place": signature.place,
        "purpose": signature.purpose.value,
        "scope": signature.scope,
        "scope_label": signature.scope_label,
        "signature": str(signature.public_id),
        "signed_at": instant(signature.signed_at),
        "text_hash": document.text_hash,
        "ticked": bool(evidence.get("ticked")),
        "title": document.title,
        "typed_name": evidence.get("typed_name") or "",
        "words": evidence.get("words") or "",
    }


def _nonce(signature: Signature) -> str:
    """Without it a name could be guessed from the digest."""
    return hmac.digest(derived("consent copies"), signature.public_id.bytes, "sha256").hex()


def _is_in_the_ledger(session: Session, signature: Signature) -> bool:
    signed = _act(session, signature, SIGNED, WITNESSED)
    if signature.revocation is None:
        return signed is not None
    return signed is not None and bool(_act(session, signature, REVOKED, REVOCATION_WITNESSED))


def _witness(session: Session, signature: Signature, at: datetime) -> None:
    """Put into the ledger what was signed or taken back before it kept such acts."""
    if _act(session, signature, SIGNED, WITNESSED) is None:
        _record(session, signature, WITNESSED, at)
    revocation = signature.revocation
    if revocation and _act(session, signature, REVOKED, REVOCATION_WITNESSED) is None:
        taken_back = instant(revocation.revoked_at)
        _record(session, signature, REVOCATION_WITNESSED, at, revoked_at=taken_back)


def _record(
    session: Session, signature: Signature, action: str, at: datetime, **details: str
) -> None:
    record(
        session,
        at=at,
        action=action,
        subject_kind="signature",
        subject_id=signature.public_id,
        actor_id=None,
        client_id=signature.client.public_id,
        **sealed_details(signature),
        **details,
    )


def _act(session: Session, signature: Signature, *actions: str) -> AuditEntry | None:
    """The first of these acts that says how it was signed; older ones did not."""
    about = sa.select(AuditEntry).where(
        AuditEntry.subject_id == signature.public_id, AuditEntry.action.in_(actions)
    )
    acts = session.scalars(about.order_by(AuditEntry.id))
    return next((act for act in acts if "evidence" in act.details), None)


def _acts_wait(session: Session, signature: Signature) -> bool:
    waiting = sa.select(AuditEntry.id).where(
        AuditEntry.subject_id == signature.public_id, AuditEntry.sealed_as.is_(None)
    )
    return session.scalars(waiting).first() is not None


def _copy(session: Session, signature: Signature) -> copies.Copy:
    checkpoint = newest_checkpoint(session)
    assert checkpoint is not None
    public = next(key.public for key in published_keys(session) if key.key == checkpoint.key)
    copy = copies.made(
        signature.document.body,
        facts_of(signature),
        list(_sealed_acts(session, signature, checkpoint.size)),
        checkpoint.signed.plain,
        bytes.fromhex(public),
    )
    try:
        copies.require_agreement(copy)
    except copies.Disagreement:
        raise NotAsSealed from None
    return copy


def _sealed_acts(session: Session, signature: Signature, size: int) -> Iterator[dict[str, Any]]:
    acts = [_act(session, signature, SIGNED, WITNESSED)]
    if signature.revocation:
        acts.append(_act(session, signature, REVOKED, REVOCATION_WITNESSED))
    for act in acts:
        assert act is not None
        sealed = session.scalars(sa.select(LedgerEntry).where(LedgerEntry.entry_id == act.id)).one()
        yield {
            "details": act.details,
            "entry": sealed.act,
            "proof": [step.hex() for step in inclusion_of(session, sealed.seq, size)],
            "salt": act.salt,
        }
