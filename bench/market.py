"""What the match page costs in a nation of therapists, while nothing changes and after a change.

    python -m bench.market [--therapists 20000] [--rounds 100] [--json]

The client is in the most populous state. A change is an open place given away just before the
page, in a transaction of its own. Memory is what the process holds more (resident set) once the
market is laid out.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

import matching
from bench.pages import a_client, bench_app, fill, queries_of
from bench.practice import add_therapists
from bench.world import PLACES, SEED
from core.clock import now
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.accounts.models import Client
from practice.matches.index import market_at
from practice.therapists.models import Therapist
from practice.therapists.operations import give_back_place

WARM_UP = 5
BARE, MATCHES = "/bench/base", "/matches"
HERE = PLACES[0]


@dataclass(frozen=True)
class Figures:
    """Milliseconds, queries and mebibytes; `over_base` is the match page less the bare one.

    `cpu` is the processor's time alone, which a busy machine does not stretch.
    """

    therapists: int
    listed_here: int
    lay_out_ms: float
    base_ms: float
    page_ms: float
    page_ms_p99: float
    over_base_ms: float
    over_base_cpu_ms: float
    queries: int
    after_a_change_ms: float
    after_a_change_ms_p99: float
    queries_after_a_change: int
    market_mib: float
    process_mib: float


def main() -> None:
    arguments = _arguments()
    figures = measure(arguments.therapists, arguments.rounds)
    if arguments.json:
        print(json.dumps(asdict(figures)))
    else:
        for name, figure in asdict(figures).items():
            print(f"{name:<24}{figure:>12}")


def measure(therapists: int, rounds: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        app = bench_app(Path(folder))
        with app.app_context():
            upgrade(db.engine)
            fill(30)
            _add(therapists)
            browser = a_client(app)
            _move_everybody_to(HERE)
        figures = _figures(app, browser, therapists, rounds)
        with app.app_context():
            db.engine.dispose()
    return figures


def _figures(app: Flask, browser: FlaskClient, therapists: int, rounds: int) -> Figures:
    lay_out, market_mib, listed = _laid_out(app)
    base, page, changed = [], [], []
    for round_ in range(rounds + WARM_UP):
        took = [_visit(browser, BARE), _visit(browser, MATCHES)]
        _give_a_place(app, Random(round_), therapists)
        took.append(_visit(browser, MATCHES))
        if round_ >= WARM_UP:
            for times, each in zip((base, page, changed), took, strict=True):
                times.append(each)
    _visit(browser, MATCHES)
    quiet = queries_of(app, browser, MATCHES)
    cpu = _cpu(browser, MATCHES, rounds) - _cpu(browser, BARE, rounds)
    _give_a_place(app, Random(rounds), therapists)
    return Figures(
        therapists=therapists,
        listed_here=listed,
        lay_out_ms=round(lay_out, 1),
        base_ms=_median(base),
        page_ms=_median(page),
        page_ms_p99=_p99(page),
        over_base_ms=round(_median(page) - _median(base), 2),
        over_base_cpu_ms=round(cpu, 2),
        queries=quiet,
        after_a_change_ms=_median(changed),
        after_a_change_ms_p99=_p99(changed),
        queries_after_a_change=queries_of(app, browser, MATCHES),
        market_mib=round(market_mib, 1),
        process_mib=round(_resident_mib(), 1),
    )


def _add(therapists: int) -> None:
    with unit_of_work() as session:
        add_therapists(session, therapists, Random(SEED), now())


def _move_everybody_to(place: str) -> None:
    with unit_of_work() as session:
        session.execute(sa.update(Client).values(place=place))


def _laid_out(app: Flask) -> tuple[float, float, int]:
    """Milliseconds, mebibytes, and how many are licensed here."""
    gc.collect()
    before, began = _resident_mib(), time.perf_counter()
    with app.app_context():
        market = market_at(now(), HERE)
    took = (time.perf_counter() - began) * 1000
    gc.collect()
    with market.held() as index:
        listed = index.market(matching.Client(place=HERE, on=market.week)).eligible
    return took, _resident_mib() - before, listed


def _visit(browser: FlaskClient, address: str) -> float:
    began = time.perf_counter()
    answer = browser.get(address)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    return took


def _cpu(browser: FlaskClient, address: str, rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        browser.get(address)
    return (time.process_time() - began) * 1000 / rounds


def _give_a_place(app: Flask, chance: Random, therapists: int) -> None:
    with app.app_context(), unit_of_work() as session:
        newest = session.scalar(sa.select(sa.func.max(Therapist.id)))
        assert newest is not None
        give_back_place(session, newest - chance.randrange(therapists))


def _resident_mib() -> float:
    [line] = [
        each for each in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in each
    ]
    return int(line.split()[1]) / 1024


def _median(times: list[float]) -> float:
    return round(statistics.median(times), 2)


def _p99(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100)[-1], 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--therapists", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
