"""Episodes of care: the bond from which a therapist's access derives."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified
from practice.accounts.models import Client
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist


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
    """One client in the care of one therapist, from the first meeting's booking to its end."""

    __tablename__ = "episodes"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("match_requests.id"), unique=True)
    service: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[str] = mapped_column(sa.String(6))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(sa.String(60), default="")

    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist] = relationship(lazy="joined")
    request: Mapped[MatchRequest | None] = relationship()

    @property
    def is_open(self) -> bool:
        return self.ended_at is None
