"""The worker goes on whatever one piece of its work does."""

import threading

import pytest

from core.database import unit_of_work
from core.outbox import LEASE, drain, handle, post
from practice import worker
from practice.wiring import sweep
from tests.conftest import NOW


@pytest.fixture
def stop(app, monkeypatch):
    """Stops the worker; the application gets its own sweeps and handlers back."""
    monkeypatch.setitem(app.extensions, "sweeps", [])
    monkeypatch.setitem(app.extensions, "outbox_handlers", {})
    monkeypatch.setattr(worker, "PAUSE", 0)
    return threading.Event()


def work_until(app, stop, name="the test's work"):
    handle(app, name, lambda _payload: stop.set())
    with app.app_context(), unit_of_work() as session:
        post(session, name, {}, dedupe_key=name, at=NOW)
    worker.work(app, stop)


def test_a_sweep_that_fails_is_logged_and_the_others_are_done(app, stop, caplog):
    def fails(_at):
        raise ValueError("canary")

    done = []
    app.extensions["sweeps"] += [fails, done.append]
    work_until(app, stop)
    assert done == [NOW]
    assert '"error": "ValueError"' in caplog.text
    assert "canary" not in caplog.text


def test_a_test_that_sweeps_hears_of_a_failure(app, stop):
    def fails(_at):
        raise ZeroDivisionError

    app.extensions["sweeps"].append(fails)
    with pytest.raises(ZeroDivisionError):
        sweep(app, NOW)


def test_each_lease_begins_when_its_work_does(app, stop, clock):
    """Another worker that looks in during the second piece finds nothing to take."""
    found_by_another = []

    def takes_long(payload):
        clock.move(LEASE * 0.75)
        if payload["key"] == "two":
            stop.set()
            found_by_another.append(drain(app, clock.now(), most=1))

    handle(app, "slow", takes_long)
    with app.app_context(), unit_of_work() as session:
        for key in ("one", "two"):
            post(session, "slow", {"key": key}, dedupe_key=key, at=NOW)
    worker.work(app, stop)
    assert found_by_another == [0]
