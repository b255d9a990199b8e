"""The market where several change it at once: two processes, two transactions, two threads."""

from datetime import date, time
from threading import Event, Thread

import pytest
import sqlalchemy as sa

import matching
from core.clock import FrozenClock
from core.database import db, unit_of_work
from practice.app import create_app
from practice.local_time import instant_at
from practice.matches.market import changes
from practice.matches.market import in_place as module
from practice.matches.market.index import market_at
from practice.therapists import operations as therapists
from practice.therapists.models import LicenceState, Therapist
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

LONG_ENOUGH = 300
A_MOMENT = 0.3
ANYBODY = matching.Client(place="US-WA", on=NOW.date())


@pytest.fixture
def other(app, settings):
    """A second web process over the same database, with a market of its own."""
    other = create_app(settings, FrozenClock(NOW))
    yield other
    with other.app_context():
        db.engine.dispose()


@pytest.fixture
def therapist(session):
    therapist = make_therapist(session)
    session.commit()
    return therapist


def capacities(process, at=NOW):
    """{public id: open places}, as the next page of that process finds them."""
    with process.app_context():
        listed = [str(each) for each in db.session.scalars(sa.select(Therapist.public_id))]
        with market_at(at, "US-WA").held() as index:
            return {each: index.therapist(each).capacity for each in listed if each in index}


def kept_by(process):
    with process.app_context():
        return market_at(NOW, "US-WA")


def no_room(session, one):
    therapists.set_capacity(session, one, 0, actor=one.user, at=NOW)


def no_hours(session, one):
    therapists.set_hours(session, one, [], zone=one.zone, actor=one.user, at=NOW)


def licence_withdrawn(session, one):
    [licence] = one.licences
    therapists.withdraw_licence(session, licence, actor=one.user, at=NOW)


def licence_suspended(session, one):
    [licence] = one.licences
    licence.move_to(LicenceState.suspended)


def account_closed(session, one):
    one.user.disabled_at = NOW


@pytest.mark.parametrize(
    ("write", "left"),
    [
        (no_room, [0]),
        (no_hours, []),
        (licence_withdrawn, []),
        (licence_suspended, []),
        (account_closed, []),
    ],
)
def test_what_one_process_changes_the_other_shows_at_its_next_page(
    app, other, therapist, write, left
):
    kept = kept_by(other)
    assert list(capacities(other).values()) == [3]
    with app.app_context(), unit_of_work() as session:
        write(session, session.get(Therapist, therapist.id))
    assert list(capacities(other).values()) == left
    assert kept_by(other) is kept


def test_a_licence_that_is_verified_in_one_process_is_offered_by_the_other(app, other, session):
    therapist = make_therapist(session, licence_state=LicenceState.in_review)
    session.commit()
    assert capacities(other) == {}
    with app.app_context(), unit_of_work() as work:
        [licence] = work.get(Therapist, therapist.id).licences
        licence.move_to(LicenceState.verified)
    assert capacities(other) == {str(therapist.public_id): 3}


def test_each_process_lets_a_licence_end_by_itself(app, other, session):
    make_therapist(session, expires_on=date(2026, 12, 4))
    session.commit()
    midnight = instant_at(date(2026, 12, 5), time(), "America/Los_Angeles")
    for process in (app, other):
        assert len(capacities(process)) == 1
        assert capacities(process, midnight) == {}


def test_a_change_that_began_first_and_was_committed_last_is_not_missed(
    app, other, session, request
):
    """The version counts commits: one drawn at the first write would have been overtaken."""
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("one writer at a time")
    slow, quick = make_therapist(session, "Ana Slow"), make_therapist(session, "Ben Quick")
    session.commit()
    capacities(other)
    with app.app_context(), unit_of_work() as first:
        therapists.take_place(first, slow.id)
        with app.app_context(), unit_of_work() as second:
            therapists.take_place(second, quick.id)
        assert sorted(capacities(other).values()) == [2, 3]
    assert sorted(capacities(other).values()) == [2, 2]


def test_commits_take_their_versions_in_turn(app, other, session, request, monkeypatch):
    """While one stands between its version and its commit, no later version can be seen."""
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("one writer at a time")
    one, two = make_therapist(session, "Ana Alder"), make_therapist(session, "Ben Birch")
    session.commit()
    capacities(other)
    before, raised, go_on = changes.the_version().number, Event(), Event()
    plainly = changes._write_down

    def slowly(connection, changed):
        plainly(connection, changed)
        if one.id in changed.therapists:
            raised.set()
            assert go_on.wait(LONG_ENOUGH)

    def take(key):
        with app.app_context(), unit_of_work() as work:
            therapists.take_place(work, key)

    monkeypatch.setattr(changes, "_write_down", slowly)
    first, second = (Thread(target=take, args=(each.id,)) for each in (one, two))
    first.start()
    assert raised.wait(LONG_ENOUGH)
    second.start()
    wait_until_blocked(session)
    assert changes.the_version().number == before
    assert sorted(capacities(other).values()) == [3, 3]
    go_on.set()
    first.join(LONG_ENOUGH)
    second.join(LONG_ENOUGH)
    session.rollback()
    assert changes.the_version().number == before + 2
    assert sorted(capacities(other).values()) == [2, 2]


def wait_until_blocked(session):
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    while True:
        session.rollback()
        if session.scalar(waiting):
            return


def test_threads_of_one_process_share_one_market_and_lay_it_out_once(app, session, monkeypatch):
    for number in range(8):
        make_therapist(session, f"Person {number}")
    session.commit()
    laid_out, everybody = [], module.everybody
    monkeypatch.setattr(
        module, "everybody", lambda *when: laid_out.append(when) or everybody(*when)
    )
    found = []
    threads = [Thread(target=lambda: found.append(kept_by(app))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_ENOUGH)
    assert len(set(map(id, found))) == 1
    assert len(laid_out) == 1


def test_no_thread_sees_half_of_a_change(app, session):
    """Two places move together from one therapist to another; their sum never changes."""
    one, two = make_therapist(session, "Ana Alder"), make_therapist(session, "Ben Birch")
    session.commit()
    sums, done = [], Event()

    def look():
        while not done.is_set():
            sums.append(sum(capacities(app).values()))

    looking = Thread(target=look)
    looking.start()
    try:
        for giver, taker in [(one, two), (two, one)] * 10:
            with app.app_context(), unit_of_work() as work:
                therapists.take_place(work, giver.id)
                therapists.give_back_place(work, taker.id)
    finally:
        done.set()
        looking.join(LONG_ENOUGH)
    assert set(sums) == {6}


def test_while_one_page_takes_its_answers_no_other_changes_the_market(app, session):
    therapist = make_therapist(session)
    session.commit()
    own, kept = str(therapist.public_id), kept_by(app)
    with app.app_context(), unit_of_work() as work:
        work.get(Therapist, therapist.id).user.disabled_at = NOW
    another = Thread(target=kept_by, args=(app,))
    with kept.held() as index:
        another.start()
        another.join(A_MOMENT)
        assert another.is_alive()
        assert index.explain(ANYBODY, own).live
    another.join(LONG_ENOUGH)
    assert own not in index
