"""Work of a committed transaction is done at least once, by one worker at a time."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.database import db, unit_of_work
from core.outbox import (
    FIRST_WAIT,
    LEASE,
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    OutboxMessage,
    drain,
    handle,
    post,
    withdraw,
)
from tests.conftest import NOW, PATIENCE

TELEPHONE_NUMBER = "206 555 0100"


class WorkerEnded(BaseException):
    """What no handler's caller catches, like the end of the process."""


@pytest.fixture
def handler(app):
    """Lets a test say what carrying out means; afterwards the kind is unknown again."""

    def register(act):
        app.extensions["outbox_handlers"].pop("test", None)
        handle(app, "test", act)

    yield register
    app.extensions["outbox_handlers"].pop("test", None)


def post_work(app, *keys, due_at=None):
    with app.app_context(), unit_of_work() as session:
        for key in keys:
            post(session, "test", {"key": key}, dedupe_key=key, at=NOW, due_at=due_at)


def rows(app):
    with app.app_context():
        return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


def the_row(app):
    [row] = rows(app)
    return row


def test_what_was_posted_is_carried_out_once(app, handler):
    done = []
    handler(lambda payload: done.append(payload["key"]))
    post_work(app, "a", "b")
    assert drain(app, NOW) == 2
    assert drain(app, NOW) == 0
    assert done == ["a", "b"]
    assert {row.done_at for row in rows(app)} == {NOW}


def test_nothing_is_carried_out_when_the_transaction_fails(app, handler):
    done = []
    handler(done.append)
    with app.app_context(), pytest.raises(ZeroDivisionError):
        post_and_fail()
    assert drain(app, NOW) == 0
    assert done == []


def post_and_fail():
    with unit_of_work() as session:
        post(session, "test", {}, dedupe_key="a", at=NOW)
        raise ZeroDivisionError


def test_the_same_key_is_posted_once_even_after_it_was_done(app, handler):
    done = []
    handler(done.append)
    post_work(app, "a", "a")
    drain(app, NOW)
    post_work(app, "a")
    assert drain(app, NOW) == 0
    assert len(done) == 1


def test_a_key_posted_by_two_at_once_leaves_one_row_and_both_transactions(app):
    together = threading.Barrier(2)
    failures = []

    def poster():
        try:
            together.wait(PATIENCE)
            post_work(app, "shared", f"own {threading.get_ident()}")
        except Exception as error:
            failures.append(error)

    run_together([poster, poster])
    assert failures == []
    assert len([row for row in rows(app) if row.dedupe_key == "shared"]) == 1
    assert len(rows(app)) == 3


def test_work_that_was_taken_back_is_forgotten_and_never_done(app, handler):
    done = []
    handler(done.append)
    post_work(app, "a")
    with app.app_context(), unit_of_work() as session:
        assert withdraw(session, "a", NOW)
        assert not withdraw(session, "a", NOW)
    assert drain(app, NOW) == 0
    assert done == []
    assert the_row(app).payload_sealed is None


def test_work_waits_until_it_is_due(app, handler):
    handler(lambda _payload: None)
    post_work(app, "a", due_at=NOW + timedelta(hours=1))
    assert drain(app, NOW + timedelta(minutes=59)) == 0
    assert drain(app, NOW + timedelta(hours=1)) == 1


def test_one_round_takes_no_more_than_it_may(app, handler):
    handler(lambda _payload: None)
    post_work(app, "a", "b", "c")
    assert drain(app, NOW, most=2) == 2
    assert drain(app, NOW, most=2) == 1


def test_two_workers_at_once_never_do_the_same_work(app, handler):
    done = []
    handler(lambda payload: done.append(payload["key"]))
    keys = [f"work {number}" for number in range(30)]
    post_work(app, *keys)
    together = threading.Barrier(2)

    def worker():
        together.wait(PATIENCE)
        while drain(app, NOW, most=1):
            pass

    run_together([worker, worker])
    assert sorted(done) == sorted(keys)


def test_what_one_worker_has_leased_another_leaves_alone_until_the_lease_ends(app, handler):
    tried_meanwhile = []

    def slow(_payload):
        run_together([lambda: tried_meanwhile.append(drain(app, NOW + LEASE / 2))])

    handler(slow)
    post_work(app, "a")
    assert drain(app, NOW) == 1
    assert tried_meanwhile == [0]


def test_work_whose_worker_ended_is_taken_up_after_the_lease(app, handler):
    def ended(_payload):
        raise WorkerEnded

    handler(ended)
    post_work(app, "a")
    with pytest.raises(WorkerEnded):
        drain(app, NOW)
    done = []
    handler(done.append)
    assert drain(app, NOW + LEASE - timedelta(seconds=1)) == 0
    assert drain(app, NOW + LEASE) == 1
    assert len(done) == 1


def test_a_worker_that_was_too_slow_does_not_settle_what_another_has_taken_up(app, handler):
    """The second one failed: its word counts, and the work is tried again."""
    turns = []

    def first_slow_then_failing(_payload):
        turns.append(len(turns))
        if len(turns) == 1:
            run_together([lambda: drain(app, NOW + LEASE)])
        else:
            raise ConnectionError

    handler(first_slow_then_failing)
    post_work(app, "a")
    drain(app, NOW)
    assert turns == [0, 1]
    assert the_row(app).done_at is None
    assert the_row(app).due_at == NOW + LEASE + FIRST_WAIT * 2


def test_failures_wait_longer_each_time_and_are_set_aside_in_the_end(app, handler):
    def failing(_payload):
        raise ConnectionError

    handler(failing)
    post_work(app, "a")
    waits, at = [], NOW
    for _ in range(MOST_ATTEMPTS):
        assert drain(app, at) == 1
        waits.append(the_row(app).due_at - at)
        at = the_row(app).due_at
    waits.pop()
    assert waits[:3] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert the_row(app).dead_at is not None
    assert drain(app, at + timedelta(days=365)) == 0


def test_work_that_ends_its_worker_every_time_is_set_aside_too(app, handler):
    turns = []

    def deadly(_payload):
        turns.append(1)
        raise WorkerEnded

    handler(deadly)
    post_work(app, "a")
    at = NOW
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(WorkerEnded):
            drain(app, at)
        at += LEASE
    drain(app, at)
    assert len(turns) == MOST_ATTEMPTS
    assert the_row(app).dead_at == at


def test_a_failure_leaves_nothing_half_written_and_others_go_on(app, handler):
    def half(payload):
        with unit_of_work() as session:
            post(session, "test", {"key": "inner"}, dedupe_key="inner", at=NOW)
            session.flush()
            if payload["key"] == "bad":
                raise ConnectionError

    handler(half)
    post_work(app, "bad", "good")
    drain(app, NOW, most=2)
    assert [row.done_at is not None for row in rows(app)] == [False, True, False]


def test_an_error_is_kept_and_logged_by_its_class_alone(app, handler, caplog):
    def telling(_payload):
        raise ValueError(f"cannot call {TELEPHONE_NUMBER}")

    handler(telling)
    post_work(app, "a")
    drain(app, NOW)
    assert the_row(app).last_error == "ValueError"
    assert "outbox.failed" in caplog.text
    assert TELEPHONE_NUMBER not in caplog.text


def test_a_kind_that_nobody_handles_is_tried_again_later(app):
    with app.app_context(), unit_of_work() as session:
        post(session, "nobodys", {}, dedupe_key="a", at=NOW)
    assert drain(app, NOW) == 1
    assert the_row(app).due_at == NOW + FIRST_WAIT


def test_a_kind_has_one_handler(app, handler):
    handler(print)
    with pytest.raises(ValueError, match="handler already"):
        handle(app, "test", print)


def run_together(acts):
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
