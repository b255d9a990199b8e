"""Whether matching treats groups of people alike, with how sure one can be.

Objective: for each measure, attribute and group the rate or mean, its difference to everybody
else under the same attribute, and whether that is more than chance.
Measures: `score` (points of the match), `placed` (share), `wait` (days), `excluded.<rule>` (share
of the therapists looked at whom the rule took away).
Steps: (1) groups of fewer than 50 are kept back, and the next smallest with them until nobody can
be had by subtraction, counting those who did not say as a group that is never shown; (2) a rate has
Wilson's interval (1927), a difference of rates Newcombe's (1998, method 10) and the score test;
(3) means and their differences have the standard error of a bootstrap that draws therapists with
all their clients (Efron 1979; Field and Welsh 2007), because clients of one therapist are alike,
and Student's distribution with as many degrees of freedom as therapists less one; (4) Benjamini and
Hochberg (1995) over all comparisons: of what is called a difference, at most 5 % are expected to be
chance, and where all are treated alike there is a false alarm in about one audit of twenty at most.
Everybody else is the reference, and not the largest group: nobody is the norm for the others.
A client without a therapist stands alone. Rates are counted client by client, because only those
who were placed have a therapist.
Cost: O(clients · measures · attributes) and O(draws · therapists · groups · measures).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import erfc, exp, inf, log, sqrt

import numpy as np
import numpy.typing as npt

from matching.errors import BadRow, BadValue

Real = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NOBODY = -1
FEWEST_PEOPLE = 50
# With fewer a standard error cannot be trusted, and a mean would speak of single therapists.
FEWEST_THERAPISTS = 10
FALSE_DISCOVERIES = 0.05
DRAWS = 1000
DRAWS_AT_ONCE = 100
# 95 % of a normal distribution lie within so many standard deviations.
TWO_SIDED = 1.959964

SCORE, PLACED, WAIT, EXCLUDED = "score", "placed", "wait", "excluded."
# Smaller differences are called slight, however sure: the points that are "about as close" on a
# page, two people in a hundred, a day, one therapist in fifty.
SLIGHT = {SCORE: 20_000.0, PLACED: 0.02, WAIT: 1.0, EXCLUDED: 0.02}


class Verdict(StrEnum):
    """`alike`: no sign of a difference, which is not proof that there is none.

    `few_people` is kept back; `few_therapists` is shown but not judged; `alone` has no others.
    """

    differs = "differs"
    slight = "slight"
    alike = "alike"
    alone = "alone"
    few_therapists = "few_therapists"
    few_people = "few_people"


@dataclass(frozen=True)
class Placements:
    """What happened to n clients, by group.

    `groups`: attribute → n labels, None where a client did not say. `therapist` (n,) numbers from
    0, NOBODY for none; `placed` (n,) flags; `score` (n,) points and `wait` (n,) days, NaN where not
    known. `excluded`: rule → (n,) how many therapists it took away, of `considered` (n,).
    Raises BadRow for the first client who cannot be right, BadValue for columns that do not fit.
    """

    groups: Mapping[str, Sequence[str | None]]
    therapist: Whole
    placed: Flags
    score: Real
    wait: Real
    considered: Whole
    excluded: Mapping[str, Whole]

    def __post_init__(self) -> None:
        for name, column in self._columns():
            if len(column) != len(self):
                raise BadValue(name, "must have one entry a client")
        _refuse(self.therapist < NOBODY, "therapist", "is not a number from 0")
        _refuse(self.placed & (self.therapist < 0), "therapist", "must be known of who was placed")
        _refuse(np.isinf(self.score) | (self.score < 0), "score", "must be a number from 0")
        _refuse(np.isinf(self.wait) | (self.wait < 0), "wait", "must be a number from 0")
        for rule, taken in self.excluded.items():
            wrong = (taken < 0) | (taken > self.considered)
            _refuse(wrong, EXCLUDED + rule, "must be some of those considered")

    def __len__(self) -> int:
        return len(self.therapist)

    @cached_property
    def means(self) -> dict[str, Real]:
        """Measure → (n,) values, NaN where there is none; the rate `placed` is not among them."""
        looked_at = np.where(self.considered > 0, self.considered, np.nan)
        excluded = {EXCLUDED + rule: taken / looked_at for rule, taken in self.excluded.items()}
        return {SCORE: self.score, WAIT: self.wait, **excluded}

    @cached_property
    def clusters(self) -> Whole:
        """Shape (n,): the therapist, and for a client without one a number of their own."""
        alone = self.therapist.max(initial=NOBODY) + 1 + np.arange(len(self))
        who = np.where(self.therapist < 0, alone, self.therapist)
        return np.unique(who, return_inverse=True)[1]

    def _columns(self) -> Iterator[tuple[str, Sequence[object] | Whole | Real | Flags]]:
        yield from self.groups.items()
        yield from ((EXCLUDED + rule, taken) for rule, taken in self.excluded.items())
        for name in ("placed", "score", "wait", "considered"):
            yield name, getattr(self, name)


@dataclass(frozen=True)
class Comparison:
    """One group under one measure against everybody else who has a group there.

    `people` with a value, `value` with its interval `low`…`high`, `difference` to the others with
    `least`…`most`; all None where they are kept back, the difference and `p` also where it is not
    judged. Intervals hold 95 % each; the verdict allows for all comparisons together.
    """

    measure: str
    attribute: str
    group: str
    verdict: Verdict
    people: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    least: float | None = None
    most: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class Audit:
    """`comparisons` by measure, attribute and group; `tested` of them have a p-value."""

    comparisons: tuple[Comparison, ...]
    people: int

    @property
    def tested(self) -> int:
        return sum(each.p is not None for each in self.comparisons)

    @property
    def alarms(self) -> tuple[Comparison, ...]:
        return tuple(each for each in self.comparisons if each.verdict is Verdict.differs)


def audit(placements: Placements, seed: int = 0, draws: int = DRAWS) -> Audit:
    """See the module. Without clients there is nothing to compare, which is no error."""
    weights = _drawn(placements.clusters, seed, draws)
    found = [
        comparison
        for attribute, labels in placements.groups.items()
        for comparison in _of_attribute(placements, Split.of(attribute, labels), weights)
    ]
    found.sort(key=lambda each: (_place(each.measure, placements), each.attribute, each.group))
    return Audit(tuple(_judged(found)), len(placements))


def discoveries(p: Sequence[float], rate: float = FALSE_DISCOVERIES) -> list[bool]:
    """Which of these are called real, so that at most `rate` of them are expected to be chance.

    The largest p that lies at or below its share of `rate` by rank, and all below it (Benjamini
    and Hochberg 1995).
    """
    ordered = sorted(p)
    within = [each for rank, each in enumerate(ordered, 1) if each <= rate * rank / len(ordered)]
    return [bool(within) and each <= within[-1] for each in p]


def wilson(some: float, of: float) -> tuple[float, float]:
    """The interval of a rate, 95 % (Wilson 1927)."""
    rate, square = some / of, TWO_SIDED**2
    middle = (rate + square / (2 * of)) / (1 + square / of)
    away = TWO_SIDED * sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - away), min(1.0, middle + away)


def newcombe(some: float, of: float, others: float, of_others: float) -> tuple[float, float]:
    """The interval of one rate less another, 95 % (Newcombe 1998, method 10)."""
    one, other = some / of, others / of_others
    (low, high), (other_low, other_high) = wilson(some, of), wilson(others, of_others)
    below = sqrt((one - low) ** 2 + (other_high - other) ** 2)
    above = sqrt((high - one) ** 2 + (other - other_low) ** 2)
    return one - other - below, one - other + above


def rates_differ(some: float, of: float, others: float, of_others: float) -> float:
    """p of the score test that two rates are one, two-sided."""
    both = (some + others) / (of + of_others)
    spread = sqrt(both * (1 - both) * (1 / of + 1 / of_others))
    return _two_sided(some / of - others / of_others, spread, inf)


def kept_back(people: Whole, unsaid: int = 0) -> Flags:
    """Which groups are not shown, given how many people each has and how many are in none.

    Those under 50, and the smallest of the rest until whoever is not shown, `unsaid` among them,
    are at least 50 people of more than one group: subtracting the others from the whole, which the
    groups of another attribute tell, then gives nobody away.
    """
    back: Flags = np.less(people, FEWEST_PEOPLE)
    for group in np.argsort(people, kind="stable"):
        if _gives_nobody_away(people[back], unsaid):
            break
        back[group] = True
    return back


def _gives_nobody_away(hidden: Whole, unsaid: int) -> bool:
    if not len(hidden) and not 0 < unsaid < FEWEST_PEOPLE:
        return True
    groups = len(hidden) + (unsaid > 0)
    return groups > 1 and int(hidden.sum()) + unsaid >= FEWEST_PEOPLE


@dataclass(frozen=True)
class Split:
    """The groups of one attribute in alphabetical order, and which each client is in, or NOBODY."""

    attribute: str
    groups: tuple[str, ...]
    code: Whole

    @classmethod
    def of(cls, attribute: str, labels: Sequence[str | None]) -> "Split":
        groups = tuple(sorted({label for label in labels if label is not None}))
        number = {group: code for code, group in enumerate(groups)}
        code = [NOBODY if label is None else number[label] for label in labels]
        return cls(attribute, groups, np.array(code, dtype=np.int64))

    def unsaid(self, values: Real) -> int:
        """How many have a value and are in no group."""
        return int(np.count_nonzero(np.isfinite(values) & (self.code < 0)))

    def counted(self, within: Whole, values: Real, size: int) -> Real:
        """Shape (size, groups): the values added up by `within` and group."""
        there = self.code >= 0
        key = within[there] * len(self.groups) + self.code[there]
        sums = np.bincount(key, values[there], minlength=size * len(self.groups))
        return np.asarray(sums.reshape(size, len(self.groups)), dtype=np.float64)


@dataclass(frozen=True)
class Sampled:
    """One measure by group: `people`, `clusters`, `mean` and `rest` (groups,) as they are, and how
    many are in no group.

    `drawn_mean` and `drawn_rest` (draws, groups) as they would be with other therapists.
    """

    people: Whole
    unsaid: int
    clusters: Whole
    others: Whole
    mean: Real
    rest: Real
    drawn_mean: Real
    drawn_rest: Real


def _of_attribute(
    placements: Placements, split: Split, weights: npt.NDArray[np.uint8]
) -> Iterator[Comparison]:
    if not split.groups:
        return
    yield from _rates(split, placements.placed.astype(np.float64))
    for measure, values in placements.means.items():
        yield from _means(measure, split, _sampled(split, values, placements.clusters, weights))


def _rates(split: Split, placed: Real) -> Iterator[Comparison]:
    one = np.zeros(len(placed), dtype=np.int64)
    some = split.counted(one, placed, 1)[0]
    people = split.counted(one, np.ones(len(placed)), 1)[0]
    back = kept_back(people.astype(np.int64), split.unsaid(placed))
    for group, name in enumerate(split.groups):
        if back[group]:
            yield Comparison(PLACED, split.attribute, name, Verdict.few_people)
        else:
            yield _rate(split.attribute, name, some, people, group)


def _rate(attribute: str, name: str, some: Real, people: Real, group: int) -> Comparison:
    mine, of = float(some[group]), float(people[group])
    others, of_others = float(some.sum()) - mine, float(people.sum()) - of
    shown = Comparison(
        PLACED, attribute, name, Verdict.alone, int(of), mine / of, *wilson(mine, of)
    )
    if not of_others:
        return shown
    least, most = newcombe(mine, of, others, of_others)
    p, difference = rates_differ(mine, of, others, of_others), mine / of - others / of_others
    return replace(shown, verdict=Verdict.alike, difference=difference, least=least, most=most, p=p)


def _sampled(
    split: Split, values: Real, clusters: Whole, weights: npt.NDArray[np.uint8]
) -> Sampled:
    known = np.isfinite(values)
    size = weights.shape[1]
    sums = split.counted(clusters, np.where(known, values, 0), size)
    people = split.counted(clusters, known.astype(np.float64), size)
    drawn = [
        np.hstack((block @ sums, block @ people))
        for block in (
            weights[start : start + DRAWS_AT_ONCE].astype(np.float64)
            for start in range(0, len(weights), DRAWS_AT_ONCE)
        )
    ]
    drawn_sums, drawn_people = np.hsplit(np.concatenate(drawn), 2)
    others = (people.sum(axis=1, keepdims=True) - people) > 0
    mean, rest = _against_the_rest(sums.sum(axis=0), people.sum(axis=0))
    return Sampled(
        people.sum(axis=0).astype(np.int64),
        split.unsaid(values),
        np.count_nonzero(people, axis=0),
        np.count_nonzero(others, axis=0),
        mean,
        rest,
        *_against_the_rest(drawn_sums, drawn_people),
    )


def _against_the_rest(sums: Real, people: Real) -> tuple[Real, Real]:
    """Means of the groups (the last axis) and of everybody else; NaN of nobody."""
    others = sums.sum(axis=-1, keepdims=True) - sums
    of_others = people.sum(axis=-1, keepdims=True) - people
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / people, others / of_others


def _means(measure: str, split: Split, sampled: Sampled) -> Iterator[Comparison]:
    back = kept_back(sampled.people, sampled.unsaid)
    for group, name in enumerate(split.groups):
        if back[group]:
            yield Comparison(measure, split.attribute, name, Verdict.few_people)
        else:
            yield _mean(measure, split.attribute, name, sampled, group)


def _mean(measure: str, attribute: str, name: str, sampled: Sampled, group: int) -> Comparison:
    value = float(sampled.mean[group])
    low, high = _interval(value, sampled.drawn_mean[:, group], int(sampled.clusters[group]))
    people = int(sampled.people[group])
    shown = Comparison(measure, attribute, name, Verdict.alone, people, value, low, high)
    if not sampled.others[group]:
        return shown
    fewest = int(min(sampled.clusters[group], sampled.others[group]))
    if fewest < FEWEST_THERAPISTS:
        return replace(shown, verdict=Verdict.few_therapists)
    drawn = sampled.drawn_mean[:, group] - sampled.drawn_rest[:, group]
    difference = value - float(sampled.rest[group])
    least, most = _interval(difference, drawn, fewest)
    p = _two_sided(difference, _spread(drawn, fewest), fewest - 1)
    return replace(shown, verdict=Verdict.alike, difference=difference, least=least, most=most, p=p)


def _judged(found: Sequence[Comparison]) -> Iterator[Comparison]:
    tested = [each.p for each in found if each.p is not None]
    real = iter(discoveries(tested))
    for each in found:
        if each.p is not None and next(real):
            yield replace(each, verdict=_size(each))
        else:
            yield each


def _size(real: Comparison) -> Verdict:
    kind = EXCLUDED if real.measure.startswith(EXCLUDED) else real.measure
    slight = abs(real.difference or 0) < SLIGHT[kind]
    return Verdict.slight if slight else Verdict.differs


def _place(measure: str, placements: Placements) -> int:
    return [PLACED, *placements.means].index(measure)


def _drawn(clusters: Whole, seed: int, draws: int) -> npt.NDArray[np.uint8]:
    """Shape (draws, clusters): how often each is drawn when as many are drawn with replacement."""
    chance, size = np.random.default_rng(seed), int(clusters.max(initial=-1)) + 1
    drawn = (np.bincount(chance.integers(0, size, size), minlength=size) for _ in range(draws))
    return np.array([each.astype(np.uint8) for each in drawn] if size else np.zeros((draws, 0)))


def _interval(value: float, drawn: Real, clusters: int) -> tuple[float, float]:
    away = _student(clusters - 1) * _spread(drawn, clusters)
    return value - away, value + away


def _spread(drawn: Real, clusters: int) -> float:
    """The standard error; a draw without anybody of a group says nothing.

    Drawing from so many makes them look more alike than they are, by (clusters − 1) / clusters.
    """
    if clusters < 2:
        return inf
    return float(np.nanstd(drawn, ddof=1)) * sqrt(clusters / (clusters - 1))


def _two_sided(difference: float, spread: float, freedom: float) -> float:
    """p of so large a difference, by Student's distribution."""
    if not difference:
        return 1.0
    return erfc(_normal(abs(difference) / spread, freedom) / sqrt(2)) if spread else 0.0


def _normal(t: float, freedom: float) -> float:
    """The standard deviation that is as rare as t (Wallace 1959); right to .02 from 3 degrees."""
    if inf in (freedom, t):
        return t
    return (8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log(1 + t * t / freedom))


def _student(freedom: int) -> float:
    """The t beyond which 5 % lie: the same the other way round."""
    if freedom < 1:
        return inf
    normal = TWO_SIDED * (8 * freedom + 3) / (8 * freedom + 1)
    return sqrt(freedom * (exp(normal * normal / freedom) - 1))


def _refuse(wrong: Flags, field: str, reason: str) -> None:
    if wrong.any():
        raise BadRow(int(wrong.argmax()), field, reason)
