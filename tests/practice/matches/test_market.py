"""The kept market: quick while nothing changes, never stale when something does."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from core.database import db, unit_of_work
from practice.local_time import instant_at
from practice.matches.index import index_for, market_at
from practice.matches.market import Market
from practice.therapists import operations as therapists
from practice.therapists.models import HOURS_STAY_FRESH, Licence, Therapist, WeeklyHours
from tests.builders.counting import statements_of
from tests.builders.therapists import make_licence, make_therapist
from tests.conftest import NOW

HERE = "US-WA"


def market(at=NOW) -> Market:
    return market_at(at, HERE)


@pytest.fixture
def therapist(session):
    therapist = make_therapist(session)
    session.commit()
    return therapist


def change(write):
    with unit_of_work() as session:
        write(session, session.scalars(sa.select(Therapist)).one())
    return market()


def test_the_market_is_kept_while_nothing_changes(app, therapist):
    kept = market()
    with statements_of(app) as statements:
        assert market(NOW + timedelta(minutes=5)) is kept
    assert len(statements) == 1


def test_taking_a_place_shows_at_once(therapist):
    before = market().index.therapist(str(therapist.public_id)).capacity
    after = change(lambda session, one: therapists.take_place(session, one.id))
    assert after.index.therapist(str(therapist.public_id)).capacity == before - 1


@pytest.mark.parametrize(
    "write",
    [
        lambda session, one: setattr(one, "skills", {"grief": 3}),
        lambda session, one: setattr(one.application, "changed_at", NOW),
        lambda session, one: session.add(
            WeeklyHours(
                therapist=one, weekday=6, starts=one.hours[0].starts, ends=one.hours[0].ends
            )
        ),
        lambda session, one: make_licence(session, one, "US-OR"),
        lambda session, one: session.execute(
            sa.update(Licence).values(in_force_until=NOW + timedelta(hours=1))
        ),
        lambda session, one: setattr(one.user, "disabled_at", NOW),
    ],
    ids=["skills", "application", "hours", "licence", "bulk update", "closed account"],
)
def test_whatever_decides_who_can_be_found_makes_a_new_market(therapist, write):
    before = market()
    assert change(write) is not before


def test_what_has_nothing_to_do_with_it_keeps_the_market(therapist):
    before = market()
    assert change(lambda session, one: setattr(one.user, "name", "Another")) is before


def fail_after(write):
    def failing():
        with unit_of_work() as session:
            write(session.scalars(sa.select(Therapist)).one())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()


def test_a_change_that_is_rolled_back_changes_nothing(therapist):
    before = market()
    fail_after(lambda one: therapists.take_place(db.session(), one.id))
    assert market() is before


def test_a_market_seen_inside_an_open_transaction_is_kept_for_nobody(therapist):
    def fill_and_look(one):
        one.open_places = 0
        assert not market().licensed_with_room(HERE)

    fail_after(fill_and_look)
    assert market().licensed_with_room(HERE)


def test_a_licence_ends_the_market_at_the_midnight_of_its_own_zone(session):
    expires_on = date(2026, 12, 4)
    make_therapist(session, expires_on=expires_on, hours_confirmed_at=NOW)
    session.commit()
    midnight = instant_at(date(2026, 12, 5), time(), "America/Los_Angeles")
    assert len(market().index) == 1
    assert len(market(midnight - timedelta(seconds=1)).index) == 1
    assert len(market(midnight).index) == 0


def test_hours_that_were_not_confirmed_again_end_it_too(therapist):
    stale = therapist.hours_confirmed_at + HOURS_STAY_FRESH
    assert len(market(stale - timedelta(seconds=1)).index) == 1
    assert len(market(stale).index) == 0


def test_hours_follow_the_clock_change_of_their_zone(therapist):
    summer = market(datetime(2026, 12, 2, tzinfo=UTC))
    with unit_of_work() as session:
        session.scalars(sa.select(Therapist)).one().hours_confirmed_at = datetime(
            2027, 3, 16, tzinfo=UTC
        )
    later = market(datetime(2027, 3, 17, tzinfo=UTC))
    own = str(therapist.public_id)
    assert later.index.therapist(own).hours == summer.index.therapist(own).hours >> 1


def test_one_impossible_profile_does_not_take_everybody_away(session):
    good = make_therapist(session)
    make_therapist(session, name="Odd One", fee=5000, sliding_from=9000)
    session.commit()
    assert set(market().profiles) == {str(good.public_id)}


def test_an_associate_counts_only_where_the_supervisor_is_licensed(session):
    supervisor = make_therapist(session, name="Ana Supervisor", places=("US-WA",))
    associate = make_therapist(
        session, name="Ben Associate", places=("US-WA", "US-OR"), supervisor=supervisor
    )
    session.commit()
    values = index_for(NOW, HERE).therapist(str(associate.public_id))
    assert set(values.authority) == {"US-WA"}


def test_the_queries_do_not_grow_with_the_market(app, session):
    def built_with(count):
        supervisor = make_therapist(session)
        for number in range(count):
            make_therapist(session, supervisor=supervisor if number % 3 == 0 else None)
        session.commit()
        session.expire_all()
        with statements_of(app) as statements:
            assert len(market().index) >= count
        return len(statements)

    assert built_with(3) == built_with(15)


def test_a_savepoint_that_fails_does_not_hide_what_changed_before_it(therapist):
    """Posting a mail that was posted already ends that way."""

    def take_and_stumble(session, one):
        therapists.take_place(session, one.id)
        with suppress(RuntimeError), session.begin_nested():
            raise RuntimeError

    before = market()
    assert change(take_and_stumble) is not before


def test_the_stamp_waits_for_the_commit_and_not_for_a_savepoint(app, therapist):
    with statements_of(app) as statements, unit_of_work() as session:
        therapists.take_place(session, therapist.id)
        with session.begin_nested():
            pass
        assert not any("INSERT INTO market_stamps" in one for one in statements)
    assert any("INSERT INTO market_stamps" in one for one in statements)
