"""Reads of consent: the texts in use, and what a client has signed."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import db
from core.errors import Refusal
from practice.consent.going_on import is_over
from practice.consent.models import ConsentDocument, Purpose, Signature
from practice.consent.purposes import PURPOSES, PurposeTerms


class NothingPublished(Refusal):
    message = "This text is not published yet. Please come back a little later."


def current_document(purpose: Purpose, language: str = "en") -> ConsentDocument:
    """The newest published version; raises NothingPublished."""
    document = newest_document(db.session(), purpose, language)
    if document is None:
        raise NothingPublished
    return document


def newest_document(
    session: Session, purpose: Purpose, language: str = "en"
) -> ConsentDocument | None:
    return session.scalars(_versions(purpose, language).limit(1)).first()


def versions(purpose: Purpose, language: str = "en") -> Sequence[ConsentDocument]:
    """Every published version, the newest first."""
    return db.session.scalars(_versions(purpose, language)).all()


@dataclass(frozen=True)
class SignedConsent:
    """A line of a client's list.

    `is_over` when what it was for has ended (`going_on`); `is_asked_again` when it goes on and its
    words have changed materially since.
    """

    signature: Signature
    is_latest: bool
    is_over: bool
    is_asked_again: bool

    @property
    def terms(self) -> PurposeTerms:
        return PURPOSES[self.signature.purpose]

    @property
    def is_withdrawn(self) -> bool:
        return self.signature.revocation is not None

    @property
    def is_in_force(self) -> bool:
        return self.is_latest and not self.is_withdrawn


def signed_consents(mine: sa.Select[Signature]) -> list[SignedConsent]:
    """The signatures of a scoped select, the newest first; later ones replace earlier ones."""
    signatures = db.session.scalars(
        mine.order_by(Signature.signed_at.desc(), Signature.id.desc())
    ).all()
    material, over, seen, lines = _material_versions(), _over(signatures), set(), []
    for signature in signatures:
        about = (signature.purpose, signature.scope)
        older = signature.document.version < material.get(signature.purpose, 0)
        is_latest = about not in seen
        has_ended = signature.id in over
        asked_again = is_latest and older and signature.revocation is None and not has_ended
        lines.append(SignedConsent(signature, is_latest, has_ended, asked_again))
        seen.add(about)
    return lines


def is_asked_again(mine: sa.Select[Signature]) -> bool:
    """Whether somebody's standing agreement waits for their word on a newer text."""
    return any(line.is_asked_again for line in signed_consents(mine))


def has_ended(signature: Signature) -> bool:
    """Whether what it was for is over; it was not necessarily taken back."""
    return bool(_over([signature]))


def _over(signatures: Sequence[Signature]) -> set[int]:
    """The keys of those whose care or group is over."""
    keys = [signature.id for signature in signatures]
    over = sa.select(Signature.id).where(Signature.id.in_(keys), is_over(Signature))
    return set(db.session.scalars(over))


def _material_versions() -> dict[Purpose, int]:
    newest = (
        sa.select(ConsentDocument.purpose, sa.func.max(ConsentDocument.version))
        .where(ConsentDocument.language == "en", ConsentDocument.material_change)
        .group_by(ConsentDocument.purpose)
    )
    return {row[0]: row[1] for row in db.session.execute(newest)}


def _versions(purpose: Purpose, language: str) -> sa.Select[ConsentDocument]:
    return (
        sa.select(ConsentDocument)
        .where(ConsentDocument.purpose == purpose, ConsentDocument.language == language)
        .order_by(ConsentDocument.version.desc())
    )
