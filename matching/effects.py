"""What a therapist's own outcomes say about them, shrunk and adjusted for who came to them.

Objective: for each therapist j an effect θ_j (domains,), by how much better than the average
therapist their clients do in each domain, as the posterior of
    y = intercepts + β·z + wᵀθ_j + error,   θ_j ~ N(0, Σ),   Σ = σ_a²·11ᵀ + σ_b²·I
where y is the outcome, z the baseline and w how much each domain weighs in a case. σ_a is what a
therapist is better at in general, σ_b what they are better at in one domain.
Steps: (1) β from differences within therapists, so that a therapist whose clients arrive worse is
not taken for a worse one, divided by the baseline's reliability within therapists (errors in
variables; Fuller 1987); (2) r = y − βz − intercepts; (3) A_j = Σ wwᵀ, b_j = Σ wr;
(4) V_j = (A_j/σ² + Σ⁻¹)⁻¹, θ̂_j = V_j·b_j/σ², and σ², σ_a², σ_b² by expectation and maximisation
over a sample of therapists (Laird and Ware 1982); (5) the posterior of everybody.
Cost: O(cases · domains²) for the sums, O(therapists · domains³) for the posteriors.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

ROUNDS = 40
CLOSE_ENOUGH = 1e-4
# Three variances are known well from this many therapists; the rest only cost time.
SAMPLE = 2000
# How many cases in a domain before what they say may count for anybody.
ENOUGH_CASES = 15
EXPLORATION = 0.5


@dataclass(frozen=True)
class Cases:
    """`therapist` (n,) numbers from 0; `weights` (n, domains) ≥ 0, each row sums to 1.

    `outcome` (n,) higher is better, `baseline` (n,) how unwell at the start, both in standard
    deviations. `reliability` of the baseline, 0…1 (for a questionnaire, its retest reliability).
    Raises ValueError for shapes that do not fit, anything that is not a number, or no case at all.
    """

    therapist: Whole
    weights: Real
    baseline: Real
    outcome: Real
    reliability: float = 1.0

    def __post_init__(self) -> None:
        cases = len(self.therapist)
        if not cases or self.weights.ndim != 2:
            raise ValueError("there must be cases, with a weight for each domain")
        if {len(self.weights), len(self.baseline), len(self.outcome)} != {cases}:
            raise ValueError("every column must have one entry a case")
        finite = (np.isfinite(each).all() for each in (self.weights, self.baseline, self.outcome))
        if not all(finite) or (self.therapist < 0).any():
            raise ValueError("a case holds something that is not a number")
        if (self.weights < 0).any() or not np.allclose(self.weights.sum(axis=1), 1):
            raise ValueError("the weights of a case must sum to 1")
        if not 0 < self.reliability <= 1:
            raise ValueError("a reliability lies above 0, up to 1")


@dataclass(frozen=True)
class Effects:
    """`mean` (therapists, domains) and `spread` (therapists, domains, domains), its covariance.

    `cases` (therapists, domains) is how many cases each rests on; `slope` is β, `noise` σ²,
    `general` σ_a², `special` σ_b².
    """

    mean: Real
    spread: Real
    cases: Real
    slope: float
    noise: float
    general: float
    special: float

    def expected(self, weights: Real) -> Real:
        """Shape (therapists,): how much better than the average this case would do with each."""
        expected: Real = self.mean @ weights
        return expected

    def bonus(self, weights: Real, curiosity: float = EXPLORATION) -> Real:
        """c·√(wᵀVw): what not knowing yet is worth, so that newcomers are given a chance."""
        variance = np.einsum("d,jde,e->j", weights, self.spread, weights)
        return curiosity * np.sqrt(np.maximum(variance, 0))

    def is_enough(self, weights: Real) -> npt.NDArray[np.bool_]:
        """Who has enough cases in every domain that this case touches on."""
        touched = weights > 0
        enough: npt.NDArray[np.bool_] = (self.cases[:, touched] >= ENOUGH_CASES).all(axis=1)
        return enough


def effects(cases: Cases, therapists: int | None = None) -> Effects:
    """See the module. `therapists`: how many there are, if more than have cases."""
    count = therapists or int(cases.therapist.max()) + 1
    slope = slope_within(cases)
    rest = cases.outcome - slope * cases.baseline
    rest = rest - cases.weights @ _intercepts(cases.weights, rest)
    precision, pull = _sums(cases, rest, count)
    noise, general, special = _variances(cases, rest, precision, pull)
    spread, mean = _posterior(precision, pull, noise, general, special)
    held = np.diagonal(precision, axis1=1, axis2=2)
    return Effects(mean, spread, held.copy(), slope, noise, general, special)


def slope_within(cases: Cases) -> float:
    """How the outcome falls with the baseline among the clients of one therapist."""
    outcome = _less_own_mean(cases.therapist, cases.outcome)
    baseline = _less_own_mean(cases.therapist, cases.baseline)
    variance = float(baseline @ baseline) / len(baseline)
    if variance == 0:
        return 0.0
    noise = (1 - cases.reliability) * float(np.var(cases.baseline))
    # Sorting by therapist takes true differences away and leaves the noise, so it weighs more here.
    within = max(1 - noise / variance, cases.reliability / 4)
    return float(outcome @ baseline) / len(baseline) / variance / within


def calibration(predicted: Real, actual: Real) -> float:
    """Actual over predicted gain of those who were chosen; 1 is honest, below 1 is boasting."""
    total = float(predicted.sum())
    return float(actual.sum()) / total if total else float("nan")


def _less_own_mean(group: Whole, values: Real) -> Real:
    counts = np.bincount(group)
    means = np.bincount(group, values) / np.maximum(counts, 1)
    return values - means[group]


def _intercepts(weights: Real, rest: Real) -> Real:
    """Shape (domains,): what is usual in each domain; least squares."""
    solved = np.linalg.lstsq(weights.T @ weights, weights.T @ rest, rcond=None)[0]
    return solved.astype(np.float64)


def _sums(cases: Cases, rest: Real, therapists: int) -> tuple[Real, Real]:
    """A (therapists, domains, domains) and b (therapists, domains)."""
    domains = cases.weights.shape[1]
    columns = np.ascontiguousarray(cases.weights.T)
    precision = np.zeros((therapists, domains, domains))
    pull = np.empty((therapists, domains))
    for one in range(domains):
        pull[:, one] = _summed(cases.therapist, columns[one] * rest, therapists)
        for other in range(one, domains):
            both = columns[one] * columns[other]
            if both.any():
                precision[:, one, other] = _summed(cases.therapist, both, therapists)
                precision[:, other, one] = precision[:, one, other]
    return precision, pull


def _summed(group: Whole, values: Real, groups: int) -> Real:
    return np.bincount(group, values, minlength=groups).astype(np.float64)


def _variances(cases: Cases, rest: Real, precision: Real, pull: Real) -> tuple[float, float, float]:
    """σ², σ_a², σ_b² by expectation and maximisation, over a sample of those who have cases."""
    held = _summed(cases.therapist, np.ones(len(rest)), len(precision))
    squares = _summed(cases.therapist, rest * rest, len(precision))
    chosen = np.flatnonzero(held > 0)
    chosen = chosen[:: max(1, len(chosen) // SAMPLE)]
    precision, pull, held, squares = precision[chosen], pull[chosen], held[chosen], squares[chosen]
    noise = float(squares.sum() / held.sum())
    general = special = noise / 20
    for _ in range(ROUNDS):
        before = noise, general, special
        spread, mean = _posterior(precision, pull, noise, general, special)
        moment = spread + mean[:, :, None] * mean[:, None, :]
        general, special = _split(moment.mean(axis=0))
        fitted = squares.sum() - 2 * (mean * pull).sum() + (precision * moment).sum()
        noise = float(fitted / held.sum())
        if np.allclose(before, (noise, general, special), rtol=CLOSE_ENOUGH):
            break
    return noise, general, special


def _split(moment: Real) -> tuple[float, float]:
    """σ_a², σ_b² of greatest likelihood for E[θθᵀ] = σ_a²·11ᵀ + σ_b²·I, by its two eigenspaces."""
    domains = len(moment)
    along = float(moment.sum()) / domains
    across = (float(np.trace(moment)) - along) / max(domains - 1, 1)
    special = max(across, 1e-9) if domains > 1 else max(along, 1e-9)
    return max((along - special) / domains, 1e-9), special


def _posterior(
    precision: Real, pull: Real, noise: float, general: float, special: float
) -> tuple[Real, Real]:
    """V (therapists, domains, domains) and θ̂ (therapists, domains)."""
    domains = pull.shape[1]
    prior = np.eye(domains) / special - general / (special * (special + domains * general))
    spread = np.linalg.inv(precision / noise + prior)
    return spread, np.einsum("jde,je->jd", spread, pull) / noise
