"""The first page's numbers are counted at the moment of asking; health says whether all is well."""

import uuid
from datetime import timedelta

from core.outbox import OutboxMessage
from practice.accounts.models import Client
from practice.groups.models import GroupState
from practice.therapists.models import ApplicationState
from practice.today.queries import FEWEST_WAITS, right_now
from tests.builders.appointments import make_booked
from tests.builders.counting import statements_of
from tests.builders.faults import database_away
from tests.builders.groups import make_group
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def test_only_listed_therapists_count_and_only_open_places_are_room(session):
    make_therapist(session, open_places=2)
    make_therapist(session, open_places=0)
    make_therapist(session, hours_confirmed_at=NOW - timedelta(days=15))
    make_therapist(session, state=ApplicationState.in_review)
    make_therapist(session, expires_on=(NOW - timedelta(days=2)).date())
    counted = right_now(NOW)
    assert (counted.with_room, counted.listed) == (1, 2)


def test_prices_go_from_the_lowest_sliding_fee_to_the_highest_fee(session):
    make_therapist(session, fee=15000)
    make_therapist(session, fee=9000, sliding_from=4500, payments=["self-pay", "sliding"])
    counted = right_now(NOW)
    assert (counted.lowest_price, counted.highest_price) == (4500, 15000)


def test_only_open_groups_that_begin_within_two_weeks_count(session):
    lead = make_therapist(session)
    make_group(session, lead=lead, days=3)
    make_group(session, lead=lead, days=20)
    make_group(session, lead=lead, days=3, state=GroupState.draft)
    make_group(session, lead=lead, days=3, state=GroupState.cancelled)
    make_group(session, lead=lead, days=-3)
    assert right_now(NOW).groups_soon == 1


def test_a_typical_wait_is_told_only_of_enough_people(session):
    therapist = make_therapist(session, open_places=FEWEST_WAITS)
    for number in range(FEWEST_WAITS - 1):
        make_booked(session, make_request(session, None, therapist, accepted=True), nth=number)
    assert right_now(NOW).days_to_first_meeting is None
    last = make_booked(session, make_request(session, None, therapist, accepted=True), nth=20)
    # Most of them meet tomorrow; the one who waits longest does not change what is typical.
    assert (last.starts_at - NOW).days > 2
    assert right_now(NOW).days_to_first_meeting == 1


def test_one_price_is_said_once(http, session):
    make_therapist(session, fee=9000)
    session.commit()
    assert "$90 – $90" not in http.get("/").text
    assert "$90" in http.get("/").text


def test_an_empty_clinic_says_so_without_inventing_numbers(http, session):
    page = http.get("/").text
    assert "0 of 0" in page
    assert "nobody listed yet" in page
    assert "too few to say yet" in page


def test_the_first_page_costs_the_same_for_one_therapist_and_for_many(app, http, session):
    lead = make_therapist(session)
    make_group(session, lead=lead)
    session.commit()
    few = statements_for_home(app, http)
    for _ in range(10):
        make_group(session, lead=make_therapist(session))
    session.commit()
    assert statements_for_home(app, http) == few
    assert few <= 6


def statements_for_home(app, http):
    with statements_of(app) as seen:
        assert http.get("/").status_code == 200
    return len(seen)


def test_help_is_the_same_with_and_without_an_account(http):
    page = http.get("/crisis").text
    assert 'href="tel:988"' in page
    assert 'href="tel:911"' in page


def test_health_is_well_until_something_waits_too_long(http, session):
    assert http.get("/health").json == {"database": "ok", "outbox": "ok"}
    add_message(session, due=NOW - timedelta(minutes=9))
    assert http.get("/health").status_code == 200
    add_message(session, due=NOW - timedelta(minutes=11))
    answer = http.get("/health")
    assert (answer.status_code, answer.json["outbox"]) == (503, "late")


def test_health_is_unwell_while_the_database_is_away(app, http):
    with database_away(app):
        answer = http.get("/health")
    assert (answer.status_code, answer.json["database"]) == (503, "away")


def test_what_was_set_aside_for_a_person_does_not_make_the_house_unwell_for_ever(http, session):
    add_message(session, due=NOW - timedelta(days=1), dead_at=NOW)
    assert http.get("/health").status_code == 200


def add_message(session, *, due, **columns):
    session.add(
        OutboxMessage(
            kind="mail", payload={}, dedupe_key=str(uuid.uuid4()), posted_at=due, due_at=due,
            **columns,
        )
    )  # fmt: skip
    session.commit()


def test_the_styleguide_shows_every_component_to_anybody(http, session):
    page = http.get("/styleguide").text
    assert session.query(Client).count() == 0
    for piece in ("error-summary", "crisis-panel", "tag yes", "tag stop", "empty", "timeline"):
        assert piece in page, piece
