"""What the lead's pages show: who waits, and one placement with whom else it could be."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

import matching
from core.database import db
from practice.accounts.models import Client, User
from practice.intake.in_words import in_words
from practice.intake.pages import BY_KEY
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.reviews.cases import COMPARED
from practice.paging import Leaf, leaf_of, leaf_of_columns, leaf_of_list
from practice.waiting.changing import GivesWay
from practice.waiting.deciding import board_of
from practice.waiting.models import Placement, PlacementState, WaitingEntry, WaitingRun
from practice.waiting.queries import (
    Totals,
    clients_with,
    listed,
    names_of,
    newest_made_run,
    newest_run,
    offered_to,
    rejected_of,
    totals,
    who_has_asked,
    who_was_offered,
)
from practice.waiting.searching import InTheWay, in_the_way
from practice.waiting.since import name_of
from practice.waiting.urgency import WORDS
from practice.waiting.without_place import (
    Listed,
    ToCall,
    by_severity,
    counted,
    fits_nobody,
    is_to_be_called,
    without_place,
)

NOBODY = "nobody"
MOST_OTHERS = 10
HAS_ASKED = "has asked somebody"
WAS_OFFERED = "was offered a place"
NOT_LOOKED_AT = "no proposal yet"
NO_PLACE = "No place can be given there any more."
FITS_NOBODY = "waits on: nobody who is here fits"
FOUND_NO_PLACE = "waits on: no place was left"


class Show(enum.StrEnum):
    """Whom of those who wait the list shows, and who comes first."""

    longest = "longest"
    severe = "severe"
    proposed = "proposed"
    unplaced = "unplaced"
    to_call = "to-call"


SHOW_WORDS = {
    Show.longest: "Everybody, the longest waiting first",
    Show.severe: "Everybody, the most severe first",
    Show.proposed: "Those with a proposal",
    Show.unplaced: "Those for whom no place was found",
    Show.to_call: "To call: severe, and no place found",
}


@dataclass(frozen=True)
class Row:
    """One who waits. `placement` is what is proposed and not decided, if anything.

    `urgency` is empty where nothing was worked out; `closeness` in thousandths of a full match, 0
    for nobody; `standing` says how it stands with whoever has no therapist proposed.
    """

    placement: Placement | None
    name: str
    days: int
    urgency: str
    therapist: str
    closeness: int
    arrival: str
    standing: str = ""

    @property
    def is_proposed(self) -> bool:
        return self.placement is not None and self.placement.state is PlacementState.proposed


@dataclass(frozen=True)
class Listing:
    """One page of those whom the lead may see, whether a run has looked at them or not.

    `run` was worked out last, `making` is being worked out; `to_call` counts all pages; `clients`
    are on this one by name.
    """

    run: WaitingRun | None
    making: WaitingRun | None
    show: Show
    totals: Totals
    to_call: ToCall
    leaf: Leaf[Row]
    offered: Leaf[Placement]
    clients: list[Client]

    @property
    def can_confirm(self) -> bool:
        return any(row.is_proposed for row in self.leaf.rows)

    def longest(self, at: datetime) -> int:
        """For how many whole days whoever came first has waited."""
        return (at - self.totals.first).days if self.totals.first else 0


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

    `rejected` are (therapist, reason) of whom the lead has not wanted for them before; `in_the_way`
    is None where there is, or was, anybody for them; `client_to_call` a person should call.
    """

    row: Row
    named: list[Client]
    wishes: list[tuple[str, str]]
    others: list[Other]
    rejected: list[tuple[str, str]]
    in_the_way: InTheWay | None
    client_to_call: Client | None


def listing_for(user: User, show: Show, page: int, offers: int, at: datetime) -> Listing:
    """`page` of the list, and of what is offered `offers`; a constant number of queries."""
    run, newest = newest_made_run(), newest_run()
    making = newest if newest is not None and newest.is_being_made else None
    unplaced = without_place(user, run)
    found = _shown(user, run, show, page, unplaced)
    offered = leaf_of(offered_to(user), offers)
    clients = [entry.client for entry, _ in found.rows] + [each.client for each in offered.rows]
    rows = Leaf(_rows(found.rows, user, show, at), found.number, found.pages)
    to_call = counted(unplaced)
    return Listing(run, making, show, totals(user, run), to_call, rows, offered, clients)


def case_of(session: Session, user: User, placement: Placement, at: datetime) -> Case:
    answers = answers_of(latest_submitted(placement.client))
    wishes = [
        (BY_KEY[key].asks, "\n".join(in_words(key, answers[key])))
        for key in COMPARED
        if answers.get(key)
    ]
    [row] = _rows([(placement.entry, placement)], user, Show.longest, at)
    board = board_of(session, placement.run, user)
    moves = {each: board.gives_way(placement.id, each) for each in _listed_in(placement)}
    possible = {each for each in moves if board.is_possible(each)}
    giving_way = clients_with({move.key for move in moves.values() if move})
    others = _others(placement, moves, possible, giving_way)
    named = [placement.client, *giving_way.values()]
    return Case(
        row,
        named,
        wishes,
        others,
        _rejected(placement),
        in_the_way(placement.entry, answers, at) if fits_nobody(placement) else None,
        placement.client if is_to_be_called(placement) else None,
    )


def _shown(
    user: User, run: WaitingRun | None, show: Show, page: int, unplaced: Sequence[Listed]
) -> Leaf[Any]:
    """Severity is sealed, so for that order everybody's is opened and sorted here."""
    wanted = listed(user, run)
    match show:
        case Show.severe:
            return leaf_of_list(sorted(db.session.execute(wanted).all(), key=by_severity), page)
        case Show.unplaced:
            return leaf_of_list(unplaced, page)
        case Show.to_call:
            return leaf_of_list(
                [row for row in unplaced if row[1] and is_to_be_called(row[1])], page
            )
        case Show.proposed:
            wanted = wanted.where(Placement.state == PlacementState.proposed)
    return leaf_of_columns(wanted, page)


def _rows(shown: Sequence[Listed], user: User, show: Show, at: datetime) -> list[Row]:
    placements = [placement for _, placement in shown if placement is not None]
    open_to = _open_to(placements, user) if show in (Show.unplaced, Show.to_call) else {}
    meant = {each.found[key] for each in placements for key in ("therapist", "arrival")}
    names = names_of({*meant, *open_to.values()} - {None})
    others = [entry.client_id for entry, placement in shown if placement is None]
    standing = _standing(others) if others else {}
    return [
        _row_of(placement, entry.days(at), names, names.get(open_to.get(placement.id) or "", ""))
        if placement is not None
        else _row_without(entry, at, standing.get(entry.client_id, NOT_LOOKED_AT))
        for entry, placement in shown
    ]


def _row_of(placement: Placement, days: int, names: Mapping[str, str], open_now: str) -> Row:
    found = placement.found
    return Row(
        placement,
        name_of(placement.client),
        days,
        WORDS[found["severity"]],
        names.get(found["therapist"] or "", NOBODY),
        matching.shown_total(placement.points),
        names.get(found["arrival"] or "", NOBODY),
        f"waits on; {open_now} has a place" if open_now else _why_they_wait(placement),
    )


def _why_they_wait(placement: Placement) -> str:
    return FITS_NOBODY if fits_nobody(placement) else FOUND_NO_PLACE


def _row_without(entry: WaitingEntry, at: datetime, standing: str) -> Row:
    return Row(None, name_of(entry.client), entry.days(at), "", NOBODY, 0, "", standing)


def _standing(client_ids: Sequence[int]) -> dict[int, str]:
    asked = dict.fromkeys(who_has_asked(client_ids), HAS_ASKED)
    return asked | dict.fromkeys(who_was_offered(client_ids), WAS_OFFERED)


def _open_to(placements: Sequence[Placement], user: User) -> dict[int, str | None]:
    """With whom each of them could be without anybody giving way: places come free meanwhile."""
    if not placements:
        return {}
    board = board_of(db.session(), placements[0].run, user)
    return {each.id: board.open_to(each.id) for each in placements}


def _rejected(placement: Placement) -> list[tuple[str, str]]:
    before = rejected_of(placement.entry)
    names = names_of(each.proposed for each in before if each.proposed)
    return [(names.get(each.proposed or "", NOBODY), each.reason) for each in before]


def _listed_in(placement: Placement) -> list[str]:
    """The closest of their list, and for whom is proposed."""
    closest = [therapist for therapist, _ in placement.candidates[:MOST_OTHERS]]
    return list(dict.fromkeys([*closest, *filter(None, [placement.proposed])]))


def _others(
    placement: Placement,
    moves: Mapping[str, GivesWay | None],
    possible: Collection[str],
    giving_way: Mapping[int, Client],
) -> list[Other]:
    points = dict(placement.candidates)
    names = names_of([*moves, *(move.goes_to for move in moves.values() if move and move.goes_to)])
    return [
        Other(
            therapist,
            names[therapist],
            matching.shown_total(points[therapist]),
            therapist == placement.proposed,
            therapist in possible,
            _cost(move, giving_way, names) if therapist in possible else NO_PLACE,
        )
        for therapist, move in moves.items()
        if therapist in names
    ]


def _cost(move: GivesWay | None, giving_way: Mapping[int, Client], names: Mapping[str, str]) -> str:
    if move is None:
        return "A place is open: nobody else changes."
    name = name_of(giving_way[move.key])
    lost = matching.shown_total(move.loses)
    if move.goes_to is None:
        return f"{name} would wait on."
    if move.loses > 0:
        return f"{name} would go to {names[move.goes_to]}, {lost} less close."
    return f"{name} would go to {names[move.goes_to]}, as close or closer."
