"""A second web process over the database of a bench: what it holds, and how soon it sees a change.

    python -m bench.another FOLDER PLACE

Answers each line of standard input, a therapist's row id, with their open places as the next page
would find them. Lines are JSON; the first says what laying out the market took and holds.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from flask import Flask

from bench.pages import bench_app
from core.clock import now
from core.database import db
from practice.matches.market.index import market_at
from practice.therapists.models import Therapist


def main() -> None:
    folder, place = sys.argv[1:]
    app = bench_app(Path(folder))
    app.test_client().get("/")
    _say(_laid_out(app, place))
    for line in sys.stdin:
        with app.app_context():
            _say({"open_places": _open_places(int(line), place)})


def _laid_out(app: Flask, place: str) -> dict[str, Any]:
    gc.collect()
    before, began, worked = _mib("VmRSS"), time.perf_counter(), time.process_time()
    with app.app_context():
        market = market_at(now(), place)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    gc.collect()
    return {
        "lay_out_ms": round(took * 1000, 1),
        "lay_out_cpu_ms": round(worked * 1000, 1),
        "therapists": market.size,
        "without_market_mib": round(before, 1),
        "with_market_mib": round(_mib("VmRSS"), 1),
        "most_mib": round(_mib("VmHWM"), 1),
    }


def _open_places(row_id: int, place: str) -> int:
    therapist = db.session.get(Therapist, row_id)
    assert therapist is not None
    with market_at(now(), place).held() as index:
        return index.therapist(str(therapist.public_id)).capacity


def _mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    [line] = [each for each in lines if each.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
