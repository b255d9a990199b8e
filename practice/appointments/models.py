"""Meetings between one client and one therapist."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, enum_column
from core.encryption import Realm, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client
from practice.care.models import Episode
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist


class AppointmentState(enum.StrEnum):
    held = "held"
    booked = "booked"
    cancelled = "cancelled"


APPOINTMENT_TRANSITIONS: dict[AppointmentState, frozenset[AppointmentState]] = {
    AppointmentState.held: frozenset({AppointmentState.booked, AppointmentState.cancelled}),
    AppointmentState.booked: frozenset({AppointmentState.cancelled}),
    AppointmentState.cancelled: frozenset(),
}

_TAKEN = "state IN ('held', 'booked')"


class Appointment(Identified, Base):
    """A meeting. Held while the client reads and signs; one therapist, one start, one client."""

    __tablename__ = "appointments"
    __table_args__ = (
        sa.Index(
            "uq_appointments_taken_therapist_id_starts_at",
            "therapist_id",
            "starts_at",
            unique=True,
            sqlite_where=sa.text(_TAKEN),
            postgresql_where=sa.text(_TAKEN),
        ),
        sa.CheckConstraint("starts_at < ends_at", name="starts_before_ends"),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("match_requests.id"))
    episode_id: Mapped[int | None] = mapped_column(sa.ForeignKey("episodes.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(sa.String(60))
    format: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[AppointmentState] = enum_column(AppointmentState, default=AppointmentState.held)
    held_until: Mapped[datetime | None]
    booked_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    where = sealed_text(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist] = relationship(lazy="joined")
    episode: Mapped[Episode | None] = relationship()
    request: Mapped[MatchRequest | None] = relationship()

    def is_held_at(self, at: datetime) -> bool:
        until = self.held_until
        return self.state is AppointmentState.held and until is not None and at < until

    def is_ahead(self, at: datetime) -> bool:
        return self.state is AppointmentState.booked and at < self.starts_at

    def move_to(self, state: AppointmentState) -> None:
        """Change state; raises WrongState for a step the table does not know."""
        if state not in APPOINTMENT_TRANSITIONS[self.state]:
            raise WrongState
        self.state = state
