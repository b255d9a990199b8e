"""Who waits, what was proposed for all of them at once, and what became of each placement."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, enum_column
from core.encryption import Realm, sealed_json, sealed_text
from core.errors import WrongState
from practice.accounts.models import Client, User
from practice.therapists.models import Therapist


class Ending(enum.StrEnum):
    """Why somebody is no longer on the list."""

    left = "left"
    accepted = "accepted"
    consent = "consent"


class WaitingEntry(Identified, Base):
    """A client waits to be placed; one entry is open at a time."""

    __tablename__ = "waiting_entries"
    __table_args__ = (
        sa.Index(
            "uq_waiting_entries_open_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text("left_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL"),
        ),
    )

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    joined_at: Mapped[datetime] = mapped_column(index=True)
    left_at: Mapped[datetime | None]
    ending: Mapped[Ending | None] = enum_column(Ending)

    client: Mapped[Client] = relationship(lazy="joined")

    def days(self, at: datetime) -> int:
        """Whole days waited."""
        return max(0, ((self.left_at or at) - self.joined_at).days)

    def end(self, why: Ending, at: datetime) -> None:
        """Raises WrongState when it has ended already."""
        if self.left_at is not None:
            raise WrongState
        self.left_at, self.ending = at, why


class WaitingRun(Identified, Base):
    """A proposal for everybody who waits, worked out at one instant.

    `looked_at` of `waiting` people are ranked while it is being worked out (`made_at` is None).
    `figures` as in `comparing.py`, sealed: of a list of one person they tell how severe it is;
    `prices` in points by therapist's public id, `gap` the share of the total that may be missing at
    most, `cut_short` whether the search ended before that was as small as it aims for. `version`
    counts the acts on what it proposes. `being_made` is True for the one that the worker is at, and
    None for all others, so that of two who ask at once one begins it.
    """

    __tablename__ = "waiting_runs"
    __table_args__ = (sa.Index("uq_waiting_runs_being_made", "being_made", unique=True),)

    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    waiting: Mapped[int] = mapped_column(default=0)
    looked_at: Mapped[int] = mapped_column(default=0)
    being_made: Mapped[bool | None]
    made_at: Mapped[datetime | None]
    weights_version: Mapped[int | None]
    engine_version: Mapped[str] = mapped_column(sa.String(20), default="")
    gap: Mapped[float | None]
    cut_short: Mapped[bool] = mapped_column(default=False)
    prices: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=0)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    figures = sealed_json(Realm.system, owner=None, empty=dict)

    @property
    def is_being_made(self) -> bool:
        return self.made_at is None and self.withdrawn_at is None

    @property
    def stands(self) -> bool:
        return self.made_at is not None and self.withdrawn_at is None


class PlacementState(enum.StrEnum):
    """`unplaced` and `proposed` are the lead's to decide; `offered` is the client's.

    `set_aside` was not decided in its time, and would be gone but for a legal hold.
    """

    unplaced = "unplaced"
    proposed = "proposed"
    rejected = "rejected"
    offered = "offered"
    agreed = "agreed"
    declined = "declined"
    lapsed = "lapsed"
    withdrawn = "withdrawn"
    set_aside = "set_aside"


TRANSITIONS: dict[PlacementState, frozenset[PlacementState]] = {
    PlacementState.unplaced: frozenset({PlacementState.proposed, PlacementState.set_aside}),
    PlacementState.proposed: frozenset(
        {
            PlacementState.unplaced,
            PlacementState.rejected,
            PlacementState.offered,
            PlacementState.set_aside,
        }
    ),
    PlacementState.rejected: frozenset(),
    PlacementState.offered: frozenset(
        {
            PlacementState.agreed,
            PlacementState.declined,
            PlacementState.lapsed,
            PlacementState.withdrawn,
        }
    ),
    PlacementState.agreed: frozenset(),
    PlacementState.declined: frozenset(),
    PlacementState.lapsed: frozenset(),
    PlacementState.withdrawn: frozenset(),
    PlacementState.set_aside: frozenset(),
}
UNDECIDED = (PlacementState.unplaced, PlacementState.proposed)
NOT_DECIDED = (*UNDECIDED, PlacementState.set_aside)


class Placement(Identified, Base):
    """What one run proposes for one client, and what became of it.

    `found` is sealed: `candidates` [[therapist's public id, points], …] the closest first,
    `therapist` (public id or None) whom is proposed, `arrival` whom first come, first served would
    have given, `severity` 1…3, `days` waited. `therapist_id` stands in the clear only from the
    offer on, when a place is taken for it until `due_at`. `version` is that of the run at the last
    act of a lead on it, 0 as it was worked out: whoever has seen less has not seen it as it is.
    """

    __tablename__ = "waiting_placements"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "entry_id"),
        sa.Index(
            "uq_waiting_placements_offered_client_id",
            "client_id",
            unique=True,
            sqlite_where=sa.text("state = 'offered'"),
            postgresql_where=sa.text("state = 'offered'"),
        ),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("waiting_runs.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("waiting_entries.id"), index=True)
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    therapist_id: Mapped[int | None] = mapped_column(sa.ForeignKey("therapists.id"))
    state: Mapped[PlacementState] = enum_column(PlacementState)
    version: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime | None]
    changed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    found = sealed_json(Realm.personal, owner="client", empty=dict)
    reason = sealed_text(Realm.personal, owner="client")

    run: Mapped[WaitingRun] = relationship(lazy="joined")
    entry: Mapped[WaitingEntry] = relationship(lazy="joined")
    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist | None] = relationship(lazy="joined")
    changed_by: Mapped[User | None] = relationship(foreign_keys=[changed_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @property
    def candidates(self) -> list[tuple[str, int]]:
        return [(each, points) for each, points in self.found.get("candidates", ())]

    @property
    def proposed(self) -> str | None:
        """The public id of whom is proposed."""
        proposed: str | None = self.found.get("therapist")
        return proposed

    @property
    def points(self) -> int:
        """How closely whom is proposed fits, 0 for nobody."""
        return dict(self.candidates).get(self.proposed or "", 0)

    def propose(self, therapist: str | None) -> None:
        """Another therapist of the list, or nobody."""
        state = PlacementState.proposed if therapist else PlacementState.unplaced
        if state is not self.state:
            self.move_to(state)
        self.found = {**self.found, "therapist": therapist}

    def is_due(self, at: datetime) -> bool:
        due = self.due_at is not None and self.due_at <= at
        return self.state is PlacementState.offered and due

    def move_to(self, state: PlacementState) -> None:
        """Raises WrongState for a step the table does not know."""
        if state not in TRANSITIONS[self.state]:
            raise WrongState
        self.state = state
