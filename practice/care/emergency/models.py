"""Opening one client's record without being their therapist: rarely, by rule, and never unseen.

Two doors. Ordinary: somebody asks with a reason, a second person decides, and an hour begins.
Danger: one duty clinician opens at once, and the clinical lead reviews it within a day.
"""

import enum
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, enum_column
from core.encryption import Realm, sealed_text
from practice.accounts.models import Client, User

OPEN_FOR = timedelta(minutes=60)
WAITS_FOR = timedelta(hours=24)
REVIEW_WITHIN = timedelta(hours=24)
LONGEST_DELAY = timedelta(days=30)


class OpeningKind(enum.StrEnum):
    ordinary = "ordinary"
    danger = "danger"


class OpeningReason(enum.StrEnum):
    """What the client is told; the words behind it stay with those who decide."""

    safety = "safety"
    therapist_away = "therapist_away"
    complaint = "complaint"
    fault = "fault"
    law = "law"
    danger = "danger"

    @property
    def label(self) -> str:
        return REASON_LABELS[self]


REASON_LABELS = {
    OpeningReason.safety: "A worry about their safety",
    OpeningReason.therapist_away: "Their therapist cannot be reached",
    OpeningReason.complaint: "A complaint or a mistake is being looked into",
    OpeningReason.fault: "A fault of the system that shows only there",
    OpeningReason.law: "The law or a court asks for it",
    OpeningReason.danger: "Somebody’s life may be in danger",
}
ORDINARY_REASONS = tuple(one for one in OpeningReason if one is not OpeningReason.danger)


class Stage(enum.StrEnum):
    """Where an opening stands; worked out from its rows and the clock, never stored."""

    waiting = "waiting"
    expired = "expired"
    refused = "refused"
    open = "open"
    over = "over"


class EmergencyOpening(Identified, Base):
    """One person asks to open one client's record. It is open for an hour from `opened_at`.

    `ended_at` is set when the reader ends it early. The client is told when `notice_due_at` has
    come; `told_at` says when they were.
    """

    __tablename__ = "emergency_openings"

    kind: Mapped[OpeningKind] = enum_column(OpeningKind)
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    asked_as: Mapped[str] = mapped_column(sa.String(40))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[OpeningReason] = enum_column(OpeningReason)
    words = sealed_text(Realm.record, owner="client")
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    notice_due_at: Mapped[datetime | None] = mapped_column(index=True)
    told_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(lazy="joined")
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id], lazy="joined")
    decision: Mapped["OpeningDecision | None"] = relationship(back_populates="opening")
    review: Mapped["OpeningReview | None"] = relationship(back_populates="opening")
    delays: Mapped[list["NoticeDelay"]] = relationship(
        back_populates="opening", order_by="NoticeDelay.id"
    )

    @property
    def client_reference(self) -> str:
        """What colleagues may call a client whose name they are not shown, "3F9A 12C4"."""
        start = self.client.public_id.hex[:8].upper()
        return f"{start[:4]} {start[4:]}"

    @property
    def is_danger(self) -> bool:
        return self.kind is OpeningKind.danger

    @property
    def closes_at(self) -> datetime | None:
        """The first instant at which nothing opens any more."""
        if self.opened_at is None:
            return None
        return min(self.opened_at + OPEN_FOR, self.ended_at or self.opened_at + OPEN_FOR)

    @property
    def expires_at(self) -> datetime:
        return self.asked_at + WAITS_FOR

    def stage(self, at: datetime) -> Stage:
        if self.closes_at is not None:
            return Stage.open if at < self.closes_at else Stage.over
        if self.decision is not None:
            return Stage.refused
        return Stage.waiting if at < self.expires_at else Stage.expired

    @property
    def review_due_at(self) -> datetime:
        return (self.opened_at or self.asked_at) + REVIEW_WITHIN

    @property
    def wants_review(self) -> bool:
        return self.is_danger and self.review is None

    def review_is_overdue(self, at: datetime) -> bool:
        return self.wants_review and self.review_due_at <= at

    def notice_is_put_off(self, at: datetime) -> bool:
        return bool(self.delays) and self.delays[-1].until > at

    @property
    def latest_notice(self) -> datetime:
        """Beyond this no delay of the notice reaches."""
        return (self.opened_at or self.asked_at) + LONGEST_DELAY


class OpeningDecision(Identified, Base):
    """The second person's yes or no; `words` may be empty with a yes."""

    __tablename__ = "opening_decisions"

    opening_id: Mapped[int] = mapped_column(sa.ForeignKey("emergency_openings.id"), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]
    approved: Mapped[bool]
    words = sealed_text(Realm.record, owner="opening.client")

    opening: Mapped[EmergencyOpening] = relationship(back_populates="decision")
    user: Mapped[User] = relationship(lazy="joined")


class OpeningReview(Identified, Base):
    """The clinical lead's word on an opening in danger."""

    __tablename__ = "opening_reviews"

    opening_id: Mapped[int] = mapped_column(sa.ForeignKey("emergency_openings.id"), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]
    justified: Mapped[bool]
    words = sealed_text(Realm.record, owner="opening.client")

    opening: Mapped[EmergencyOpening] = relationship(back_populates="review")
    user: Mapped[User] = relationship(lazy="joined")


class NoticeDelay(Identified, Base):
    """Telling the client waits until `until`, because telling now would put somebody in danger."""

    __tablename__ = "notice_delays"

    opening_id: Mapped[int] = mapped_column(sa.ForeignKey("emergency_openings.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]
    until: Mapped[datetime]
    words = sealed_text(Realm.record, owner="opening.client")

    opening: Mapped[EmergencyOpening] = relationship(back_populates="delays")
    user: Mapped[User] = relationship(lazy="joined")
