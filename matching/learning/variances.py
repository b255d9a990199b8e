"""How much of what differs is noise, how much a therapist in general, how much one domain.

Objective: σ², σ_a², σ_b² of greatest marginal likelihood for r = wᵀθ_j + error with
θ_j ~ N(0, σ_a²·11ᵀ + σ_b²·I) and error ~ N(0, σ²), by expectation and maximisation (Dempster,
Laird and Rubin 1977; Laird and Ware 1982), each two steps drawn out along their direction (SQUAREM,
Varadhan and Roland 2008) and taken back where the likelihood does not gain by it.
Steps: (1) turn each therapist's A_j = Σ wwᵀ into its own axes once, where it is diagonal; (2) there
A_j/σ² + Σ⁻¹ is a diagonal less one outer product, so its inverse, its determinant and every moment
are sums over the axes (Sherman and Morrison 1950); (3) go on until nothing moves.
Cost: O(therapists · domains³) once, then O(therapists · domains) a step.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]

ROUNDS = 60
CLOSE_ENOUGH = 1e-5
# Less than this share of the noise, or of the outcome itself, is none: a ten-thousandth of its
# standard deviation.
NONE = 1e-8
# Where to begin: between therapists lies about a twentieth.
BEGIN = 0.05


@dataclass(frozen=True)
class Variances:
    """`noise` σ², `general` σ_a² and `special` σ_b², in squared standard deviations of outcome."""

    noise: float
    general: float
    special: float

    @property
    def between(self) -> float:
        """The share of a case's variance that lies between therapists, 0…1."""
        apart = self.general + self.special
        return apart / (apart + self.noise) if apart else 0.0

    @property
    def logs(self) -> Real:
        return np.log([self.noise, self.general, self.special])

    @classmethod
    def of_logs(cls, logs: Real) -> "Variances":
        return cls(*(float(each) for each in np.exp(logs))).at_least_none()

    def at_least_none(self) -> "Variances":
        noise = max(self.noise, NONE)
        return Variances(noise, max(self.general, NONE * noise), max(self.special, NONE * noise))


@dataclass(frozen=True)
class Turned:
    """What each therapist's cases say, along the axes of their own A_j: all (therapists, domains).

    `held` the eigenvalues of A_j, `ones` and `pull` the vectors 1 and b_j seen along them;
    `squares` and `cases` (therapists,) are Σ r² and how many.
    """

    held: Real
    ones: Real
    pull: Real
    squares: Real
    cases: Real

    @classmethod
    def of(cls, precision: Real, pull: Real, squares: Real, cases: Real) -> "Turned":
        held, axes = np.linalg.eigh(precision)
        along = np.einsum("jde,jd->je", axes, pull)
        return cls(np.maximum(held, 0), axes.sum(axis=1), along, squares, cases)

    @property
    def domains(self) -> int:
        return int(self.held.shape[1])


@dataclass(frozen=True)
class Posterior:
    """V_j = diag(own) + lift·(own·1)(own·1)ᵀ and the mean, along each therapist's axes."""

    own: Real
    lift: Real
    mean: Real
    shrink: Real

    @classmethod
    def of(cls, turned: Turned, now: Variances) -> "Posterior":
        own = 1 / (turned.held / now.noise + 1 / now.special)
        both = now.special * (now.special + turned.domains * now.general)
        shared = now.general / both
        shrink = 1 - shared * (own * turned.ones**2).sum(axis=1)
        lift = shared / shrink
        toward = own * turned.ones
        along = (toward * turned.pull).sum(axis=1)
        mean = (own * turned.pull + (lift * along)[:, None] * toward) / now.noise
        return cls(own, lift, mean, shrink)


def fitted(precision: Real, pull: Real, squares: Real, cases: Real) -> Variances:
    """See the module. Shapes (therapists, domains, domains), (therapists, domains), (therapists,).

    Every therapist given has a case. Where nothing is left to explain, nobody differs.
    """
    turned = Turned.of(precision, pull, squares, cases)
    noise = float(squares.sum() / max(cases.sum(), 1))
    if noise <= NONE:
        return Variances(1.0, NONE, NONE)
    now = Variances(noise, BEGIN * noise / 2, BEGIN * noise / 2)
    for _ in range(ROUNDS):
        before, now = now, _drawn_out(turned, now)
        if np.allclose(before.logs, now.logs, rtol=0, atol=CLOSE_ENOUGH):
            break
    return now


def likelihood(turned: Turned, now: Variances) -> float:
    """The logarithm of the marginal likelihood, less a constant."""
    found, domains = Posterior.of(turned, now), turned.domains
    prior = (domains - 1) * np.log(now.special) + np.log(now.special + domains * now.general)
    size = np.log(found.shrink) - np.log(found.own).sum(axis=1) + prior
    misfit = (turned.squares - (found.mean * turned.pull).sum(axis=1)) / now.noise
    return float(-0.5 * (turned.cases * np.log(now.noise) + size + misfit).sum())


def maximised(turned: Turned, now: Variances) -> Variances:
    """One expectation and one maximisation."""
    found = Posterior.of(turned, now)
    toward, mean = found.own * turned.ones, found.mean
    along = (toward * turned.ones).sum(axis=1)
    total = along + found.lift * along**2 + (mean * turned.ones).sum(axis=1) ** 2
    second = found.own + found.lift[:, None] * toward**2 + mean**2
    error = turned.squares - 2 * (mean * turned.pull).sum(axis=1)
    noise = float((error + (turned.held * second).sum(axis=1)).sum() / turned.cases.sum())
    general, special = _split(float(total.mean()), float(second.sum(axis=1).mean()), turned.domains)
    return Variances(noise, general, special).at_least_none()


def _drawn_out(turned: Turned, now: Variances) -> Variances:
    """Two steps, and one from where they lead if that is more likely."""
    once = maximised(turned, now)
    twice = maximised(turned, once)
    first = once.logs - now.logs
    bend = twice.logs - once.logs - first
    if not np.linalg.norm(bend):
        return twice
    length = max(1.0, float(np.linalg.norm(first) / np.linalg.norm(bend)))
    further = Variances.of_logs(now.logs + 2 * length * first + length**2 * bend)
    return _likelier(turned, twice, [maximised(turned, further)])


def _likelier(turned: Turned, safe: Variances, others: Iterable[Variances]) -> Variances:
    return max((safe, *others), key=lambda each: likelihood(turned, each))


def _split(total: float, trace: float, domains: int) -> tuple[float, float]:
    """σ_a², σ_b² from 1ᵀE[θθᵀ]1 and its trace: what lies along (1, …, 1), and what across it.

    In one domain the two cannot be told apart and all is general.
    """
    along = total / domains
    if domains == 1:
        return along, 0.0
    across = (trace - along) / (domains - 1)
    return ((along - across) / domains, across) if along > across else (0.0, trace / domains)
