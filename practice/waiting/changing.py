"""What it costs the others when one of those who wait is given another therapist.

Where a place is open, nobody. Else somebody gives way: of those who are proposed for that
therapist the one for whom it costs least: one who can take an open place elsewhere before one who
must wait on; of the former whoever loses fewest points by it, of the latter whoever comes last in
priority. One step only, so that a person can follow it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Seat:
    """One who waits: `key` names them, `candidates` are (therapist, points), closest first.

    Whoever `stays` never gives way.
    """

    key: int
    candidates: Sequence[tuple[str, int]]
    therapist: str | None
    priority: int
    stays: bool = False

    def points(self, therapist: str | None) -> int:
        return dict(self.candidates).get(therapist or "", 0)


@dataclass(frozen=True)
class GivesWay:
    """Who gives way: to whom they go instead, None when they wait on, and the points they lose."""

    key: int
    goes_to: str | None
    loses: int


class Board:
    """What is proposed now, and how many places each therapist has open, kept ones left out."""

    def __init__(self, seats: Sequence[Seat], places: Mapping[str, int]) -> None:
        self._seats = {seat.key: seat for seat in seats}
        self._taken = Counter(seat.therapist for seat in seats if seat.therapist)
        self._places = places

    def is_possible(self, therapist: str) -> bool:
        """Whether a place is open there, or somebody can give way for it."""
        return self._left(therapist) > 0 or bool(self._can_give_way(therapist))

    def open_to(self, key: int) -> str | None:
        """The closest of their list with whom a place is open that nobody is proposed for."""
        listed = (therapist for therapist, _ in self._seats[key].candidates)
        return next((each for each in listed if self._left(each) > 0), None)

    def gives_way(self, key: int, therapist: str) -> GivesWay | None:
        """None where a place is open, or it is theirs already."""
        seat = self._seats[key]
        if seat.therapist == therapist or self._left(therapist) > 0:
            return None
        moves = [self._moved(one, freed=seat.therapist) for one in self._can_give_way(therapist)]
        return min(moves, key=self._harm, default=None)

    def _can_give_way(self, therapist: str) -> list[Seat]:
        """Of a therapist whose places were all taken meanwhile nobody has one to give."""
        if self._places.get(therapist, 0) <= 0:
            return []
        seats = self._seats.values()
        return [one for one in seats if one.therapist == therapist and not one.stays]

    def _moved(self, seat: Seat, freed: str | None) -> GivesWay:
        for therapist, points in seat.candidates:
            room = self._left(therapist) + (therapist == freed)
            if therapist != seat.therapist and room > 0:
                return GivesWay(seat.key, therapist, seat.points(seat.therapist) - points)
        return GivesWay(seat.key, None, seat.points(seat.therapist))

    def _harm(self, move: GivesWay) -> tuple[bool, int, int, int]:
        waits_on = move.goes_to is None
        priority = self._seats[move.key].priority if waits_on else 0
        return waits_on, priority, move.loses, move.key

    def _left(self, therapist: str) -> int:
        return self._places.get(therapist, 0) - self._taken[therapist]
