"""Signing, taking back, and publishing the texts. Rows are added, never changed."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit import record
from core.canonical import instant
from core.errors import Refusal, WrongState
from practice.accounts.models import Client, User
from practice.consent.copying import REVOKED, SIGNED, sealed_details
from practice.consent.models import (
    ConsentDocument,
    Purpose,
    Revocation,
    Signature,
    SignerCapacity,
)
from practice.consent.purposes import PURPOSES
from practice.consent.queries import NothingPublished, newest_document
from practice.consent.renewing import post_asking
from practice.consent.signals import consent_revoked
from practice.consent.texts import shipped


class WordsChanged(Refusal):
    message = (
        "These words have changed since you opened the page. Please read them again before you "
        "agree."
    )


class NothingChanged(Refusal):
    message = "These are the words that are published already."


def sign(
    session: Session,
    purpose: Purpose,
    client: Client,
    signer: User,
    at: datetime,
    scope: str = "",
    scope_label: str = "",
    place: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> Signature:
    """Agree to the current text; signing the same words twice gives the signature there is.

    `evidence` says how the intent was shown (`SignForm.evidence`), `place` where the client is
    (ISO 3166-2; the client's own unless given). What was on the page is under "shown" in it (public
    ids of documents) and not kept. Raises NothingPublished, or WordsChanged if the current text was
    not among them.
    """
    document = newest_document(session, purpose)
    if document is None:
        raise NothingPublished
    meant = dict(evidence or {})
    shown = meant.pop("shown", None)
    if shown and str(document.public_id) not in shown:
        raise WordsChanged
    lock_consents_of(session, client)
    standing = _standing(session, client, purpose, scope)
    same = [signature for signature in standing if signature.document_id == document.id]
    if same:
        return same[0]
    signature = Signature(
        document=document,
        purpose=purpose,
        scope=scope,
        scope_label=scope_label,
        client=client,
        signer=signer,
        capacity=SignerCapacity.self_,
        signed_at=at,
        place=place or client.place,
        evidence=meant,
    )
    session.add(signature)
    session.flush()
    _record(session, signature, signer, SIGNED, at)
    return signature


def revoke(session: Session, signature: Signature, actor: User, at: datetime) -> Revocation:
    """Take a consent back, with every earlier version of the same: none of them goes on.

    Tells the rooms on the right (`consent_revoked`). Raises WrongState if it was taken back.
    """
    lock_consents_of(session, signature.client)
    standing = _standing(session, signature.client, signature.purpose, signature.scope)
    if signature not in standing:
        raise WrongState
    for one in standing:
        one.revocation = Revocation(
            revoked_at=at, revoked_by_id=actor.id, effect=PURPOSES[one.purpose].effect
        )
    session.flush()
    for one in standing:
        _record(session, one, actor, REVOKED, at, revoked_at=instant(at))
    consent_revoked.send(signature.purpose, signature=signature)
    assert signature.revocation is not None
    return signature.revocation


def publish(
    session: Session,
    purpose: Purpose,
    title: str,
    body: str,
    actor: User | None,
    at: datetime,
    *,
    material_change: bool = True,
    after_version: int | None = None,
) -> ConsentDocument:
    """Publish the next version of a text.

    `after_version` is the version its author started from: if somebody has published meanwhile,
    WrongState is raised. Raises NothingChanged for the very same words.
    """
    newest = newest_document(session, purpose)
    version = newest.version if newest else 0
    if after_version is not None and after_version != version:
        raise WrongState
    if newest is not None and (newest.title, newest.body) == (title, body):
        raise NothingChanged
    document = ConsentDocument(
        purpose=purpose,
        version=version + 1,
        title=title,
        body=body,
        text_hash=text_hash(body),
        material_change=material_change,
        published_at=at,
        published_by_id=actor.id if actor else None,
    )
    _add_version(session, document)
    _record_published(session, document, actor, at)
    if material_change:
        post_asking(session, document, at)
    return document


def ensure_documents(session: Session, at: datetime) -> list[ConsentDocument]:
    """Publish the texts that come with the product where none is published yet."""
    return [
        publish(session, purpose, *shipped(purpose), None, at)
        for purpose in Purpose
        if newest_document(session, purpose) is None
    ]


def lock_consents_of(session: Session, client: Client) -> None:
    """One signing or taking back at a time for a client, and the client as they are now.

    Taken before any other lock by whatever rests on a consent.
    """
    # Weaker than FOR UPDATE: rows that only refer to the client need not wait.
    session.refresh(client, with_for_update={"key_share": True, "of": Client})


def lock_consents_of_all(session: Session, clients: Iterable[Client]) -> None:
    """As `lock_consents_of`, in one order for everybody, so that no two wait for each other."""
    wanted = sa.select(Client).where(Client.id.in_({each.id for each in clients}))
    locked = wanted.order_by(Client.id).with_for_update(key_share=True, of=Client)
    session.scalars(locked.execution_options(populate_existing=True)).all()


def text_hash(body: str) -> str:
    """SHA-256 of the UTF-8 bytes, in hex."""
    return hashlib.sha256(body.encode()).hexdigest()


def _standing(session: Session, client: Client, purpose: Purpose, scope: str) -> list[Signature]:
    """Signatures of the same consent that were not taken back."""
    standing = (
        sa.select(Signature)
        .outerjoin(Signature.revocation)
        .where(Signature.client_id == client.id, Revocation.id.is_(None))
        .where(Signature.purpose == purpose, Signature.scope == scope)
        .order_by(Signature.id)
    )
    return list(session.scalars(standing))


def _add_version(session: Session, document: ConsentDocument) -> None:
    try:
        with session.begin_nested():
            session.add(document)
    except IntegrityError as error:
        raise WrongState from error


def _record(
    session: Session,
    signature: Signature,
    actor: User,
    action: str,
    at: datetime,
    **details: str,
) -> None:
    record(
        session,
        at=at,
        action=action,
        subject_kind="signature",
        subject_id=signature.public_id,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
        client_id=signature.client.public_id,
        **sealed_details(signature),
        **details,
    )


def _record_published(
    session: Session, document: ConsentDocument, actor: User | None, at: datetime
) -> None:
    record(
        session,
        at=at,
        action="document.published",
        subject_kind="document",
        subject_id=document.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=actor.main_role if actor else "",
        purpose=document.purpose,
        version=document.version,
        text_hash=document.text_hash,
        material_change=document.material_change,
    )
