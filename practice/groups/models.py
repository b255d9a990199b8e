"""Groups, who leads them, when they meet, and who has a seat."""

import enum
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, Key, enum_column
from core.encryption import Realm, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client, User
from practice.therapists.models import Therapist


class GroupKind(enum.StrEnum):
    therapy = "therapy"
    psychoeducation = "psychoeducation"
    peer = "peer"

    @property
    def is_screened(self) -> bool:
        """Therapy groups are joined only after the leader's screening."""
        return self is GroupKind.therapy

    @property
    def needs_licensed_lead(self) -> bool:
        """Peer support is no treatment, so it knows no borders."""
        return self is not GroupKind.peer


class GroupState(enum.StrEnum):
    draft = "draft"
    open = "open"
    cancelled = "cancelled"


class RefundTemplate(enum.StrEnum):
    """Approved by the organisation; the arithmetic is in `refunds.py`."""

    until_start = "until_start"
    by_session = "by_session"


class LeadKind(enum.StrEnum):
    professional = "professional"
    lived_experience = "lived_experience"


class Group(Identified, Base):
    """A group with a fixed number of seats. `price` is for the whole, minor units, 0 is free."""

    __tablename__ = "groups"
    __table_args__ = (
        sa.CheckConstraint("seats > 0", name="seats_positive"),
        sa.CheckConstraint("price >= 0", name="price_not_negative"),
        sa.Index("ix_groups_catalogue", "state", "starts_at"),
    )

    title: Mapped[str] = mapped_column(sa.String(120))
    summary: Mapped[str] = mapped_column(sa.String(300))
    about: Mapped[str] = mapped_column(sa.Text, default="")
    kind: Mapped[GroupKind] = enum_column(GroupKind)
    topics: Mapped[list[str]] = mapped_column(Json, default=list)
    language: Mapped[str] = mapped_column(sa.String(20), default="en")
    format: Mapped[str] = mapped_column(sa.String(20), default="online")
    where: Mapped[str] = mapped_column(sa.String(300), default="")
    seats: Mapped[int]
    price: Mapped[int]
    refund_template: Mapped[RefundTemplate] = enum_column(
        RefundTemplate, default=RefundTemplate.by_session
    )
    zone: Mapped[str] = mapped_column(sa.String(60))
    starts_at: Mapped[datetime]
    state: Mapped[GroupState] = enum_column(GroupState, default=GroupState.draft)
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]

    leads: Mapped[list["GroupLead"]] = relationship(back_populates="group", order_by="GroupLead.id")
    sessions: Mapped[list["GroupSession"]] = relationship(
        back_populates="group", order_by="GroupSession.number"
    )

    @property
    def is_free(self) -> bool:
        return self.price == 0

    @property
    def professionals(self) -> list[Therapist]:
        return [lead.therapist for lead in self.leads if lead.therapist is not None]

    @property
    def peer_leaders(self) -> list[str]:
        return [lead.name for lead in self.leads if lead.kind is LeadKind.lived_experience]

    @property
    def scope(self) -> str:
        """With whom a consent to this group is signed."""
        return f"group:{self.public_id}"

    def has_begun(self, at: datetime) -> bool:
        return self.starts_at <= at

    def is_over(self, at: datetime) -> bool:
        return all(meeting.ends_at <= at for meeting in self.sessions)

    def takes_people(self, at: datetime) -> bool:
        return self.state is GroupState.open and not self.has_begun(at)


class GroupLead(Base):
    """Who leads: a professional (with a therapist's licences) or a person of lived experience."""

    __tablename__ = "group_leads"

    id: Mapped[Key]
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("groups.id"), index=True)
    kind: Mapped[LeadKind] = enum_column(LeadKind)
    therapist_id: Mapped[int | None] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(120))

    group: Mapped[Group] = relationship(back_populates="leads")
    therapist: Mapped[Therapist | None] = relationship()


class GroupSession(Identified, Base):
    """One meeting of a group; wall time and zone are the group's, the instants are UTC."""

    __tablename__ = "group_sessions"
    __table_args__ = (sa.UniqueConstraint("group_id", "number"),)

    group_id: Mapped[int] = mapped_column(sa.ForeignKey("groups.id"), index=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]

    group: Mapped[Group] = relationship(back_populates="sessions")


class EnrolmentState(enum.StrEnum):
    screening = "screening"
    invited = "invited"
    declined = "declined"
    held = "held"
    seated = "seated"
    expired = "expired"
    left = "left"


ENROLMENT_TRANSITIONS: dict[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.screening: frozenset(
        {EnrolmentState.invited, EnrolmentState.declined, EnrolmentState.left}
    ),
    EnrolmentState.invited: frozenset(
        {EnrolmentState.held, EnrolmentState.seated, EnrolmentState.left}
    ),
    EnrolmentState.declined: frozenset(),
    EnrolmentState.held: frozenset(
        {EnrolmentState.seated, EnrolmentState.expired, EnrolmentState.left}
    ),
    EnrolmentState.seated: frozenset({EnrolmentState.left}),
    EnrolmentState.expired: frozenset({EnrolmentState.seated, EnrolmentState.held}),
    EnrolmentState.left: frozenset(),
}

LIVE = frozenset(
    {
        EnrolmentState.screening,
        EnrolmentState.invited,
        EnrolmentState.held,
        EnrolmentState.seated,
    }
)
_GONE = "state IN ('declined', 'expired', 'left')"


class Enrolment(Identified, Base):
    """A client's way into a group. `seat_number` is set exactly while a seat is held or taken."""

    __tablename__ = "enrolments"
    __table_args__ = (
        sa.UniqueConstraint("group_id", "seat_number"),
        sa.Index(
            "uq_enrolments_live_group_id_client_id",
            "group_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text(f"NOT ({_GONE})"),
            postgresql_where=sa.text(f"NOT ({_GONE})"),
        ),
    )

    group_id: Mapped[int] = mapped_column(sa.ForeignKey("groups.id"), index=True)
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    state: Mapped[EnrolmentState] = enum_column(EnrolmentState)
    handle: Mapped[str] = mapped_column(sa.String(40))
    seat_number: Mapped[int | None]
    place: Mapped[str] = mapped_column(sa.String(6), default="")
    price: Mapped[int]
    order_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    held_until: Mapped[datetime | None] = mapped_column(index=True)
    seated_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    why = sealed_text(Realm.record, owner="client")

    group: Mapped[Group] = relationship(lazy="joined")
    client: Mapped[Client] = relationship(lazy="joined")
    screening: Mapped["ScreeningDecision | None"] = relationship(back_populates="enrolment")

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def was_invited(self) -> bool:
        """Whether the leader said yes; it outlives a hold that ran out, but not leaving."""
        asked = self.screening is not None and self.screening.invited
        return asked and self.state is not EnrolmentState.left

    @property
    def has_seat(self) -> bool:
        return self.seat_number is not None

    def move_to(self, state: EnrolmentState, at: datetime) -> None:
        if state not in ENROLMENT_TRANSITIONS[self.state]:
            raise WrongState
        self.state, self.changed_at = state, at

    def hold(self, seat: int, order_id: uuid.UUID, until: datetime, at: datetime) -> None:
        """Keep a seat while it is paid for."""
        self.move_to(EnrolmentState.held, at)
        self.seat_number, self.order_id, self.held_until = seat, order_id, until

    def take(self, seat: int, at: datetime) -> None:
        self.move_to(EnrolmentState.seated, at)
        self.seat_number, self.seated_at, self.held_until = seat, at, None

    def expire(self, at: datetime) -> None:
        """The hold ran out unpaid; the seat is free again."""
        self.move_to(EnrolmentState.expired, at)
        self.seat_number = self.held_until = None

    def leave(self, at: datetime) -> None:
        self.move_to(EnrolmentState.left, at)
        self.seat_number = self.held_until = None
        self.left_at = at


class ScreeningDecision(Identified, Base):
    """The leader's answer to a screening request, with a reason that only leaders read."""

    __tablename__ = "screening_decisions"

    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolments.id"), unique=True)
    decided_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]
    invited: Mapped[bool]

    reason = sealed_text(Realm.record, owner="enrolment.client")

    enrolment: Mapped[Enrolment] = relationship(back_populates="screening")
    decided_by: Mapped[User] = relationship(lazy="joined")
