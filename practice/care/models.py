"""Episodes of care: the bond from which a therapist's access derives, and what outlives it."""

import enum
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, enum_column
from core.encryption import Realm, sealed_text
from practice.accounts.models import Client, User
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist

# How long the responsible clinician writes closing notes; then the records custodian holds it all.
CLOSING_NOTES = timedelta(days=30)
# How long one search of the records custodian opens what it found.
LOOKUP = timedelta(minutes=60)


class EndReason(enum.StrEnum):
    """Why an episode ended; `consent_withdrawn` is the client's doing alone."""

    completed = "completed"
    client_wished = "client_wished"
    other_care = "other_care"
    no_contact = "no_contact"
    consent_withdrawn = "consent_withdrawn"

    @property
    def label(self) -> str:
        return END_LABELS[self]


END_LABELS = {
    EndReason.completed: "The work is done",
    EndReason.client_wished: "The client wishes to stop",
    EndReason.other_care: "Other care fits better",
    EndReason.no_contact: "Contact was lost",
    EndReason.consent_withdrawn: "The consent to treatment was withdrawn",
}


class Episode(Identified, Base):
    """One client in the care of one therapist, from the first meeting's booking to its end.

    `supervisor_id` is the supervisor whom the client has agreed to: the one named in the consent
    that opened it, until they agree to another.
    """

    __tablename__ = "episodes"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    supervisor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("match_requests.id"), unique=True)
    service: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[str] = mapped_column(sa.String(6))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(sa.String(60), default="")

    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist] = relationship(foreign_keys=[therapist_id], lazy="joined")
    supervisor: Mapped[Therapist | None] = relationship(foreign_keys=[supervisor_id])
    request: Mapped[MatchRequest | None] = relationship()
    closing_notes: Mapped[list["ClosingNote"]] = relationship(
        back_populates="episode", order_by="ClosingNote.id"
    )

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def closing_notes_until(self) -> datetime | None:
        """The first instant at which no closing note is written any more."""
        return self.ended_at + CLOSING_NOTES if self.ended_at else None


class ClosingNote(Identified, Base):
    """What the responsible clinician writes after the end. Never changed: an amendment is a row."""

    __tablename__ = "closing_notes"

    episode_id: Mapped[int] = mapped_column(sa.ForeignKey("episodes.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    amends_id: Mapped[int | None] = mapped_column(sa.ForeignKey("closing_notes.id"))
    written_at: Mapped[datetime]
    words = sealed_text(Realm.record, owner="episode.client")

    episode: Mapped[Episode] = relationship(back_populates="closing_notes")
    author: Mapped[User] = relationship(lazy="joined")
    amends: Mapped["ClosingNote | None"] = relationship(remote_side="ClosingNote.id")

    @property
    def is_late(self) -> bool:
        """Whether it was handed to the records custodian when the time for notes was over."""
        until = self.episode.closing_notes_until
        return until is not None and until <= self.written_at


class LookupReason(enum.StrEnum):
    """Why the records custodian opens a closed record; the client reads it in their access log."""

    client_asks = "client_asks"
    release = "release"
    law = "law"
    complaint = "complaint"
    retention = "retention"

    @property
    def label(self) -> str:
        return LOOKUP_LABELS[self]


LOOKUP_LABELS = {
    LookupReason.client_asks: "The client asks for their record",
    LookupReason.release: "Another provider asks, and the client agreed",
    LookupReason.law: "The law or a court asks for it",
    LookupReason.complaint: "A complaint or a mistake is being looked into",
    LookupReason.retention: "A check of what is still to be kept",
}


class RecordLookup(Identified, Base):
    """The records custodian found one client's closed record, and said why."""

    __tablename__ = "record_lookups"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    at: Mapped[datetime]
    reason: Mapped[LookupReason] = enum_column(LookupReason)
    words = sealed_text(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
