"""Placing a waiting list: `python -m bench.allocate [--clients 10000] [--therapists 2000]
[--shortage] [--grain 100000] [--without-priority] [--json]`.

The lists are invented by seed: a hundred therapists, drawn by lot, could see a client at all; how
well one fits is made of six traits of both, of how well the therapist fits most people, and of
chance; the fifty who fit best are the list. Places are dealt out by lot, 1.1 for each client, under
a `--shortage` 0.8. Half of the clients are of severity 1, three in ten of 2, two in ten of 3; they
have waited sixty days in the mean. With a `--grain` scores come in steps of so many points.

Times are of the processor, medians of `--rounds`, in one run; they are given as multiples of first
come, first served in plain Python, on the same lists already made into Python's. `over_greedy_time`
is without the floor, `with_floor_over_greedy_time` with it; everything else is said of the proposal
with the floor. `placeable` is counted by scipy (Hopcroft and Karp) where the list is not too long
for it, else by `matching.allocation.theorems.passed_over`. The stable mode is compared with PyPI's
`matching` on a list of `--stable` clients with the same proportions, which it can do in under a
minute; its time is of setting up the game and solving it, as ours starts from the lists.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from bench.options import Options
from bench.packaged import stable_by_package
from matching.allocation.allocating import allocate, priority_of
from matching.allocation.arrival import by_arrival, serve
from matching.allocation.candidates import NOBODY, Allocation, Candidates, Whole
from matching.allocation.stability import stable
from matching.allocation.theorems import blocking_pairs, passed_over, upper_bound

SEED = 20261201
AVAILABLE, LISTED = 100, 50
TRAITS = 6
AMPLE, SHORT = 1.1, 0.8
SEVERE = 3
MOST_FOR_SCIPY = 5_000_000
BELOW = {
    "gap": 0.001,
    "without_floor_gap": 0.001,
    "over_greedy_time": 15.0,
    "stable_blocking_pairs": 0,
}
ABOVE = {"stable_speedup_over_matching": 50.0}


@dataclass(frozen=True)
class Town:
    candidates: Candidates
    severity: Whole
    priority: Whole


def main() -> None:
    parser = Options("bench.allocate", __doc__)
    parser.count("--clients", 10_000)
    parser.count("--therapists", 2_000)
    parser.add_argument("--shortage", action="store_true")
    parser.count("--grain", 1, "points that scores are multiples of")
    parser.add_argument("--without-priority", action="store_true")
    parser.count("--stable", 2_000, "clients of the comparison")
    parser.count("--rounds", 3)
    options = parser.parse_args()
    slack = SHORT if options.shortage else AMPLE
    town = make_town(options.clients, options.therapists, slack)
    if options.grain > 1:
        town = replace(town, candidates=coarse(town.candidates, options.grain))
    priority = None if options.without_priority else town.priority
    figures = {"grain": options.grain} | measure(town, slack, priority, options.rounds)
    figures |= against_package(options.stable, options.therapists / options.clients, slack)
    print(json.dumps(figures) if options.json else table_of(figures))


def measure(town: Town, slack: float, priority: Whole | None, rounds: int) -> dict[str, Any]:
    candidates, clients = town.candidates, town.candidates.clients
    lists, capacity = candidates.therapist.tolist(), candidates.capacity.tolist()
    greedy_time, _ = timed(lambda: serve(lists, capacity), 3 * rounds)
    plain_time, plain = timed(lambda: allocate(candidates, priority, floor=False), rounds)
    time_taken, found = timed(lambda: allocate(candidates, priority), rounds)
    greedy, agreed = by_arrival(candidates), stable(candidates, priority)
    return {
        "clients": clients,
        "therapists": len(candidates.capacity),
        "places": int(candidates.capacity.sum()),
        "gap": found.gap,
        "without_floor_gap": plain.gap,
        "cut_short": found.cut_short or plain.cut_short,
        "placed": found.placed,
        "placeable": count_placeable(candidates, found),
        "passed_over": passed_over(candidates, found.therapist, priority),
        "over_greedy_time": plain_time / greedy_time,
        "with_floor_over_greedy_time": time_taken / greedy_time,
        "greedy_ms": 1e3 * greedy_time,
        "worst": found.worst,
        "without_floor_worst": plain.worst,
        "greedy_worst": greedy.worst,
        "greedy_placed": greedy.placed,
        "greedy_share_of_total": greedy.total / found.total,
        "share_of_bound_on_any_total": found.total / upper_bound(candidates, plain.prices),
        "severe_unplaced": severe_unplaced(town, found),
        "greedy_severe_unplaced": severe_unplaced(town, greedy),
        "arrivals_by_price": arrivals_by(plain.prices, clients, slack),
        "arrivals_by_score": arrivals_by(np.zeros_like(plain.prices), clients, slack),
        "stable_blocking_pairs": blocking_pairs(candidates, agreed.therapist, priority),
        "stable_placed": agreed.placed,
    }


def against_package(clients: int, each: float, slack: float) -> dict[str, Any]:
    """How many times faster than the package, with the same answer."""
    town = make_town(clients, max(1, round(clients * each)), slack)
    ours_time, ours = timed(lambda: stable(town.candidates, town.priority), 3)
    theirs = stable_by_package(town.candidates, town.priority)
    return {
        "stable_speedup_over_matching": theirs.seconds / ours_time,
        "stable_same_as_matching": ours.therapist.tolist() == theirs.therapist,
        "stable_compared_clients": clients,
        "matching_seconds": theirs.seconds,
        "matching_solving_seconds": theirs.solving,
    }


def make_town(clients: int, therapists: int, slack: float, seed: int = SEED) -> Town:
    """The therapists are the same whatever the seed; the clients are not."""
    town, chance = np.random.default_rng(SEED), np.random.default_rng(seed)
    traits = town.normal(size=(therapists, TRAITS)).astype(np.float32)
    general = town.normal(size=therapists).astype(np.float32)
    places = round(clients * slack)
    capacity = town.multinomial(places, np.full(therapists, 1 / therapists))
    available = chance.integers(0, therapists, (clients, AVAILABLE))
    fit = 0.3 + 0.08 * general[available]
    wanted = chance.normal(size=(clients, TRAITS)).astype(np.float32)
    for trait in range(TRAITS):
        fit += 0.1 / np.sqrt(TRAITS) * wanted[:, [trait]] * traits[available, trait]
    fit += 0.1 * chance.normal(size=fit.shape)
    severity = chance.choice([1, 2, 3], clients, p=[0.5, 0.3, 0.2])
    days = chance.exponential(60, clients).astype(np.int64)
    return Town(_best(available, fit, capacity), severity, priority_of(severity, days))


def _best(available: Whole, fit: Any, capacity: Whole) -> Candidates:
    """The best of each list, whoever was drawn twice only once."""
    order = np.argsort(available, axis=1, kind="stable")
    available, fit = (np.take_along_axis(each, order, axis=1) for each in (available, fit))
    available[:, 1:][available[:, 1:] == available[:, :-1]] = NOBODY
    fit = np.where(available == NOBODY, -1, np.clip(fit, 0, 1))
    best = np.argsort(-fit, axis=1, kind="stable")[:, :LISTED]
    therapist = np.take_along_axis(available, best, axis=1)
    score = (1e6 * np.take_along_axis(fit, best, axis=1)).astype(np.int64)
    return Candidates(therapist, score, capacity)


def coarse(candidates: Candidates, grain: int) -> Candidates:
    return replace(candidates, score=candidates.score // grain * grain)


def count_placeable(candidates: Candidates, found: Allocation) -> int:
    listed = candidates.therapist[candidates.is_there]
    edges = int(candidates.capacity[listed].sum())
    if edges > MOST_FOR_SCIPY:
        assert not passed_over(candidates, found.therapist)
        return found.placed
    client = np.repeat(np.nonzero(candidates.is_there)[0], candidates.capacity[listed])
    first = (candidates.capacity.cumsum() - candidates.capacity)[listed]
    counts = candidates.capacity[listed]
    within = np.arange(edges) - np.repeat(counts.cumsum() - counts, counts)
    place = np.repeat(first, counts) + within
    shape = (candidates.clients, int(candidates.capacity.sum()))
    graph = csr_matrix((np.ones(edges, dtype=np.int8), (client, place)), shape=shape)
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def severe_unplaced(town: Town, found: Allocation) -> float:
    """Which share of the severe wait on."""
    return float((found.therapist[town.severity == SEVERE] == NOBODY).mean())


def arrivals_by(prices: Whole, clients: int, slack: float) -> float:
    """New clients come one by one and take what is highest in score less price.

    Which share of the total they reach that is best in hindsight.
    """
    candidates = make_town(clients, len(prices), slack, SEED + 1).candidates
    worth = np.where(candidates.is_there, candidates.score - prices[candidates.therapist], -(10**9))
    order = np.argsort(-worth, axis=1, kind="stable")
    lists = np.take_along_axis(candidates.therapist, order, axis=1)
    chosen = np.array(serve(lists.tolist(), candidates.capacity.tolist()))
    best = allocate(candidates, floor=False).total
    return float(candidates.score_of(chosen).sum() / best)


def timed(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Seconds of the processor at the median, and what came of it."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        found = work()
        taken.append(time.process_time() - began)
    return float(np.median(taken)), found


def table_of(figures: dict[str, Any]) -> str:
    lines = [f"{'figure':30} {'measured':>14}  must be"]
    for name, value in figures.items():
        shown = f"{value:14.4f}" if isinstance(value, float) else f"{value!s:>14}"
        lines.append(f"{name:30} {shown}  {_demand(name)}".rstrip())
    return "\n".join(lines)


def _demand(name: str) -> str:
    if name == "placed":
        return "as placeable"
    if name in BELOW:
        return f"≤ {BELOW[name]}"
    return f"≥ {ABOVE[name]}" if name in ABOVE else ""


if __name__ == "__main__":
    main()
