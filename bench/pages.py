"""What pages cost against a bare page with a session row and the base layout, in one run.

    python -m bench.pages [--rounds 60] [--json]

Rounds are interleaved, so that a slow moment of the machine falls on every page alike.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sqlalchemy as sa
from flask import Flask, render_template
from flask.testing import FlaskClient

from bench.options import Options
from core.access import policy
from core.clock import now
from core.config import current_settings, settings_from
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.accounts import signing_in
from practice.accounts.models import User
from practice.accounts.policy import signed_in
from practice.accounts.queries import has_address
from practice.app import create_app
from practice.care.models import Episode
from practice.groups.models import Group
from practice.matches.operations import ensure_weights
from practice.seed.clients import FIRST_OF_STAGE, Stage
from practice.seed.world import Size, make_world
from practice.therapists.models import Therapist

BASE = (
    '{% extends "base.html" %}{% block title %}Bare{% endblock %}'
    "{% block main %}<h1>A bare page</h1>{% endblock %}"
)
WARM_UP = 5


@dataclass(frozen=True)
class Row:
    """One page: milliseconds (median and 95th percentile), times the bare page, queries."""

    page: str
    groups: int
    ms: float
    ms_p95: float
    over_base: float
    queries: int


def main() -> None:
    arguments = _arguments()
    rows = [row for groups in (30, 300) for row in measure(groups, arguments.rounds)]
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows]))
    else:
        _print_table(rows)


def measure(groups: int, rounds: int) -> list[Row]:
    """Build a world with this many groups and time each page `rounds` times."""
    with tempfile.TemporaryDirectory() as folder:
        app = bench_app(Path(folder))
        with app.app_context():
            upgrade(db.engine)
            addresses = fill(groups)
            client, therapist = a_client(app), _a_busy_therapist(app)
        visits = {page: (client, address) for page, address in addresses.items()}
        visits["caseload page"] = (therapist, "/caseload")
        times = _times(visits, rounds)
        queries = {page: queries_of(app, *visit) for page, visit in visits.items()}
        with app.app_context():
            db.engine.dispose()
    base = statistics.median(times["bare page"])
    return [
        Row(
            page,
            groups,
            round(statistics.median(times[page]), 2),
            round(statistics.quantiles(times[page], n=20)[-1], 2),
            round(statistics.median(times[page]) / base, 2),
            queries[page],
        )
        for page in visits
    ]


def bench_app(folder: Path) -> Flask:
    settings = settings_from({"DATA_DIR": str(folder)})
    app = create_app(replace(settings, argon2_time_cost=1, argon2_memory_kib=8))

    # Compiled once, as every template of the product is.
    bare = app.jinja_env.from_string(BASE)

    @app.get("/bench/base")
    @policy(signed_in)
    def bare_page() -> str:
        return render_template(bare)

    return app


def fill(groups: int) -> dict[str, str]:

    settings = current_settings()
    with unit_of_work() as session:
        ensure_weights(session, now())
        make_world(session, settings, Size(60, groups, 40), 2026, now())
    group = db.session.scalars(sa.select(Group).order_by(Group.id)).first()
    assert group is not None
    return {
        "bare page": "/bench/base",
        "group catalogue": "/groups",
        "group page": f"/groups/{group.public_id}",
        "match page": "/matches",
    }


def a_client(app: Flask) -> FlaskClient:
    email = f"client{FIRST_OF_STAGE[Stage.looking] + 1}@attune.example"
    return _signed_in(app, sa.select(User).where(has_address(email)))


def _a_busy_therapist(app: Flask) -> FlaskClient:
    """Who has the most people in their care."""
    people = sa.func.count(Episode.id).desc()
    busiest = sa.select(Episode.therapist_id).group_by(Episode.therapist_id).order_by(people)
    theirs = Therapist.id == busiest.limit(1).scalar_subquery()
    return _signed_in(app, sa.select(User).join(Therapist).where(theirs))


def _signed_in(app: Flask, wanted: sa.Select[tuple[User]]) -> FlaskClient:
    with unit_of_work() as session:
        user = session.scalars(wanted).one()
        token = signing_in.begin(session, user, now(), "bench", strong=True)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    return browser


def _times(visits: dict[str, tuple[FlaskClient, str]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {page: [] for page in visits}
    for round_ in range(rounds + WARM_UP):
        for page, (browser, address) in visits.items():
            began = time.perf_counter()
            answer = browser.get(address)
            took = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, (page, answer.status_code)
            if round_ >= WARM_UP:
                times[page].append(took)
    return times


def queries_of(app: Flask, browser: FlaskClient, address: str) -> int:
    with app.app_context(), _counted(db.engine) as statements:
        browser.get(address)
    return len(statements)


@contextmanager
def _counted(engine: sa.Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection, _cursor, statement, *_rest) -> None:  # type: ignore[no-untyped-def]
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


def _print_table(rows: list[Row]) -> None:
    print(f"{'page':<18}{'groups':>8}{'ms':>9}{'p95':>9}{'x bare':>9}{'queries':>9}")
    for row in rows:
        figures = f"{row.groups:>8}{row.ms:>9}{row.ms_p95:>9}{row.over_base:>9}{row.queries:>9}"
        print(f"{row.page:<18}{figures}")


def _arguments() -> argparse.Namespace:
    parser = Options("bench.pages", __doc__)
    parser.count("--rounds", 60, at_least=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
