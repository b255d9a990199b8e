"""The page of the backups, and the commands."""

import fcntl
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.cli import ScriptInfo

from core.audit import AuditEntry
from core.backup import making
from core.backup.making import FILE, UNFINISHED
from core.clock import now
from core.database import db, unit_of_work
from core.outbox import LEASE, MOST_ATTEMPTS, Elsewhere, OutboxMessage, drain
from practice.accounts.models import Role
from practice.accounts.queries import user_with
from practice.oversight.backups import operations as backups
from practice.oversight.backups.commands import backup_group, restore_command
from tests.builders.accounts import make_user, sign_in
from tests.conftest import NOW


@pytest.fixture
def backup_dir(app, settings, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    app.extensions["settings"] = replace(settings, backup_dir=folder, backup_keep=2)
    yield folder
    app.extensions["settings"] = settings


@pytest.fixture
def ines(app, http):
    with app.app_context():
        with unit_of_work() as session:
            user = make_user(session, "ines@example.test", roles=(Role.administrator,), at=NOW)
        sign_in(http, user)


@pytest.fixture
def attune(app):
    """Runs a command here; `attune(command, …)`."""

    def run(command, *arguments, typed=""):
        db.session.remove()
        application = ScriptInfo(create_app=lambda: app, set_debug_flag=False)
        return CliRunner().invoke(command, [str(one) for one in arguments], typed, obj=application)

    with app.app_context():
        yield run


def test_before_the_first_backup_the_page_says_how_to_make_one(http, ines):
    page = http.get("/oversight/backups").text
    assert "No backup has been made yet" in page
    assert "attune backup DIR" in page
    assert http.get("/oversight/backups/new").status_code == 404
    assert http.post("/oversight/backups").status_code == 404


def test_a_backup_is_started_from_the_page_and_shown_when_it_is_whole(
    app, http, ines, backup_dir, clock
):
    assert "newest 2 are kept" in http.get("/oversight/backups/new").text
    assert http.post("/oversight/backups").status_code == 303
    assert "A backup is being made" in http.get("/oversight/backups").text
    work(app)
    page = http.get("/oversight/backups").text
    assert "A backup is being made" not in page
    assert "attune-20261201T180000Z" in page
    assert (backup_dir / "attune-20261201T180000Z" / FILE).exists()


def test_only_the_newest_are_kept(app, http, ines, backup_dir, clock):
    killed = backup_dir / "attune-20261130T030000Z"
    killed.mkdir()
    (killed / UNFINISHED).write_bytes(b"half")
    for _day in range(3):
        http.post("/oversight/backups")
        work(app)
        clock.move(timedelta(minutes=1))
    names = sorted(path.name for path in backup_dir.iterdir())
    assert names == ["attune-20261201T180100Z", "attune-20261201T180200Z"]


def test_a_backup_that_was_finished_before_a_crash_is_not_made_twice(app, backup_dir):
    with app.app_context():
        for _try in range(2):
            backups.make_asked_for({"name": "attune-20261201T180000Z"})
        assert len(acts(backups.MADE)) == 1


def test_a_backup_that_outlives_its_lease_is_neither_made_twice_nor_called_failed(
    app, http, ines, backup_dir, monkeypatch
):
    """While it is being made, workers take it over more often than work may fail."""
    most, taken_over = MOST_ATTEMPTS + 3, []

    def takes_long(*given):
        monkeypatch.setattr(making, "make_backup", make_backup)
        for number in range(1, most + 1):
            other = threading.Thread(
                target=lambda at: taken_over.append(drain(app, at)), args=[NOW + number * LEASE]
            )
            other.start()
            other.join()
        return make_backup(*given)

    make_backup = making.make_backup
    monkeypatch.setattr(making, "make_backup", takes_long)
    http.post("/oversight/backups")
    drain(app, NOW)
    drain(app, NOW + (most + 1) * LEASE)
    assert taken_over == [1] * most
    with app.app_context():
        assert (len(acts(backups.MADE)), len(acts(backups.FAILED))) == (1, 0)
        row = db.session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.kind == backups.MAKE)
        ).one()
    assert (row.attempts <= 2, row.dead_at, row.last_error) == (True, None, "")
    assert row.done_at is not None
    assert len(list(backup_dir.iterdir())) == 1


def test_a_worker_that_lost_its_connection_while_it_writes_is_waited_for(app, backup_dir):
    """Nothing says any more that somebody is at it but the file itself."""
    folder = backup_dir / "attune-20261201T180000Z"
    folder.mkdir()
    with (folder / UNFINISHED).open("wb") as file, app.app_context():
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Elsewhere):
            backups.make_asked_for({"name": folder.name})
        assert acts(backups.FAILED) == []


def test_a_backup_that_cannot_be_made_is_said_on_the_page(app, http, ines, backup_dir):
    http.post("/oversight/backups")
    backup_dir.rmdir()
    work(app)
    page = http.get("/oversight/backups").text
    assert "The last backup did not work" in page
    assert str(backup_dir) not in page


def test_asking_again_while_one_is_being_made_is_asking_once(app, http, ines, backup_dir, clock):
    for _time in range(2):
        assert http.post("/oversight/backups").status_code == 303
        clock.move(timedelta(seconds=1))
    work(app)
    with app.app_context():
        assert len(acts(backups.ASKED)) == len(acts(backups.MADE)) == 1
    http.post("/oversight/backups")
    work(app)
    assert len(list(backup_dir.iterdir())) == 2


def test_an_error_on_the_way_to_a_backup_is_said_until_one_is_whole(
    app, http, ines, backup_dir, monkeypatch
):
    http.post("/oversight/backups")
    with monkeypatch.context() as patch:
        patch.setattr(making, "make_backup", None)
        drain(app, NOW)
        assert "It is tried again by itself" in http.get("/oversight/backups").text
        for hours in range(1, MOST_ATTEMPTS):
            drain(app, NOW + timedelta(hours=2 * hours))
    page = http.get("/oversight/backups").text
    assert "The last backup failed" in page
    assert "It was tried several times" in page
    http.post("/oversight/backups")
    drain(app, NOW + timedelta(days=1))
    assert "The last backup failed" not in http.get("/oversight/backups").text


def test_an_old_backup_and_an_old_rehearsal_are_called_so(http, ines, attune, clock, tmp_path):
    attune(backup_group, tmp_path / "one")
    attune(backup_group, "rehearse", tmp_path / "one")
    page = http.get("/oversight/backups").text
    assert "everything came back" in page
    assert "more than" not in page
    clock.move(timedelta(days=93))
    sign_in(http, user_with(db.session(), "ines@example.test"))
    page = http.get("/oversight/backups").text
    assert "more than a day ago" in page
    assert "more than three months ago" in page


def test_a_rehearsal_of_a_damaged_backup_is_recorded_as_such(http, ines, attune, tmp_path):
    attune(backup_group, tmp_path / "one")
    path = tmp_path / "one" / FILE
    path.write_bytes(path.read_bytes()[:-1])
    done = attune(backup_group, "rehearse", tmp_path / "one")
    assert done.exit_code == 1
    assert len(acts(backups.REHEARSAL_FAILED)) == 1
    assert "did not work" in http.get("/oversight/backups").text


def test_nobody_else_sees_the_page_or_starts_a_backup(app, http, backup_dir):
    for role in set(Role) - {Role.administrator}:
        with app.app_context():
            with unit_of_work() as session:
                user = make_user(session, f"{role.value}@example.test", roles=(role,), at=NOW)
            sign_in(http, user)
        assert http.get("/oversight/backups").status_code == 404
        assert http.post("/oversight/backups").status_code == 404
    assert list(backup_dir.iterdir()) == []


def test_starting_a_backup_asks_for_a_fresh_proof(app, http, ines, backup_dir, clock):
    clock.move(timedelta(minutes=16))
    answer = http.post("/oversight/backups")
    assert "/confirm-it-is-you" in answer.location
    with app.app_context():
        assert acts(backups.ASKED) == []


def test_the_commands_make_keep_rehearse_and_restore(attune, tmp_path):
    done = attune(backup_group, tmp_path, "--keep", 1)
    assert done.exit_code == 0, done.output
    assert "The keys are not in it" in done.output
    [folder] = tmp_path.iterdir()
    assert attune(backup_group, "rehearse", folder).exit_code == 0
    done = attune(restore_command, folder, "--replace", typed="y\n")
    assert done.exit_code == 0, done.output
    assert "as many as were backed up" in done.output
    assert len(acts(backups.RESTORED)) == 1


def test_replacing_is_asked_for_once_more(attune, tmp_path):
    attune(backup_group, tmp_path / "one")
    assert attune(restore_command, tmp_path / "one", "--replace", typed="n\n").exit_code == 1
    assert acts(backups.RESTORED) == []


@pytest.mark.parametrize(
    ("command", "arguments", "code", "mentions"),
    [
        (backup_group, ["{full}"], 2, "something in it"),
        (backup_group, ["{empty}/not/there"], 2, "cannot be made"),
        (backup_group, ["rehearse", "{empty}"], 2, "no backup"),
        (restore_command, ["{empty}"], 2, "no backup"),
        (restore_command, ["{several}"], 2, "name one"),
        (restore_command, ["{full}"], 2, "--replace"),
        (restore_command, ["{damaged}"], 1, "damaged"),
        (backup_group, ["rehearse", "{damaged}"], 1, "damaged"),
    ],
)
def test_a_wrong_call_ends_with_one_line(attune, tmp_path, command, arguments, code, mentions):
    places = {name: tmp_path / name for name in ("full", "empty", "damaged", "several")}
    for name in ("full", "damaged", "several/attune-20261201T180000Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert attune(backup_group, tmp_path / name).exit_code == 0
    places["empty"].mkdir()
    path = places["damaged"] / FILE
    path.write_bytes(path.read_bytes()[:-5])
    done = attune(command, *(argument.format(**places) for argument in arguments))
    assert done.exit_code == code, done.output
    assert mentions in done.output
    assert len(done.output.strip().splitlines()) == 1


def work(app):
    """What the worker does next."""
    with app.app_context():
        at = now()
    assert drain(app, at) == 1


def acts(action):
    found = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == action)).all()
    db.session.remove()
    return found
