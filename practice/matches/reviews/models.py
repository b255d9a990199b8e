"""A client asks a person to look at the match again (GDPR Article 22(3)), and the answer."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Key, enum_column
from core.encryption import Realm, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client, User
from practice.therapists.models import Therapist


class ReviewState(enum.StrEnum):
    asked = "asked"
    answered = "answered"
    withdrawn = "withdrawn"


REVIEW_TRANSITIONS: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.asked: frozenset({ReviewState.answered, ReviewState.withdrawn}),
    ReviewState.answered: frozenset(),
    ReviewState.withdrawn: frozenset(),
}

_OPEN = "state = 'asked'"


class MatchReview(Identified, Base):
    """One request for a person's look, promised by `due_at`; a client has at most one open.

    `told_late_at`: when colleagues were told that the promise has passed. `words` are the client's,
    `answer` the clinical lead's; either may be read by both.
    """

    __tablename__ = "match_reviews"
    __table_args__ = (
        sa.Index(
            "uq_match_reviews_open_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text(_OPEN),
            postgresql_where=sa.text(_OPEN),
        ),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    state: Mapped[ReviewState] = enum_column(ReviewState, default=ReviewState.asked)
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    told_late_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    words = sealed_text(Realm.record, owner="client")
    answer = sealed_text(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
    answered_by: Mapped[User | None] = relationship()
    suggestions: Mapped[list["MatchReviewSuggestion"]] = relationship(
        lazy="selectin", order_by="MatchReviewSuggestion.id"
    )

    @property
    def is_open(self) -> bool:
        return self.state is ReviewState.asked

    def is_overdue(self, at: datetime) -> bool:
        return self.is_open and self.due_at <= at

    def end(self, state: ReviewState, at: datetime) -> None:
        """Raises WrongState when it has ended already."""
        if state not in REVIEW_TRANSITIONS[self.state]:
            raise WrongState
        self.state, self.ended_at = state, at


class MatchReviewSuggestion(Base):
    """A therapist whom the person who looked suggests."""

    __tablename__ = "match_review_suggestions"
    __table_args__ = (sa.UniqueConstraint("review_id", "therapist_id"),)

    id: Mapped[Key]
    review_id: Mapped[int] = mapped_column(sa.ForeignKey("match_reviews.id"))
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"))

    therapist: Mapped[Therapist] = relationship(lazy="joined")
