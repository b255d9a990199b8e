"""Published texts and signatures for tests."""

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client
from practice.consent.models import ConsentDocument, Purpose, Revocation, Signature
from tests.builders.kept import kept
from tests.conftest import NOW

BEFORE_INTAKE = (Purpose.privacy_notice, Purpose.assessment)


@kept
def make_document(
    session: Session,
    purpose: Purpose = Purpose.treatment,
    *,
    version: int = 1,
    body: str = "You agree to this.\n",
    at: datetime = NOW,
    **columns: Any,
) -> ConsentDocument:
    """A flushed published version of a text."""
    document = ConsentDocument(
        purpose=purpose,
        version=version,
        body=body,
        text_hash=hashlib.sha256(body.encode()).hexdigest(),
        published_at=at,
        **{"title": purpose.value.replace("_", " ").capitalize()} | columns,
    )
    session.add(document)
    session.flush()
    return document


@kept
def make_signature(
    session: Session,
    client: Client,
    purpose: Purpose = Purpose.treatment,
    *,
    scope: str = "",
    document: ConsentDocument | None = None,
    at: datetime = NOW,
    **columns: Any,
) -> Signature:
    """A flushed signature of the client under the newest text, published first if need be."""
    signature = Signature(
        document=document or newest_document(session, purpose, at=at),
        purpose=purpose,
        scope=scope,
        client=client,
        signer=client.user,
        signed_at=at,
        **{"place": client.place, "evidence": {"typed_name": "Sam Doe", "ticked": True}} | columns,
    )
    session.add(signature)
    session.flush()
    return signature


@kept
def sign_before_intake(session: Session, client: Client, *, at: datetime = NOW) -> list[Signature]:
    """The privacy notice and the agreement to assessment and safety contact."""
    return [make_signature(session, client, purpose, at=at) for purpose in BEFORE_INTAKE]


@kept
def make_revocation(session: Session, signature: Signature, *, at: datetime = NOW) -> Revocation:
    revocation = Revocation(
        signature=signature,
        revoked_at=at,
        revoked_by_id=signature.signer_id,
        effect="Nothing new is shared.",
    )
    session.add(revocation)
    session.flush()
    return revocation


def newest_document(session: Session, purpose: Purpose, *, at: datetime = NOW) -> ConsentDocument:
    newest = (
        sa.select(ConsentDocument)
        .where(ConsentDocument.purpose == purpose)
        .order_by(ConsentDocument.version.desc())
        .limit(1)
    )
    return session.scalars(newest).first() or make_document(session, purpose, at=at)
