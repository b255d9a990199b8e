"""A market changed in place says what one laid out anew from the same rows says."""

import random
from datetime import date, time, timedelta

import matching
from core.database import db, unit_of_work
from practice.matches.market.changes import the_version
from practice.matches.market.in_place import _laid_out
from practice.matches.market.index import day_in, market_at
from practice.therapists import operations as therapists
from practice.therapists.models import LicenceKind, LicenceState, Therapist
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PLACES = ("US-WA", "US-OR", "US-CA")
CHANGES = 500
LOOKS = 20
CLIENTS = [
    {"place": "US-WA"},
    {"place": "US-OR", "concerns": {"panic": 3}, "languages": ["es", "en"]},
    {
        "place": "US-WA",
        "zone": "America/Los_Angeles",
        "hours": ["tue 09:00-12:00"],
        "payment": {"kind": "self-pay", "budget": 12000, "currency": "USD"},
    },
]


def any_capacity(chance, session, one, at):
    therapists.set_capacity(session, one, chance.randrange(3), actor=one.user, at=at)


def any_hours(chance, session, one, at):
    days = chance.sample(range(7), chance.randrange(4))
    windows = [(day, time(chance.randrange(6, 12)), time(chance.randrange(13, 20))) for day in days]
    zone = chance.choice(["America/Los_Angeles", "America/New_York", "America/Phoenix"])
    therapists.set_hours(session, one, windows, zone=zone, actor=one.user, at=at)


def any_profile(chance, session, one, at):
    values = {
        "fee": chance.choice([None, 0, 9000, 15000]),
        "sliding_from": None,
        "languages": chance.sample(["en", "es", "fr"], 2),
        "skills": {"panic": chance.randrange(1, 4)},
    }
    therapists.save_profile(session, one, values, actor=one.user, at=at)


def any_licence(chance, session, one, at):
    licence = chance.choice(one.licences)
    if licence.withdrawn_at is None and licence.state is not LicenceState.draft:
        therapists.withdraw_licence(session, licence, actor=one.user, at=at)
    else:
        licence.withdrawn_at, licence.state = None, LicenceState.verified


def another_licence(chance, session, one, at):
    details = therapists.LicenceDetails(
        LicenceKind.state,
        "",
        chance.choice(PLACES),
        one.profession,
        f"LX{chance.randrange(10**9)}",
        "The state board",
        at.date() + timedelta(days=chance.randrange(1, 9)),
    )
    added = therapists.add_licence(session, one, details, actor=one.user, at=at)
    added.move_to(LicenceState.in_review)
    added.move_to(LicenceState.verified)


def any_account(chance, session, one, at):
    one.user.disabled_at = None if one.user.disabled_at else at


def any_supervision(chance, session, one, at):
    if one.supervisor is not None:
        agreed = one.supervisor_confirmed_at is not None
        one.supervisor_confirmed_at = None if agreed else at


def taken_place(chance, session, one, at):
    if one.open_places:
        therapists.take_place(session, one.id)


def another_therapist(chance, session, one, at):
    make_therapist(session, f"Person {chance.random()}", places=chance.sample(PLACES, 2), at=at)


WAYS = (
    any_capacity,
    any_hours,
    any_profile,
    any_licence,
    another_licence,
    any_account,
    any_supervision,
    taken_place,
    another_therapist,
)


def world(session):
    for number in range(24):
        supervisor = make_therapist(
            session,
            f"Person {number}",
            places=PLACES[: 1 + number % 3],
            expires_on=date(2026, 12, 3 + number % 12),
        )
        make_therapist(session, f"Associate {number}", supervisor=supervisor)
    session.commit()


def said_by(market, ids):
    with market.held() as index:
        listed = {each: index.therapist(each) for each in ids if each in index}
        asked = [
            matching.Client.from_json({"on": str(market.week), **client}) for client in CLIENTS
        ]
        rankings = [index.rank(client, market.weights, None) for client in asked]
        return listed, [each.results for each in rankings], [costs(index, each) for each in asked]


def costs(index, client):
    """Without rules that cost nothing: a place that nobody is left in may still be known."""
    market = index.market(client)
    return market.eligible, {rule: gain for rule, gain in market.gains.items() if gain}


def test_after_hundreds_of_changes_it_is_what_it_would_be_if_laid_out_anew(session):
    world(session)
    chance, at, in_place = random.Random(4), NOW, market_at(NOW, "US-WA")
    for number in range(CHANGES):
        at += timedelta(minutes=chance.randrange(8))
        with unit_of_work() as work:
            key = chance.choice(work.scalars(sa_ids()).all())
            chance.choice(WAYS)(chance, work, work.get(Therapist, key), at)
        if number % LOOKS == 0:
            assert market_at(at, "US-WA") is in_place
            assert_as_anew(in_place, at)
    assert market_at(at, "US-WA") is in_place
    assert_as_anew(in_place, at)


def test_time_alone_takes_out_of_it_what_it_would_not_lay_out(session):
    world(session)
    in_place = market_at(NOW, "US-WA")
    for hours in range(1, 15 * 24, 7):
        at = NOW + timedelta(hours=hours)
        market_at(at, "US-WA")
        if market_at(at, "US-WA") is in_place:
            assert_as_anew(in_place, at)
    assert said_by(market_at(at, "US-WA"), all_ids())[0] == {}


def assert_as_anew(in_place, at):
    anew = _laid_out(matching.monday_of(day_in("US-WA", at)), the_version(), at)
    anew.week = in_place.week
    assert said_by(in_place, all_ids()) == said_by(anew, all_ids())


def sa_ids():
    return db.select(Therapist.id).order_by(Therapist.id)


def all_ids():
    return [str(each) for each in db.session.scalars(db.select(Therapist.public_id))]
