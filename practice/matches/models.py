"""What was proposed to a client and why, and the one request that is out at a time."""

import enum
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, Key, enum_column
from core.encryption import Realm, sealed_json, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client, User
from practice.therapists.models import Therapist


class MarketVersion(Base):
    """One row: how often it has changed who can be found, counted by `changes.py`.

    `epoch` is drawn with the row, so that a database made anew is never taken for the one before.
    What versions up to `forgotten` changed is no longer kept.
    """

    __tablename__ = "market_versions"

    id: Mapped[Key]
    epoch: Mapped[uuid.UUID]
    version: Mapped[int] = mapped_column(sa.BigInteger)
    forgotten: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class MarketChange(Base):
    """What one version changed: this therapist, or more than can be named where it is None.

    A version without a row changed nobody, only how everybody is weighed.
    """

    __tablename__ = "market_changes"

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    therapist_id: Mapped[int | None] = mapped_column(sa.ForeignKey("therapists.id"))


class WeightsVersion(Identified, Base):
    """The factors' weights, summing to 1000; a change is a new version with a reason."""

    __tablename__ = "weights_versions"

    version: Mapped[int] = mapped_column(unique=True)
    weights: Mapped[dict[str, int]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(sa.Text)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    decided_by: Mapped[User | None] = relationship()


class MarketPrices(Base):
    """One row at most: what places are worth to those who wait (`prices.py`), up to `until`.

    `points` by therapist's public id, as the newest run of the waiting list left them.
    """

    __tablename__ = "market_prices"

    id: Mapped[Key]
    points: Mapped[dict[str, int]] = mapped_column(Json)
    since: Mapped[datetime]
    until: Mapped[datetime]


class ProposalKind(enum.StrEnum):
    """Where it was shown: a list of matches, to the client; "why not?" about somebody who fits, to
    the client; what the rules make of it, to the person who looks at the match again.
    """

    matches = "matches"
    why_not = "why_not"
    review = "review"

    @property
    def label(self) -> str:
        return KIND_LABELS[self]


KIND_LABELS = {
    ProposalKind.matches: "A list of matches",
    ProposalKind.why_not: "An answer to “why not?”",
    ProposalKind.review: "What a person who looked at the match again was shown",
}


class Proposal(Identified, Base):
    """What was shown of a client's matches: enough to replay it to the point, not the whole market.

    `prices` are those of the therapists shown, by id. `points`, by line, are those that stood
    beside each in the order of `shown`; empty for what was shown before they were kept. An answer
    to "why not?" shows the last of the first list, where they were compared, and then whoever was
    asked about; `place_told` is the place in the whole list that was told of them, from 1.
    What counts lists counts those of matches alone.
    """

    __tablename__ = "proposals"
    __table_args__ = (sa.UniqueConstraint("client_id", "digest"),)

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    kind: Mapped[ProposalKind] = enum_column(
        ProposalKind, default=ProposalKind.matches, server_default=ProposalKind.matches.value
    )
    made_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(sa.String(64))
    weights_version: Mapped[int]
    engine_version: Mapped[str] = mapped_column(sa.String(20))

    client_inputs = sealed_json(Realm.personal, owner="client")
    shown = sealed_json(Realm.personal, owner="client")
    prices = sealed_json(Realm.personal, owner="client", empty=dict)
    points = sealed_json(Realm.personal, owner="client", empty=list)
    place_told = sealed_json(Realm.personal, owner="client")

    client: Mapped[Client] = relationship()


class RequestState(enum.StrEnum):
    sent = "sent"
    accepted = "accepted"
    declined = "declined"
    lapsed = "lapsed"
    withdrawn = "withdrawn"
    met = "met"


REQUEST_TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.sent: frozenset(
        {
            RequestState.accepted,
            RequestState.declined,
            RequestState.lapsed,
            RequestState.withdrawn,
        }
    ),
    RequestState.accepted: frozenset(
        {RequestState.met, RequestState.withdrawn, RequestState.lapsed}
    ),
    RequestState.declined: frozenset(),
    RequestState.lapsed: frozenset(),
    RequestState.withdrawn: frozenset(),
    RequestState.met: frozenset(),
}

_WAITING = "state IN ('sent', 'accepted')"


class MatchRequest(Identified, Base):
    """A client asks one therapist. `shared` holds only what the client chose to share.

    `accepted` waits for the client to pick a time and sign; `met` is when the episode opened.
    `keeps_place`: an open place was taken for it before it was answered.
    Shapes of `shared`: `sharing.py`.
    """

    __tablename__ = "match_requests"
    __table_args__ = (
        sa.Index(
            "uq_match_requests_waiting_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text(_WAITING),
            postgresql_where=sa.text(_WAITING),
        ),
        sa.Index("ix_match_requests_inbox", "therapist_id", "state"),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"))
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"))
    proposal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("proposals.id"))
    place: Mapped[str] = mapped_column(sa.String(6))
    service: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[RequestState] = enum_column(RequestState, default=RequestState.sent)
    sent_at: Mapped[datetime]
    answer_due_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
    keeps_place: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    shared = sealed_json(Realm.record, owner="client")
    reply = sealed_text(Realm.record, owner="client")

    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist] = relationship(lazy="joined")
    proposal: Mapped[Proposal | None] = relationship()

    @property
    def is_waiting(self) -> bool:
        """Whether it is the one request that is out: unanswered, or accepted without a time."""
        return self.state in (RequestState.sent, RequestState.accepted)

    def is_overdue(self, at: datetime) -> bool:
        return self.state is RequestState.sent and self.answer_due_at <= at

    @property
    def lapsed_unanswered(self) -> bool:
        """Whether the therapist let the time pass; else it was the client who chose no time."""
        if self.state is not RequestState.lapsed or self.answered_at is None:
            return False
        return self.answered_at >= self.answer_due_at

    def was_turned_down(self, at: datetime) -> bool:
        """Declined, or not answered by the time that was promised, swept up already or not."""
        is_declined = self.state is RequestState.declined
        return is_declined or self.lapsed_unanswered or self.is_overdue(at)

    def move_to(self, state: RequestState, at: datetime) -> None:
        """Change state; raises WrongState for a step the table does not know."""
        if state not in REQUEST_TRANSITIONS[self.state]:
            raise WrongState
        if self.state is RequestState.sent:
            self.answered_at = at
        self.state = state


class MatchAlert(Base):
    """A client for whom nobody was found asks to be told once when somebody is."""

    __tablename__ = "match_alerts"

    id: Mapped[Key]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), unique=True)
    asked_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(lazy="joined")
