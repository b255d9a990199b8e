from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.database import db
from practice.groups.models import EnrolmentState, GroupKind, GroupState
from practice.groups.operations import HOLD_LASTS
from practice.groups.queries import PAGE_SIZE, Filters, catalogue
from tests.builders.accounts import make_client, sign_in
from tests.builders.groups import make_enrolment, make_group
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def titles(**filters):
    page = catalogue(Filters(**filters), 1, NOW)
    return {card.group.title for card in page.cards}


def text_of(answer) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


@pytest.fixture
def world(session):
    lead = make_therapist(session)
    make_group(session, lead=lead, title="Panic", price=24000)
    make_group(session, lead=lead, title="Grief", topics=["grief"], kind=GroupKind.therapy)
    make_group(session, lead=lead, title="Spanish", language="es", price=9000)
    make_group(session, title="Peers", kind=GroupKind.peer, peers=["Ana"], price=0)
    make_group(session, lead=lead, title="Room", format="in-person")
    session.commit()
    return lead


def test_the_soonest_group_comes_first(session):
    lead = make_therapist(session)
    for days in (20, 5, 12):
        make_group(session, lead=lead, title=str(days), days=days)
    page = catalogue(Filters(), 1, NOW)
    assert [card.group.title for card in page.cards] == ["5", "12", "20"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "peer"}, {"Peers"}),
        ({"topic": "grief"}, {"Grief"}),
        ({"most": 0}, {"Peers"}),
        ({"most": 10000}, {"Peers", "Spanish"}),
        ({"format": "in-person"}, {"Room"}),
        ({"language": "es"}, {"Spanish"}),
        ({"kind": "peer", "topic": "grief"}, set()),
    ],
)
def test_each_filter_narrows_the_list(world, filters, found):
    assert titles(**filters) == found


def test_a_topic_is_matched_whole(session):
    make_group(session, topics=["childhood-trauma"])
    assert not titles(topic="trauma")


def test_drafts_cancelled_groups_and_those_that_began_are_not_listed(session):
    lead = make_therapist(session)
    for state in GroupState:
        make_group(session, lead=lead, title=state.value, state=state)
    make_group(session, lead=lead, title="begun", days=-1)
    assert titles() == {"open"}


def test_seats_are_counted_at_this_moment(session):
    group = make_group(session, seats=5)
    make_enrolment(session, group, make_client(session), EnrolmentState.seated, seat_number=1)
    make_enrolment(session, group, make_client(session), EnrolmentState.held, seat_number=2)
    make_enrolment(session, group, make_client(session), EnrolmentState.left)
    make_enrolment(session, group, make_client(session), EnrolmentState.screening)
    lapsed = NOW + HOLD_LASTS
    assert [catalogue(Filters(), 1, at).cards[0].left for at in (NOW, lapsed)] == [3, 4]


def test_a_page_holds_twenty_and_says_how_many_there_are(session):
    lead = make_therapist(session)
    for number in range(PAGE_SIZE + 1):
        make_group(session, lead=lead, title=str(number))
    first, second = (catalogue(Filters(), number, NOW) for number in (1, 2))
    assert (len(first.cards), len(second.cards)) == (PAGE_SIZE, 1)
    assert first.total == second.total == PAGE_SIZE + 1
    assert catalogue(Filters(), 99, NOW).number == 2


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_number_of_queries_stays_at_six_whatever_the_number_of_groups(session, http, signed_in):
    if signed_in:
        sign_in(http, make_client(session).user)
    counts = []
    for wanted in (3, PAGE_SIZE):
        for number in range(wanted):
            make_group(session, lead=make_therapist(session), title=f"{wanted} {number}")
        session.commit()
        counts.append(queries_of(lambda: http.get("/groups")))
    assert counts[0] == counts[1] <= 6


def test_the_page_of_a_group_needs_six_queries_however_large_it_is(session, http):
    client, lead = make_client(session), make_therapist(session)
    small = make_group(session, lead=lead, sessions=1)
    large = make_group(session, leads=[lead, make_therapist(session)], sessions=30, days=9)
    for number in range(1, 6):
        make_enrolment(session, large, make_client(session), seat_number=number)
    make_enrolment(session, large, client, EnrolmentState.left)
    make_enrolment(session, large, client, EnrolmentState.seated, seat_number=6)
    sign_in(http, client.user)
    counts = [
        queries_of(lambda group=group: http.get(f"/groups/{group.public_id}"))
        for group in (small, large)
    ]
    assert counts[0] == counts[1] <= 6


def test_the_page_of_a_group_knows_who_is_already_in_it(session, http):
    group, client = make_group(session), make_client(session)
    make_enrolment(session, group, client, EnrolmentState.left)
    sign_in(http, client.user)
    assert "Take a seat" in text_of(http.get(f"/groups/{group.public_id}"))
    make_enrolment(session, group, client, EnrolmentState.seated, seat_number=1)
    session.commit()
    assert "See where you stand" in text_of(http.get(f"/groups/{group.public_id}"))


def queries_of(act) -> int:
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert act().status_code == 200
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return sum(statement.lstrip().upper().startswith("SELECT") for statement in seen)


def test_a_listed_group_says_price_seats_begin_and_licence_evidence(world, http):
    text = text_of(http.get("/groups?topic=panic&kind=psychoeducation"))
    for words in ("$240", "10 seats left", "18:30", world.licences[0].number, "The state board"):
        assert words in text


def test_a_filter_that_makes_no_sense_is_left_out(world, http):
    answer = http.get("/groups?kind=nonsense&most=x&topic=%00&page=-3&language=es")
    assert answer.status_code == 200
    assert "1 group begins" in text_of(answer)


def test_pages_keep_the_filters_and_nothing_else_of_an_address(session, http):
    lead = make_therapist(session)
    for number in range(PAGE_SIZE + 1):
        make_group(session, lead=lead, title=str(number))
    session.commit()
    address = "/groups?topic=panic&endpoint=x&_scheme=ftp&_external=1&values=y"
    page = BeautifulSoup(http.get(address).text, "html.parser")
    assert page.select_one("a[rel=next]")["href"] == "/groups?topic=panic&page=2"


def test_an_empty_catalogue_says_what_to_do_next(session, http):
    session.commit()
    answer = http.get("/groups")
    assert "Look at the therapists" in text_of(answer)


def test_the_page_of_a_group_tells_what_counts_before_a_seat(world, session, http):
    group = make_group(session, lead=world, title="Whole", seats=3)
    session.commit()
    text = text_of(http.get(f"/groups/{group.public_id}"))
    for words in (
        "Whole",
        "$240",
        "3 seats left",
        "What others will see of you",
        "If you change your mind",
        "$210",
        "ATTUNE* PROGRAMME",
        world.licences[0].number,
        "Los Angeles time",
    ):
        assert words in text
    assert group.where not in text


def test_peer_leaders_are_labelled_and_carry_no_licence(session, http):
    group = make_group(session, kind=GroupKind.peer, peers=["Ana Ruiz"], price=0)
    session.commit()
    text = text_of(http.get(f"/groups/{group.public_id}"))
    assert "Ana Ruiz Lived experience" in text
    assert "licence" not in text.lower()


def test_a_lapsed_leader_is_said_to_have_no_licence_in_force(session, http, clock):
    group = make_group(session, days=900)
    session.commit()
    clock.move(timedelta(days=800))
    assert "No licence in force" in text_of(http.get(f"/groups/{group.public_id}"))


@pytest.mark.parametrize(("state", "status"), [("draft", 404), ("cancelled", 200), ("open", 200)])
def test_a_draft_is_for_its_leaders_alone(session, http, state, status):
    group = make_group(session, state=GroupState(state))
    session.commit()
    assert http.get(f"/groups/{group.public_id}").status_code == status
    sign_in(http, group.professionals[0].user)
    assert http.get(f"/groups/{group.public_id}").status_code == 200


@pytest.mark.parametrize("page", ["99999999999999999999", "-1", "0", "²", "x"])
def test_an_odd_page_number_still_shows_the_list(world, http, page):
    assert http.get("/groups", query_string={"page": page}).status_code == 200
