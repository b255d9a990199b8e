"""A proposal for everybody who waits: asked for, worked out in the background, taken back.

Everybody is ranked against the market as it is, at most `LISTED` therapists each whom no rule
fails; capacities are the places open now, so that those kept for somebody are not given twice. As
many as possible are placed, the most urgent first, nobody badly, then the greatest total
(`matching.allocation.allocating`). Nothing is done to anybody: a placement becomes something only
when the lead confirms it and the client agrees.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import matching
from core.alone import alone_or_elsewhere
from core.clock import now
from core.database import db, unit_of_work
from core.outbox import post
from matching.allocation.allocating import Allocation, Candidates, allocate
from matching.allocation.arrival import by_arrival
from matching.allocation.candidates import NOBODY
from practice.accounts.models import User
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.market.in_place import newest_weights
from practice.matches.market.prices import clear_prices, newest_prices, set_prices
from practice.matches.obstacles import FEWEST_TOLD
from practice.matches.operations import ensure_weights
from practice.waiting.acts import record
from practice.waiting.comparing import figures_of
from practice.waiting.letting_go import let_go
from practice.waiting.models import UNDECIDED, Placement, PlacementState, WaitingEntry, WaitingRun
from practice.waiting.queries import (
    RUN,
    can_be_placed_now,
    entries_to_place,
    has_failed,
    work_of,
)
from practice.waiting.refusals import RunIsOver
from practice.waiting.searching import search_of
from practice.waiting.urgency import priorities, severity

LISTED = 50
AT_ONCE = 25


@dataclass(frozen=True)
class Waiter:
    """One who waits, with whom they could see and how many places those have open."""

    entry_id: int
    severity: int
    days: int
    candidates: list[tuple[str, int]]
    places: dict[str, int]


@dataclass(frozen=True)
class Proposal:
    """For `waiters` in their order; therapists are numbered as in `ids`."""

    waiters: Sequence[Waiter]
    ids: list[str]
    found: Allocation
    arrival: Allocation
    figures: dict[str, Any]

    @property
    def prices(self) -> dict[str, int]:
        """Where enough could have the place: else one would tell that a certain person waits."""
        asked = Counter(each for waiter in self.waiters for each, _ in waiter.candidates)
        by_id = zip(self.ids, self.found.prices.tolist(), strict=True)
        return {each: int(price) for each, price in by_id if price and asked[each] >= FEWEST_TOLD}

    def of(self, number: int) -> dict[str, Any]:
        """The value of `Placement.found`."""
        waiter = self.waiters[number]
        return {
            "candidates": [list(each) for each in waiter.candidates],
            "therapist": self._name(self.found, number),
            "arrival": self._name(self.arrival, number),
            "severity": waiter.severity,
            "days": waiter.days,
        }

    def _name(self, allocation: Allocation, number: int) -> str | None:
        therapist = int(allocation.therapist[number])
        return None if therapist == NOBODY else self.ids[therapist]


def ask(session: Session, actor: User, at: datetime) -> WaitingRun:
    """Let the worker make a proposal; while it does, the one that is being made.

    Of two who ask at once one begins it, and the other has theirs.
    """
    while (run := _going_on(session)) is None:
        with suppress(IntegrityError), session.begin_nested():
            return _begin(session, actor, at)
    return run


def _going_on(session: Session) -> WaitingRun | None:
    """What was given up is not waited for any more."""
    run = session.scalars(sa.select(WaitingRun).where(WaitingRun.being_made)).first()
    if run is not None and has_failed(run):
        run.being_made = None
        session.flush()
        return None
    return run


def _begin(session: Session, actor: User, at: datetime) -> WaitingRun:
    """Raises IntegrityError where somebody else has begun one since."""
    run = WaitingRun(asked_at=at, asked_by_id=actor.id, being_made=True)
    session.add(run)
    record(session, run, "run_asked", actor, at)
    post(session, RUN, {"run": str(run.public_id)}, dedupe_key=work_of(run), at=at)
    return run


def withdraw(session: Session, run: WaitingRun, actor: User, at: datetime) -> None:
    """Take a proposal back, with what was not decided and its prices. Raises RunIsOver.

    What was offered to a client stays, and what a legal hold protects is set aside.
    """
    session.refresh(run, with_for_update={"of": WaitingRun})
    if run.withdrawn_at is not None:
        raise RunIsOver
    run.withdrawn_at, run.withdrawn_by_id, run.being_made = at, actor.id, None
    let_go(session, Placement.run_id == run.id)
    # Those in force may be another's: of a proposal before this one, or of one after it.
    if run.made_at is not None and newest_prices().since == run.made_at:
        clear_prices(session, at)
    record(session, run, "run_withdrawn", actor, at)


def make_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. A run may take longer than a lease, so one is made at a time."""
    with alone_or_elsewhere(RUN):
        make(uuid.UUID(payload["run"]), now())


def make(public_id: uuid.UUID, at: datetime) -> None:
    """Work it out and keep it, unless it was made or taken back already.

    Once more where other weights came into force meanwhile: everybody is ranked by one version.
    """
    while _is_wanted(public_id):
        version = newest_weights().version
        proposal = propose(list(_looked_at(public_id, at)))
        with unit_of_work() as session:
            run = _locked(session, public_id)
            if run.is_being_made and newest_weights().version == version:
                _keep(session, run, proposal, at)


def propose(waiters: Sequence[Waiter]) -> Proposal:
    """Pure: waiters come in the order in which they joined."""
    places = {each: places for waiter in waiters for each, places in waiter.places.items()}
    candidates = Candidates.of([waiter.candidates for waiter in waiters], places)
    severities = [waiter.severity for waiter in waiters]
    days = [waiter.days for waiter in waiters]
    found = allocate(candidates, priorities(severities, days))
    arrival = by_arrival(candidates)
    figures = figures_of(candidates, found, arrival, severities, days)
    return Proposal(waiters, list(places), found, arrival, figures)


def _looked_at(public_id: uuid.UUID, at: datetime) -> Iterator[Waiter]:
    """Everybody who waits, some at a time; how far it is can be read meanwhile."""
    keys = entries_to_place()
    _say_how_far(public_id, waiting=len(keys), looked_at=0)
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        entries = [db.session.get(WaitingEntry, key) for key in some]
        yield from [_waiter(entry, at) for entry in entries if entry is not None]
        _say_how_far(public_id, looked_at=start + len(some))


def _waiter(entry: WaitingEntry, at: datetime) -> Waiter:
    """Without candidates where the client has no place, or answers that cannot be right."""
    answers = answers_of(latest_submitted(entry.client))
    days = entry.days(at)
    search = search_of(entry, answers, at)
    if search is None:
        return Waiter(entry.id, severity(answers), days, [], {})
    with search.market.held() as index:
        best = index.rank(search.values, search.market.weights, LISTED).results
        places = {match.id: index.therapist(match.id).capacity for match in best}
    candidates = [(match.id, match.total) for match in best]
    return Waiter(entry.id, severity(answers), days, candidates, places)


def _is_wanted(public_id: uuid.UUID) -> bool:
    wanted = sa.select(WaitingRun).where(WaitingRun.public_id == public_id)
    run = db.session.scalars(wanted).first()
    return run is not None and run.is_being_made


def _say_how_far(public_id: uuid.UUID, **figures: int) -> None:
    db.session.rollback()
    with unit_of_work() as session:
        run = sa.update(WaitingRun).where(WaitingRun.public_id == public_id)
        session.execute(run.values(**figures))


def _locked(session: Session, public_id: uuid.UUID) -> WaitingRun:
    wanted = sa.select(WaitingRun).where(WaitingRun.public_id == public_id)
    return session.scalars(wanted.with_for_update(of=WaitingRun)).one()


def _keep(session: Session, run: WaitingRun, proposal: Proposal, at: datetime) -> None:
    """In the place of what was undecided before, for those who can still be placed."""
    ensure_weights(session, at)
    _wait_for_decisions(session)
    still = _still_there(session)
    let_go(session)
    for number, waiter in enumerate(proposal.waiters):
        entry = still.get(waiter.entry_id)
        if entry is not None:
            session.add(_placement(run, entry, proposal.of(number)))
    run.made_at, run.being_made = at, None
    run.gap, run.cut_short = proposal.found.gap, proposal.found.cut_short
    run.weights_version, run.engine_version = newest_weights().version, matching.ENGINE_VERSION
    run.figures, run.prices = proposal.figures, proposal.prices
    set_prices(session, run.prices, at)
    record(session, run, "run_made", None, at, people=len(proposal.waiters))


def _wait_for_decisions(session: Session) -> None:
    """Whoever decides holds the run that it is about; the order is theirs, so nobody is stuck."""
    undecided = sa.select(Placement.run_id).where(Placement.state.in_(UNDECIDED))
    before = sa.select(WaitingRun).where(WaitingRun.id.in_(undecided)).order_by(WaitingRun.id)
    session.scalars(before.with_for_update(of=WaitingRun)).all()


def _still_there(session: Session) -> dict[int, WaitingEntry]:
    """Kept from ending until this is written: an entry that has ended has nothing proposed."""
    entries = can_be_placed_now().with_for_update(key_share=True, of=WaitingEntry)
    return {entry.id: entry for entry in session.scalars(entries)}


def _placement(run: WaitingRun, entry: WaitingEntry, found: dict[str, Any]) -> Placement:
    is_placed = found["therapist"] is not None
    return Placement(
        run=run,
        entry=entry,
        client_id=entry.client_id,
        client=entry.client,
        state=PlacementState.proposed if is_placed else PlacementState.unplaced,
        found=found,
    )
