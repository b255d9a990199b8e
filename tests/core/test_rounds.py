"""Work that comes round: once when due, by one process, never twice, and asked for now and then."""

import threading
import uuid
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from core import rounds
from core.alone import alone_at
from core.audit import AuditEntry
from core.database import unit_of_work
from core.outbox import LEASE, MOST_ATTEMPTS, OutboxMessage, drain
from core.rounds import A_DAY, AskedLately, Asking, Round
from tests.builders.accounts import look_again
from tests.conftest import NOW, PATIENCE

SOMEBODY = uuid.uuid4()
HOUR = timedelta(hours=1)


class Work:
    """Remembers when it was done; fails while `fails`."""

    def __init__(self, clock) -> None:
        self.clock, self.done, self.fails, self.tried, self.is_wanted = clock, [], False, 0, True

    def __call__(self, at: datetime) -> None:
        self.tried += 1
        if self.fails:
            raise RuntimeError("an unlucky day")
        self.done.append(at)


@pytest.fixture
def work(clock):
    return Work(clock)


@pytest.fixture
def round_(app, work):
    """Connected to this application for one test."""
    made = Round(
        "tests.round",
        work,
        lambda _session: work.done[-1] if work.done else None,
        lambda _session, _at: work.is_wanted,
        asking=Asking("tests.round_asked", "tests"),
    )
    sweeps = list(app.extensions["sweeps"])
    made.connect(app)
    yield made
    app.extensions["sweeps"][:] = sweeps
    app.extensions["outbox_handlers"].pop(made.kind)


def ask(made, at):
    with unit_of_work() as session:
        made.ask(session, at, SOMEBODY, "administrator")


def posted(session):
    look_again(session)
    rows = sa.select(OutboxMessage).where(OutboxMessage.kind == "tests.round")
    return session.scalars(rows.order_by(OutboxMessage.id)).all()


def in_a_thread(app, act):
    """With a connection of its own, as another process has it."""

    def acting():
        with app.app_context():
            act()

    other = threading.Thread(target=acting)
    other.start()
    other.join(PATIENCE)


def give_up(app, clock):
    """As the worker does in some hours of trying again."""
    for _ in range(MOST_ATTEMPTS):
        clock.move(HOUR + LEASE)
        drain(app, clock.now())


def test_it_is_posted_once_when_what_was_done_is_a_day_old(app, session, work, round_, clock):
    for _ in range(2):
        round_.post_when_due(NOW)
    assert len(posted(session)) == 1
    assert drain(app, NOW) == 1
    round_.post_when_due(NOW + A_DAY - timedelta(seconds=1))
    assert len(posted(session)) == 1
    round_.post_when_due(NOW + A_DAY)
    assert len(posted(session)) == 2
    assert work.done == [NOW]


def test_where_there_is_nothing_to_do_nothing_is_posted(session, work, round_):
    work.is_wanted = False
    round_.post_when_due(NOW)
    assert posted(session) == []


def test_what_somebody_posts_while_one_looks_is_not_posted_again(app, session, round_, monkeypatch):
    """Two processes at once are in test_rounds_at_once.py; here one is just that much earlier."""
    read = rounds.newest

    def post_and_read(*given):
        monkeypatch.setattr(rounds, "newest", read)
        in_a_thread(app, lambda: round_.post_when_due(NOW))
        return read(*given)

    monkeypatch.setattr(rounds, "newest", post_and_read)
    round_.post_when_due(NOW)
    assert len(posted(session)) == 1


def test_while_another_process_is_at_it_nobody_else_begins(app, session, work, round_, clock):
    """A lock of another thread stands for one of another process: both databases hold it so."""
    ask(round_, NOW)
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with app.app_context(), alone_at(round_.kind) as is_mine:
            assert is_mine
            is_held.set()
            may_end.wait(PATIENCE)

    other = threading.Thread(target=hold)
    other.start()
    assert is_held.wait(PATIENCE)
    assert drain(app, NOW) == 1
    assert work.tried == 0
    may_end.set()
    other.join()
    drain(app, NOW + LEASE)
    assert work.tried == 1


def test_asking_is_an_act_and_asking_again_meanwhile_adds_nothing(app, session, work, round_):
    ask(round_, NOW)
    ask(round_, NOW + HOUR)
    assert len(posted(session)) == 1
    assert round_.standing(session, NOW).is_under_way
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == round_.asking.act)).one()
    assert (act.actor_id, act.actor_role, act.subject_kind) == (SOMEBODY, "administrator", "tests")


def test_it_can_be_asked_for_once_a_day_and_the_page_knows_when_again(app, session, work, round_):
    assert round_.standing(session, NOW).free_from is None
    ask(round_, NOW)
    drain(app, NOW)
    assert round_.standing(session, NOW + HOUR).free_from == NOW + A_DAY
    with pytest.raises(AskedLately):
        ask(round_, NOW + A_DAY - timedelta(seconds=1))
    assert len(posted(session)) == 1
    assert round_.standing(session, NOW + A_DAY).free_from is None
    ask(round_, NOW + A_DAY)
    assert len(posted(session)) == 2


def test_what_the_worker_did_by_itself_takes_nobody_their_turn(app, session, work, round_):
    round_.post_when_due(NOW)
    drain(app, NOW)
    ask(round_, NOW + HOUR)
    assert len(posted(session)) == 2


def test_nobody_asks_for_what_cannot_be_asked_for(session, work):
    silent = Round("tests.round", work, lambda _s: None, lambda _s, _at: True)
    ask(silent, NOW)
    assert posted(session) == []
    assert silent.standing(session, NOW).free_from is None


def test_a_failure_is_tried_again_and_then_shows_no_more(app, session, work, round_, clock):
    work.fails = True
    ask(round_, NOW)
    drain(app, NOW)
    standing = round_.standing(session, NOW)
    assert (standing.has_failed, standing.is_under_way) == (True, True)
    work.fails = False
    clock.move(HOUR)
    drain(app, clock.now())
    look_again(session)
    standing = round_.standing(session, clock.now())
    assert (standing.has_failed, standing.is_under_way) == (False, False)
    assert standing.free_from == NOW + A_DAY


def test_what_was_given_up_is_begun_again_a_day_later_and_not_at_every_sweep(
    app, session, work, round_, clock
):
    work.fails = True
    round_.post_when_due(NOW)
    give_up(app, clock)
    look_again(session)
    standing = round_.standing(session, clock.now())
    assert (standing.has_failed, standing.is_under_way, work.tried) == (True, False, MOST_ATTEMPTS)
    assert clock.now() < NOW + A_DAY
    round_.post_when_due(clock.now())
    assert len(posted(session)) == 1
    round_.post_when_due(NOW + A_DAY)
    assert len(posted(session)) == 2


def test_what_was_given_up_can_be_asked_for_at_once(app, session, work, round_, clock):
    work.fails = True
    ask(round_, NOW)
    give_up(app, clock)
    look_again(session)
    assert round_.standing(session, clock.now()).free_from is None
    work.fails = False
    ask(round_, clock.now())
    drain(app, clock.now())
    look_again(session)
    assert not round_.standing(session, clock.now()).has_failed
    assert len(work.done) == 1
