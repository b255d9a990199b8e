"""From courses of care to what may be said of therapists: pure, and nothing of a single person.

Where somebody ended is compared with where people end who were as unwell at the start. Both are in
standard deviations over all who are counted, by one questionnaire at a time, and as the mean of the
two where both were answered twice. `matching.learning.effects` does the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np

from matching.learning.calibrating import Calibration, Verdict, calibrate
from matching.learning.effects import ENOUGH_CASES, EXPLORATION, SPAN, Case, Cases, Effects, effects
from matching.terms import FULL, NEUTRAL
from practice.matches.market.domains import DOMAINS
from practice.outcomes.courses import Course
from practice.outcomes.gate import FEWEST_CASES

# How far a retest of PHQ-9 agrees (Kroenke, Spitzer and Williams 2001); GAD-7: .83 (Spitzer 2006).
RELIABILITY = 0.84
# One number for everybody, so that a count of the same courses gives the same figures.
SEED = 1
TWO_SIDED = 1.959964
DIGITS = 3
OF_ENOUGH = "chosen predicted actual ratio low high slope between".split()


@dataclass(frozen=True)
class Learned:
    """`therapists` are row ids, numbered as in `effects`."""

    therapists: list[int]
    cases: Cases
    effects: Effects
    calibration: Calibration

    @classmethod
    def of(cls, found: Sequence[Course]) -> "Learned":
        therapists = sorted({course.therapist_id for course in found})
        cases = cases_of(found, therapists)
        return cls(therapists, cases, effects(cases, len(therapists)), calibrate(cases, SEED))

    @property
    def bonus(self) -> int:
        """What somebody is given in each domain of whom nothing may count, in thousandths."""
        if not len(self.cases):
            return 0
        known = self.effects.variances
        unknown = EXPLORATION * float(np.sqrt(known.general + known.special))
        return min(FULL - NEUTRAL, round((FULL - NEUTRAL) * unknown / SPAN))

    @property
    def figures(self) -> dict[str, Any]:
        """Of everybody together; what cannot be said is None.

        They are kept unsealed. So of fewer cases than may decide anything only the number of
        therapists is kept: a mean of few is what somebody answered.
        """
        is_enough = len(self.cases) >= FEWEST_CASES
        bare = {"therapists": len(self.therapists), "verdict": str(Verdict.unclear), "bonus": 0}
        return bare | (self._figures() if is_enough else dict.fromkeys(OF_ENOUGH))

    def _figures(self) -> dict[str, Any]:
        found = self.calibration
        return {
            "verdict": str(found.verdict),
            "chosen": found.chosen,
            "predicted": _rounded(found.predicted),
            "actual": _rounded(found.actual),
            "ratio": _rounded(found.ratio),
            "low": _rounded(found.low),
            "high": _rounded(found.high),
            "slope": _rounded(self.effects.slope),
            "between": _rounded(self.effects.variances.between),
            "bonus": self.bonus,
        }

    def of_therapist(self, therapist_id: int) -> dict[str, Any]:
        """What is kept of one who agreed.

        Shape: `cases`; `severity` of who came, and the `adjustment` for it, `overall` and by
        `domains` [mean, low, high], in standard deviations; `counting`, domain → the score and the
        bonus of the engine. Only from 15 cases on, in all and in a domain; None and empty below.
        """
        number = self._numbers[therapist_id]
        cases = int(self._counts[number])
        enough = cases >= ENOUGH_CASES
        told = [at for at in range(len(DOMAINS)) if self._enough[number, at]]
        return {
            "cases": cases if enough else None,
            "severity": _rounded(float(self._severities[number])) if enough else None,
            "adjustment": _rounded(float(self.effects.adjustment[number])) if enough else None,
            "overall": self._interval(number, self._own_mix(number)) if enough else None,
            "domains": {DOMAINS[at]: self._told(number, at) for at in told},
            "counting": {DOMAINS[at]: self._counting[at][number] for at in told},
        }

    def _told(self, number: int, domain: int) -> dict[str, Any]:
        cases = int(self.effects.cases[number, domain])
        return {"cases": cases, "effect": self._interval(number, _only(domain))}

    def _interval(self, number: int, mix: Any) -> list[float | None]:
        """The effect, and between what it lies with 95 %."""
        mean = float(mix @ self.effects.mean[number])
        away = TWO_SIDED * float(np.sqrt(max(mix @ self.effects.spread[number] @ mix, 0)))
        return [_rounded(mean), _rounded(mean - away), _rounded(mean + away)]

    def _own_mix(self, number: int) -> Any:
        return self.effects.cases[number] / self._counts[number]

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {therapist_id: number for number, therapist_id in enumerate(self.therapists)}

    @cached_property
    def _severities(self) -> Any:
        """How unwell the clients of each came, above or below the average of all."""
        sums = np.bincount(self.cases.therapist, self.cases.baseline, len(self.therapists))
        return sums / np.maximum(self._counts, 1) - self.cases.baseline.mean()

    @cached_property
    def _enough(self) -> Any:
        return self.effects.enough()

    @cached_property
    def _counts(self) -> Any:
        return np.bincount(self.cases.therapist, minlength=len(self.therapists))

    @cached_property
    def _counting(self) -> list[list[list[int]]]:
        """[domain][therapist] → the score and the bonus."""
        by_domain = []
        for domain in range(len(DOMAINS)):
            records = self.effects.records(_only(domain)).tolist()
            bonuses = self.effects.bonuses(_only(domain)).tolist()
            by_domain.append([list(each) for each in zip(records, bonuses, strict=True)])
        return by_domain


def cases_of(found: Sequence[Course], therapists: Sequence[int]) -> Cases:
    """Raises nothing for no course at all: then there are no cases."""
    scales = _scales(found)
    cases = [
        Case(str(course.therapist_id), course.domains, baseline, -ending)
        for course in found
        if (baseline := _on(scales, course.first)) is not None
        and (ending := _on(scales, course.last)) is not None
    ]
    return Cases.of(cases, [str(each) for each in therapists], DOMAINS, RELIABILITY)


def _scales(found: Sequence[Course]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of how people began, by instrument, where they differ at all."""
    began: dict[str, list[int]] = {}
    for course in found:
        for name, total in course.first.items():
            began.setdefault(name, []).append(total)
    scales = {name: (float(np.mean(each)), float(np.std(each))) for name, each in began.items()}
    return {name: scale for name, scale in scales.items() if scale[1] > 0}


def _on(scales: Mapping[str, tuple[float, float]], totals: Mapping[str, int]) -> float | None:
    """How unwell, as the mean over the instruments; None where none has a scale."""
    placed = [
        (totals[name] - mean) / deviation
        for name, (mean, deviation) in scales.items()
        if name in totals
    ]
    return float(np.mean(placed)) if placed else None


def _only(domain: int) -> Any:
    return np.eye(len(DOMAINS))[domain]


def _rounded(figure: float) -> float | None:
    return round(figure, DIGITS) if isfinite(figure) else None
