"""Learning from outcomes, in simulated clinics: `python -m bench.learn [--seeds 20] [--json]`.

A clinic has 200 therapists with 10 to 80 finished cases each in 12 domains. 6.5 % of the variance
of outcomes lies between therapists, two thirds of it in general and a third by domain. Sicker
clients go to some therapists more than to others, and the baseline is measured with error
(reliability .8). A thousand new clients with a list of 30 each are then placed at once, with half
as many places again as clients, by what each way of knowing says; the gain is what they do better
in truth than with anybody, in standard deviations of outcome.

`preference_only` places by wishes that have nothing to do with outcome; `self_report` by what
therapists say of themselves (correlation .2 with the truth, an assumption); `raw_mean` by plain
means of a therapist's outcomes in a domain; `gain_when_enough` by this, where only domains with 15
cases count, as in the product; `…_with_preference` in a world where meeting wishes helps by itself
(d = .28 between none and all; Swift and others 2018) and both count. `calibration` is predicted
over actual gain of those placed, over all seeds; `report` is what `matching.learning.calibrating`
finds by itself. Newcomers are a fifth of the therapists, without a case; clients come one by one
and take the best in their list who has a place. A share of 1 is what they would get by lot.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.options import Options
from matching.allocation.allocating import Candidates, allocate
from matching.learning.calibrating import HONEST, calibrate
from matching.learning.effects import Cases, Real, Whole, effects

SEEDS = 20
THERAPISTS, DOMAINS = 200, 12
BETWEEN, GENERAL_SHARE = 0.065, 2 / 3
RELIABILITY, SLOPE = 0.8, -0.5
SORTING = 0.4
NEW_CLIENTS, CANDIDATES, SLACK = 1000, 30, 1.5
SELF_KNOWLEDGE = 0.2
PREFERENCE = 0.28
NEWCOMERS, NEWCOMERS_SLACK = 0.2, 2.0
A_MILLION = 1_000_000
# The highest score an allocation takes, but one.
MOST = 999_999
TIMED = 5


@dataclass(frozen=True)
class Clinic:
    """`truth` (therapists, domains) in standard deviations of the outcome; `cases` the past."""

    truth: Real
    cases: Cases


@dataclass(frozen=True)
class Placed:
    """What was said of each who was placed, and what came: gains over anybody, (placed,)."""

    said: Real
    came: Real


@dataclass(frozen=True)
class Asking:
    """New clients: `mixes` (clients, domains); `lists` and `wishes` (clients, k), met 0…1."""

    mixes: Real
    lists: Whole
    wishes: Real

    @classmethod
    def by(cls, chance: np.random.Generator) -> "Asking":
        mixes = mixes_of(chance, NEW_CLIENTS)
        everybody = np.arange(THERAPISTS)
        lists = np.stack([chance.permutation(everybody)[:CANDIDATES] for _ in mixes])
        return cls(mixes, lists, chance.random(lists.shape))

    def gains(self, known: Real) -> Real:
        """Shape (clients, k): better than with anybody, by what is known of the therapists."""
        over = known - known.mean(axis=0)
        gains: Real = np.einsum("nd,nkd->nk", self.mixes, over[self.lists])
        return gains


def main() -> None:
    parser = Options("bench.learn", __doc__)
    parser.count("--seeds", SEEDS)
    options = parser.parse_args()
    figures = measure(options.seeds)
    print(json.dumps(figures) if options.json else table_of(figures))


def measure(seeds: int) -> dict[str, float]:
    clinics = [_one_clinic(seed) for seed in range(seeds)]
    figures = {name: _mean_gain(clinics, name) for name in clinics[0]}
    newcomers = [newcomers_share(seed) for seed in range(seeds)]
    without, with_bonus = (float(np.mean(each)) for each in zip(*newcomers, strict=True))
    wall, processor = seconds_for(A_MILLION)
    return {
        **figures,
        "calibration": _said_over_came(clinics, "gain_under_capacity"),
        "raw_mean_calibration": _said_over_came(clinics, "raw_mean_gain"),
        "report": float(np.median([_report(seed) for seed in range(seeds)])),
        "newcomers_share_without_bonus": without,
        "newcomers_share_with_bonus": with_bonus,
        "seconds_per_million_cases": wall,
        "processor_seconds_per_million_cases": processor,
    }


def table_of(figures: dict[str, float]) -> str:
    demands = {
        "calibration": f"{HONEST[0]} to {HONEST[1]}",
        "seconds_per_million_cases": "≤ 2",
    }
    lines = [f"{'figure':36} {'measured':>8}  must be"]
    lines += [f"{name:36} {value:8.3f}  {demands.get(name, '')}" for name, value in figures.items()]
    return "\n".join(line.rstrip() for line in lines)


def make_clinic(chance: np.random.Generator, therapists: int, least: int, most: int) -> Clinic:
    general = chance.normal(size=(therapists, 1)) * np.sqrt(BETWEEN * GENERAL_SHARE)
    special = chance.normal(size=(therapists, DOMAINS)) * np.sqrt(BETWEEN * (1 - GENERAL_SHARE))
    truth = general + special
    therapist = np.repeat(np.arange(therapists), chance.integers(least, most + 1, therapists))
    weights = mixes_of(chance, len(therapist))
    sorted_to = chance.normal(size=therapists) * SORTING
    severity = sorted_to[therapist] + chance.normal(size=len(therapist))
    noise = np.sqrt(np.var(severity) * (1 - RELIABILITY) / RELIABILITY)
    baseline = severity + chance.normal(size=len(therapist)) * noise
    luck = chance.normal(size=len(therapist)) * np.sqrt(1 - BETWEEN)
    outcome = SLOPE * severity + (weights * truth[therapist]).sum(axis=1) + luck
    return Clinic(truth, Cases(therapist, weights, baseline, outcome, RELIABILITY))


def mixes_of(chance: np.random.Generator, count: int) -> Real:
    """One domain in most cases, two in the others."""
    weights = np.zeros((count, DOMAINS))
    first, second = chance.integers(0, DOMAINS, (2, count))
    share = np.where(chance.random(count) < 0.3, 0.6, 1.0)
    weights[np.arange(count), first] += share
    weights[np.arange(count), second] += 1 - share
    return weights


def newcomers_share(seed: int) -> tuple[float, float]:
    """Of their fair share, without and with the bonus."""
    chance = np.random.default_rng(seed)
    clinic, asking = make_clinic(chance, THERAPISTS, 10, 80), Asking.by(chance)
    new = np.arange(THERAPISTS) < NEWCOMERS * THERAPISTS
    learned = effects(clinic.cases.only(~new[clinic.cases.therapist]), THERAPISTS)
    known = np.take_along_axis(learned.expected(asking.mixes).T, asking.lists, axis=1)
    bonus = np.stack([learned.bonus(mix) for mix in asking.mixes])
    unknown = np.take_along_axis(bonus, asking.lists, axis=1)
    liked = known + PREFERENCE * asking.wishes
    shares = [new[one_by_one(asking.lists, score)].mean() for score in (liked, liked + unknown)]
    return float(shares[0] / new.mean()), float(shares[1] / new.mean())


def one_by_one(lists: Whole, score: Real) -> Whole:
    """Whom each gets who takes the best of their list with a place left; both (clients, k)."""
    left = _places(NEWCOMERS_SLACK)
    chosen = []
    for own, scores in zip(lists, score, strict=True):
        best = own[np.where(left[own] > 0, scores, -np.inf).argmax()]
        left[best] -= 1
        chosen.append(best)
    return np.array(chosen)


def seconds_for(cases: int) -> tuple[float, float]:
    """By the wall and by the processor, the quickest of a few runs: the rest is other work."""
    clinic = make_clinic(np.random.default_rng(1), cases // 45, 10, 80)
    share = cases / len(clinic.cases)
    clocks: tuple[Callable[[], float], ...] = (time.perf_counter, time.process_time)
    runs = [_timed(clinic.cases, clocks) for _ in range(TIMED)]
    wall, processor = (min(each) * share for each in zip(*runs, strict=True))
    return wall, processor


def _timed(cases: Cases, clocks: tuple[Callable[[], float], ...]) -> list[float]:
    began = [clock() for clock in clocks]
    effects(cases)
    return [clock() - before for clock, before in zip(clocks, began, strict=True)]


def _one_clinic(seed: int) -> dict[str, Placed]:
    chance = np.random.default_rng(seed)
    clinic = make_clinic(chance, THERAPISTS, 10, 80)
    asking = Asking.by(chance)
    return dict(_ways(chance, clinic, asking))


def _ways(
    chance: np.random.Generator, clinic: Clinic, asking: Asking
) -> Iterator[tuple[str, Placed]]:
    learned, truth = effects(clinic.cases, THERAPISTS), asking.gains(clinic.truth)
    own = asking.gains(learned.mean)
    yield "gain_under_capacity", placed_by(asking, own, truth)
    yield "oracle_gain", placed_by(asking, truth, truth)
    yield "raw_mean_gain", placed_by(asking, asking.gains(_raw_means(clinic.cases)), truth)
    said = _said_of_themselves(chance, clinic.truth)
    yield "self_report_gain", placed_by(asking, asking.gains(said), truth)
    yield "preference_only_gain", placed_by(asking, asking.wishes, truth)
    counting = np.where(learned.enough(), learned.mean, 0)
    yield "gain_when_enough", placed_by(asking, asking.gains(counting), truth)
    met = PREFERENCE * (asking.wishes - 0.5)
    yield "gain_with_preference", placed_by(asking, own + met, truth + met)
    yield "oracle_gain_with_preference", placed_by(asking, truth + met, truth + met)


def placed_by(asking: Asking, said: Real, came: Real) -> Placed:
    """Everybody placed at once by what is said; both (clients, k)."""
    # One more than nothing, so that being placed is worth something to everybody.
    score = 1 + np.round((said - said.min()) * MOST / max(np.ptp(said), 1e-9)).astype(np.int64)
    chosen = allocate(Candidates(asking.lists, score, _places(SLACK)), floor=False).therapist
    mine = asking.lists == chosen[:, None]
    return Placed(said[mine], came[mine])


def _places(slack: float) -> Whole:
    """Places a therapist, one more for some where they do not divide."""
    places = int(slack * NEW_CLIENTS)
    return places // THERAPISTS + (np.arange(THERAPISTS) < places % THERAPISTS).astype(np.int64)


def _raw_means(cases: Cases) -> Real:
    """What most would do: the mean outcome in each domain, less everybody's."""
    held, summed = np.zeros((2, THERAPISTS, DOMAINS))
    np.add.at(held, cases.therapist, cases.weights)
    np.add.at(summed, cases.therapist, cases.weights * cases.outcome[:, None])
    means: Real = np.where(held > 0, summed / np.maximum(held, 1e-9), cases.outcome.mean())
    return means


def _said_of_themselves(chance: np.random.Generator, truth: Real) -> Real:
    luck = chance.normal(size=truth.shape) * truth.std()
    return SELF_KNOWLEDGE * truth + np.sqrt(1 - SELF_KNOWLEDGE**2) * luck


def _mean_gain(clinics: list[dict[str, Placed]], name: str) -> float:
    return float(np.mean([clinic[name].came.mean() for clinic in clinics]))


def _said_over_came(clinics: list[dict[str, Placed]], name: str) -> float:
    said, came = (
        sum(float(getattr(clinic[name], which).sum()) for clinic in clinics)
        for which in ("said", "came")
    )
    return said / came


def _report(seed: int) -> float:
    clinic = make_clinic(np.random.default_rng(seed), THERAPISTS, 10, 80)
    return calibrate(clinic.cases, seed).ratio


if __name__ == "__main__":
    main()
