"""A waiting list to be placed, and where everybody was placed.

Clients and therapists are numbers from 0 here, in the order of the lists given; scores are whole
points, the totals of a ranking.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.errors import BadRow

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOBODY = -1
MOST_POINTS = 1_000_000
MOST_PLACES = 10_000


@dataclass(frozen=True)
class Candidates:
    """The places each client could take, and how well each would fit.

    `therapist` (clients, k), NOBODY where a list is shorter; `score` (clients, k) in points, whole
    numbers from 0 to a million; `capacity` (therapists,) open places. Each list is brought into the
    order of falling scores, equals as they stood. Raises BadRow with the number of the client, or
    of the therapist for a bad capacity. Cost: O(clients · k log k).
    """

    therapist: Whole
    score: Whole
    capacity: Whole

    def __post_init__(self) -> None:
        capacity = whole(self.capacity, "capacity", MOST_PLACES)
        therapist, given = np.asarray(self.therapist), np.asarray(self.score)
        if capacity.ndim != 1 or therapist.ndim != 2 or therapist.shape != given.shape:
            raise BadRow(0, "score", "must have the shape of therapist, (clients, k)")
        therapist = whole(therapist, "therapist", len(capacity) - 1, least=NOBODY)
        score = whole(np.where(therapist == NOBODY, 0, given), "score", MOST_POINTS)
        therapist, score = _by_falling_score(therapist, score)
        _refuse_repeated(therapist)
        for name, value in (("therapist", therapist), ("score", score), ("capacity", capacity)):
            object.__setattr__(self, name, value)

    @classmethod
    def of(
        cls, lists: Sequence[Iterable[tuple[str, int]]], capacity: Mapping[str, int]
    ) -> "Candidates":
        """From a list of (therapist's id, score) for each client, and places by therapist's id.

        Therapists are numbered in the order of `capacity`. Raises BadRow.
        """
        rows = [[*each] for each in lists]
        number = {each: at for at, each in enumerate(capacity)}
        k = max(map(len, rows), default=0)
        therapist = np.full((len(rows), k), NOBODY)
        score = np.zeros((len(rows), k))
        for row, entries in enumerate(rows):
            for at, (each, points) in enumerate(entries):
                if each not in number:
                    raise BadRow(row, "therapist", "is not among the therapists")
                therapist[row, at] = number[each]
                score[row, at] = _number(points, row, "score")
        places = [_number(each, row, "capacity") for row, each in enumerate(capacity.values())]
        # Not yet whole: whatever they are, the constructor looks at them.
        return cls(therapist, score, np.array(places))  # type: ignore[arg-type]

    @property
    def clients(self) -> int:
        return len(self.therapist)

    @property
    def is_there(self) -> Flags:
        there: Flags = self.therapist != NOBODY
        return there

    @property
    def has_any(self) -> Flags:
        """Shape (clients,): who has a candidate at all."""
        has: Flags = np.any(self.is_there, axis=1)
        return has

    @cached_property
    def asked(self) -> Whole:
        """Shape (therapists,): how many have each as a candidate."""
        return np.bincount(self.therapist.ravel() + 1, minlength=len(self.capacity) + 1)[1:]

    @property
    def places(self) -> int:
        """How many there are that anybody could take."""
        return int(np.minimum(self.capacity, self.asked).sum())

    @property
    def best(self) -> Whole:
        """Shape (clients,): the highest score of each, NOBODY's −1 where there is no candidate."""
        if not self.therapist.size:
            return np.full(self.clients, NOBODY)
        there, rows = self.is_there, np.arange(self.clients)
        # Scores fall: the first who is there is the best.
        first = there.argmax(axis=1)
        best: Whole = np.where(there[rows, first], self.score[rows, first], NOBODY)
        return best

    def only(self, kept: Flags) -> "Candidates":
        """The same without those for whom `kept` (clients, k) is false."""
        return self._with(therapist=np.where(kept, self.therapist, NOBODY))

    def of_clients(self, clients: Whole) -> "Candidates":
        """The same for some clients, given by number, who are numbered anew."""
        therapist, score = (each.take(clients, axis=0) for each in (self.therapist, self.score))
        return self._with(therapist=therapist, score=score)

    @property
    def with_places(self) -> "Candidates":
        """The same without therapists who have no place, and without places nobody could fill."""
        kept = self._with()
        if (self.capacity == 0).any():
            numbers = np.where(self.capacity > 0, np.arange(len(self.capacity)), NOBODY)
            kept = self._with(therapist=np.append(numbers, NOBODY).take(self.therapist))
        # One more than could come: so there is room whoever does.
        object.__setattr__(kept, "capacity", np.minimum(kept.capacity, kept.asked + 1))
        return kept

    def _with(self, **changed: Whole) -> "Candidates":
        """The same but for what is given, which is not checked again."""
        other = copy(self)
        # Counted anew, from the lists it then has.
        other.__dict__.pop("asked", None)
        for name, value in changed.items():
            object.__setattr__(other, name, value)
        return other

    def is_with(self, therapist: Whole) -> Flags:
        """Shape (clients, k): where each client's own therapist stands in their list."""
        # Nobody is not a candidate, though lists that are shorter are filled up with them.
        given = np.where(therapist == NOBODY, NOBODY - 1, therapist)
        mine: Flags = self.therapist == given[:, None]
        return mine

    def score_of(self, therapist: Whole) -> Whole:
        """Shape (clients,): how well each fits who was given to them, 0 for nobody."""
        at = np.flatnonzero(self.is_with(therapist))
        score = np.zeros(self.clients, dtype=np.int64)
        score[at // max(self.therapist.shape[1], 1)] = self.score.ravel().take(at)
        return score


@dataclass(frozen=True)
class Choice:
    """What the goals that come first leave to the total of scores.

    `candidates` without those who would spoil a goal; the clients of `must` (clients,) are placed
    in any case; `placed` clients in all.
    """

    candidates: Candidates
    must: Flags
    placed: int

    @classmethod
    def of_all(cls, candidates: Candidates, placed: int) -> "Choice":
        return cls(candidates, np.zeros(candidates.clients, dtype=np.bool_), placed)


@dataclass(frozen=True)
class Allocation:
    """`therapist` (clients,), NOBODY for whoever waits on; `score` (clients,), 0 for them.

    `prices` (therapists,) in points: what a place is worth to those who did not get it, 0 where a
    place is open. Between runs, rank a new client by score less price. `choice` is what `prices`
    certify the total for, as a share of which it may be short by at most `gap`; None where no
    total was sought. `cut_short`: nothing nearer than `gap` was found within the limits of work,
    although a smaller one was asked for.
    """

    therapist: Whole
    score: Whole
    prices: Whole
    choice: Choice | None = None
    gap: float | None = None
    cut_short: bool = False

    @property
    def is_placed(self) -> Flags:
        placed: Flags = self.therapist != NOBODY
        return placed

    @property
    def placed(self) -> int:
        return int(np.count_nonzero(self.is_placed))

    @property
    def total(self) -> int:
        return int(self.score.sum())

    @property
    def worst(self) -> int | None:
        """The lowest score among those who are placed."""
        scores = self.score[self.is_placed]
        return int(scores.min()) if len(scores) else None


def whole(values: Any, field: str, most: int, least: int = 0) -> Whole:
    """`values` as whole numbers. Raises BadRow for the first that is not, or is out of range."""
    given = np.asarray(values)
    if given.dtype.kind not in "iu":
        given = _read(given, field)
    bad = (given < least) | (given > most)
    if bad.any():
        _refuse(bad, field, f"must be a whole number from {least} to {most}")
    return given.astype(np.int64, copy=False)


def _read(given: npt.NDArray[Any], field: str) -> npt.NDArray[Any]:
    """Numbers that came as something else, where they are whole."""
    try:
        numbers = given.astype(np.float64)
    except (TypeError, ValueError):
        raise BadRow(0, field, "must be whole numbers") from None
    # NaN equals nothing, itself neither.
    bad = (numbers != np.rint(numbers)) | (np.abs(numbers) > 2**53)
    if bad.any():
        _refuse(bad, field, "must be a whole number")
    return numbers


def _number(value: object, row: int, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise BadRow(row, field, "must be a whole number")
    return float(value)


def _refuse(bad: Flags, field: str, reason: str) -> None:
    raise BadRow(int(np.argwhere(bad)[0][0]), field, reason)


def _by_falling_score(therapist: Whole, score: Whole) -> tuple[Whole, Whole]:
    key = np.where(therapist == NOBODY, 1, -score)
    if (key[:, 1:] >= key[:, :-1]).all():
        return therapist, score
    order = np.argsort(key, axis=1, kind="stable")
    return np.take_along_axis(therapist, order, 1), np.take_along_axis(score, order, 1)


def _refuse_repeated(therapist: Whole) -> None:
    in_order = np.sort(therapist, axis=1)
    repeated = (in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] != NOBODY)
    if repeated.any():
        _refuse(repeated, "therapist", "stands twice in one list")
