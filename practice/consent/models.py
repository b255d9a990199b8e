"""What was agreed to, in which words, by whom, and what was taken back. Rows are only added."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Key, enum_column
from core.encryption import Realm, sealed_json, sealed_text
from practice.accounts.models import Client, User


class Purpose(enum.StrEnum):
    privacy_notice = "privacy_notice"
    assessment = "assessment"
    treatment = "treatment"
    group = "group"
    learning = "learning"


class SignerCapacity(enum.StrEnum):
    self_ = "self"
    guardian = "guardian"
    proxy = "proxy"


class ConsentDocument(Identified, Base):
    """One version of a text. Never edited once published; `text_hash` is SHA-256 of `body`."""

    __tablename__ = "consent_documents"
    __table_args__ = (sa.UniqueConstraint("purpose", "language", "version"),)

    purpose: Mapped[Purpose] = enum_column(Purpose)
    version: Mapped[int]
    language: Mapped[str] = mapped_column(sa.String(20), default="en")
    jurisdiction: Mapped[str] = mapped_column(sa.String(6), default="US")
    title: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)
    text_hash: Mapped[str] = mapped_column(sa.String(64))
    material_change: Mapped[bool] = mapped_column(default=True)
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))


class Signature(Identified, Base):
    """A consent given: signer and subject are two columns.

    `scope` names with whom: "" for the organisation, "therapist:<uuid>" or "group:<uuid>".
    """

    __tablename__ = "signatures"
    __table_args__ = (sa.Index("ix_signatures_in_force", "client_id", "purpose", "scope"),)

    document_id: Mapped[int] = mapped_column(sa.ForeignKey("consent_documents.id"))
    purpose: Mapped[Purpose] = enum_column(Purpose)
    scope: Mapped[str] = mapped_column(sa.String(60), default="")
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"))
    signer_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    capacity: Mapped[SignerCapacity] = enum_column(SignerCapacity, default=SignerCapacity.self_)
    signed_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(sa.String(6), default="")

    scope_label = sealed_text(Realm.record, owner="client")
    evidence = sealed_json(Realm.record, owner="client", empty=dict)

    document: Mapped[ConsentDocument] = relationship(lazy="joined")
    client: Mapped[Client] = relationship()
    signer: Mapped[User] = relationship()
    revocation: Mapped["Revocation | None"] = relationship(back_populates="signature")


class Revocation(Base):
    """A consent taken back: at once for new sharing; what the law keeps stays, restricted."""

    __tablename__ = "revocations"

    id: Mapped[Key]
    signature_id: Mapped[int] = mapped_column(sa.ForeignKey("signatures.id"), unique=True)
    revoked_at: Mapped[datetime]
    revoked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    effect: Mapped[str] = mapped_column(sa.Text)

    signature: Mapped[Signature] = relationship(back_populates="revocation")
