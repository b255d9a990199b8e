"""What the match page costs in a nation of therapists, while nothing changes and after a change.

    python -m bench.market [--therapists 20000] [--rounds 100] [--json]

The client is in the most populous state. A change is an open place given back just before the
page, in a transaction of its own. Laying out and memory are those of a second process
(`bench.another`), as a web process has them at its start: resident set without and with the market,
and the most it ever was. The second process is asked right after changes committed in the first:
`seen_elsewhere_ms` goes from the commit to its answer, which must be the new one.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

import matching
from bench.options import Options
from bench.pages import a_client, bench_app, fill, queries_of
from bench.practice import add_therapists
from bench.world import PLACES, SEED
from core.clock import now
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.accounts.models import Client
from practice.matches.market.index import market_at
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
    lay_out_cpu_ms: float
    base_ms: float
    page_ms: float
    page_ms_p99: float
    over_base_ms: float
    over_base_cpu_ms: float
    queries: int
    after_a_change_ms: float
    after_a_change_ms_p99: float
    queries_after_a_change: int
    seen_elsewhere_ms: float
    seen_elsewhere_ms_worst: float
    without_market_mib: float
    with_market_mib: float
    most_mib: float


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
        with _another(Path(folder)) as another:
            figures = _figures(app, browser, another, therapists, rounds)
        with app.app_context():
            db.engine.dispose()
    return figures


def _figures(
    app: Flask, browser: FlaskClient, another: "Another", therapists: int, rounds: int
) -> Figures:
    first, listed = another.answer(), _listed(app)
    seen = [_seen(app, another, Random(round_), therapists) for round_ in range(rounds)]
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
        lay_out_ms=first["lay_out_ms"],
        lay_out_cpu_ms=first["lay_out_cpu_ms"],
        base_ms=_median(base),
        page_ms=_median(page),
        page_ms_p99=_p99(page),
        over_base_ms=round(_median(page) - _median(base), 2),
        over_base_cpu_ms=round(cpu, 2),
        queries=quiet,
        after_a_change_ms=_median(changed),
        after_a_change_ms_p99=_p99(changed),
        queries_after_a_change=queries_of(app, browser, MATCHES),
        seen_elsewhere_ms=_median(seen),
        seen_elsewhere_ms_worst=round(max(seen), 2),
        **{name: first[name] for name in ("without_market_mib", "with_market_mib", "most_mib")},
    )


def _add(therapists: int) -> None:
    with unit_of_work() as session:
        add_therapists(session, therapists, Random(SEED), now())


def _move_everybody_to(place: str) -> None:
    with unit_of_work() as session:
        session.execute(sa.update(Client).values(place=place))


@dataclass(frozen=True)
class Another:
    """The second process: one line in, one line out."""

    process: "subprocess.Popen[str]"

    def answer(self, asked: str = "") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if asked:
            self.process.stdin.write(f"{asked}\n")
            self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def _another(folder: Path) -> Iterator[Another]:
    command = [sys.executable, "-m", "bench.another", str(folder), HERE]
    pipes = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipes, stdout=pipes, text=True) as process:
        try:
            yield Another(process)
        finally:
            process.kill()


def _seen(app: Flask, another: Another, chance: Random, therapists: int) -> float:
    """Milliseconds from the commit here until the other process has said what is true now."""
    changed, places = _give_a_place(app, chance, therapists)
    began = time.perf_counter()
    said = another.answer(str(changed))
    took = (time.perf_counter() - began) * 1000
    assert said == {"open_places": places}, "the other process answered from before the change"
    return took


def _listed(app: Flask) -> int:
    """How many are licensed here and have room."""
    with app.app_context():
        market = market_at(now(), HERE)
    with market.held() as index:
        return index.market(matching.Client(place=HERE, on=market.week)).eligible


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


def _give_a_place(app: Flask, chance: Random, therapists: int) -> tuple[int, int]:
    """Whose place it is, and how many they have now."""
    with app.app_context(), unit_of_work() as session:
        newest = session.scalar(sa.select(sa.func.max(Therapist.id)))
        assert newest is not None
        row_id = newest - chance.randrange(therapists)
        give_back_place(session, row_id)
        places = session.scalar(sa.select(Therapist.open_places).where(Therapist.id == row_id))
        return row_id, int(places or 0)


def _median(times: list[float]) -> float:
    return round(statistics.median(times), 2)


def _p99(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100)[-1], 2)


def _arguments() -> argparse.Namespace:
    parser = Options("bench.market", __doc__)
    parser.count("--therapists", 20_000)
    parser.count("--rounds", 100, at_least=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
