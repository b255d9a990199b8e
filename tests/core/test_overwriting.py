"""Nothing of a destroyed key is left in the database's files, on either database."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from core import overwriting
from core.database import db, unit_of_work
from core.erasures import erase
from core.keys import DataKey, Realm, new_key
from core.outbox import FIRST_WAIT, OutboxMessage, drain
from core.overwriting import OVERWRITE, overwrite
from tests.conftest import NOW

OWNER = uuid.UUID("3f2b8c1e-5a7d-4e0f-9c6b-1d2e3f4a5b6c")
# So few that the planner would remember each of them.
OTHERS = 60


@pytest.fixture
def wrapped(app: Flask) -> bytes:
    """The wrapped key of somebody among many others, as it stands in the files."""
    with app.app_context():
        with unit_of_work() as session:
            rows = [new_key(uuid.uuid4(), "personal") for _ in range(OTHERS)]
            session.execute(sa.insert(DataKey), rows)
            session.execute(sa.insert(DataKey).values(new_key(OWNER, "personal")))
        found = db.session.scalars(sa.select(DataKey.wrapped).where(DataKey.owner == OWNER)).one()
        db.session.remove()
        with server() as connection:
            connection.exec_driver_sql("ANALYZE")
        assert found in on_disk()
    return found


@contextmanager
def server() -> Iterator[sa.Connection]:
    """A connection without a transaction."""
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def on_postgresql() -> bool:
    return bool(db.engine.dialect.name == "postgresql")


def on_disk() -> bytes:
    """Every byte of the database's own files, PostgreSQL's log of changes left out."""
    if not on_postgresql():
        path = Path(db.engine.url.database or "")
        return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    with server() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
        oid = connection.exec_driver_sql(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).scalar_one()
    return b"".join(one.read_bytes() for one in (folder / "base" / str(oid)).iterdir())


def erase_them() -> None:
    with unit_of_work() as session:
        erase(session, OWNER, Realm.personal, NOW)


def works() -> list[tuple[bool, str]]:
    db.session.rollback()
    rows = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == OVERWRITE))
    return [(row.done_at is not None, row.last_error) for row in rows]


def test_after_an_erasure_nothing_of_the_key_is_in_the_files(app: Flask, wrapped: bytes) -> None:
    with app.app_context():
        erase_them()
        assert wrapped in on_disk()
        db.session.remove()
        drain(app, NOW)
        assert wrapped not in on_disk()
        left = db.session.scalar(sa.select(sa.func.count()).select_from(DataKey))
        assert left >= OTHERS
        assert works() == [(True, "")]


def test_many_erasures_are_overwritten_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    monkeypatch.setattr(overwriting, "_write_anew", times.append)
    monkeypatch.setattr(overwriting, "_empty_the_log", times.append)
    with app.app_context():
        for _person in range(5):
            owner = uuid.uuid4()
            with unit_of_work() as session:
                session.execute(sa.insert(DataKey).values(new_key(owner, "personal")))
                erase(session, owner, Realm.personal, NOW)
        db.session.remove()
        drain(app, NOW)
        assert works() == [(True, "")] * 5
    assert len(times) == 1


def test_a_snapshot_that_still_sees_the_key_is_waited_for(
    app: Flask, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written anew now, the table would hold the dead row again: a backup still looks at it."""
    assert_waits_for_a_snapshot(app, wrapped, monkeypatch)


def test_whoever_hides_from_us_is_heard_of_from_the_server(
    app: Flask, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other roles' transactions and the server's own ANALYZE do not show themselves."""
    monkeypatch.setattr(overwriting, "_wait_for_older_views", lambda *_: None)
    assert_waits_for_a_snapshot(app, wrapped, monkeypatch)


def assert_waits_for_a_snapshot(
    app: Flask, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        if not on_postgresql():
            pytest.skip("SQLite keeps what is looked at in its log alone")
        older = db.engine.execution_options(isolation_level="REPEATABLE READ")
        with older.connect() as connection, monkeypatch.context() as patch:
            patch.setattr(overwriting, "PATIENCE", 0.2)
            connection.exec_driver_sql("SELECT 1")
            erase_them()
            db.session.remove()
            drain(app, NOW)
            assert works() == [(False, "StillSeen")]
            assert wrapped in on_disk()
        db.session.remove()
        drain(app, NOW + FIRST_WAIT)
        assert works() == [(True, "StillSeen")]
        assert wrapped not in on_disk()


def test_a_table_in_use_is_not_waited_for_while_others_queue(
    app: Flask, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        if not on_postgresql():
            pytest.skip("on SQLite nobody waits for whoever reads")
        erase_them()
        db.session.remove()
        with db.engine.connect() as reader, monkeypatch.context() as patch:
            patch.setattr(overwriting, "LONGEST_LOCK", 50)
            reader.exec_driver_sql("LOCK TABLE data_keys IN ACCESS SHARE MODE")
            drain(app, NOW)
            assert works() == [(False, "OperationalError")]
        db.session.remove()
        drain(app, NOW + FIRST_WAIT)
        assert wrapped not in on_disk()


def test_a_role_that_may_not_write_the_table_anew_says_so(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        if not on_postgresql():
            pytest.skip("SQLite has no roles")
        name = f"guest_{uuid.uuid4().hex}"
        with server() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
            connection.exec_driver_sql(f"GRANT SELECT, DELETE ON data_keys TO {name}")
        guest = sa.create_engine(db.engine.url.set(username=name), poolclass=sa.NullPool)
        with guest.connect() as connection, caplog.at_level("INFO"):
            overwriting._write_anew(connection.execution_options(isolation_level="AUTOCOMMIT"))
        assert "keys.left_on_disk" in caplog.text
        caplog.clear()
        with caplog.at_level("INFO"):
            overwrite({})
        assert "keys.left_on_disk" not in caplog.text


def test_a_server_that_reports_nothing_is_not_taken_at_its_word(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that calls its function otherwise would let dead rows pass unheard."""
    with app.app_context():
        if not on_postgresql():
            pytest.skip("SQLite is asked nothing")
        monkeypatch.setattr(overwriting, "COPIES", "called_otherwise")
        with caplog.at_level("INFO"):
            overwrite({})
        assert "keys.left_on_disk" in caplog.text
