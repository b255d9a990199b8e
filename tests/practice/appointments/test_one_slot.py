"""Many clients, one time: one gets it, the others are told plainly; a control shows the race."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from core.database import db, unit_of_work
from practice.appointments import operations
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.queries import free_times
from practice.matches.models import MatchRequest
from tests.builders.accounts import sign_in
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

FEW = 2
MANY = 40


def browsers_for_one_slot(app, session, count):
    """(browser, address) of `count` clients whom one therapist has accepted, and a free time."""
    app.config["WTF_CSRF_ENABLED"] = False
    therapist = make_therapist(session, open_places=count)
    requests = [make_request(session, therapist=therapist, accepted=True) for _ in range(count)]
    slot = free_times(session, requests[0], NOW)[0].starts_at
    pairs = []
    for request in requests:
        browser = app.test_client()
        sign_in(browser, request.client.user)
        pairs.append((browser, f"/requests/{request.public_id}/times"))
    session.rollback()
    return pairs, slot


def all_at_once(pairs, slot):
    barrier = Barrier(len(pairs))

    def choose(pair):
        browser, address = pair
        barrier.wait()
        data = {"starts_at": slot.isoformat(), "format": "online"}
        return browser.post(address, data=data)

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(choose, pairs))


def held(session, slot):
    session.rollback()
    taken = sa.select(sa.func.count()).where(
        Appointment.starts_at == slot, Appointment.state == AppointmentState.held
    )
    return session.scalar(taken)


def assert_one_has_it(app, session, count):
    pairs, slot = browsers_for_one_slot(app, session, count)
    answers = all_at_once(pairs, slot)
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [303] + [409] * (count - 1)
    told = [answer for answer in answers if answer.status_code == 409]
    assert all(b"Somebody has just taken that time" in answer.data for answer in told)
    assert held(session, slot) == 1


def test_two_clients_for_one_time(app, session):
    assert_one_has_it(app, session, FEW)


@pytest.mark.prove
@pytest.mark.parametrize("round_", range(5))
def test_forty_clients_for_one_time(app, session, round_):
    assert_one_has_it(app, session, MANY)


def test_the_index_alone_still_keeps_it_to_one(app, session, monkeypatch):
    """The lock and the second look taken away: the constraint refuses the second one."""
    monkeypatch.setattr(operations, "_lock_the_times_of", lambda *_arguments: None)
    seen_before = {}

    def stale(session, request, at):
        return seen_before["free"]

    pairs, slot = browsers_for_one_slot(app, session, FEW)
    request = session.scalars(sa.select(MatchRequest)).first()
    seen_before["free"] = free_times(session, request, NOW)
    session.rollback()
    monkeypatch.setattr(operations, "free_times", stale)
    assert sorted(answer.status_code for answer in all_at_once(pairs, slot)) == [303, 409]
    assert held(session, slot) == 1


def test_without_lock_check_and_index_it_is_sold_twice(app, session, monkeypatch):
    """The control: what the three walls are for."""
    pairs, slot = browsers_for_one_slot(app, session, FEW)
    request = session.scalars(sa.select(MatchRequest)).first()
    free = free_times(session, request, NOW)
    session.rollback()
    monkeypatch.setattr(operations, "_lock_the_times_of", lambda *_arguments: None)
    monkeypatch.setattr(operations, "free_times", lambda *_arguments: free)
    index = next(one for one in Appointment.__table__.indexes if one.unique and "taken" in one.name)
    with unit_of_work() as writing:
        index.drop(writing.connection())
    try:
        assert [answer.status_code for answer in all_at_once(pairs, slot)] == [303, 303]
        assert held(session, slot) == 2
    finally:
        with unit_of_work() as writing:
            writing.execute(sa.delete(Appointment))
            index.create(writing.connection())
        db.session.remove()
