"""What the ledger costs those who write: posts a second with and without it, in one run.

    python -m bench.ledger [--database URL] [--seconds 1] [--rounds 11] [--json]

Threads post one act after the other, each in a transaction of its own, as a page does. Rounds
without anything, with the pseudonyms alone, and with the sealer running beside are interleaved,
so that a slow moment of the machine falls on each alike. A plain SQLite in a temporary folder
unless a database is named; its tables must be empty.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from bench.options import Options
from core.audit import AuditEntry, record
from core.checking import check
from core.clock import now
from core.config import settings_from
from core.database import db, unit_of_work
from core.exporting import write_export
from core.ledger import newest_checkpoint, seal, seal_now, waiting_acts
from core.migrating import upgrade
from core.signing import published_keys
from core.verifying import verify
from practice.app import create_app

WRITERS = 4
# The worker comes by every five seconds; here ten times as often.
SEALS_EVERY = 0.5


@dataclass(frozen=True)
class Row:
    """One way of writing: posts a second, milliseconds of a post (median, 95th percentile)."""

    way: str
    posts_per_second: float
    ms: float
    ms_p95: float
    of_bare: float


@dataclass(frozen=True)
class Sealing:
    """What becomes of the acts afterwards, acts a second."""

    acts: int
    sealed_per_second: float
    exported_per_second: float
    verified_per_second: float
    checked_per_second: float


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings_from(_environment(Path(folder), arguments.database)))
        with app.app_context():
            upgrade(db.engine)
            rows = measure_posts(app, arguments.seconds, arguments.rounds)
            sealing = measure_sealing(Path(folder))
            db.session.remove()
            db.engine.dispose()
    if arguments.json:
        print(json.dumps({"posts": [asdict(row) for row in rows], "sealing": asdict(sealing)}))
    else:
        _print_tables(rows, sealing)


def measure_posts(app: Flask, seconds: float, rounds: int) -> list[Row]:
    ways: dict[str, tuple[Callable[[Any], None], bool]] = {
        "bare row": (_post_bare, False),
        "row with pseudonyms": (_post, False),
        "and the sealer beside": (_post, True),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (post, is_sealed) in ways.items():
            seal_now(now())
            with _sealer(app) if is_sealed else _nobody():
                took = _write(app, post, seconds)
            times[way] += took
            rates[way].append(len(took) / seconds)
    return [_row(way, rates[way], times[way], rates["bare row"]) for way in ways]


def measure_sealing(folder: Path) -> Sealing:
    with unit_of_work() as session:
        for _ in range(20_000):
            _post(session)
    waiting = waiting_acts(db.session()).number
    db.session.rollback()
    sealed = _seconds(lambda: seal_now(now()))
    newest = newest_checkpoint(db.session())
    assert newest is not None
    size, file = newest.size, folder / "ledger.jsonl"
    exported = _seconds(lambda: write_export(db.session(), file))
    keys = [bytes.fromhex(key.public) for key in published_keys(db.session())]
    with file.open("rb") as opened:
        verified = _seconds(lambda: verify(opened, keys))
    checked = _seconds(_require_whole)
    per = [
        round(number / took)
        for number, took in ((waiting, sealed), (size, exported), (size, verified), (size, checked))
    ]
    return Sealing(size, *per)


def _require_whole() -> None:
    report = check(db.session())
    assert report.holds, report.findings


def _post(session: Any) -> None:
    record(
        session,
        at=now(),
        action="request.viewed",
        subject_kind="match_request",
        subject_id=uuid.uuid4(),
        actor_id=uuid.uuid4(),
        actor_role="therapist",
        client_id=uuid.uuid4(),
        lines=3,
    )


def _post_bare(session: Any) -> None:
    """The same row without what the ledger adds to it at once."""
    entry = AuditEntry(
        public_id=uuid.uuid4(),
        at=now(),
        action="request.viewed",
        subject_kind="match_request",
        subject_id=uuid.uuid4(),
        actor_id=uuid.uuid4(),
        actor_role="therapist",
        client_id=uuid.uuid4(),
        details={"lines": 3},
    )
    session.add(entry)


def _write(app: Flask, post: Callable[[Any], None], seconds: float) -> list[float]:
    """Milliseconds of each post of all writers."""
    took: list[float] = []
    start = threading.Barrier(WRITERS)

    def work() -> None:
        with app.app_context():
            start.wait()
            ends = time.perf_counter() + seconds
            while (began := time.perf_counter()) < ends:
                with unit_of_work() as session:
                    post(session)
                took.append((time.perf_counter() - began) * 1000)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


@contextmanager
def _sealer(app: Flask) -> Iterator[None]:
    """Seals what comes, as the worker does; in a thread here, so it also costs its share."""
    stop = threading.Event()

    def work() -> None:
        with app.app_context():
            while not stop.wait(SEALS_EVERY):
                seal(now())
            db.session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _nobody() -> Iterator[None]:
    yield


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row(way: str, rates: list[float], times: list[float], bare: list[float]) -> Row:
    """The ratio is the median of each round's own: neighbours share the machine's mood."""
    ratio = statistics.median(rate / other for rate, other in zip(rates, bare, strict=True))
    return Row(
        way,
        round(statistics.median(rates), 1),
        round(statistics.median(times), 2),
        round(statistics.quantiles(times, n=20)[-1], 2),
        round(ratio, 2),
    )


def _print_tables(rows: list[Row], sealing: Sealing) -> None:
    print(f"{WRITERS} writers{'posts/s':>30}{'ms':>9}{'p95':>9}{'of bare':>9}")
    for row in rows:
        figures = f"{row.posts_per_second:>14}{row.ms:>9}{row.ms_p95:>9}{row.of_bare:>9}"
        print(f"{row.way:<25}{figures}")
    print(f"\nafterwards, {sealing.acts} acts: acts a second")
    for name, value in asdict(sealing).items():
        if name != "acts":
            print(f"{name.removesuffix('_per_second'):<25}{value:>14}")


def _environment(folder: Path, database: str) -> dict[str, str]:
    return {"DATA_DIR": str(folder)} | ({"DATABASE_URL": database} if database else {})


def _arguments() -> argparse.Namespace:
    parser = Options("bench.ledger", __doc__)
    parser.add_argument("--database", default="", help="a DATABASE_URL; SQLite in a folder without")
    parser.figure("--seconds", 1, at_least=0.01, at_most=3600)
    parser.count("--rounds", 11)
    return parser.parse_args()


if __name__ == "__main__":
    main()
