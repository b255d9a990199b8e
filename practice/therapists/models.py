"""Therapists as they present themselves, their application, licences and weekly hours.

A licence lives here because the directory must ask whether it is in force; the checks and
decisions that move its state live in `credentials`.
"""

import enum
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, Key, enum_column
from core.errors import WrongState
from practice.accounts.models import User


class ApplicationState(enum.StrEnum):
    draft = "draft"
    submitted = "submitted"
    in_review = "in_review"
    needs_info = "needs_info"
    verified = "verified"
    rejected = "rejected"
    suspended = "suspended"

    @property
    def label(self) -> str:
        return _plain(self.value)


class LicenceState(enum.StrEnum):
    draft = "draft"
    submitted = "submitted"
    in_review = "in_review"
    needs_info = "needs_info"
    verified = "verified"
    rejected = "rejected"
    suspended = "suspended"
    restricted = "restricted"
    revoked = "revoked"
    surrendered = "surrendered"

    @property
    def label(self) -> str:
        return _plain(self.value)


def _plain(value: str) -> str:
    return {"draft": "not sent yet", "submitted": "waiting", "needs_info": "more is needed"}.get(
        value, value.replace("_", " ")
    )


APPLICATION_TRANSITIONS: dict[ApplicationState, frozenset[ApplicationState]] = {
    ApplicationState.draft: frozenset({ApplicationState.submitted}),
    ApplicationState.submitted: frozenset({ApplicationState.in_review}),
    ApplicationState.in_review: frozenset(
        {
            ApplicationState.submitted,
            ApplicationState.needs_info,
            ApplicationState.verified,
            ApplicationState.rejected,
        }
    ),
    ApplicationState.needs_info: frozenset({ApplicationState.submitted}),
    ApplicationState.verified: frozenset({ApplicationState.submitted, ApplicationState.suspended}),
    ApplicationState.rejected: frozenset({ApplicationState.in_review}),
    ApplicationState.suspended: frozenset({ApplicationState.in_review}),
}

LICENCE_TRANSITIONS: dict[LicenceState, frozenset[LicenceState]] = {
    LicenceState.draft: frozenset({LicenceState.submitted}),
    LicenceState.submitted: frozenset({LicenceState.in_review}),
    LicenceState.in_review: frozenset(
        {
            LicenceState.submitted,
            LicenceState.needs_info,
            LicenceState.verified,
            LicenceState.rejected,
        }
    ),
    LicenceState.needs_info: frozenset({LicenceState.submitted}),
    LicenceState.verified: frozenset(
        {
            LicenceState.submitted,
            LicenceState.suspended,
            LicenceState.restricted,
            LicenceState.revoked,
            LicenceState.surrendered,
        }
    ),
    LicenceState.rejected: frozenset({LicenceState.in_review}),
    LicenceState.suspended: frozenset(
        {
            LicenceState.in_review,
            LicenceState.restricted,
            LicenceState.revoked,
            LicenceState.surrendered,
        }
    ),
    LicenceState.restricted: frozenset({LicenceState.in_review}),
    LicenceState.revoked: frozenset(),
    LicenceState.surrendered: frozenset(),
}


HOURS_STAY_FRESH = timedelta(days=14)


class Level(enum.StrEnum):
    licensed = "licensed"
    associate = "associate"


class LicenceKind(enum.StrEnum):
    state = "state"
    compact = "compact"


class Therapist(Identified, Base):
    """A profile. Codes are those of `practice.vocabularies`; fees are minor units a session.

    `open_places` is how many new clients they can take now; it is taken and given back by
    conditional update. `payments` lists the kinds and insurance plans they accept ("insurance" is
    among them when any plan is); `skills` maps a concern to 1–3, `identities` an attribute to the
    codes they chose to publish, `style` an axis to −3…+3. An associate counts only while the
    supervisor they name has said so (`supervisor_confirmed_at`). `npi_checked_at` says when the
    registry last showed this NPI under their name.
    """

    __tablename__ = "therapists"
    __table_args__ = (sa.CheckConstraint("open_places >= 0", name="open_places_not_negative"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    supervisor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    supervisor_confirmed_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(sa.String(120))
    profession: Mapped[str] = mapped_column(sa.String(40))
    level: Mapped[Level] = enum_column(Level, default=Level.licensed)
    npi: Mapped[str] = mapped_column(sa.String(10), default="")
    npi_checked_at: Mapped[datetime | None]
    voice: Mapped[str] = mapped_column(sa.String(300), default="")
    about: Mapped[str] = mapped_column(sa.Text, default="")
    practising_since: Mapped[int | None]
    zone: Mapped[str] = mapped_column(sa.String(60))
    office: Mapped[str] = mapped_column(sa.String(200), default="")
    meeting_link: Mapped[str] = mapped_column(sa.String(300), default="")
    services: Mapped[list[str]] = mapped_column(Json, default=list)
    formats: Mapped[list[str]] = mapped_column(Json, default=list)
    languages: Mapped[list[str]] = mapped_column(Json, default=list)
    skills: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    approaches: Mapped[list[str]] = mapped_column(Json, default=list)
    identities: Mapped[dict[str, list[str]]] = mapped_column(Json, default=dict)
    style: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    payments: Mapped[list[str]] = mapped_column(Json, default=list)
    fee: Mapped[int | None]
    sliding_from: Mapped[int | None]
    youngest: Mapped[int] = mapped_column(default=18)
    oldest: Mapped[int | None]
    most_acuity: Mapped[int] = mapped_column(default=2)
    open_places: Mapped[int] = mapped_column(default=0)
    hours_confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    user: Mapped[User] = relationship()
    supervisor: Mapped["Therapist | None"] = relationship(remote_side="Therapist.id")
    application: Mapped["Application"] = relationship(back_populates="therapist")
    licences: Mapped[list["Licence"]] = relationship(back_populates="therapist")
    hours: Mapped[list["WeeklyHours"]] = relationship(
        back_populates="therapist", cascade="all, delete-orphan"
    )

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))

    @property
    def is_associate(self) -> bool:
        return self.level is Level.associate

    @property
    def declared_licences(self) -> list["Licence"]:
        """What still stands on the profile, by place and then number."""
        standing = [licence for licence in self.licences if licence.withdrawn_at is None]
        return sorted(standing, key=lambda licence: (licence.place, licence.number))

    def hours_are_fresh(self, at: datetime) -> bool:
        confirmed = self.hours_confirmed_at
        return confirmed is not None and confirmed > at - HOURS_STAY_FRESH


class Application(Identified, Base):
    """A therapist's request to be listed. Decisions about it are rows in `credentials`.

    `asked` is what the reviewers still need, in their words, until it is sent again.
    """

    __tablename__ = "applications"

    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), unique=True)
    state: Mapped[ApplicationState] = enum_column(ApplicationState, default=ApplicationState.draft)
    submitted_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    asked: Mapped[str] = mapped_column(sa.Text, default="")

    therapist: Mapped[Therapist] = relationship(back_populates="application")

    def move_to(self, state: ApplicationState, at: datetime) -> None:
        """Change state; raises WrongState for a step the table does not know."""
        if state not in APPLICATION_TRANSITIONS[self.state]:
            raise WrongState
        self.state = state
        self.changed_at = at
        if state is ApplicationState.submitted:
            self.submitted_at = at


_VERIFIED = "state = 'verified' AND withdrawn_at IS NULL"


class Licence(Identified, Base):
    """A right to practise in one place, as declared; `state` says what was found.

    `in_force_until` is the instant of the midnight that ends `expires_on` in the place's own
    zone. The `found_*` columns are the public evidence of the last verifying check. Two people
    may declare the same number, by mistake or not; only one of them can have it verified.
    """

    __tablename__ = "licences"
    __table_args__ = (
        sa.UniqueConstraint("therapist_id", "place", "profession", "number", "kind"),
        sa.Index(
            "uq_licences_verified_number",
            "place",
            "profession",
            "number",
            "kind",
            unique=True,
            sqlite_where=sa.text(_VERIFIED),
            postgresql_where=sa.text(_VERIFIED),
        ),
    )

    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    kind: Mapped[LicenceKind] = enum_column(LicenceKind, default=LicenceKind.state)
    compact: Mapped[str] = mapped_column(sa.String(40), default="")
    place: Mapped[str] = mapped_column(sa.String(6), index=True)
    profession: Mapped[str] = mapped_column(sa.String(40))
    number: Mapped[str] = mapped_column(sa.String(40))
    board: Mapped[str] = mapped_column(sa.String(120))
    expires_on: Mapped[date]
    in_force_until: Mapped[datetime]
    state: Mapped[LicenceState] = enum_column(LicenceState, default=LicenceState.draft)
    declared_at: Mapped[datetime]
    found_source: Mapped[str] = mapped_column(sa.String(200), default="")
    found_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    asked: Mapped[str] = mapped_column(sa.Text, default="")

    therapist: Mapped[Therapist] = relationship(back_populates="licences")

    def is_in_force(self, at: datetime) -> bool:
        verified = self.state is LicenceState.verified and self.withdrawn_at is None
        return verified and at < self.in_force_until

    def move_to(self, state: LicenceState) -> None:
        """Change state; raises WrongState for a step the table does not know."""
        if self.withdrawn_at is not None or state not in LICENCE_TRANSITIONS[self.state]:
            raise WrongState
        self.state = state


class WeeklyHours(Base):
    """A window that repeats each week, in the therapist's own wall time; 0 is Monday."""

    __tablename__ = "weekly_hours"
    __table_args__ = (sa.CheckConstraint("starts < ends", name="starts_before_ends"),)

    id: Mapped[Key]
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    weekday: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]

    therapist: Mapped[Therapist] = relationship(back_populates="hours")
