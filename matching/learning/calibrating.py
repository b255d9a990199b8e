"""Whether what is learned can be believed: told beforehand, and compared with what came.

Objective: for cases that were held out, predicted over actual gain of those whom the record would
have chosen. 1 is honest, above 1 boasts; between .85 and 1.15 it may be used.
Steps: (1) halve the cases by chance; (2) learn from each half and predict the other, p = wᵀθ̂;
(3) choose the quarter with the highest p, as a ranking would; (4) their actual gain is what the
outcome exceeds the one that baseline and domains lead to expect; (5) the ratio of the sums, with
an interval that takes a therapist's cases as one observation (linearised; Taylor).
Cost: twice that of `effects`, and sorting the cases.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matching.learning.effects import Cases, Whole, effects
from matching.learning.variances import Real

HONEST = (0.85, 1.15)
# An interval that goes beyond half and double says too little to judge by.
TELLING = (0.5, 2.0)
# With fewer therapists the interval itself cannot be trusted.
FEWEST_THERAPISTS = 10
CHOSEN = 0.25
# 95 % of a normal distribution lie within so many standard deviations.
TWO_SIDED = 1.959964


class Verdict(StrEnum):
    honest = "honest"
    boasting = "boasting"
    modest = "modest"
    unclear = "unclear"


@dataclass(frozen=True)
class Calibration:
    """`predicted` and `actual` are mean gains of the `chosen` cases, in standard deviations.

    `low` and `high` bound predicted over actual at 95 %; where the actual gain may be nothing,
    `high` is infinite, and with fewer than 10 therapists they say nothing.
    """

    predicted: float
    actual: float
    chosen: int
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """Predicted over actual; infinite when what was promised did not come at all."""
        return self.predicted / self.actual if self.actual > 0 else float("inf")

    @property
    def verdict(self) -> Verdict:
        if not TELLING[0] <= self.low <= self.high <= TELLING[1]:
            return Verdict.unclear
        if self.ratio > HONEST[1]:
            return Verdict.boasting
        return Verdict.modest if self.ratio < HONEST[0] else Verdict.honest


def calibrate(cases: Cases, seed: int = 0) -> Calibration:
    """See the module. Without cases the answer is unclear."""
    therapists = int(cases.therapist.max(initial=-1)) + 1
    half = np.random.default_rng(seed).permutation(len(cases)) % 2
    predicted, actual = np.zeros(len(cases)), np.zeros(len(cases))
    for side in (0, 1):
        held_out = cases.only(half == side)
        learned = effects(cases.only(half != side), therapists)
        predicted[half == side] = learned.predicted(held_out)
        actual[half == side] = learned.adjusted(held_out)
    return compared(predicted, actual, cases.therapist)


def compared(predicted: Real, actual: Real, therapist: Whole) -> Calibration:
    """Of those with the highest prediction; all three of shape (cases,)."""
    best = np.argsort(-predicted, kind="stable")[: round(CHOSEN * len(predicted))]
    told = np.bincount(therapist[best], predicted[best])
    came = np.bincount(therapist[best], actual[best])
    if told.sum() <= 0:
        return Calibration(0.0, 0.0, len(best), 0.0, float("inf"))
    share = float(came.sum() / told.sum())
    away = TWO_SIDED * float(np.sqrt(((came - share * told) ** 2).sum()) / told.sum())
    enough = len(np.unique(therapist[best])) >= FEWEST_THERAPISTS
    low, high = (_over(share + away), _over(share - away)) if enough else (0.0, float("inf"))
    predicted_mean, actual_mean = float(predicted[best].mean()), float(actual[best].mean())
    return Calibration(predicted_mean, actual_mean, len(best), low, high)


def _over(share: float) -> float:
    return 1 / share if share > 0 else float("inf")
