"""Wishes to be forgotten, what the law keeps after them, and what stops a deletion."""

import enum
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, Key, enum_column
from core.encryption import Realm, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client, User


class ErasureRequest(Identified, Base):
    """A wish to be forgotten. Its public id is the reference that the person keeps.

    `client_ref` is the public id of the client, without a bond: the request outlives their row.
    """

    __tablename__ = "erasure_requests"
    __table_args__ = (
        sa.Index(
            "uq_erasure_requests_waiting_client_ref",
            "client_ref",
            unique=True,
            sqlite_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    client_ref: Mapped[uuid.UUID] = mapped_column(index=True)
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    cancelled_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    # When the last of what the law kept had gone as well.
    complete_at: Mapped[datetime | None]

    @property
    def is_waiting(self) -> bool:
        return self.done_at is None and self.cancelled_at is None

    def cancel(self, at: datetime) -> None:
        if not self.is_waiting:
            raise WrongState
        self.cancelled_at = at


class Because(enum.StrEnum):
    """Why something stays although the person asked for it to go."""

    clinical_record = "clinical_record"
    consent_proof = "consent_proof"
    payment_record = "payment_record"
    open_payment = "open_payment"
    open_flag = "open_flag"
    legal_hold = "legal_hold"


class Restriction(Base):
    """Something that stays for a while, closed to everybody but the records custodian.

    `holding` is a key of `holdings.HOLDINGS`; `until` is None while an event is waited for.
    """

    __tablename__ = "restrictions"
    __table_args__ = (sa.UniqueConstraint("client_id", "holding", "because"),)

    id: Mapped[Key]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"))
    holding: Mapped[str] = mapped_column(sa.String(40))
    because: Mapped[Because] = enum_column(Because)
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class LegalHold(Identified, Base):
    """Nothing of this client is deleted until the hold is lifted, whoever asks."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        sa.Index(
            "uq_legal_holds_standing_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"))
    placed_at: Mapped[datetime]
    placed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reason = sealed_text(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
    placed_by: Mapped[User] = relationship(foreign_keys=[placed_by_id], lazy="joined")

    def lift(self, actor: User, at: datetime) -> None:
        if self.lifted_at is not None:
            raise WrongState
        self.lifted_at, self.lifted_by_id = at, actor.id


class RetentionRun(Identified, Base):
    """One keeping of the schedule: `gone` counts what was deleted, by rule.

    `failed` are rules that could not be kept to the end; the next run tries them again.
    """

    __tablename__ = "retention_runs"

    at: Mapped[datetime] = mapped_column(index=True)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    gone: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    failed: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")

    by: Mapped[User | None] = relationship()
