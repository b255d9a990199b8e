"""Which consents are in force, as clauses for everybody's queries, and whose pages are whose."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.database import db
from practice.accounts.models import Client
from practice.consent.models import ConsentDocument, Purpose, Revocation, Signature

BEFORE_INTAKE = (Purpose.privacy_notice, Purpose.assessment)

Scope = TypeVar("Scope", bound=Callable[..., Any])

# Aliased, so that a query about signatures can hold the clause too; once, as it takes long.
_SIGNATURE, _DOCUMENT = aliased(Signature), aliased(ConsentDocument)
_REVOKED = aliased(Revocation)


def beyond_consent(reason: str) -> Callable[[Scope], Scope]:
    """Mark a scoped query that rightly holds no consent clause, and say why.

    Every other one is asked for its clause by tests/conventions/test_consent_clauses.py.
    """

    def attach(scope: Scope) -> Scope:
        scope.beyond_consent = reason  # type: ignore[attr-defined]
        return scope

    return attach


def in_force(
    purpose: Purpose,
    client_id: int | sa.ColumnElement[int],
    scope: str | sa.ColumnElement[str] = "",
) -> sa.ColumnElement[bool]:
    """EXISTS: this client has agreed, with this scope, and has not taken it back.

    `client_id` and `scope` may be columns of the query around. A newer version of the text does
    not end a consent; it is asked for again (`needs_signing`).
    """
    return _signed(purpose, client_id, scope).exists()


def stood_beyond(
    purpose: Purpose, client_id: sa.ColumnElement[int], instant: sa.ColumnElement[datetime]
) -> sa.ColumnElement[bool]:
    """EXISTS: as `in_force`, or taken back only after `instant`, a column of the query around."""
    return _signed(purpose, client_id, "", revoked_by=instant).exists()


def has(purpose: Purpose, client: Client, scope: str = "") -> bool:
    return bool(db.session.scalar(sa.select(in_force(purpose, client.id, scope))))


def needs_signing(purpose: Purpose, client: Client, scope: str = "") -> bool:
    """Whether to ask (again): nothing in force, or only under words that have since changed."""
    signed = _signed(purpose, client.id, scope, since_version=_last_material_version(purpose))
    return not db.session.scalar(sa.select(signed.exists()))


def may_begin_intake(client: Client) -> bool:
    """Whether everything that stands before the first health question is agreed to."""
    return not any(needs_signing(purpose, client) for purpose in BEFORE_INTAKE)


@beyond_consent("a person's own signatures: their proof of what they agreed to")
def signatures_of(client: Client) -> sa.Select[Signature]:
    """What pages about a client's consents start from."""
    return (
        sa.select(Signature)
        .where(Signature.client_id == client.id)
        .options(sa.orm.joinedload(Signature.revocation), sa.orm.joinedload(Signature.signer))
    )


def _signed(
    purpose: Purpose, client_id: Any, scope: Any, since_version: int = 0, revoked_by: Any = None
) -> sa.Select[Any]:
    taken_back = sa.select(_REVOKED.id).where(_REVOKED.signature_id == _SIGNATURE.id)
    if revoked_by is not None:
        taken_back = taken_back.where(_REVOKED.revoked_at <= revoked_by)
    return (
        sa.select(sa.literal(1))
        .select_from(_SIGNATURE)
        .join(_DOCUMENT, _DOCUMENT.id == _SIGNATURE.document_id)
        .where(_SIGNATURE.purpose == purpose)
        .where(_SIGNATURE.client_id == client_id, _SIGNATURE.scope == scope)
        .where(_DOCUMENT.version >= since_version)
        .where(~taken_back.exists())
    )


def _last_material_version(purpose: Purpose) -> int:
    material = sa.select(sa.func.max(ConsentDocument.version)).where(
        ConsentDocument.purpose == purpose,
        ConsentDocument.language == "en",
        ConsentDocument.material_change,
    )
    return db.session.scalar(material) or 0
