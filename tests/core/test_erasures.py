"""The register of erasures: written once the erasing has committed, and good for erasing again."""

import json
import resource
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from core.config import current_settings
from core.database import db, unit_of_work
from core.erasures import (
    Erasure,
    Line,
    UnreadableRegister,
    erase,
    lines_of,
    register_of,
    replay,
    write_down_what_is_missing,
)
from core.keys import DataKey, Realm, new_key
from core.outbox import OutboxMessage, drain
from tests.conftest import NOW

OWNER = uuid.UUID("3f2b8c1e-5a7d-4e0f-9c6b-1d2e3f4a5b6c")


@pytest.fixture
def register(app: Flask) -> Path:
    with app.app_context():
        path = register_of(current_settings())
    path.unlink(missing_ok=True)
    return path


def give_keys(*realms: str) -> None:
    with unit_of_work() as session:
        for realm in realms:
            session.execute(sa.insert(DataKey).values(new_key(OWNER, realm)))


def realms_left() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(DataKey.realm).where(DataKey.owner == OWNER)))


def test_erasing_destroys_one_realm_and_is_registered_twice(app: Flask, register: Path) -> None:
    with app.app_context():
        give_keys("personal", "record")
        with unit_of_work() as session:
            assert erase(session, OWNER, Realm.personal, NOW) == 1
        assert realms_left() == {"record"}
        row = db.session.scalars(sa.select(Erasure)).one()
        assert (row.owner, row.realm, row.at) == (OWNER, "personal", NOW)
        assert lines_of(register) == []
    drain(app, NOW)
    [line] = lines_of(register)
    assert json.loads(line) == {
        "at": "2026-12-01T18:00:00+00:00", "owner": str(OWNER), "realm": "personal",
    }  # fmt: skip
    assert register.stat().st_mode & 0o777 == 0o600


def test_what_was_rolled_back_is_in_no_register(app: Flask, register: Path) -> None:
    with app.app_context():
        give_keys("personal")
        with pytest.raises(RuntimeError):
            erase_and_fail()
        assert realms_left() == {"personal"}
    drain(app, NOW)
    assert lines_of(register) == []


def erase_and_fail() -> None:
    with unit_of_work() as session:
        erase(session, OWNER, Realm.personal, NOW)
        raise RuntimeError


def test_erasing_again_keeps_the_first_instant_and_one_line(app: Flask, register: Path) -> None:
    with app.app_context():
        for _time in range(2):
            give_keys("personal")
            with unit_of_work() as session:
                assert erase(session, OWNER, Realm.personal, NOW) == 1
        assert len(db.session.scalars(sa.select(Erasure)).all()) == 1
    drain(app, NOW)
    assert len(lines_of(register)) == 1


def test_replaying_destroys_what_a_backup_brought_back(app: Flask, register: Path) -> None:
    with app.app_context():
        give_keys("personal", "account", "record")
        text = [Line(NOW, OWNER, realm).text for realm in ("personal", "account")]
        with unit_of_work() as session:
            assert replay(session, [*text, "", text[0]]) == 3
        assert realms_left() == {"record"}
        assert set(db.session.scalars(sa.select(Erasure.realm))) == {"personal", "account"}
        with unit_of_work() as session:
            assert replay(session, text) == 2


def test_a_line_that_a_crash_left_half_written_swallows_no_other(
    app: Flask, register: Path
) -> None:
    register.write_text('{"at": "2026-12-01T18:00')
    with app.app_context():
        give_keys("personal")
        with unit_of_work() as session:
            erase(session, OWNER, Realm.personal, NOW)
        drain(app, NOW)
        give_keys("personal")
        with unit_of_work() as session:
            assert replay(session, lines_of(register)) == 1
        assert realms_left() == set()


def test_a_line_whose_work_was_set_aside_is_written_with_the_next_one(
    app: Flask, register: Path
) -> None:
    """Whatever a full disk or a schedule did to the work, the table still knows."""
    with app.app_context():
        for realm, at in ((Realm.personal, NOW), (Realm.record, NOW + timedelta(days=60))):
            with unit_of_work() as session:
                erase(session, OWNER, realm, at)
            if realm is Realm.personal:
                with unit_of_work() as session:
                    given_up = {"dead_at": NOW, "payload_sealed": None}
                    session.execute(sa.update(OutboxMessage).values(given_up))
    drain(app, NOW + timedelta(days=60))
    realms = [json.loads(line)["realm"] for line in lines_of(register)]
    assert realms == ["personal", "record"]


def test_what_a_full_disk_takes_only_a_part_of_counts_as_not_written(
    app: Flask, register: Path
) -> None:
    with app.app_context():
        with unit_of_work() as session:
            for realm in (Realm.personal, Realm.record, Realm.account):
                erase(session, OWNER, realm, NOW)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
        try:
            with pytest.raises(OSError, match="large"):
                write_down_what_is_missing()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert register.stat().st_size == 200
        assert write_down_what_is_missing() == 2
        with unit_of_work() as session:
            assert replay(session, lines_of(register)) == 3


def test_a_register_that_went_missing_is_written_again(app: Flask, register: Path) -> None:
    with app.app_context():
        with unit_of_work() as session:
            erase(session, OWNER, Realm.personal, NOW)
        drain(app, NOW)
        before = register.read_text()
        register.unlink()
        assert write_down_what_is_missing() == 1
        assert write_down_what_is_missing() == 0
    assert register.read_text() == before


@pytest.mark.parametrize(
    "line",
    ['{"at": "2026-12-01T18:00:00+00:00", "realm": "personal"}', "[]}", '{"owner": 1}'],
)
def test_a_line_that_was_tampered_with_stops_everything(app: Flask, line: str) -> None:
    with app.app_context():
        give_keys("personal")
        good = Line(NOW, OWNER, "personal").text
        with pytest.raises(UnreadableRegister, match="line 2"), unit_of_work() as session:
            replay(session, [good, line])
        assert realms_left() == {"personal"}
