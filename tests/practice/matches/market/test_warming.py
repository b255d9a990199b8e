"""The market is laid out when a web process starts, once, and a start that fails hurts nobody."""

import gc
from threading import Event, Thread

import pytest

from practice.matches.market import in_place as module
from practice.matches.market.warming import warm_up
from tests.builders.counting import statements_of
from tests.builders.therapists import make_therapist
from tests.practice.matches.market.test_of_many import LONG_ENOUGH, capacities, kept_by

A_MOMENT = 0.3


@pytest.fixture(autouse=True)
def _thawed(app):
    """What a warm-up sets aside for good is the web process's, not the tests'."""
    app.extensions.pop("markets", None)
    yield
    app.extensions.pop("markets", None)
    gc.unfreeze()


@pytest.fixture
def therapist(session):
    therapist = make_therapist(session)
    session.commit()
    return therapist


@pytest.fixture
def laid_out(monkeypatch):
    """Each time everybody was read, with a gate to hold that up (open unless cleared)."""
    times, everybody, gate = [], module.everybody, Event()
    gate.set()

    def slowly(*when):
        times.append(when)
        assert gate.wait(LONG_ENOUGH)
        return everybody(*when)

    monkeypatch.setattr(module, "everybody", slowly)
    times_and_gate = times, gate
    yield times_and_gate
    gate.set()


def test_after_the_start_no_page_lays_the_market_out(app, therapist, laid_out):
    times, _ = laid_out
    warm_up(app).join(LONG_ENOUGH)
    assert len(times) == 1
    with statements_of(app) as statements:
        kept_by(app)
    assert len(statements) == 1
    assert len(times) == 1
    assert gc.isenabled()


def test_who_asks_meanwhile_waits_for_it_and_begins_no_second_one(app, therapist, laid_out):
    times, gate = laid_out
    gate.clear()
    warming = warm_up(app)
    found = []
    asking = Thread(target=lambda: found.append(capacities(app)))
    asking.start()
    asking.join(A_MOMENT)
    assert asking.is_alive()
    gate.set()
    for thread in (warming, asking):
        thread.join(LONG_ENOUGH)
    assert found == [{str(therapist.public_id): 3}]
    assert len(times) == 1


def test_a_start_that_fails_leaves_it_to_the_first_page(app, therapist, monkeypatch, caplog):
    def fails(*_when):
        raise ValueError("canary")

    with monkeypatch.context() as broken:
        broken.setattr(module, "everybody", fails)
        warm_up(app).join(LONG_ENOUGH)
    assert '"event": "market.not_warmed"' in caplog.text
    assert "canary" not in caplog.text
    assert gc.isenabled()
    assert capacities(app) == {str(therapist.public_id): 3}
