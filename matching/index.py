"""An index of therapists, and the questions it answers: who, why, and why not."""

from collections.abc import Iterable
from datetime import date

import numpy as np

from matching import checking, factors, rules
from matching.columns import Columns, Whole
from matching.errors import UnknownTherapist
from matching.hours import monday_of
from matching.model import ANY_CODE, DEFAULT_WEIGHTS, Client, Therapist, Vocabulary, Weights
from matching.reasons import Explanation, Match, Ranking, WhyNot
from matching.scan import Scan, first_rows, scan
from matching.terms import FACTORS

SHOWN = 10


class Index:
    """Therapists, checked and laid out for ranking.

    `on` is a day of the UTC week for which the therapists' hours were written down; ask with
    clients of that week, because a week later the clocks may have changed (`week` is its Monday).
    Therapists who are not live are never ranked or counted, but can be explained.
    Raises BadRow. Cost: O(therapists) to build.
    """

    def __init__(
        self, therapists: Iterable[Therapist], *, on: date, vocabulary: Vocabulary = ANY_CODE
    ) -> None:
        rows = list(therapists)
        checking.check_rows(rows, vocabulary)
        self.week = monday_of(on)
        self._therapists = {each.id: each for each in rows}
        self._columns = Columns(sorted((each for each in rows if each.live), key=_id))

    def __len__(self) -> int:
        """How many therapists are live."""
        return len(self._columns)

    def __contains__(self, therapist_id: object) -> bool:
        return therapist_id in self._therapists

    def therapist(self, therapist_id: str) -> Therapist:
        """Raises UnknownTherapist."""
        try:
            return self._therapists[therapist_id]
        except KeyError:
            raise UnknownTherapist(therapist_id) from None

    def rank(
        self, client: Client, weights: Weights = DEFAULT_WEIGHTS, limit: int | None = SHOWN
    ) -> Ranking:
        """The `limit` closest of those whom no rule fails, or all of them when it is None."""
        found = scan(client, self._columns, weights)
        best = first_rows(found, _checked(limit, found))
        results = tuple(self._match(found, each) for each in best.tolist())
        return Ranking(results, len(self), found.excluded)

    def explain(
        self, client: Client, therapist_id: str, weights: Weights = DEFAULT_WEIGHTS
    ) -> Explanation:
        """Every line of the arithmetic with what it is made of, and every rule that says no.

        Points are given for those who may not be offered, too. Raises UnknownTherapist.
        """
        therapist = self.therapist(therapist_id)
        return Explanation(
            therapist_id,
            therapist.live,
            factors.lines(client, therapist, weights),
            rules.failures(client, therapist),
        )

    def why_not(
        self,
        client: Client,
        therapist_id: str,
        weights: Weights = DEFAULT_WEIGHTS,
        limit: int | None = SHOWN,
    ) -> WhyNot:
        """Why somebody is not among the first `limit`: the rules, or the place and the gap.

        Raises UnknownTherapist.
        """
        therapist = self.therapist(therapist_id)
        failures = rules.failures(client, therapist)
        if failures or not therapist.live:
            return WhyNot(therapist_id, therapist.live, failures)
        return self._place(client, therapist_id, weights, limit)

    def _place(
        self, client: Client, therapist_id: str, weights: Weights, limit: int | None
    ) -> WhyNot:
        found = scan(client, self._columns, weights)
        order = first_rows(found, len(found.rows))
        own = int(np.searchsorted(found.rows, self._columns.row_of[therapist_id]))
        place = int(np.flatnonzero(order == own)[0]) + 1
        shown = order[: _checked(limit, found)]
        if not len(shown):
            return WhyNot(therapist_id, live=True, place=place)
        last = int(shown[-1])
        gaps = _by_factor(found.points[:, last] - found.points[:, own])
        return WhyNot(therapist_id, True, (), place, self._id_at(found, last), gaps)

    def _match(self, found: Scan, position: int) -> Match:
        points = _by_factor(found.points[:, position])
        return Match(self._id_at(found, position), points, int(found.totals[position]))

    def _id_at(self, found: Scan, position: int) -> str:
        return self._columns.ids[int(found.rows[position])]


def rank(
    index: Index, client: Client, weights: Weights = DEFAULT_WEIGHTS, limit: int | None = SHOWN
) -> Ranking:
    """See `Index.rank`."""
    return index.rank(client, weights, limit)


def explain(
    index: Index, client: Client, therapist_id: str, weights: Weights = DEFAULT_WEIGHTS
) -> Explanation:
    """See `Index.explain`."""
    return index.explain(client, therapist_id, weights)


def why_not(
    index: Index,
    client: Client,
    therapist_id: str,
    weights: Weights = DEFAULT_WEIGHTS,
    limit: int | None = SHOWN,
) -> WhyNot:
    """See `Index.why_not`."""
    return index.why_not(client, therapist_id, weights, limit)


def _id(therapist: Therapist) -> str:
    return therapist.id


def _checked(limit: int | None, found: Scan) -> int:
    if limit is None:
        return len(found.rows)
    if limit < 0:
        raise ValueError("a limit is not negative")
    return limit


def _by_factor(points: Whole) -> dict[str, int]:
    return dict(zip(FACTORS, points.tolist(), strict=True))
