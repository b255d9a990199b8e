"""Ranking a nation: `python -m bench.rank --therapists 1000000 [--clients 1000] [--json]`.

Ratios within one run. `scan` is one `bitwise_or.reduce` over as many bytes as the hot columns
have (81 a therapist): what reading them once costs. `naive` is `bench.naive`. Each round times one
ranking, one scan and one market view, so that all meet the same machine. The engine's answer is
compared with the naive one, ids and totals, for every client that the naive one is timed on.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.naive import NaiveScan
from bench.world import ON, World, ids_of, make_world
from matching import Index, Therapist, rank
from matching.table import Table

HOT_BYTES = 81
SHOWN = 10
BELOW = {
    "p50_over_scan": {100_000: 2.5, 1_000_000: 0.35},
    "p99_over_scan": {100_000: 4.0, 1_000_000: 0.9},
    "bytes_per_therapist": {100_000: 450, 1_000_000: 450},
    "build_over_scan": {1_000_000: 1000},
    "update_us_p50": {100_000: 100, 1_000_000: 100},
    "compact_update_us_p50": {100_000: 1000, 1_000_000: 1000},
    "market_over_rank": {100_000: 0.5, 1_000_000: 0.5},
}
ABOVE = {"speedup_over_naive": {100_000: 8, 1_000_000: 40}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--therapists", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--naive", type=int, default=50, help="clients for the naive scan")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.therapists, options.clients, options.naive)
    print(json.dumps(figures) if options.json else table_of(figures, options.therapists))


def measure(therapists: int, clients: int, naive: int) -> dict[str, Any]:
    world = make_world(therapists, clients)
    build = timed(lambda: Index.from_table(world.table, on=ON))
    index = Index.from_table(world.table, on=ON)
    gc.collect()
    gc.freeze()
    asked = _asked(index, world, _hot_bytes(therapists))
    plain, compact = _updated(index, world.table)
    scan = float(np.median(asked["scan"]))
    return {
        "therapists": therapists,
        "scan_ms": 1e3 * scan,
        "p50_ms": 1e3 * float(np.median(asked["rank"])),
        "p99_ms": 1e3 * float(np.percentile(asked["rank"], 99)),
        "p50_over_scan": float(np.median(asked["rank"])) / scan,
        "p99_over_scan": float(np.percentile(asked["rank"], 99)) / scan,
        **_against_naive(Index.from_table(world.table, on=ON), world, naive),
        "bytes_per_therapist": index.nbytes / therapists,
        "build_over_scan": build / scan,
        "update_us_p50": 1e6 * plain,
        "compact_update_us_p50": 1e6 * compact,
        "market_over_rank": float(np.median(asked["market"]) / np.median(asked["rank"])),
    }


def table_of(figures: dict[str, Any], therapists: int) -> str:
    lines = [f"{'figure':24} {'measured':>12}  must be"]
    for name, value in figures.items():
        shown = f"{value:12.3f}" if isinstance(value, float) else f"{value!s:>12}"
        lines.append(f"{name:24} {shown}  {_demand(name, therapists)}")
    return "\n".join(lines)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _demand(name: str, therapists: int) -> str:
    if name == "identical":
        return "True"
    for sign, demands in (("≤", BELOW), ("≥", ABOVE)):
        if therapists in demands.get(name, {}):
            return f"{sign} {demands[name][therapists]}"
    return ""


def _hot_bytes(therapists: int) -> npt.NDArray[np.uint64]:
    chance = np.random.default_rng(1)
    return chance.integers(0, 2**63, therapists * HOT_BYTES // 8, dtype=np.uint64)


def _asked(index: Index, world: World, hot: npt.NDArray[np.uint64]) -> dict[str, list[float]]:
    for client in world.clients[:50]:
        rank(index, client)
        index.market(client)
    times: dict[str, list[float]] = {"rank": [], "scan": [], "market": []}
    for client in world.clients:
        times["rank"].append(timed(lambda: rank(index, client)))  # noqa: B023
        times["market"].append(timed(lambda: index.market(client)))  # noqa: B023
        times["scan"].append(timed(lambda: np.bitwise_or.reduce(hot)))
    return times


def _against_naive(index: Index, world: World, naive: int) -> dict[str, Any]:
    """How many times faster, on the same clients, and whether the answers are the same."""
    scan, identical = NaiveScan(world.table), True
    ours, theirs = [], []
    for client in world.clients[:naive]:
        # Once untimed: the first time makes the columns of this client's codes.
        found = scan.rank(client, SHOWN)
        ids, totals = ids_of(world.table, found), scan.totals.tolist()
        theirs.append(timed(lambda: scan.rank(client, SHOWN)))  # noqa: B023
        ours.append(timed(lambda: rank(index, client, limit=SHOWN)))  # noqa: B023
        results = rank(index, client, limit=SHOWN).results
        identical &= [(each.id, each.total) for each in results] == list(
            zip(ids, totals, strict=True)
        )
    return {
        "speedup_over_naive": float(np.median(theirs) / np.median(ours)),
        "identical": identical,
    }


def _updated(index: Index, table: Table) -> tuple[float, float]:
    """Seconds of one change at the median: of somebody with one place, and with the most."""
    places = np.bincount(table.held_by, minlength=len(table))
    plain = ids_of(table, np.flatnonzero(places == 1)[:1000].tolist())
    compact = ids_of(table, np.argsort(-places, kind="stable")[:200].tolist())
    changes = (_other_capacity, _other_hours, _other_licence)
    return tuple(  # type: ignore[return-value]
        float(np.median([_changed(index, one, change) for one in ids for change in changes]))
        for ids in (plain, compact)
    )


def _changed(index: Index, one: str, change: Callable[[Therapist], Therapist]) -> float:
    changed = change(index.therapist(one))
    return timed(lambda: index.put(changed))


def _other_capacity(therapist: Therapist) -> Therapist:
    return replace(therapist, capacity=(therapist.capacity + 1) % 5)


def _other_hours(therapist: Therapist) -> Therapist:
    return replace(therapist, hours=therapist.hours ^ 1 << 40)


def _other_licence(therapist: Therapist) -> Therapist:
    """One licence goes and another comes."""
    authority = dict(therapist.authority)
    authority.pop(next(iter(authority)))
    return replace(therapist, authority=authority | {"US-GU": ON})


if __name__ == "__main__":
    main()
