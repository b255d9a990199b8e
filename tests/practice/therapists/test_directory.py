"""The public list and the public profile, over HTTP and without an account."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.database import db
from practice.therapists.models import ApplicationState, LicenceState
from tests.builders.therapists import make_licence, make_therapist
from tests.conftest import NOW


def page(http, address="/therapists"):
    answer = http.get(address)
    assert answer.status_code == 200, answer.status_code
    return BeautifulSoup(answer.data, "html.parser")


def names(soup):
    return [link.get_text() for link in soup.select("article h2 a")]


@pytest.fixture
def world(session):
    make_therapist(
        session,
        "Ada Berg",
        places=("US-WA", "US-OR"),
        languages=["en", "es"],
        skills={"grief": 3},
        formats=["online"],
        fee=14000,
        sliding_from=6000,
    )
    make_therapist(
        session, "Ben Cole", places=("US-WA",), skills={"panic": 2}, fee=9000, open_places=0
    )
    make_therapist(session, "Cora Dahl", places=("US-NY",), languages=["cmn"], fee=0)
    make_therapist(session, "Dan Expired", expires_on=date(2026, 11, 29))
    make_therapist(session, "Eve Waiting", state=ApplicationState.submitted)
    make_therapist(session, "Fay Stale", hours_confirmed_at=NOW - timedelta(days=15))
    session.commit()
    return session


def test_those_with_room_come_first_and_nobody_unverified_comes_at_all(http, world):
    soup = page(http)
    assert names(soup) == ["Ada Berg", "Cora Dahl", "Ben Cole"]
    assert "3 therapists, 2 with room, counted just now." in soup.get_text()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("place=US-WA", ["Ada Berg", "Ben Cole"]),
        ("place=US-OR", ["Ada Berg"]),
        ("place=US-ID", []),
        ("concern=grief", ["Ada Berg"]),
        ("concern=panic&place=US-WA", ["Ben Cole"]),
        ("language=es", ["Ada Berg"]),
        ("format=in-person", ["Cora Dahl", "Ben Cole"]),
        ("most=60", ["Ada Berg", "Cora Dahl"]),
        ("most=59", ["Cora Dahl"]),
        ("most=0", ["Cora Dahl"]),
        ("place=US-WA&concern=grief&language=en&format=online&most=60", ["Ada Berg"]),
    ],
)
def test_filters_narrow_the_list_and_its_count(http, world, query, found):
    soup = page(http, f"/therapists?{query}")
    assert names(soup) == found
    if found:
        assert f"{len(found)} therapist" in soup.get_text()
    else:
        assert "Nobody here fits all of that" in soup.get_text()


@pytest.mark.parametrize(
    "query", ["place=%25", "concern=%22", "language=_", "page=none", "page=-1"]
)
def test_a_filter_that_makes_no_sense_is_left_out(http, world, query):
    assert len(names(page(http, f"/therapists?{query}"))) == 3


def test_an_amount_that_makes_no_sense_is_kept_and_explained(http, world):
    soup = page(http, "/therapists?most=abc")
    assert len(names(soup)) == 3
    assert soup.select_one("#most")["value"] == "abc"
    assert soup.select_one("#most-error")


def test_the_list_has_pages_that_keep_the_filters(http, session):
    for number in range(43):
        make_therapist(session, f"Person {number:02d}")
    session.commit()
    first, third = (
        page(http, "/therapists?place=US-WA"),
        page(http, "/therapists?place=US-WA&page=3"),
    )
    assert names(first) == [f"Person {number:02d}" for number in range(20)]
    assert "43 therapists for what you chose" in first.get_text()
    assert "place=US-WA" in first.select_one("a[rel=next]")["href"]
    assert names(third) == ["Person 40", "Person 41", "Person 42"]
    assert names(page(http, "/therapists?place=US-WA&page=99")) == names(third)


def test_the_list_asks_the_same_few_questions_for_any_number(app, http, session):
    make_therapist(session, "Person")
    session.commit()
    few = queries_of(app, lambda: page(http))
    supervisor = make_therapist(session, "Senior Person")
    for number in range(30):
        make_therapist(session, f"Person {number}", supervisor=supervisor if number % 2 else None)
    session.commit()
    assert queries_of(app, lambda: page(http)) == few <= 5


def queries_of(app, act):
    seen = []
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, *rest):
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_a_profile_says_of_each_thing_who_says_so(http, session):
    therapist = make_therapist(
        session,
        identities={"gender": ["woman"]},
        npi_checked_at=NOW - timedelta(days=5),
        office="12 Alder Street",
        meeting_link="https://meet.example.test/secret-room",
    )
    session.commit()
    soup = page(http, f"/therapists/{therapist.public_id}")
    (licence,) = therapist.licences
    assert licence.number in soup.get_text()
    assert "The state board" in soup.get_text()
    assert "30 November 2027" in soup.get_text()
    facts = {row.dt.get_text(): row.dd.get_text(" ") for row in soup.select("dl.lines > div")}
    assert "Verified by us" in facts["National Provider Identifier"]
    for declared in ("Languages", "Gender", "In practice"):
        assert "Says so themselves" in facts[declared]
    assert "$120 a session" in soup.get_text()
    assert "Mornings and afternoons: Monday to Friday" in soup.get_text(" ")


def test_what_only_a_client_may_know_is_not_on_the_public_profile(http, session):
    therapist = make_therapist(
        session, office="12 Alder Street", meeting_link="https://meet.example.test/secret-room"
    )
    session.commit()
    text = http.get(f"/therapists/{therapist.public_id}").get_data(as_text=True)
    assert "secret-room" not in text
    assert "12 Alder Street" not in text
    assert therapist.user.email not in text


def test_an_npi_that_nobody_looked_up_is_not_called_verified(http, session):
    therapist = make_therapist(session, npi_checked_at=None)
    session.commit()
    soup = page(http, f"/therapists/{therapist.public_id}")
    facts = {row.dt.get_text(): row.dd.get_text(" ") for row in soup.select("dl.lines > div")}
    assert "Says so themselves" in facts["National Provider Identifier"]


def test_a_licence_that_is_not_verified_is_not_on_the_profile(http, session):
    therapist = make_therapist(session)
    waiting = make_licence(session, therapist, "US-OR", state=LicenceState.submitted)
    session.commit()
    assert waiting.number not in page(http, f"/therapists/{therapist.public_id}").get_text()


def test_an_associate_is_shown_with_the_supervisor_and_that_licence(http, session):
    supervisor = make_therapist(session, "Senior Person")
    associate = make_therapist(
        session, "Junior Person", places=("US-WA", "US-OR"), supervisor=supervisor
    )
    session.commit()
    text = page(http, f"/therapists/{associate.public_id}").get_text()
    assert "Psychological associate" in text
    assert "Senior Person" in text
    assert supervisor.licences[0].number in text
    assert "May see people who are in Washington." in text


@pytest.mark.parametrize("state", sorted(set(ApplicationState) - {ApplicationState.verified}))
def test_nobody_finds_a_profile_that_is_not_verified(http, session, state):
    therapist = make_therapist(session, state=state, licence_state=LicenceState.verified)
    session.commit()
    assert http.get(f"/therapists/{therapist.public_id}").status_code == 404


def test_nobody_finds_a_profile_whose_licence_ran_out_a_second_ago(http, session, clock):
    therapist = make_therapist(session, expires_on=date(2026, 12, 31))
    session.commit()
    midnight = therapist.licences[0].in_force_until
    clock.move_to(midnight - timedelta(seconds=1))
    assert http.get(f"/therapists/{therapist.public_id}").status_code == 200
    clock.move_to(midnight + timedelta(seconds=1))
    assert http.get(f"/therapists/{therapist.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"open_places": 0}, "no room at the moment"),
        ({"hours_confirmed_at": NOW - timedelta(days=15)}, "not confirmed their hours"),
    ],
)
def test_nobody_can_be_asked_who_cannot_answer(http, session, columns, said):
    therapist = make_therapist(session, **columns)
    session.commit()
    soup = page(http, f"/therapists/{therapist.public_id}")
    assert said in soup.get_text()
    assert "Ask for a first meeting" not in soup.get_text()


def test_a_visitor_is_led_to_make_an_account_first(http, session):
    therapist = make_therapist(session)
    session.commit()
    soup = page(http, f"/therapists/{therapist.public_id}")
    assert soup.find("a", string="Ask for a first meeting")["href"] == "/sign-up"


def test_what_a_therapist_writes_is_text_and_never_markup(http, session):
    nasty = "<script>alert(1)</script>"
    therapist = make_therapist(session, nasty, about=nasty, voice=nasty)
    session.commit()
    for address in ("/therapists", f"/therapists/{therapist.public_id}"):
        assert nasty not in http.get(address).get_data(as_text=True)


def test_the_address_of_the_next_page_holds_the_filters_and_nothing_else(http, session):
    for number in range(21):
        make_therapist(session, f"Person {number:02d}")
    session.commit()
    odd = "/therapists?place=US-WA&endpoint=x&_scheme=javascript&_anchor=y&_external=1"
    assert page(http, odd).select_one("a[rel=next]")["href"] == "/therapists?place=US-WA&page=2"
