"""The kept market: quick while nothing changes, never stale when something does."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

import matching
from core.database import db, unit_of_work
from practice.accounts.models import User
from practice.local_time import instant_at
from practice.matches.market import changes
from practice.matches.market import in_place as market_module
from practice.matches.market.entries import entries_of
from practice.matches.market.in_place import Market
from practice.matches.market.index import market_at
from practice.matches.market.prices import set_prices
from practice.matches.models import MarketChange, MarketVersion, WeightsVersion
from practice.therapists import operations as therapists
from practice.therapists.models import HOURS_STAY_FRESH, Licence, Therapist, WeeklyHours
from tests.builders.counting import statements_of
from tests.builders.therapists import make_licence, make_therapist
from tests.conftest import NOW

HERE = "US-WA"


def market(at=NOW) -> Market:
    return market_at(at, HERE)


def seen(at=NOW):
    """{public id: what the engine knows} of everybody who can be found."""
    with market(at).held() as index:
        listed = [str(each) for each in db.session.scalars(sa.select(Therapist.public_id))]
        return {each: index.therapist(each) for each in listed if each in index}


@pytest.fixture
def therapist(session):
    therapist = make_therapist(session)
    session.commit()
    return therapist


def change(write):
    with unit_of_work() as session:
        write(session, session.scalars(sa.select(Therapist)).one())


def test_the_market_is_kept_while_nothing_changes(app, therapist):
    kept = market()
    with statements_of(app) as statements:
        assert market(NOW + timedelta(minutes=5)) is kept
    assert len(statements) == 1


def test_taking_a_place_shows_at_once_in_the_same_market(therapist):
    kept, own = market(), str(therapist.public_id)
    before = seen()[own].capacity
    change(lambda session, one: therapists.take_place(session, one.id))
    assert seen()[own].capacity == before - 1
    assert market() is kept


@pytest.mark.parametrize(
    "write",
    [
        lambda session, one: setattr(one, "skills", {"grief": 3}),
        lambda session, one: setattr(one, "hours", []),
        lambda session, one: session.add(
            WeeklyHours(therapist=one, weekday=6, starts=time(9), ends=time(12))
        ),
        lambda session, one: make_licence(session, one, "US-OR"),
        lambda session, one: session.execute(sa.update(Licence).values(place="US-OR")),
        lambda session, one: setattr(one.application, "state", "suspended"),
        lambda session, one: setattr(one.user, "disabled_at", NOW),
        lambda session, one: session.execute(sa.update(User).values(disabled_at=NOW)),
    ],
    ids=[
        "skills",
        "no hours",
        "new hours",
        "licence",
        "bulk update",
        "application",
        "closed account",
        "closed accounts in bulk",
    ],
)
def test_whatever_decides_who_can_be_found_is_seen_at_once(therapist, write):
    before = seen()
    change(write)
    assert seen() != before


def test_what_has_nothing_to_do_with_it_changes_no_version(therapist):
    before = changes.the_version()
    change(lambda session, one: setattr(one.user, "name", "Another"))
    assert changes.the_version() == before


def fail_after(write):
    def failing():
        with unit_of_work() as session:
            write(session.scalars(sa.select(Therapist)).one())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()


def test_a_change_that_is_rolled_back_changes_nothing(therapist):
    before = seen(), changes.the_version()
    fail_after(lambda one: therapists.take_place(db.session(), one.id))
    assert (seen(), changes.the_version()) == before


def test_a_market_seen_inside_an_open_transaction_is_kept_for_nobody(therapist):
    def fill_and_look(one):
        one.open_places = 0
        db.session.flush()
        assert [each.capacity for each in seen().values()] == [0]

    fail_after(fill_and_look)
    assert [each.capacity for each in seen().values()] == [3]


def test_a_licence_ends_at_the_midnight_of_its_own_zone_and_only_its_own(session):
    last = date(2026, 12, 4)
    ending = make_therapist(session, expires_on=last, hours_confirmed_at=NOW)
    make_therapist(session, name="Ben Birch", hours_confirmed_at=NOW)
    session.commit()
    kept = market()
    midnight = instant_at(date(2026, 12, 5), time(), "America/Los_Angeles")
    assert len(seen(midnight - timedelta(seconds=1))) == 2
    assert str(ending.public_id) not in seen(midnight)
    assert len(seen(midnight)) == 1
    assert market(midnight) is kept


def test_one_of_two_licences_that_ends_takes_only_its_place_away(session):
    both = make_therapist(session, hours_confirmed_at=NOW)
    make_licence(session, both, "US-NY", expires_on=date(2026, 12, 4))
    session.commit()
    midnight = instant_at(date(2026, 12, 5), time(), "America/New_York")
    own = str(both.public_id)
    assert set(seen(midnight - timedelta(seconds=1))[own].authority) == {"US-WA", "US-NY"}
    assert set(seen(midnight)[own].authority) == {"US-WA"}


def test_hours_that_were_not_confirmed_again_end_it_too(therapist):
    stale = therapist.hours_confirmed_at + HOURS_STAY_FRESH
    assert len(seen(stale - timedelta(seconds=1))) == 1
    assert len(seen(stale)) == 0


def test_confirming_hours_in_time_keeps_somebody_listed(therapist):
    stale = therapist.hours_confirmed_at + HOURS_STAY_FRESH
    assert seen()
    change(lambda _, one: setattr(one, "hours_confirmed_at", stale))
    assert len(seen(stale)) == 1


def test_a_supervisors_licence_carries_the_associate_in_and_out(session):
    supervisor = make_therapist(session, name="Ana Supervisor")
    associate = make_therapist(session, name="Ben Associate", supervisor=supervisor)
    session.commit()
    own = str(associate.public_id)
    assert own in seen()
    for state in ("suspended", "verified"):
        with unit_of_work() as work:
            [licence] = work.get(Therapist, supervisor.id).licences
            licence.state = state
        assert (own in seen()) == (state == "verified")


def test_hours_follow_the_clock_change_of_their_zone(therapist):
    before, own = seen()[str(therapist.public_id)], str(therapist.public_id)
    summer = datetime(2027, 3, 17, tzinfo=UTC)
    change(lambda _, one: setattr(one, "hours_confirmed_at", summer))
    assert seen(summer)[own].hours == before.hours >> 1


def test_a_new_week_in_which_no_clock_changes_needs_no_new_market(therapist):
    kept = market()
    change(lambda _, one: setattr(one, "hours_confirmed_at", NOW + timedelta(days=6)))
    assert market(NOW + timedelta(days=7)) is kept


def test_one_impossible_profile_does_not_take_everybody_away(session):
    good = make_therapist(session)
    make_therapist(session, name="Odd One", fee=5000, sliding_from=9000)
    session.commit()
    assert set(seen()) == {str(good.public_id)}


def test_a_profile_that_becomes_impossible_goes_and_comes_back(session, therapist):
    make_therapist(session, name="Ben Birch")
    session.commit()
    assert len(seen()) == 2
    for lowest, count in ((99999, 1), (9000, 2)):
        with unit_of_work() as work:
            work.get(Therapist, therapist.id).sliding_from = lowest
        assert len(seen()) == count


def test_an_associate_counts_only_where_the_supervisor_is_licensed(session):
    supervisor = make_therapist(session, name="Ana Supervisor", places=("US-WA",))
    associate = make_therapist(
        session, name="Ben Associate", places=("US-WA", "US-OR"), supervisor=supervisor
    )
    session.commit()
    assert set(seen()[str(associate.public_id)].authority) == {"US-WA"}


def test_the_queries_do_not_grow_with_the_market(app, session):
    def built_with(count):
        supervisor = make_therapist(session)
        for number in range(count):
            make_therapist(session, supervisor=supervisor if number % 3 == 0 else None)
        session.commit()
        app.extensions.pop("markets", None)
        with statements_of(app) as statements:
            market()
        return len(statements)

    assert built_with(3) == built_with(15) == 8


def test_the_queries_do_not_grow_with_how_many_have_changed(app, session):
    everybody = [make_therapist(session, name=f"Person {each}") for each in range(12)]
    session.commit()
    kept = market()

    def changing(count):
        with unit_of_work() as work:
            for one in everybody[:count]:
                therapists.take_place(work, one.id)
        with statements_of(app) as statements:
            assert market() is kept
        return len(statements)

    assert changing(1) == changing(9) == 9


def new_prices(work, one):
    set_prices(work, {str(one.public_id): 7}, NOW)


def new_weights(work, _):
    points = matching.DEFAULT_WEIGHTS.by_factor | {"concerns": 299, "hours": 151}
    work.add(WeightsVersion(version=2, weights=points, reason="tried", decided_at=NOW))


@pytest.mark.parametrize("write", [new_prices, new_weights])
def test_new_weights_and_prices_load_nobody_anew(app, therapist, write):
    kept = market()
    before = kept.weights, kept.prices
    change(write)
    with statements_of(app) as statements:
        assert market() is kept
    assert (kept.weights, kept.prices) != before
    assert not [one for one in statements if "FROM therapists" in one]


def test_only_who_changed_is_loaded(app, session):
    everybody = [make_therapist(session, name=f"Person {each}") for each in range(5)]
    session.commit()
    before = changes.the_version()
    with unit_of_work() as work:
        therapists.take_place(work, everybody[2].id)
        therapists.give_back_place(work, everybody[4].id)
    news = changes.news_since(before)
    assert news.therapists == {everybody[2].id, everybody[4].id}
    assert not news.everything


def test_a_statement_that_names_nobody_has_changed_everybody(therapist):
    before = changes.the_version()
    with unit_of_work() as work:
        work.execute(sa.update(Therapist).values(open_places=0))
    assert changes.news_since(before).everything


def test_a_transaction_that_changes_very_many_names_nobody(session, monkeypatch):
    monkeypatch.setattr(changes, "MOST_NAMED", 2)
    everybody = [make_therapist(session, name=f"Person {each}") for each in range(3)]
    session.commit()
    before = changes.the_version()
    with unit_of_work() as work:
        for one in everybody:
            therapists.take_place(work, one.id)
    assert changes.news_since(before).everything
    assert sorted(each.capacity for each in seen().values()) == [2, 2, 2]


def test_when_much_has_changed_everything_is_laid_out_anew(session, therapist, monkeypatch):
    monkeypatch.setattr("practice.matches.market.in_place.FEW", 0)
    kept = market()
    change(lambda work, one: therapists.take_place(work, one.id))
    assert [each.capacity for each in seen().values()] == [2]
    assert market() is not kept


def test_old_changes_are_let_go_and_whoever_missed_them_starts_anew(session, monkeypatch):
    monkeypatch.setattr(changes, "VERSIONS_KEPT", 2)
    one = make_therapist(session)
    session.commit()
    kept = market()
    for _ in range(3):
        with unit_of_work() as work:
            therapists.take_place(work, one.id)
    changes.forget_old_changes(NOW)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MarketChange)) == 2
    assert [each.capacity for each in seen().values()] == [0]
    assert market() is not kept


def test_the_schedule_writes_nothing_while_nothing_is_old(app, therapist):
    with statements_of(app) as statements:
        changes.forget_old_changes(NOW)
    assert not [one for one in statements if not one.startswith("SELECT")]


def test_a_database_made_anew_is_not_taken_for_the_one_before(session, therapist):
    assert len(seen()) == 1
    db.session.rollback()
    row = session.get(MarketVersion, 1)
    number = row.version
    with db.engine.begin() as connection:
        for table in ("market_changes", "market_versions", "weekly_hours", "licences"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    session.expire_all()
    with unit_of_work() as work:
        while changes.the_version().number < number:
            work.add(
                WeeklyHours(therapist_id=therapist.id, weekday=1, starts=time(9), ends=time(10))
            )
            work.commit()
    assert len(seen()) == 0


def test_a_savepoint_that_fails_does_not_hide_what_changed_before_it(therapist):
    """Posting a mail that was posted already ends that way."""

    def take_and_stumble(session, one):
        therapists.take_place(session, one.id)
        with suppress(RuntimeError), session.begin_nested():
            raise RuntimeError

    assert seen()
    change(take_and_stumble)
    assert [each.capacity for each in seen().values()] == [2]


def test_the_version_waits_for_the_commit_and_not_for_a_savepoint(app, therapist):
    with statements_of(app) as statements, unit_of_work() as session:
        therapists.take_place(session, therapist.id)
        with session.begin_nested():
            pass
        assert not any("INSERT INTO market_versions" in one for one in statements)
    assert any("INSERT INTO market_versions" in one for one in statements)


def test_a_profile_that_was_shown_is_not_read_again_until_it_changes(app, therapist):
    own = str(therapist.public_id)

    def name():
        version, kept = changes.the_version(), market()
        with statements_of(app) as statements:
            [profile] = kept.profiles([own], version, NOW)
        return profile.name, len(statements)

    assert name() == ("Rosa Almeida", 3)
    assert name() == ("Rosa Almeida", 0)
    change(lambda _, one: setattr(one, "name", "Rosa Linden"))
    assert name()[0] == "Rosa Linden"


def test_what_an_older_transaction_read_of_a_profile_is_not_kept(therapist):
    own, old = str(therapist.public_id), changes.the_version()
    market().profiles([own], old, NOW)
    change(lambda _, one: setattr(one, "name", "Rosa Linden"))
    current = market()
    current.profiles([own], old, NOW)
    assert own not in current._profiles


def test_a_zone_that_comes_while_weeks_are_compared_disturbs_nobody(therapist, monkeypatch):
    kept = market()
    (entry,) = entries_of([therapist.id], NOW, kept.week)
    elsewhere = [replace(entry, zone="Asia/Tokyo")]
    concerned = {therapist.id: str(therapist.public_id)}

    def comes_meanwhile(*_when):
        kept.change(concerned, elsewhere, kept.version, kept.weights, kept.prices, NOW)

    monkeypatch.setattr(market_module, "_offsets", comes_meanwhile)
    assert kept.covers(kept.week + timedelta(weeks=1))
