"""Asking again: whom a newer text concerns, and the mail that says only that something waits."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core.clock import now
from core.database import unit_of_work
from core.outbox import post
from practice.accounts.models import Client, User
from practice.accounts.neutral_mail import say_something_waits
from practice.consent.going_on import is_over
from practice.consent.models import ConsentDocument, Purpose, Revocation, Signature
from practice.consent.policy import beyond_consent

ASK_AGAIN = "consent.ask_again"
# So many mails in one transaction; the rest is the next piece of work.
AT_ONCE = 200


def how_many_are_asked(session: Session, purpose: Purpose, version: int) -> int:
    """How many people would be asked by a material change in this version: a number, no names."""
    concerned = people_concerned(purpose, version).order_by(None).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(concerned)) or 0


@beyond_consent("whom to ask again: nothing of theirs but where to write is read")
def people_concerned(purpose: Purpose, version: int) -> sa.Select[Client]:
    """Clients whose standing agreement is to an earlier version, in the order of their rows.

    Not those whose care with that therapist, or whose time in that group, is over.
    """
    older = _standing(purpose, aliased(Signature), before=version)
    return (
        sa.select(Client)
        .join(User, User.id == Client.user_id)
        .where(older.exists(), User.disabled_at.is_(None))
        .order_by(Client.id)
    )


def post_asking(session: Session, document: ConsentDocument, at: datetime, after: int = 0) -> None:
    """Have the people whom this version concerns told, from the one behind row `after` on."""
    payload = {"document": str(document.public_id), "after": after}
    key = f"{ASK_AGAIN}:{document.public_id}:{after}"
    post(session, ASK_AGAIN, payload, dedupe_key=key, at=at)


def ask_again(payload: dict[str, Any]) -> None:
    """The outbox handler: some people now, and the next piece of work for the others."""
    at = now()
    with unit_of_work() as session:
        document = _document(session, payload)
        concerned = people_concerned(document.purpose, document.version)
        some = concerned.where(Client.id > payload["after"]).limit(AT_ONCE)
        clients = session.scalars(some).all()
        for client in clients:
            about = f"consent:{document.public_id}"
            say_something_waits(session, client.user, at, path="/consents", about=about)
        if len(clients) == AT_ONCE:
            post_asking(session, document, at, after=clients[-1].id)


def _document(session: Session, payload: dict[str, Any]) -> ConsentDocument:
    wanted = ConsentDocument.public_id == uuid.UUID(payload["document"])
    return session.scalars(sa.select(ConsentDocument).where(wanted)).one()


def _standing(purpose: Purpose, signature: Any, *, before: int) -> sa.Select[Any]:
    """A signature that was neither taken back nor replaced by one to this version or a later."""
    document, newer, newer_document = (
        aliased(ConsentDocument),
        aliased(Signature),
        aliased(ConsentDocument),
    )
    taken_back = sa.select(Revocation.id).where(Revocation.signature_id == signature.id)
    replaced = (
        sa.select(newer.id)
        .join(newer_document, newer_document.id == newer.document_id)
        .where(newer.client_id == signature.client_id, newer.purpose == signature.purpose)
        .where(newer.scope == signature.scope, newer_document.version >= before)
    )
    return (
        sa.select(signature.id)
        .join(document, document.id == signature.document_id)
        .where(signature.client_id == Client.id, signature.purpose == purpose)
        .where(document.version < before, ~taken_back.exists(), ~replaced.exists())
        .where(~is_over(signature))
    )
