"""Learning from outcomes, in a simulated clinic: `python -m bench.learn [--json]`.

200 therapists, 12 domains, 10 to 80 cases each, 6.5 % of the variance of outcomes between
therapists; sicker clients go to some therapists more than to others, and the baseline is measured
with error. New clients are then given to therapists with as many places as clients, by what each
way of knowing says, and what they gain in truth is compared with giving them anybody.
"""

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from matching.allocating import Candidates
from matching.auction import auction
from matching.effects import Cases, Real, Whole, calibration, effects

SEEDS = 5
THERAPISTS, DOMAINS = 200, 12
BETWEEN, GENERAL_SHARE = 0.065, 0.5
RELIABILITY, SLOPE = 0.8, -0.5
SORTING = 0.4
NEW_CLIENTS, CANDIDATES = 1000, 30
A_MILLION = 1_000_000


@dataclass(frozen=True)
class Clinic:
    """`truth` (therapists, domains) in standard deviations of the outcome; `cases` the past."""

    truth: Real
    cases: Cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.seeds)
    print(json.dumps(figures) if options.json else "\n".join(_lines(figures)))


def measure(seeds: int) -> dict[str, Any]:
    runs = [one_clinic(seed) for seed in range(seeds)]
    mean = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    return {
        "gain_under_capacity": mean["learned"],
        "raw_mean_gain": mean["raw"],
        "oracle_gain": mean["oracle"],
        "calibration": mean["calibration"],
        "raw_mean_calibration": mean["raw_calibration"],
        "seconds_per_million_cases": seconds_for(A_MILLION),
    }


def one_clinic(seed: int) -> dict[str, float]:
    chance = np.random.default_rng(seed)
    clinic = make_clinic(chance, THERAPISTS, 10, 80)
    learned = effects(clinic.cases, THERAPISTS)
    wanted = _mixes(chance, NEW_CLIENTS)
    lists = np.stack([chance.choice(THERAPISTS, CANDIDATES, replace=False) for _ in wanted])
    gains: dict[str, float] = {}
    for name, known in (
        ("learned", learned.mean),
        ("raw", _raw_means(clinic.cases)),
        ("oracle", clinic.truth),
    ):
        predicted, actual = _given(wanted, lists, known, clinic.truth)
        gains[name] = float(actual.mean())
        if name != "oracle":
            key = "calibration" if name == "learned" else "raw_calibration"
            gains[key] = calibration(predicted, actual)
    return gains


def make_clinic(chance: np.random.Generator, therapists: int, least: int, most: int) -> Clinic:
    general = chance.normal(size=(therapists, 1)) * np.sqrt(BETWEEN * GENERAL_SHARE)
    special = chance.normal(size=(therapists, DOMAINS)) * np.sqrt(BETWEEN * (1 - GENERAL_SHARE))
    truth = general + special
    therapist = np.repeat(np.arange(therapists), chance.integers(least, most + 1, therapists))
    weights = _mixes(chance, len(therapist))
    sorted_to = chance.normal(size=therapists) * SORTING
    severity = sorted_to[therapist] + chance.normal(size=len(therapist))
    noise = np.sqrt(np.var(severity) * (1 - RELIABILITY) / RELIABILITY)
    outcome = (
        SLOPE * severity
        + (weights * truth[therapist]).sum(axis=1)
        + chance.normal(size=len(therapist)) * np.sqrt(1 - BETWEEN)
    )
    baseline = severity + chance.normal(size=len(therapist)) * noise
    return Clinic(truth, Cases(therapist, weights, baseline, outcome, RELIABILITY))


def seconds_for(cases: int) -> float:
    clinic = make_clinic(np.random.default_rng(1), cases // 45, 10, 80)
    began = time.perf_counter()
    effects(clinic.cases)
    return (time.perf_counter() - began) * A_MILLION / len(clinic.cases.therapist)


def _mixes(chance: np.random.Generator, count: int) -> Real:
    """One domain in most cases, two in the others."""
    weights = np.zeros((count, DOMAINS))
    first, second = chance.integers(0, DOMAINS, (2, count))
    share = np.where(chance.random(count) < 0.3, 0.6, 1.0)
    weights[np.arange(count), first] += share
    weights[np.arange(count), second] += 1 - share
    return weights


def _raw_means(cases: Cases) -> Real:
    """What most would do: the mean outcome in each domain, less everybody's."""
    held = np.zeros((THERAPISTS, DOMAINS))
    summed = np.zeros((THERAPISTS, DOMAINS))
    np.add.at(held, cases.therapist, cases.weights)
    np.add.at(summed, cases.therapist, cases.weights * cases.outcome[:, None])
    return np.where(held > 0, summed / np.maximum(held, 1e-9), 0) - cases.outcome.mean()


def _given(wanted: Real, lists: Whole, known: Real, truth: Real) -> tuple[Real, Real]:
    """Everybody placed by what is known, five places a therapist; what was said and what came."""
    said = np.einsum("nd,nkd->nk", wanted, known[lists])
    score = np.round((said - said.min()) * 1e6 / np.ptp(said)).astype(np.int64)
    places = np.full(len(truth), len(wanted) // len(truth))
    chosen = auction(Candidates(lists, score, places)).allocation.therapist
    placed = np.flatnonzero(chosen >= 0)
    predicted = (wanted[placed] * known[chosen[placed]]).sum(axis=1)
    actual = (wanted[placed] * truth[chosen[placed]]).sum(axis=1)
    return predicted, actual - truth.mean()


def _lines(figures: dict[str, Any]) -> list[str]:
    return [f"{name:28} {value:10.3f}" for name, value in figures.items()]


if __name__ == "__main__":
    main()
