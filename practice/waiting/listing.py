"""What the lead's pages show: the newest proposal, and one placement with whom else it could be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

import matching
from practice.accounts.models import Client, User
from practice.intake.in_words import in_words
from practice.intake.pages import BY_KEY
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.reviewing import COMPARED
from practice.waiting.changing import GivesWay
from practice.waiting.deciding import board_of
from practice.waiting.models import Placement, PlacementState, WaitingEntry, WaitingRun
from practice.waiting.queries import (
    names_of,
    newest_run,
    offered_to,
    open_places,
    rejected_of,
    undecided_in,
    waiting_for,
)
from practice.waiting.urgency import WORDS

NOBODY = "nobody"
A_CLIENT = "A client"
MOST_OTHERS = 10


@dataclass(frozen=True)
class Row:
    """One placement; `closeness` in thousandths of a full match, 0 for nobody."""

    placement: Placement
    name: str
    days: int
    urgency: str
    therapist: str
    closeness: int
    arrival: str

    @property
    def is_proposed(self) -> bool:
        return self.placement.state is PlacementState.proposed


@dataclass(frozen=True)
class Listing:
    """`waiting` is everybody the lead may see, whether a run has looked at them or not."""

    run: WaitingRun | None
    waiting: Sequence[WaitingEntry]
    rows: list[Row]
    offered: Sequence[Placement]

    @property
    def proposed(self) -> list[Row]:
        return [row for row in self.rows if row.is_proposed]

    @property
    def unplaced(self) -> list[Row]:
        return [row for row in self.rows if not row.is_proposed]


@dataclass(frozen=True)
class Other:
    """A therapist of a client's list and what proposing them costs; `possible` if any place is."""

    therapist_id: str
    name: str
    closeness: int
    is_proposed: bool
    possible: bool
    cost: str


@dataclass(frozen=True)
class Case:
    """One placement, the wishes in words, and whom else it could be; `named` are on the page.

    `rejected` are (therapist, reason) of whom the lead has not wanted for them before.
    """

    row: Row
    named: list[Client]
    wishes: list[tuple[str, str]]
    others: list[Other]
    rejected: list[tuple[str, str]]


def listing_for(user: User) -> Listing:
    run = newest_run()
    placements = undecided_in(user, run) if run is not None and run.stands else []
    return Listing(run, waiting_for(user), _rows(placements), offered_to(user))


def case_of(session: Session, placement: Placement) -> Case:
    answers = answers_of(latest_submitted(placement.client))
    wishes = [
        (BY_KEY[key].asks, "\n".join(in_words(key, answers[key])))
        for key in COMPARED
        if answers.get(key)
    ]
    [row] = _rows([placement])
    moves = _moves(session, placement)
    giving_way = [session.get_one(Placement, move.key) for move in moves.values() if move]
    named = [placement.client, *(each.client for each in giving_way)]
    return Case(row, named, wishes, _others(session, placement, moves), _rejected(placement))


def name_of(placement: Placement) -> str:
    return placement.client.preferred_name or A_CLIENT


def _rows(placements: Sequence[Placement]) -> list[Row]:
    meant = {each.found[key] for each in placements for key in ("therapist", "arrival")}
    names = names_of(meant - {None})
    return [_row(each, names) for each in placements]


def _row(placement: Placement, names: dict[str, str]) -> Row:
    found = placement.found
    return Row(
        placement,
        name_of(placement),
        found["days"],
        WORDS[found["severity"]],
        names.get(found["therapist"] or "", NOBODY),
        matching.shown_total(placement.points),
        names.get(found["arrival"] or "", NOBODY),
    )


def _rejected(placement: Placement) -> list[tuple[str, str]]:
    before = rejected_of(placement.entry)
    names = names_of(each.proposed for each in before if each.proposed)
    return [(names.get(each.proposed or "", NOBODY), each.reason) for each in before]


def _moves(session: Session, placement: Placement) -> dict[str, GivesWay | None]:
    """Who gives way for each of the closest of their list, and for whom is proposed."""
    board = board_of(session, placement.run)
    closest = [therapist for therapist, _ in placement.candidates[:MOST_OTHERS]]
    proposed = [placement.proposed] if placement.proposed else []
    listed = dict.fromkeys([*closest, *proposed])
    return {each: board.gives_way(placement.id, each) for each in listed}


def _others(
    session: Session, placement: Placement, moves: Mapping[str, GivesWay | None]
) -> list[Other]:
    points, places = dict(placement.candidates), open_places(moves)
    names = names_of([*moves, *(move.goes_to for move in moves.values() if move and move.goes_to)])
    return [
        Other(
            therapist,
            names[therapist],
            matching.shown_total(points[therapist]),
            therapist == placement.proposed,
            places[therapist] > 0,
            _cost(session, move, names, is_open=places[therapist] > 0),
        )
        for therapist, move in moves.items()
        if therapist in names
    ]


def _cost(session: Session, move: GivesWay | None, names: dict[str, str], *, is_open: bool) -> str:
    if not is_open:
        return "No place is open with them any more."
    if move is None:
        return "A place is open: nobody else changes."
    name = name_of(session.get_one(Placement, move.key))
    lost = matching.shown_total(move.loses)
    if move.goes_to is None:
        return f"{name} would wait on."
    if move.loses > 0:
        return f"{name} would go to {names[move.goes_to]}, {lost} less close."
    return f"{name} would go to {names[move.goes_to]}, as close or closer."
