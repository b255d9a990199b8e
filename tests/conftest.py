"""One application a worker, on SQLite or a real PostgreSQL (`--database`), empty for each test."""

import gc
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from core import erasures
from core.clock import FrozenClock
from core.config import Settings
from core.database import Base, db
from core.migrating import upgrade
from practice.app import create_app
from tests.builders.kept import begin
from tests.builders.watching import notice_patches
from tests.databases import Databases, Files, Served, migrated
from tests.postgres import Cluster

# A Tuesday, mid-morning in the west of the United States.
NOW = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
# Far longer than one thread or process waits for another on the slowest machine, in seconds.
PATIENCE = 300

# The same examples at every run, however slow the machine is and whatever else it does meanwhile.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--prove", action="store_true", help="run the proofs at full size")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "prove: a proof that only runs at full size (make prove)")
    config.addinivalue_line("markers", "browser: needs Chromium")
    gc.set_threshold(20_000, 20, 20)
    # One cluster a run: workers find it by the address that the controller put there.
    if config.getoption("--database") == "postgresql" and not hasattr(config, "workerinput"):
        config.cluster = Cluster.start()  # type: ignore[attr-defined]


def pytest_sessionstart() -> None:
    notice_patches()


def pytest_configure_node(node) -> None:  # type: ignore[no-untyped-def]
    if hasattr(node.config, "cluster"):
        node.workerinput["postgres"] = node.config.cluster.address


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "cluster"):
        config.cluster.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --prove only the proofs run: those that grow, and those that have no small size.

    On PostgreSQL only what has a database runs: the rest was seen in the run on SQLite.
    What a module's journeys have looked at with axe needs no second look, so one worker has them.
    """
    wanted = is_proof if config.getoption("--prove") else runs_small
    everywhere = config.getoption("--database") == "sqlite"
    kept = [item for item in items if wanted(item) and (everywhere or has_database(item))]
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = kept
    for item in kept:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(f"chromium in {item.path.stem}"))


def pytest_collection_finish() -> None:
    """What is imported by now stays: to look through it for garbage took an eighth of the time."""
    gc.freeze()


def is_proof(item: pytest.Item) -> bool:
    return not runs_small(item) or "proving" in getattr(item, "fixturenames", ())


def has_database(item: pytest.Item) -> bool:
    return "databases" in getattr(item, "fixturenames", ())


def runs_small(item: pytest.Item) -> bool:
    return item.get_closest_marker("prove") is None


@sa.event.listens_for(Engine, "connect")
def _prepare_sqlite_for_tests(dbapi_connection: Any, _record: Any) -> None:
    if type(dbapi_connection).__module__ == "sqlite3":
        # PostgreSQL hands out rows in any order it likes; here SQLite does so at every run.
        dbapi_connection.execute("PRAGMA reverse_unordered_selects=ON")
        # Nothing here outlives a power cut; what is killed runs in processes of its own.
        dbapi_connection.execute("PRAGMA synchronous=OFF")


class Browser(FlaskClient):
    """A test browser whose requests never share the test's own context (session, `g`, user)."""

    def open(self, *args: Any, **options: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **options)


@pytest.fixture(scope="session")
def proving(request: pytest.FixtureRequest) -> bool:
    """Whether the long proofs run at full size."""
    return bool(request.config.getoption("--prove"))


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Of the kind that this run is about; a test that asks for one runs on each kind."""
    if request.config.getoption("--database") == "sqlite":
        return Files(tmp_path_factory)
    return Served(_cluster(request.config))


@pytest.fixture(scope="session")
def migrated_once(request: pytest.FixtureRequest, databases: Databases) -> str:
    """Has the newest schema and no row; to be copied, never used."""
    if isinstance(databases, Files):
        return str(request.getfixturevalue("migrated_file"))
    return migrated(databases)


@pytest.fixture(scope="session")
def database_url(databases: Databases, migrated_once: str) -> str:
    return databases.copy_of(migrated_once)


@pytest.fixture
def own_database_url(databases: Databases) -> str:
    """An empty database without tables, for a test that fills it or runs processes of its own."""
    return databases.empty()


@pytest.fixture
def own_migrated_url(databases: Databases, migrated_once: str) -> str:
    """A database of the newest schema without rows, for a test that runs processes of its own."""
    return databases.copy_of(migrated_once)


@pytest.fixture
def own_file_url(tmp_path_factory: pytest.TempPathFactory, migrated_file: str) -> str:
    """A SQLite database of the newest schema, for a test to which one kind is like the other."""
    return Files(tmp_path_factory).copy_of(migrated_file)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return migrated(Files(tmp_path_factory))


def _cluster(config: pytest.Config) -> Cluster:
    if hasattr(config, "cluster"):
        return config.cluster
    return Cluster(config.workerinput["postgres"])  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        data_dir=Path(tmp_path_factory.mktemp("data")),
        database_url=database_url,
        secret_key="a secret for tests",
        base_url="http://localhost",
        argon2_time_cost=1,
        argon2_memory_kib=8,
    )


@pytest.fixture(scope="session")
def whole_app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings, FrozenClock(NOW))
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=True)
    app.test_client_class = Browser
    with app.app_context():
        upgrade(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()
    shutil.rmtree(settings.data_dir, ignore_errors=True)


@pytest.fixture
def app(whole_app: Flask, settings: Settings) -> Flask:
    """The application over an empty database, its clock at NOW, with no memory of other tests."""
    whole_app.extensions.pop("kept_proposals", None)
    (settings.data_dir / erasures.FILE).unlink(missing_ok=True)
    whole_app.extensions["clock"] = FrozenClock(NOW)
    whole_app.config["WTF_CSRF_ENABLED"] = True
    with whole_app.app_context():
        empty_database(db.engine)
        begin(db.engine)
    return whole_app


@pytest.fixture
def clock(app: Flask) -> FrozenClock:
    clock: FrozenClock = app.extensions["clock"]
    return clock


@pytest.fixture
def session(app: Flask) -> Iterator[sa.orm.Session]:
    """A database session inside an application context, for tests of rules and queries."""
    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """A browser without JavaScript, CSRF not asked for (journeys ask for it)."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def empty_database(engine: sa.Engine) -> None:
    """Delete every row; therapists name each other, so that bond goes first."""
    with engine.begin() as connection:
        filled = filled_tables(connection)
        if "therapists" in filled:
            connection.execute(sa.text("UPDATE therapists SET supervisor_id = NULL"))
        for table in reversed(_tables_in_order()):
            if table.name in filled:
                connection.execute(table.delete())


def filled_tables(connection: sa.Connection) -> set[str]:
    """The names of the tables that hold a row."""
    return set(connection.scalars(_tables_with_rows()))


@cache
def _tables_with_rows() -> sa.TextClause:
    """Asked in one go: to delete from each of ninety tables took longer than many a test."""
    tables = [table.name for table in _tables_in_order()]
    return sa.text(
        " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables
        )
    )


@cache
def _tables_in_order() -> list[sa.Table]:
    """Sorted by their bonds once, not anew for each test."""
    return Base.metadata.sorted_tables
