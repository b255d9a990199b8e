"""Many people for the last seat: one is sold, the others are told plainly, nobody meets an error.

The control at the end removes the lock and the constraint and oversells: without it, a lucky
round could pass for a proof.
"""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from billing.models import Order
from core.database import db
from practice.groups import operations
from practice.groups.models import Enrolment, Group
from practice.groups.refusals import GroupFull
from practice.groups.views import joining
from tests.builders.accounts import make_client, sign_in
from tests.builders.groups import make_group
from tests.builders.therapists import make_therapist
from tests.conftest import PATIENCE

SIGNED = {"agreed": "y", "typed_name": "Sam Doe"}


@pytest.fixture
def web(app):
    """The application as it answers people: an error is a 500, not an exception of the test."""
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    yield app
    app.config["PROPAGATE_EXCEPTIONS"] = True


def browsers(app, session, count):
    """That many signed-in clients, each in a browser of their own."""
    made = []
    for _ in range(count):
        browser = app.test_client()
        sign_in(browser, make_client(session, consents=False).user)
        made.append(browser)
    return made


def group_with_one_seat(session, lead, **columns):
    group = make_group(session, lead=lead, seats=1, **columns)
    session.commit()
    return group.public_id


def all_at_once(people, group_id):
    """Everybody sends the form at the same moment; returns the answers by status."""
    start = threading.Barrier(len(people))

    def send(browser, number):
        start.wait(PATIENCE)
        form = SIGNED | {"handle": f"Person {number}"}
        return browser.post(f"/groups/{group_id}/enrolment", data=form)

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(send, people, itertools.count(1)))
    for answer in answers:
        if answer.status_code == 409:
            assert "The last seat has just been taken" in answer.text
    return Counter(answer.status_code for answer in answers)


def sold(group_id) -> int:
    db.session.rollback()
    taken = sa.select(sa.func.count()).select_from(Enrolment).join(Group)
    return db.session.scalar(
        taken.where(Group.public_id == group_id, Enrolment.seat_number.is_not(None))
    )


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("price", [0, 8000], ids=["free", "paid"])
def test_of_many_people_for_the_last_seat_one_gets_it(web, session, agreement, proving, price):
    crowd, rounds = (200, 20) if proving else (25, 2)
    people, lead = browsers(web, session, crowd), make_therapist(session)
    for _ in range(rounds):
        group_id = group_with_one_seat(session, lead, price=price)
        assert all_at_once(people, group_id) == {303: 1, 409: crowd - 1}
        assert sold(group_id) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == (rounds if price else 0)


def test_fifty_double_clicks_are_one_enrolment_and_one_order(web, session, agreement):
    person = browsers(web, session, 1)[0]
    group_id = group_with_one_seat(session, make_therapist(session))
    assert all_at_once([person] * 50, group_id) == {303: 50}
    assert sold(group_id) == session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1


def test_the_control_without_lock_and_constraint_oversells(web, session, agreement, monkeypatch):
    crowd = 6
    take_the_walls_down(monkeypatch, crowd)
    people = browsers(web, session, crowd)
    group_id = group_with_one_seat(session, make_therapist(session), price=0)
    assert all_at_once(people, group_id) == {303: crowd}
    assert sold(group_id) == crowd


def take_the_walls_down(monkeypatch, crowd):
    """Count the seats, let everybody else count too, and only then write, with no number twice."""
    all_have_counted = threading.Barrier(crowd)
    numbers = itertools.count(1)

    def count_without_a_lock(session, group, at):
        seats = group.seats
        taken = len(session.scalars(operations._seats_taken(group.id)).all())
        session.rollback()
        all_have_counted.wait(PATIENCE)
        session.connection(execution_options={"writes": True})
        if taken >= seats:
            raise GroupFull
        return next(numbers)

    monkeypatch.setattr(operations, "free_seat", count_without_a_lock)
    monkeypatch.setattr(operations, "lock_group", lambda session, id_: session.get(Group, id_))
    monkeypatch.setattr(joining, "unit_of_work", unit_that_locks_nothing)


@contextmanager
def unit_that_locks_nothing():
    session = db.session()
    session.rollback()
    yield session
    session.commit()
