"""What the console counts as set aside: work that was given up, and not done since."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.outbox import OutboxMessage, post_next, withdraw
from core.overwriting import OVERWRITE
from practice.accounts.models import Role
from practice.oversight.queries import set_aside
from practice.waiting import runs
from tests.builders.accounts import make_user, sign_in
from tests.builders.waiting import make_lead, make_run
from tests.conftest import NOW

ROUND, MAIL = "tests.round", "tests.mail"
OPEN = sa.select(OutboxMessage).where(
    OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None)
)


def give_up(session, kind, key):
    return add(session, kind, key, dead_at=NOW, last_error="ValueError")


def add(session, kind, key, **how):
    row = OutboxMessage(kind=kind, dedupe_key=key, posted_at=NOW, due_at=NOW, **how)
    session.add(row)
    session.flush()
    return row


def test_work_that_was_given_up_is_counted_on_the_console(session, http):
    sign_in(http, make_user(session, roles=[Role.administrator]))
    assert "Nothing has been set aside." in http.get("/oversight").text
    give_up(session, MAIL, "one")
    session.commit()
    assert "1 piece of work failed too often and was set aside." in http.get("/oversight").text


def test_what_comes_round_is_counted_until_it_is_done_again(session):
    given_up = give_up(session, ROUND, f"{ROUND}:after:0")
    assert set_aside() == 1
    post_next(session, ROUND, {}, after=given_up.id, at=NOW)
    assert set_aside() == 1, "it is asked for, and not done"
    done = session.scalars(OPEN).one()
    done.done_at = NOW
    session.flush()
    assert set_aside() == 0


def test_what_was_done_before_it_failed_does_not_count_for_it(session):
    add(session, ROUND, f"{ROUND}:after:0", done_at=NOW)
    give_up(session, ROUND, f"{ROUND}:after:1")
    assert set_aside() == 1


def test_what_was_only_withdrawn_is_not_done(session):
    give_up(session, ROUND, f"{ROUND}:after:0")
    post_next(session, ROUND, {}, after=1, at=NOW)
    assert withdraw(session, f"{ROUND}:after:1", NOW)
    assert set_aside() == 1


def test_another_mail_that_was_sent_is_not_the_one_that_failed(session):
    give_up(session, MAIL, f"{MAIL}:1")
    add(session, MAIL, f"{MAIL}:2", done_at=NOW)
    assert set_aside() == 1


def test_keys_that_are_written_over_later_are_written_over(session):
    give_up(session, OVERWRITE, f"{OVERWRITE}:1")
    add(session, OVERWRITE, f"{OVERWRITE}:2", done_at=NOW)
    assert set_aside() == 0


@pytest.mark.parametrize(("what", "counted"), [("made", 0), ("withdrawn", 1)])
def test_a_proposal_that_failed_is_counted_until_another_is_made(session, what, counted):
    lead = make_lead(session)
    failed = runs.ask(session, lead, NOW)
    session.scalars(OPEN).one().dead_at = NOW
    session.flush()
    assert set_aside() == 1
    later = NOW + timedelta(hours=1)
    if what == "made":
        make_run(session, lead, later)
    else:
        runs.withdraw(session, runs.ask(session, lead, later), lead, later)
    assert failed.made_at is None
    assert set_aside() == counted
