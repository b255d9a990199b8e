"""What was looked up where, and what was decided, by whom and why. Rows are only added."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified
from practice.accounts.models import User
from practice.therapists.models import Licence, Therapist


class LicenceCheck(Identified, Base):
    """A look-up of a licence at its primary source, word for word (NCQA: at most 120 days old).

    `same_person` says how the looker knows it is the same person although the name differs.
    """

    __tablename__ = "licence_checks"

    licence_id: Mapped[int] = mapped_column(sa.ForeignKey("licences.id"), index=True)
    source: Mapped[str] = mapped_column(sa.String(200))
    source_address: Mapped[str] = mapped_column(sa.String(300), default="")
    method: Mapped[str] = mapped_column(sa.String(40), default="board look-up")
    retrieved_at: Mapped[datetime]
    verbatim_status: Mapped[str] = mapped_column(sa.Text)
    found_name: Mapped[str] = mapped_column(sa.String(200), default="")
    found_number: Mapped[str] = mapped_column(sa.String(40), default="")
    found_expires_on: Mapped[date | None]
    same_person: Mapped[str] = mapped_column(sa.Text, default="")
    discipline: Mapped[bool] = mapped_column(default=False)
    evidence_hash: Mapped[str] = mapped_column(sa.String(64))
    looked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    licence: Mapped[Licence] = relationship()
    looked_by: Mapped[User] = relationship(lazy="joined")


class NpiCheck(Identified, Base):
    """What the NPI registry says: self-reported, an identity hint, never proof of a licence."""

    __tablename__ = "npi_checks"

    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    npi: Mapped[str] = mapped_column(sa.String(10))
    check_digit_valid: Mapped[bool]
    found_name: Mapped[str] = mapped_column(sa.String(200), default="")
    found_taxonomy: Mapped[str] = mapped_column(sa.String(200), default="")
    same_person: Mapped[str] = mapped_column(sa.Text, default="")
    source: Mapped[str] = mapped_column(sa.String(200))
    retrieved_at: Mapped[datetime]
    looked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))

    therapist: Mapped[Therapist] = relationship()
    looked_by: Mapped[User] = relationship(lazy="joined")


class Decision(Identified, Base):
    """A change of state of an application or a licence, with its reason."""

    __tablename__ = "decisions"

    subject_kind: Mapped[str] = mapped_column(sa.String(20))
    subject_id: Mapped[uuid.UUID] = mapped_column(index=True)
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    from_state: Mapped[str] = mapped_column(sa.String(40))
    to_state: Mapped[str] = mapped_column(sa.String(40))
    reason: Mapped[str] = mapped_column(sa.Text)
    missing: Mapped[str] = mapped_column(sa.Text, default="")
    decided_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    confirmed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    decided_by: Mapped[User] = relationship(foreign_keys=[decided_by_id], lazy="joined")
    confirmed_by: Mapped[User | None] = relationship(foreign_keys=[confirmed_by_id])


_OPEN = "answered_at IS NULL"


class Reversal(Identified, Base):
    """A wish to undo a decision or to end a right for good: it waits for a second administrator."""

    __tablename__ = "reversals"
    __table_args__ = (
        sa.Index(
            "uq_reversals_open_subject_id",
            "subject_id",
            unique=True,
            sqlite_where=sa.text(_OPEN),
            postgresql_where=sa.text(_OPEN),
        ),
    )

    subject_kind: Mapped[str] = mapped_column(sa.String(20))
    subject_id: Mapped[uuid.UUID]
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    to_state: Mapped[str] = mapped_column(sa.String(40))
    reason: Mapped[str] = mapped_column(sa.Text)
    proposed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    proposed_at: Mapped[datetime]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    confirmed: Mapped[bool] = mapped_column(default=False)

    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id], lazy="joined")
    answered_by: Mapped[User | None] = relationship(foreign_keys=[answered_by_id])
