import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from core.audit import AuditEntry, record
from core.config import settings_from
from core.database import NestedUnitOfWork, db, keep_private, unit_of_work
from core.migrating import upgrade
from practice.app import create_app

AT = datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=-8)))


def add_entry(session, at=AT):
    return record(
        session, at=at, action="tested", subject_kind="test", subject_id=None, actor_id=None
    )


def add_one_and_fail():
    with unit_of_work() as work:
        add_entry(work)
        work.flush()
        raise ZeroDivisionError


def count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))


def test_a_unit_of_work_keeps_everything_inside(session):
    with unit_of_work() as work:
        add_entry(work)
        add_entry(work)
    assert count() == 2


def test_an_error_inside_keeps_nothing(session):
    with pytest.raises(ZeroDivisionError):
        add_one_and_fail()
    assert count() == 0


def test_a_unit_of_work_begins_even_after_something_was_read(session):
    assert count() == 0
    with unit_of_work() as work:
        add_entry(work)
    assert count() == 1


def test_a_unit_of_work_inside_another_is_refused(session):
    with unit_of_work(), pytest.raises(NestedUnitOfWork), unit_of_work():
        pass


def test_an_instant_comes_back_in_utc(session):
    with unit_of_work() as work:
        add_entry(work)
    assert db.session.scalar(sa.select(AuditEntry.at)) == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert db.session.scalar(sa.select(AuditEntry.at)).tzinfo is UTC


def test_a_naive_instant_is_refused(session):
    with pytest.raises(StatementError), unit_of_work() as work:
        add_entry(work, datetime(2026, 12, 1, 9, 0))  # noqa: DTZ001


def test_a_unit_of_work_decides_on_what_is_there_now_not_on_what_an_earlier_one_saw(app, session):
    with unit_of_work() as work:
        add_entry(work)
        work.flush()
        mine = work.scalars(sa.select(AuditEntry)).one()
    with db.engine.begin() as somebody_else:
        somebody_else.execute(sa.update(AuditEntry).values(actor_role="changed"))
    with unit_of_work() as work:
        assert work.get_one(AuditEntry, mine.id).actor_role == "changed"


def test_texts_of_other_alphabets_come_back_the_same(session):
    words = {"b": "Zażółć 🌱 \u202eabc", "a": [1, None]}
    with unit_of_work() as work:
        add_entry(work).details = words
    assert db.session.scalar(sa.select(AuditEntry.details)) == words


@pytest.fixture
def loose():
    """A machine on which whatever is made can be read by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_file_its_log_and_its_folder_are_their_owners_alone(tmp_path, loose):
    settings = settings_from({"DATA_DIR": str(tmp_path / "data")})
    app = create_app(settings)
    with app.app_context():
        upgrade(db.engine)
        with db.engine.connect():
            modes = {one.name: mode(one) for one in settings.data_dir.glob("attune.sqlite3*")}
        db.engine.dispose()
    names = ("attune.sqlite3", "attune.sqlite3-shm", "attune.sqlite3-wal")
    assert modes == dict.fromkeys(names, 0o600)
    assert mode(settings.data_dir) == 0o700


def test_a_file_that_an_earlier_version_left_open_is_closed(tmp_path, caplog):
    path = tmp_path / "attune.sqlite3"
    left = [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]
    for one in left:
        one.write_bytes(b"")
        one.chmod(0o664)
    with caplog.at_level("INFO"):
        keep_private(f"sqlite:///{path}")
        keep_private(f"sqlite:///{path}")
    assert [mode(one) for one in left] == [0o600] * 3
    assert caplog.text.count("database.closed_to_others") == 1


def test_a_file_of_somebody_else_that_stands_open_is_said(tmp_path, caplog, monkeypatch):
    path = tmp_path / "attune.sqlite3"
    path.write_bytes(b"")
    path.chmod(0o644)

    def not_yours(*_given):
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", not_yours)
    with caplog.at_level("INFO"):
        keep_private(f"sqlite:///{path}")
    assert "database.open_to_others" in caplog.text


@pytest.mark.parametrize(
    "url",
    ["sqlite:///:memory:", "sqlite://", "sqlite:////no/such/folder/x", "postgresql+psycopg://h/n"],
)
def test_what_is_no_file_of_ours_is_left_alone(url):
    keep_private(url)


def mode(path):
    return path.stat().st_mode & 0o777
