"""Ranking a nation: `python -m bench.rank --therapists 1000000 [--clients 500] [--json]`.

`--recorded 0.25` gives a quarter of the therapists a track record, and each client a domain.

All ratios are of one run. `scan` is one `bitwise_or.reduce` over as many bytes as the hot columns
have (81 a therapist): what reading them once costs. `naive` is `bench.naive`. Every client's
answer is compared with the naive one, ids and totals.

Rounds alternate blocks: scans, then every client's ranking, then every client's market view. They
are blocks because each of the three, run between the others, would find the caches full of theirs;
a block begins with a few runs that are not timed, so that all are equally warm. A client's time is
the fastest of the rounds, and so is each scan's: what else the machine does falls away, and the
spread that is left (p50, p99) is that between clients. `single` are the rankings as they came, with
whatever the machine did meanwhile. Builds and the naive scan are too long to find a quiet moment:
they are timed by the processor time that they took.
"""

import gc
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.naive import NaiveScan
from bench.options import Options
from bench.world import ON, World, ids_of, make_world
from matching import Index, Therapist, rank
from matching.shards.table import Table

Seconds = npt.NDArray[np.float64]

HOT_BYTES = 81
SHOWN = 10
SCANS = 50
WARMING = 10
BUILDS = 3
AT_MOST: dict[str, dict[int, float]] = {
    "p50_over_scan": {100_000: 2.5, 1_000_000: 0.35},
    "p99_over_scan": {100_000: 4.0, 1_000_000: 0.9},
    "bytes_per_therapist": {100_000: 450, 1_000_000: 450},
    "build_over_scan": {100_000: 1000, 1_000_000: 1000},
    "update_us_p50": {100_000: 100, 1_000_000: 100},
    "compact_update_us_p50": {100_000: 1000, 1_000_000: 1000},
    "market_over_rank": {100_000: 0.5, 1_000_000: 0.5},
}
AT_LEAST: dict[str, dict[int, float]] = {"speedup_over_naive": {100_000: 8, 1_000_000: 40}}


def main() -> None:
    parser = Options("bench.rank", __doc__)
    parser.count("--therapists", 1_000_000)
    parser.count("--clients", 500)
    parser.count("--rounds", 7)
    parser.figure("--recorded", 0.0, "share with a track record", at_least=0, at_most=1)
    options = parser.parse_args()
    figures = measure(options.therapists, options.clients, options.rounds, options.recorded)
    print(json.dumps(figures) if options.json else table_of(figures))


def measure(therapists: int, clients: int, rounds: int, recorded: float = 0.0) -> dict[str, Any]:
    world = make_world(therapists, clients, recorded=recorded)
    build, index = _built(world.table)
    gc.collect()
    gc.freeze()
    times = _asked(index, world, rounds)
    naive, identical = _compared(index, world)
    plain, compact = _updated(index, world.table)
    scan = float(np.median(times["scan"].min(axis=0)))
    p50, p99 = np.percentile(times["rank"].min(axis=0), (50, 99)).tolist()
    single_p50, single_p99 = np.percentile(times["rank"], (50, 99)).tolist()
    return {
        "therapists": therapists,
        "clients": clients,
        "recorded": recorded,
        "p50_over_scan": p50 / scan,
        "p99_over_scan": p99 / scan,
        # The naive scan is asked once, and compared with rankings as they came.
        "speedup_over_naive": naive / single_p50,
        "identical": identical,
        "bytes_per_therapist": index.nbytes / therapists,
        "build_over_scan": build / scan,
        "update_us_p50": 1e6 * plain,
        "compact_update_us_p50": 1e6 * compact,
        "market_over_rank": float(np.median(times["market"].min(axis=0))) / p50,
        "scan_ms": 1e3 * scan,
        "p50_ms": 1e3 * p50,
        "p99_ms": 1e3 * p99,
        "single_p50_ms": 1e3 * single_p50,
        "single_p99_ms": 1e3 * single_p99,
        "naive_ms": 1e3 * naive,
        "build_ms": 1e3 * build,
    }


def table_of(figures: dict[str, Any]) -> str:
    lines = [f"{'figure':24} {'measured':>12}  must be"]
    for name, value in figures.items():
        shown = f"{value:12.3f}" if isinstance(value, float) else f"{value!s:>12}"
        lines.append(f"{name:24} {shown}  {_demand(name, figures['therapists'])}".rstrip())
    return "\n".join(lines)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time; nothing here uses more than one thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _demand(name: str, therapists: int) -> str:
    if name == "identical":
        return "True"
    if therapists in AT_MOST.get(name, {}):
        return f"≤ {AT_MOST[name][therapists]}"
    if therapists in AT_LEAST.get(name, {}):
        return f"≥ {AT_LEAST[name][therapists]}"
    return ""


def _built(table: Table) -> tuple[float, Index]:
    """Seconds of the fastest of a few builds, and an index."""
    # Of a table of its own each time: a table remembers the order of its ids.
    tables = [replace(table) for _ in range(BUILDS)]
    builds = [spent(lambda: Index.from_table(each, on=ON)) for each in tables]  # noqa: B023
    return min(builds), Index.from_table(table, on=ON)


def _asked(index: Index, world: World, rounds: int) -> dict[str, Seconds]:
    """Seconds of each piece of work, shape (rounds, pieces), by what it is."""
    hot = _hot_bytes(len(world.table))
    work: dict[str, Callable[[Any], object]] = {
        "scan": lambda _: np.bitwise_or.reduce(hot),
        "rank": lambda client: rank(index, client, limit=SHOWN),
        "market": index.market,
    }
    pieces = {"scan": range(SCANS), "rank": world.clients, "market": world.clients}
    times: dict[str, list[list[float]]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, one in work.items():
            times[name].append(_block(one, pieces[name]))
    return {name: np.array(each) for name, each in times.items()}


def _block(work: Callable[[Any], object], pieces: Iterable[Any]) -> list[float]:
    pieces = list(pieces)
    for piece in pieces[:WARMING]:
        work(piece)
    return [timed(lambda: work(piece)) for piece in pieces]  # noqa: B023


def _hot_bytes(therapists: int) -> npt.NDArray[np.uint64]:
    chance = np.random.default_rng(1)
    return chance.integers(0, 2**63, therapists * HOT_BYTES // 8, dtype=np.uint64)


def _compared(index: Index, world: World) -> tuple[float, bool]:
    """Seconds of the naive scan at the median, and whether all answers are the same."""
    naive, identical = NaiveScan(world.table), True
    times = []
    for client in world.clients:
        times.append(spent(lambda: naive.rank(client, SHOWN)))  # noqa: B023
        ours = [(each.id, each.total) for each in rank(index, client, limit=SHOWN).results]
        identical &= ours == naive.shown()
    return float(np.median(times)), identical


def _updated(index: Index, table: Table) -> tuple[float, float]:
    """Seconds of one change at the median: of somebody with one place, and with the most."""
    places = np.bincount(table.held_by, minlength=len(table))
    plain = ids_of(table, np.flatnonzero(places == 1)[:1000].tolist())
    compact = ids_of(table, np.argsort(-places, kind="stable")[:200].tolist())
    return _change_at_median(index, plain), _change_at_median(index, compact)


def _change_at_median(index: Index, ids: list[str]) -> float:
    changes = (_other_capacity, _other_hours, _other_licence)
    return float(np.median([_changed(index, one, change) for one in ids for change in changes]))


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
