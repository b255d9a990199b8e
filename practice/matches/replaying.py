"""Working out again what somebody was shown, from what was kept, and holding it to that.

Nothing of the market of now is looked at: the answers, the therapists, the prices and the version
of the weights are those of then. What comes out says nothing of the answers or of whose they are:
therapists by their public names, and points by line.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

import matching
from core import readings
from core.database import db
from core.encryption import Unreadable
from core.errors import Erased, Refusal
from practice.matches.kept import Points, digest_of, points_of
from practice.matches.market.weighing import FACTOR_NAMES, version_with
from practice.matches.models import Proposal, ProposalKind
from practice.matches.policy import proposals_under_notice
from practice.matches.words import LINE_LABELS
from practice.therapists.models import Therapist

VIEWED = "match_replay.viewed"
GONE = "A therapist who is no longer here"


class NoSuchList(Refusal):
    message = (
        "No list of this number can be worked out again. If the number is right, the person has "
        "taken back the privacy notice or has asked to be forgotten, and their lists went with "
        "everything else of theirs."
    )


class ReplayReason(StrEnum):
    """Why a list is worked out again; the person it was shown to reads the label."""

    asked = "asked"
    complaint = "complaint"
    authority = "authority"
    check = "check"

    @property
    def label(self) -> str:
        return REASON_LABELS[self]


REASON_LABELS = {
    ReplayReason.asked: "The person asked how their list came about",
    ReplayReason.complaint: "A complaint or a mistake is being looked into",
    ReplayReason.authority: "An authority or an auditor asks for it",
    ReplayReason.check: "A check that lists come out as they were shown",
}


class Verdict(StrEnum):
    """`same` to the point; `other_points`; or why nothing can be said.

    `changed`: what is kept is not what was written down. `unopened`: it does not open, or makes no
    sense. `unknown`: another engine made it, and points were not kept yet.
    """

    same = "same"
    other_points = "other_points"
    changed = "changed"
    unopened = "unopened"
    unknown = "unknown"


@dataclass(frozen=True)
class ReplayedLine:
    """One line of the sum: points `shown` then, None where they were not kept, and points `now`."""

    label: str
    weight: int
    shown: int | None
    now: int

    @property
    def is_same(self) -> bool:
        return self.shown is None or self.shown == self.now


@dataclass(frozen=True)
class Replayed:
    """One of those who were shown, with the whole sum."""

    name: str
    lines: list[ReplayedLine]

    @property
    def total(self) -> int:
        return sum(line.now for line in self.lines)

    @property
    def total_shown(self) -> int | None:
        shown = [line.shown for line in self.lines if line.shown is not None]
        return sum(shown) if len(shown) == len(self.lines) else None

    @property
    def is_same(self) -> bool:
        return all(line.is_same for line in self.lines)


@dataclass(frozen=True)
class Replay:
    """`therapists` in the order in which they were shown, nobody when it did not open.

    `in_order` if they come out in that order again. `place_told` of whom "why not?" was asked is
    as it was told and kept: who stood ahead of them is not, so it is not worked out again.
    """

    number: uuid.UUID
    kind: ProposalKind
    made_at: datetime
    weights_version: int
    engine_version: str
    verdict: Verdict
    in_order: bool = True
    therapists: list[Replayed] = field(default_factory=list)
    place_told: int | None = None

    @property
    def is_of_another_engine(self) -> bool:
        return self.engine_version != matching.ENGINE_VERSION

    @property
    def has_points(self) -> bool:
        """Whether the points that were shown were kept."""
        return all(one.total_shown is not None for one in self.therapists)


def replay(
    session: Session,
    number: uuid.UUID,
    reason: ReplayReason,
    *,
    actor_id: uuid.UUID | None,
    actor_role: str,
    at: datetime,
) -> Replay:
    """Work it out, and write down for the person it was shown to who did so and why.

    Raises NoSuchList. No row in the log, no replay.
    """
    proposal = _proposal(session, number)
    readings.viewed(
        session,
        at=at,
        action=VIEWED,
        subject_kind="proposal",
        subject_id=proposal.public_id,
        actor_id=actor_id,
        actor_role=actor_role,
        clients=[proposal.client.public_id],
        reason=reason,
    )
    try:
        return replayed(proposal)
    except Erased:
        raise NoSuchList from None


def replayed(proposal: Proposal) -> Replay:
    """From what is kept alone. Raises Erased."""
    unopened = Replay(
        proposal.public_id,
        proposal.kind,
        proposal.made_at,
        proposal.weights_version,
        proposal.engine_version,
        Verdict.unopened,
    )
    try:
        return _worked_out(unopened, proposal)
    except (Unreadable, ValueError, LookupError, TypeError):
        return unopened


def _worked_out(bare: Replay, proposal: Proposal) -> Replay:
    values = matching.Client.from_json(proposal.client_inputs)
    shown = [matching.Therapist.from_json(one) for one in proposal.shown]
    weights = version_with(proposal.weights_version)
    if weights is None:
        raise LookupError(proposal.weights_version)
    now = points_of(values, shown, weights, matching.Prices(proposal.prices))
    then = proposal.points or [None] * len(shown)
    names = _names([one.id for one in shown])
    in_order = _is_in_order([(-sum(p.values()), one.id) for one, p in zip(shown, now, strict=True)])
    return replace(
        bare,
        verdict=_verdict(proposal, then == now, in_order),
        in_order=in_order,
        place_told=proposal.place_told,
        therapists=[
            Replayed(names.get(one.id, GONE), list(_lines(weights, points, kept)))
            for one, points, kept in zip(shown, now, then, strict=True)
        ],
    )


def _proposal(session: Session, number: uuid.UUID) -> Proposal:
    wanted = proposals_under_notice().where(Proposal.public_id == number)
    found = session.scalars(wanted.options(joinedload(Proposal.client))).first()
    if found is None:
        raise NoSuchList
    return found


def _verdict(proposal: Proposal, equal: bool, in_order: bool) -> Verdict:
    if digest_of(proposal) != proposal.digest:
        return Verdict.changed
    if proposal.points:
        return Verdict.same if equal and in_order else Verdict.other_points
    if proposal.engine_version != matching.ENGINE_VERSION:
        return Verdict.unknown
    return Verdict.same if in_order else Verdict.other_points


def _lines(weights: matching.Weights, now: Points, kept: Points | None) -> Iterator[ReplayedLine]:
    """Every line of then or of now; one that the other does not have came to nothing there."""
    for name in dict.fromkeys([*now, *(kept or ())]):
        weight = weights.by_factor.get(name, 0)
        shown = None if kept is None else kept.get(name, 0)
        yield ReplayedLine(_name(name), weight, shown, now.get(name, 0))


def _name(line: str) -> str:
    return FACTOR_NAMES.get(line) or LINE_LABELS.get(line, line)


def _is_in_order(places: list[tuple[int, str]]) -> bool:
    return places == sorted(places)


def _names(public_ids: list[str]) -> Mapping[str, str]:
    ids = [uuid.UUID(each) for each in public_ids]
    rows = sa.select(Therapist.public_id, Therapist.name).where(Therapist.public_id.in_(ids))
    return {str(public_id): name for public_id, name in db.session.execute(rows)}
