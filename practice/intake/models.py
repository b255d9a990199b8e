"""The intake as it is answered, the assessments scored from it, and the risk flags it raises."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Key, enum_column
from core.encryption import Realm, sealed_json, sealed_text
from practice.accounts.models import Client, User


class Intake(Identified, Base):
    """One run through the questions; a client has at most one that is not submitted."""

    __tablename__ = "intakes"
    __table_args__ = (
        sa.Index(
            "uq_intakes_open_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text("submitted_at IS NULL"),
            postgresql_where=sa.text("submitted_at IS NULL"),
        ),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    started_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship()
    answers: Mapped[list["IntakeAnswer"]] = relationship(
        back_populates="intake", lazy="selectin", cascade="all, delete-orphan"
    )


class IntakeAnswer(Identified, Base):
    """The answer of one question page as given; `value` is None when the page was skipped."""

    __tablename__ = "intake_answers"
    __table_args__ = (sa.UniqueConstraint("intake_id", "page"),)

    intake_id: Mapped[int] = mapped_column(sa.ForeignKey("intakes.id"))
    page: Mapped[str] = mapped_column(sa.String(40))
    answered_at: Mapped[datetime]

    value = sealed_json(Realm.personal, owner="intake.client")

    intake: Mapped[Intake] = relationship(back_populates="answers")


class Assessment(Identified, Base):
    """An instrument answered and scored. `total` and `band` are None when incomplete."""

    __tablename__ = "assessments"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    intake_id: Mapped[int | None] = mapped_column(sa.ForeignKey("intakes.id"))
    instrument: Mapped[str] = mapped_column(sa.String(40))
    instrument_version: Mapped[str] = mapped_column(sa.String(20))
    taken_at: Mapped[datetime]

    responses = sealed_json(Realm.record, owner="client")
    result = sealed_json(Realm.record, owner="client")

    client: Mapped[Client] = relationship()

    @property
    def total(self) -> int | None:
        return self.result["total"]

    @property
    def band(self) -> str | None:
        return self.result["band"]

    @property
    def is_complete(self) -> bool:
        return self.result["status"] == "complete"


class DutyShift(Identified, Base):
    """Who reads risk flags from when until when."""

    __tablename__ = "duty_shifts"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="joined")


class RiskFlag(Identified, Base):
    """Somebody may be in danger. Open until a duty clinician records an outcome."""

    __tablename__ = "risk_flags"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    intake_id: Mapped[int | None] = mapped_column(sa.ForeignKey("intakes.id"), index=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    raised_at: Mapped[datetime] = mapped_column(index=True)
    promised: Mapped[str] = mapped_column(sa.String(300), default="")

    raised_by = sealed_json(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
    intake: Mapped[Intake | None] = relationship()
    readings: Mapped[list["FlagReading"]] = relationship(
        back_populates="flag", lazy="selectin", order_by="FlagReading.id"
    )
    contacts: Mapped[list["FlagContact"]] = relationship(
        back_populates="flag", lazy="selectin", order_by="FlagContact.id"
    )
    outcome: Mapped["FlagOutcome | None"] = relationship(back_populates="flag", lazy="joined")

    @property
    def is_open(self) -> bool:
        return self.outcome is None

    def was_read_by(self, user: User) -> bool:
        return any(reading.user_id == user.id for reading in self.readings)

    def bears(self, result: "FlagResult") -> bool:
        """Whether the contacts so far allow this result."""
        if result in NEEDS_THEIR_WORD:
            return any(contact.reached for contact in self.contacts)
        return bool(self.contacts)


class FlagReading(Base):
    """A clinician opened the flag: nothing closes unseen."""

    __tablename__ = "flag_readings"

    id: Mapped[Key]
    flag_id: Mapped[int] = mapped_column(sa.ForeignKey("risk_flags.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    read_at: Mapped[datetime]

    flag: Mapped[RiskFlag] = relationship(back_populates="readings")
    user: Mapped[User] = relationship(lazy="joined")


class ContactManner(enum.StrEnum):
    telephone = "telephone"
    message = "message"
    in_person = "in_person"
    emergency_service = "emergency_service"

    @property
    def label(self) -> str:
        return CONTACT_LABELS[self]


CONTACT_LABELS = {
    ContactManner.telephone: "By telephone",
    ContactManner.message: "By message",
    ContactManner.in_person: "In person",
    ContactManner.emergency_service: "Through the emergency service",
}


class FlagContact(Identified, Base):
    """A try to reach the person, whether or not it reached them."""

    __tablename__ = "flag_contacts"

    flag_id: Mapped[int] = mapped_column(sa.ForeignKey("risk_flags.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]
    manner: Mapped[ContactManner] = enum_column(ContactManner)
    reached: Mapped[bool]

    words = sealed_text(Realm.record, owner="flag.client")

    flag: Mapped[RiskFlag] = relationship(back_populates="contacts")
    user: Mapped[User] = relationship(lazy="joined")


class FlagResult(enum.StrEnum):
    safe_plan_made = "safe_plan_made"
    referred_urgently = "referred_urgently"
    emergency_service_called = "emergency_service_called"
    not_reached_handed_on = "not_reached_handed_on"
    answered_by_mistake = "answered_by_mistake"

    @property
    def label(self) -> str:
        return RESULT_LABELS[self]


RESULT_LABELS = {
    FlagResult.safe_plan_made: "Talked, and made a plan to stay safe",
    FlagResult.referred_urgently: "Referred to urgent care",
    FlagResult.emergency_service_called: "Emergency service called",
    FlagResult.not_reached_handed_on: "Not reached, handed on",
    FlagResult.answered_by_mistake: "Answered by mistake, as they told us",
}

# What only the person can tell us needs a contact that reached them; all else needs a try.
NEEDS_THEIR_WORD = frozenset({FlagResult.safe_plan_made, FlagResult.answered_by_mistake})


class FlagOutcome(Identified, Base):
    """How a flag ended, who decided it and why."""

    __tablename__ = "flag_outcomes"

    flag_id: Mapped[int] = mapped_column(sa.ForeignKey("risk_flags.id"), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]
    result: Mapped[FlagResult] = enum_column(FlagResult)

    reason = sealed_text(Realm.record, owner="flag.client")

    flag: Mapped[RiskFlag] = relationship(back_populates="outcome")
    user: Mapped[User] = relationship(lazy="joined")
