"""Two processes at the same round: of two that begin it one does, and none is lost with one."""

import os
import signal

import pytest
import sqlalchemy as sa

from core import rounds
from core.audit import AuditEntry, last_act, record
from core.clock import FrozenClock
from core.config import settings_from
from core.database import db, is_sqlite, unit_of_work
from core.outbox import LEASE, OutboxMessage, drain
from core.rounds import Asking, Round
from practice.app import create_app
from tests.conftest import NOW, PATIENCE
from tests.core.forking import copied
from tests.core.test_rounds import SOMEBODY

KIND = "tests.round"
ASKED, DONE = "tests.round_asked", "tests.round_done"


def act(action, at):
    with unit_of_work() as session:
        record(
            session, at=at, action=action, subject_kind="tests", subject_id=None, actor_id=None
        )  # fmt: skip


def last_done(session):
    last = last_act(session, DONE)
    return last.at if last else None


def due_at_once(work=lambda at: act(DONE, at)):
    return Round(KIND, work, last_done, lambda _session, _at: True, asking=Asking(ASKED, "tests"))


@pytest.fixture
def started(tmp_path, own_migrated_url):
    """Starts a copy of this process that does some work in an application over one database."""
    environment = os.environ | {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": own_migrated_url,
        "SECRET_KEY": "a secret for tests",
    }

    def start(work):
        return copied(lambda: in_an_application(work), environment)

    return start


def in_an_application(work):
    # One that waits for somebody does not wait for ever.
    signal.alarm(PATIENCE)
    app = create_app(settings_from(), FrozenClock(NOW))
    with app.app_context():
        work(app)


class Meeting:
    """Where processes wait until the one that they were copied from has seen them all come."""

    def __init__(self):
        self._waiting, self._sending = os.pipe()

    def come(self):
        print("here")
        os.read(self._waiting, 1)

    def hold(self, copies):
        assert [copy.output.readline() for copy in copies] == ["here\n"] * len(copies)
        os.write(self._sending, b"." * len(copies))

    def after(self, function):
        def acting(*given):
            answer = function(*given)
            self.come()
            return answer

        return acting


def test_of_two_processes_that_find_it_due_at_once_one_begins_it(started):
    """Each has seen that nobody is at it before either says that it is."""
    meeting = Meeting()

    def sweep(_app):
        Round._due_after = meeting.after(Round._due_after)
        due_at_once().post_when_due(NOW)

    copies = [started(sweep) for _ in range(2)]
    meeting.hold(copies)
    assert [copy.ended() for copy in copies] == [0, 0]
    assert_was_begun_once(started, asked=0)


def test_of_two_people_who_ask_for_it_at_once_one_does(started):
    """Where the database lets them, each has seen that nobody did; SQLite has one writer."""
    meeting = Meeting()

    def ask(_app):
        if is_sqlite(db.session.connection()):
            meeting.come()
        else:
            rounds.is_open = meeting.after(rounds.is_open)
        with unit_of_work() as session:
            due_at_once().ask(session, NOW, SOMEBODY, "administrator")

    copies = [started(ask) for _ in range(2)]
    meeting.hold(copies)
    assert [copy.ended() for copy in copies] == [0, 0]
    assert_was_begun_once(started, asked=1)


def test_what_a_killed_process_had_begun_another_begins_again(started):
    """While it lives nobody else is at it, however long ago it began."""

    def hang(_at):
        print("at it")
        os.read(os.pipe()[0], 1)

    def begin(app):
        never_ends = due_at_once(hang)
        never_ends.connect(app)
        never_ends.post_when_due(NOW)
        drain(app, NOW)

    def find_somebody_at_it(app):
        take_over(app, NOW + LEASE)
        assert number_of(AuditEntry.action == DONE) == 0

    def find_nobody(app):
        assert take_over(app, NOW + 2 * LEASE) == 1
        assert number_of(AuditEntry.action == DONE) == 1
        assert number_of(OutboxMessage.done_at.is_(None)) == 0

    begun = started(begin)
    assert begun.output.readline() == "at it\n"
    ended_well(started(find_somebody_at_it))
    assert begun.was_killed()
    ended_well(started(find_nobody))


def test_what_a_killed_process_had_done_is_not_done_again(started):
    """It died before it could say so."""

    def do_it_and_die(at):
        act(DONE, at)
        os.kill(os.getpid(), signal.SIGKILL)

    def begin(app):
        last_thing = due_at_once(do_it_and_die)
        last_thing.connect(app)
        last_thing.post_when_due(NOW)
        drain(app, NOW)

    def find_it_done(app):
        assert take_over(app, NOW + LEASE) == 1
        assert number_of(AuditEntry.action == DONE) == 1
        assert number_of(OutboxMessage.done_at.is_(None)) == 0

    assert started(begin).ended() == -signal.SIGKILL
    ended_well(started(find_it_done))


def take_over(app, at):
    due_at_once().connect(app)
    return drain(app, at)


def assert_was_begun_once(started, *, asked):
    def look(app):
        assert number_of(OutboxMessage.kind == KIND) == 1
        assert number_of(AuditEntry.action == ASKED) == asked
        assert take_over(app, NOW) == 1
        assert number_of(AuditEntry.action == DONE) == 1

    ended_well(started(look))


def ended_well(copy):
    said = copy.output.read()
    assert (copy.ended(), said) == (0, "")


def number_of(which):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).where(which))
