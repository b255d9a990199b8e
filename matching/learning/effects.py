"""What a therapist's own outcomes say about them, shrunk and adjusted for who came to them.

Objective: for each therapist j an effect θ_j (domains,), by how much better than the average
therapist their clients do in each domain, as the posterior of
    y = intercepts + β·z + wᵀθ_j + error,   θ_j ~ N(0, Σ),   Σ = σ_a²·11ᵀ + σ_b²·I
where y is the outcome, z the baseline and w how much each domain weighs in a case. σ_a is what a
therapist is better at in general, σ_b what they are better at in one domain.
Steps: (1) the sums that all else is made of, in one pass over the cases; (2) β from differences
within therapists and domains, so that a therapist whose clients arrive worse is not taken for a
worse one, divided by the baseline's reliability there (errors in variables; Fuller 1987);
(3) r = y − βz − intercepts, A_j = Σ wwᵀ, b_j = Σ wr; (4) σ², σ_a², σ_b² (`variances`);
(5) V_j = (A_j/σ² + Σ⁻¹)⁻¹ and θ̂_j = V_j·b_j/σ² (Laird and Ware 1982; Efron and Morris 1973).
Cost: O(cases · domains of a case²) for the sums, O(therapists · domains³) for the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.errors import BadRow, BadValue
from matching.learning.variances import Real, Variances, fitted
from matching.terms import FULL, NEUTRAL

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Three variances are known well from this many therapists; the rest only cost time.
SAMPLE = 4000
# How many cases in a domain before what they say may count for anybody.
ENOUGH_CASES = 15
EXPLORATION = 0.5
# The effect, in standard deviations of outcome, at which a record can rise or fall no further:
# about twice that by which therapists differ (a twentieth of the variance lies between them).
SPAN = 0.5
# However unreliable a baseline is said to be, β is never made more than four times as steep.
LEAST_RELIABLE = 0.25
SAME = 1e-6


@dataclass(frozen=True)
class Case:
    """One finished episode: `domains` code → weight > 0, any scale; the rest as in `Cases`."""

    therapist: str
    domains: Mapping[str, float]
    baseline: float
    outcome: float


@dataclass(frozen=True)
class Cases:
    """`therapist` (n,) numbers from 0; `weights` (n, domains) ≥ 0, each row sums to 1.

    `outcome` (n,) is where a client ended, higher is better, and `baseline` (n,) how unwell they
    began, both in standard deviations over all clients. The outcome is the state at the end, not
    the change: a change holds the baseline's own error and would turn β. `reliability` of the
    baseline, above 0, at most 1 (for a questionnaire, how far a retest agrees). No case is fine.
    Raises BadRow for the first case that cannot be right, BadValue for columns that do not fit.
    """

    therapist: Whole
    weights: Real
    baseline: Real
    outcome: Real
    reliability: float = 1.0

    def __post_init__(self) -> None:
        lengths = {len(self.weights), len(self.baseline), len(self.outcome), len(self.therapist)}
        if len(lengths) > 1 or self.weights.ndim != 2 or not self.weights.shape[1]:
            raise BadValue("cases", "every column must have one entry a case")
        if not 0 < self.reliability <= 1:
            raise BadValue("reliability", "must lie above 0, up to 1")
        _refuse(self.therapist < 0, "therapist", "is not one of the therapists")
        _refuse(~np.isfinite(self.baseline), "baseline", "must be a number")
        _refuse(~np.isfinite(self.outcome), "outcome", "must be a number")
        # A weight that is not a number fails this too.
        sums = self.weights @ np.ones(self.domains)
        _refuse(~(np.abs(sums - 1) < SAME), "weights", "must sum to 1")
        if self.weights.min(initial=0) < 0:
            _refuse(self.weights.min(axis=1) < 0, "weights", "must not be negative")

    def __len__(self) -> int:
        return len(self.therapist)

    @property
    def domains(self) -> int:
        return int(self.weights.shape[1])

    def only(self, kept: Flags) -> "Cases":
        """The same with those cases alone; `kept` (n,)."""
        baseline, outcome = self.baseline[kept], self.outcome[kept]
        therapist, weights = self.therapist[kept], self.weights[kept]
        return Cases(therapist, weights, baseline, outcome, self.reliability)

    @classmethod
    def of(
        cls,
        cases: Iterable[Case],
        therapists: Sequence[str],
        domains: Sequence[str],
        reliability: float = 1.0,
    ) -> "Cases":
        """Numbers for names, in the order given. Raises BadRow for a name that is not there."""
        rows = list(cases)
        who = {name: number for number, name in enumerate(therapists)}
        what = {name: number for number, name in enumerate(domains)}
        weights = np.zeros((len(rows), len(domains)))
        for row, case in enumerate(rows):
            _check_case(row, case, who, what)
            total = sum(case.domains.values())
            for name, weight in case.domains.items():
                weights[row, what[name]] = weight / total
        number = np.array([who[case.therapist] for case in rows], dtype=np.int64)
        baseline = np.array([case.baseline for case in rows], dtype=np.float64)
        outcome = np.array([case.outcome for case in rows], dtype=np.float64)
        return cls(number, weights, baseline, outcome, reliability)


@dataclass(frozen=True)
class Effects:
    """`mean` θ̂ (therapists, domains) and `spread` V (therapists, domains, domains).

    In standard deviations of outcome. `cases` (therapists, domains) is how many each rests on, a
    case in two domains counted in parts; `slope` β; `intercepts` (domains,) the outcome of an
    average client of an average therapist; `adjustment` (therapists,) by how much each was lifted
    for clients who came worse than most, which a page shows.
    """

    mean: Real
    spread: Real
    cases: Real
    slope: float
    intercepts: Real
    adjustment: Real
    variances: Variances

    def expected(self, weights: Real) -> Real:
        """Shape (therapists,): how much better than the average this case would do with each.

        A mix of several cases, (cases, domains), gives (therapists, cases).
        """
        expected: Real = self.mean @ weights.T
        return expected

    def predicted(self, cases: Cases) -> Real:
        """wᵀθ̂ (n,): how much better than the average each case would do with its therapist."""
        predicted: Real = np.einsum("nd,nd->n", cases.weights, self.mean[cases.therapist])
        return predicted

    def adjusted(self, cases: Cases) -> Real:
        """r (n,): the outcome less what baseline and domains lead to expect."""
        return cases.outcome - self.slope * cases.baseline - cases.weights @ self.intercepts

    def bonus(self, weights: Real, curiosity: float = EXPLORATION) -> Real:
        """c·√(wᵀVw), shape (therapists,): what not knowing yet is worth.

        Without it newcomers stay unknown, because those who are known are chosen (an upper
        confidence bound; Auer 2002).
        """
        variance: Real = np.einsum("d,jde,e->j", weights, self.spread, weights)
        return curiosity * np.sqrt(np.maximum(variance, 0))

    def enough(self) -> Flags:
        """Shape (therapists, domains): where there are cases enough to count for anybody."""
        return np.greater_equal(self.cases, ENOUGH_CASES)

    def records(self, weights: Real) -> Whole:
        """The factor `record` (therapists,), 0…1000: 500 is the average, or too little known.

        Only domains with enough cases count; the others add nothing. 1000 is half a standard
        deviation of outcome above the average, 0 half below.
        """
        counting: Real = np.where(self.enough(), self.mean, 0) @ weights
        return _thousandths(NEUTRAL + (FULL - NEUTRAL) * np.clip(counting / SPAN, -1, 1))

    def bonuses(self, weights: Real, curiosity: float = EXPLORATION) -> Whole:
        """The bonus as a line of its own (therapists,), in the unit of `records`.

        Never so much that the two together pass 1000.
        """
        score = _thousandths((FULL - NEUTRAL) * self.bonus(weights, curiosity) / SPAN)
        return np.minimum(score, FULL - self.records(weights))


def effects(cases: Cases, therapists: int | None = None) -> Effects:
    """See the module. `therapists`: how many there are, if more than have cases.

    Raises BadRow for a case of a therapist beyond them. Without any case, nobody differs.
    """
    count = int(cases.therapist.max(initial=-1)) + 1 if therapists is None else therapists
    _refuse(cases.therapist >= count, "therapist", "is not one of the therapists")
    sums = Sums.of(cases, count)
    slope = slope_within(sums, cases.reliability)
    intercepts = _solved(sums.held.sum(axis=0), sums.less(slope).sum(axis=0))
    pull = sums.less(slope) - sums.held @ intercepts
    variances = _variances(sums, slope, intercepts, pull)
    mean, spread = _posterior(sums.held, pull, variances)
    adjustment = -slope * sums.baseline / np.maximum(sums.cases, 1)
    level = _mean(cases.outcome) - slope * _mean(cases.baseline)
    return Effects(mean, spread, sums.mix, slope, intercepts + level, adjustment, variances)


@dataclass(frozen=True)
class Sums:
    """What the cases of each therapist add up to, outcome y and baseline z less their means.

    `cases`, `outcome`, `baseline`, `yy`, `yz`, `zz` (therapists,): how many, Σy, Σz, Σy², Σyz, Σz²;
    `mix`, `by_outcome`, `by_baseline` (therapists, domains): Σw, Σwy, Σwz; `held` (therapists,
    domains, domains): A = Σwwᵀ.
    """

    cases: Real
    outcome: Real
    baseline: Real
    yy: Real
    yz: Real
    zz: Real
    mix: Real
    by_outcome: Real
    by_baseline: Real
    held: Real

    @classmethod
    def of(cls, cases: Cases, therapists: int) -> "Sums":
        who = cases.therapist
        y, z = cases.outcome - _mean(cases.outcome), cases.baseline - _mean(cases.baseline)

        def summed(values: Real) -> Real:
            return _summed(who, values, therapists)

        count, squares = summed(np.ones(len(cases))), (summed(y * y), summed(y * z), summed(z * z))
        return cls(count, summed(y), summed(z), *squares, *_by_domain(cases, y, z, therapists))

    def less(self, slope: float) -> Real:
        """Σw(y − βz), shape (therapists, domains)."""
        return self.by_outcome - slope * self.by_baseline


def slope_within(sums: Sums, reliability: float) -> float:
    """β: how the outcome falls with the baseline among one therapist's clients of one domain."""
    one = 1 / np.maximum(sums.cases, 1)
    share, baseline = sums.mix * one[:, None], sums.baseline * one
    alike = sums.held.sum(axis=0) - share.T @ sums.mix
    with_z = sums.by_baseline.sum(axis=0) - share.T @ sums.baseline
    with_y = sums.by_outcome.sum(axis=0) - share.T @ sums.outcome
    explained = _solved(alike, with_z)
    moved = float(sums.zz.sum() - baseline @ sums.baseline - explained @ with_z)
    along = float(sums.yz.sum() - baseline @ sums.outcome - explained @ with_y)
    free = sums.cases.sum() - np.count_nonzero(sums.cases) - np.linalg.matrix_rank(alike)
    if free <= 0 or moved <= SAME * float(sums.zz.sum()):
        return 0.0
    # What is measured wrongly stays when therapists and domains are taken out, and weighs more.
    wrongly = (1 - reliability) * float(sums.zz.sum() / sums.cases.sum()) / (moved / free)
    return float(along / moved / max(1 - wrongly, LEAST_RELIABLE))


def _check_case(row: int, case: Case, who: Mapping[str, int], what: Mapping[str, int]) -> None:
    if case.therapist not in who:
        raise BadRow(row, "therapist", "is not one of the therapists")
    for name, weight in case.domains.items():
        if name not in what:
            raise BadRow(row, f"domains.{name}", "is not one of the domains")
        if not 0 < weight < np.inf:
            raise BadRow(row, f"domains.{name}", "must be above 0")
    if not case.domains:
        raise BadRow(row, "domains", "must name one at least")


def _refuse(wrong: Flags, field: str, reason: str) -> None:
    if wrong.any():
        raise BadRow(int(wrong.argmax()), field, reason)


def _mean(values: Real) -> float:
    return float(values.mean()) if len(values) else 0.0


def _by_domain(cases: Cases, y: Real, z: Real, therapists: int) -> tuple[Real, Real, Real, Real]:
    """Σw, Σwy, Σwz and Σwwᵀ: only over the domains that a case touches, which are few."""
    row, domain = np.divmod(np.flatnonzero(cases.weights), cases.domains)
    weight = cases.weights[row, domain]
    key = cases.therapist[row] * cases.domains + domain
    size, shape = therapists * cases.domains, (therapists, cases.domains)

    def summed(values: Real) -> Real:
        return _summed(key, values, size).reshape(shape)

    squares = _products(cases, row, domain, weight, therapists)
    return summed(weight), summed(weight * y[row]), summed(weight * z[row]), squares


def _products(cases: Cases, row: Whole, domain: Whole, weight: Real, therapists: int) -> Real:
    """Σwwᵀ: each weight with itself, then with the one, two, … places on in the same case."""
    domains = cases.domains
    own = (cases.therapist[row] * domains + domain) * domains
    shape = (therapists, domains, domains)

    def summed(first: Whole, second: Whole) -> Real:
        product = weight[first] * weight[second]
        return _summed(own[first] + domain[second], product, int(np.prod(shape))).reshape(shape)

    every = np.arange(len(row))
    held = summed(every, every)
    for away in range(1, domains):
        first = np.flatnonzero(row[away:] == row[:-away])
        if not len(first):
            break
        half = summed(first, first + away)
        held = held + half + half.transpose(0, 2, 1)
    return held


def _summed(group: Whole, values: Real, groups: int) -> Real:
    return np.asarray(np.bincount(group, values, minlength=groups), dtype=np.float64)


def _solved(matrix: Real, vector: Real) -> Real:
    """The shortest x with matrix · x = vector, as nearly as can be."""
    return np.asarray(np.linalg.lstsq(matrix, vector, rcond=None)[0], dtype=np.float64)


def _variances(sums: Sums, slope: float, intercepts: Real, pull: Real) -> Variances:
    """From those who have cases; from every so many of them when there are very many."""
    chosen = np.flatnonzero(sums.cases)
    chosen = chosen[:: max(1, len(chosen) // SAMPLE)]
    squares = sums.yy - 2 * slope * sums.yz + slope**2 * sums.zz
    # Σ(r + α)² less 2αΣr and ααA, where r + α = y − βz.
    apart = (sums.less(slope) + pull) @ intercepts
    squares = np.maximum(squares - apart, 0)
    return fitted(sums.held[chosen], pull[chosen], squares[chosen], sums.cases[chosen])


def _posterior(held: Real, pull: Real, now: Variances) -> tuple[Real, Real]:
    """θ̂ (therapists, domains) and V (therapists, domains, domains)."""
    domains = pull.shape[1]
    shared = now.general / (now.special * (now.special + domains * now.general))
    spread = np.linalg.inv(held / now.noise + np.eye(domains) / now.special - shared)
    return np.einsum("jde,je->jd", spread, pull) / now.noise, spread


def _thousandths(values: Real) -> Whole:
    return np.floor(values + 0.5).astype(np.int64)
