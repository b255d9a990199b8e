"""How a therapist is found: only sums of ten people and more, and only their own page."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import current_app

from core.audit import AuditEntry
from core.outbox import OutboxMessage, drain
from practice.accounts.models import Role
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.intake.models import IntakeAnswer
from practice.matches import operations, reach, reach_counting
from practice.matches.models import Proposal, RequestState
from practice.matches.reach import ReachReport
from practice.matches.reach_counting import counted, in_tens
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.intake import make_intake
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/profile/found"
LATELY = NOW - timedelta(days=5)
PAGES = {"birth-year": 1990, "languages": ["en"], "format": ["online"]}
A_WOMAN = {"gender": {"want": ["woman"], "strength": "must_have"}}


@pytest.fixture
def therapist(session):
    return make_therapist(session)


def seekers(session, count=12, *, at=LATELY, **answers):
    """With few pages of answers each, so that a dozen are made quickly."""
    made = [make_client(session, at=at) for _ in range(count)]
    for client in made:
        make_intake(session, client, answers=PAGES, at=at, **answers)
    return made


def show(session, client, *therapists, at=LATELY):
    session.add(
        Proposal(
            client=client,
            made_at=at,
            digest=f"{len(client.public_id.hex)}{at.timestamp()}",
            weights_version=1,
            engine_version="1",
            client_inputs={},
            shown=[{"id": str(one.public_id)} for one in therapists],
        )
    )


def figures_of(session, therapist):
    session.commit()
    # In a session of its own, as the worker does: what it has read it lets go.
    with current_app.app_context():
        return counted(NOW).therapists.get(therapist.id)


def page_of(session, http, therapist):
    session.commit()
    with current_app.app_context():
        reach.count(NOW)
    sign_in(http, therapist.user)
    answer = http.get(PAGE)
    assert answer.status_code == 200
    return BeautifulSoup(answer.data, "html.parser").main


def text(element):
    return re.sub(r"\s+", " ", element.get_text(" "))


@pytest.mark.parametrize(
    ("columns", "answers", "rule"),
    [
        ({"open_places": 0}, {}, "capacity"),
        ({"hours": ()}, {"hours": {"zone": "UTC", "windows": ["sun 03:00-05:00"]}}, "hours"),
        ({"fee": 25000}, {"payment": {"kind": "self-pay", "budget": 9000}}, "payment"),
        ({"formats": ["in-person"]}, {}, "format"),
        ({"languages": ["es"]}, {}, "language"),
        ({"services": ["couple"]}, {"service": "individual"}, "service"),
        (
            {"approaches": ["act"]},
            {"wishes": {"approach": {"want": ["cbt"], "strength": "must_have"}}},
            "must.approach",
        ),
    ],
)
def test_what_stands_in_the_way_alone_is_counted_in_tens(session, columns, answers, rule):
    one = make_therapist(session, **columns)
    seekers(session, 13, **answers)
    found = figures_of(session, one)
    assert found["alone"] == {rule: 10}
    assert (found["searches"], found["found"]) == (10, 0)


def test_of_fewer_than_ten_no_figure_is_kept(session):
    one = make_therapist(session, open_places=0)
    for client in seekers(session, 9):
        show(session, client, one)
    found = figures_of(session, one)
    assert (found["searches"], found["found"]) == (0, 0)
    assert [found[each] for each in ("alone", "places", "lacking", "shown", "first")] == [{}] * 5
    seekers(session, 1)
    assert figures_of(session, one)["alone"] == {"capacity": 10}


def test_figures_go_down_to_tens():
    assert [in_tens(count) for count in (0, 9, 10, 19, 20, 121)] == [0, 0, 10, 10, 20, 120]


def test_a_licence_elsewhere_is_told_by_place(session, therapist):
    for client in seekers(session, 10):
        client.place = "US-OR"
    assert figures_of(session, therapist)["places"] == {"US-OR": 10}


def test_concerns_that_people_brought_and_one_does_not_list(session, therapist):
    seekers(session, 10, concerns=["grief", "panic"], concern_weights={"grief": 2, "panic": 1})
    found = figures_of(session, therapist)
    assert found["lacking"] == {"grief": 10}
    assert found["found"] == 10


def test_lists_are_counted_by_person_and_period(session, therapist):
    others = [make_therapist(session, f"Person {number}") for number in range(3)]
    people = seekers(session, 20)
    for number, client in enumerate(people):
        at = LATELY if number < 10 else NOW - timedelta(days=60)
        show(session, client, *others, therapist, at=at)
        show(session, client, *others[:2], therapist, at=at - timedelta(days=1))
    found, last = figures_of(session, therapist), figures_of(session, others[2])
    assert (found["shown"], found["first"]) == ({"30": 10, "90": 20}, {"30": 10, "90": 20})
    assert (last["shown"], last["first"]) == ({"30": 10, "90": 20}, {"30": 10, "90": 20})
    show(session, people[0], *others, therapist, at=NOW - timedelta(days=91))
    assert figures_of(session, therapist)["shown"] == found["shown"]


def test_the_fourth_in_a_list_is_not_among_the_first_three(session, therapist):
    others = [make_therapist(session, f"Person {number}") for number in range(3)]
    for client in seekers(session, 10):
        show(session, client, *others, therapist)
    found = figures_of(session, therapist)
    assert (found["shown"], found["first"]) == ({"30": 10, "90": 10}, {})


def test_hours_that_are_not_confirmed_are_said_first_and_alone(session, http):
    for confirmed in (NOW - timedelta(days=15), None):
        one = make_therapist(session, hours_confirmed_at=confirmed)
        if confirmed:
            seekers(session, 10)
        assert figures_of(session, one)["found"] == 10
        page = text(page_of(session, http, one))
        assert "That alone keeps you from at least 10 of those who looked" in page
        assert "What stands in the way most" not in page


def test_whoever_took_back_the_privacy_notice_is_not_counted(session, therapist):
    people = seekers(session, 10)
    for client in people:
        show(session, client, therapist)
    assert figures_of(session, therapist)["shown"] == {"30": 10, "90": 10}
    for signature in session.scalars(signatures_of(people[0])).all():
        if signature.document.purpose is Purpose.privacy_notice:
            revoke(session, signature, people[0].user, NOW)
    found = figures_of(session, therapist)
    assert (found["searches"], found["found"], found["shown"]) == (0, 0, {})


def test_of_several_searches_of_one_person_the_last_counts(session, therapist):
    for client in seekers(session, 10, at=NOW - timedelta(days=20), birth_year=2005):
        make_intake(session, client, answers={"languages": ["es"]}, at=LATELY)
    found = figures_of(session, therapist)
    assert (found["searches"], found["alone"]) == (10, {"language": 10})


def test_what_was_sent_more_than_ninety_days_ago_is_past(session, therapist):
    seekers(session, 10, at=NOW - timedelta(days=91))
    assert figures_of(session, therapist)["searches"] == 0


PRIVATE = {
    "a wish about the person": ({}, {"wishes": A_WOMAN}),
    "how unwell somebody is": ({}, {f"phq_9_{item}": 3 for item in range(1, 9)}),
    "what somebody wrote": ({"story": "one"}, {"story": "another"}),
}


@pytest.mark.parametrize("fact", PRIVATE)
def test_what_nobody_is_to_learn_changes_no_figure_of_anybody(session, therapist, fact):
    """Not even where a hundred people say it: a therapist could else try out who asks for whom."""
    first, second = PRIVATE[fact]
    people = seekers(session, 10, **first)
    before = figures_of(session, therapist)
    for client in people:
        make_intake(session, client, answers=PAGES, at=NOW - timedelta(days=1), **second)
    assert figures_of(session, therapist) == before


def test_only_the_pages_that_are_asked_about_are_opened(session, therapist, monkeypatch):
    seekers(session, 2, story="In my own words", phq_9_9=0)
    session.commit()
    opened, plainly = [], IntakeAnswer.value.__get__

    def remembering(_descriptor, answer, kind=None):
        if answer is not None:
            opened.append(answer.page)
        return plainly(answer, kind)

    monkeypatch.setattr(type(IntakeAnswer.__dict__["value"]), "__get__", remembering)
    counted(NOW)
    assert set(opened) == {"birth-year", "languages", "format"}


FACTS = {
    "another fee limit": {"payment": {"kind": "self-pay", "budget": 100}},
    "another language": {"languages": ["vi"]},
    "another concern": {"concerns": ["grief"], "concern_weights": {"grief": 3}},
    "other hours": {"hours": {"zone": "UTC", "windows": ["sun 03:00-05:00"]}},
    "a wish about the person": {"wishes": A_WOMAN},
    "somebody who was not there": None,
}


@pytest.mark.parametrize("fact", FACTS)
def test_worlds_that_differ_in_one_client_below_the_threshold_give_the_same_page(
    session, http, therapist, fact
):
    people = seekers(session, 14)
    for client in people[:12]:
        show(session, client, therapist)
    before = page_of(session, http, therapist)
    if FACTS[fact] is None:
        [one] = seekers(session, 1)
        show(session, one, therapist)
    else:
        make_intake(session, people[0], answers=FACTS[fact], at=LATELY + timedelta(days=1))
    after = page_of(session, http, therapist)
    assert "at least 10" in text(before)
    assert str(after) == str(before)


def test_the_page_says_what_costs_most_first_and_where_to_mend_it(session, http):
    one = make_therapist(session, languages=["es"])
    seekers(session, 10)
    seekers(session, 20, languages=["es"], format=["telephone"])
    page = page_of(session, http, one)
    costs = [text(each) for each in page.select("ul a[href^='/profile/']")]
    lines = [text(each) for each in page.select("li") if each.select("a[href^='/profile/']")]
    assert lines[0].startswith("Ways of meeting : at least 20 more.")
    assert lines[1].startswith("Your languages : at least 10 more.")
    assert costs == ["Change how people meet you", "Change your languages"]
    assert len(page.select("svg.bars rect")) == 2


def test_each_reads_only_their_own(session, http):
    full, other = make_therapist(session, open_places=0), make_therapist(session, "Ben Birch")
    seekers(session, 10)
    assert "No open place" in text(page_of(session, http, full))
    assert "No open place" not in text(page_of(session, http, other))
    assert "No single thing of yours keeps ten people" in text(page_of(session, http, other))


def test_requests_are_told_exactly_and_only_ones_own(session, http, therapist):
    other = make_therapist(session, "Ben Birch")
    for days, whom in ((9, therapist), (50, therapist), (100, therapist), (9, other)):
        make_request(session, make_seeker(session), whom, at=NOW - timedelta(days=days))
    said_no, accepted = make_seeker(session), make_seeker(session)
    declined = make_request(session, said_no, therapist, at=NOW - timedelta(hours=2))
    declined.move_to(RequestState.declined, NOW)
    request = make_request(session, accepted, therapist, at=NOW - timedelta(hours=2))
    operations.accept(session, request, therapist.user, NOW)
    page = page_of(session, http, therapist)
    rows = {text(row.th): [text(cell) for cell in row.select("td")] for row in page.select("tr")}
    assert rows["Requests to you"] == ["3", "4"]
    assert rows["Of these you said yes to"] == ["1", "1"]
    assert rows["You said no to"] == ["1", "1"]
    assert rows["Not answered in time"] == ["1", "2"]


def test_before_the_first_count_and_for_old_ones_there_is_a_kind_word(session, http, therapist):
    session.commit()
    sign_in(http, therapist.user)
    assert "Not counted yet" in http.get(PAGE).text
    page_of(session, http, therapist)
    assert "Not counted yet" not in http.get(PAGE).text
    report = session.scalars(sa.select(ReachReport)).one()
    report.made_at = NOW - timedelta(days=4)
    session.commit()
    assert "Not counted yet" in http.get(PAGE).text


def test_whoever_is_not_on_the_list_any_more_is_told_so(session, http, therapist):
    for client in seekers(session, 10):
        show(session, client, therapist)
    therapist.licences[0].state = "suspended"
    page = text(page_of(session, http, therapist))
    assert "You are not on the list" in page
    assert "People who had you in their list at least 10 at least 10" in page


def test_without_a_profile_the_application_comes_first(session, http):
    sign_in(http, make_user(session, roles=[Role.therapist], name="Noa"))
    session.commit()
    assert http.get(PAGE).headers["Location"] == "/apply"


def test_it_is_counted_once_a_day_by_the_worker_and_told_in_the_log(app, session, therapist):
    seekers(session, 10)
    session.commit()
    reach.count_daily(NOW)
    reach.count_daily(NOW)
    waiting = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == reach.COUNT)
    ).all()
    assert len(waiting) == 1
    drain(app, NOW)
    session.rollback()
    report = session.scalars(sa.select(ReachReport)).one()
    assert (report.therapist_id, report.figures["found"]) == (therapist.id, 10)
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "reach.counted")).one()
    assert act.details == {"people": 10, "number": 1}
    reach.count_daily(NOW + timedelta(hours=23))
    reach.count_daily(NOW + timedelta(days=1))
    messages = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == reach.COUNT)
    ).all()
    assert len(messages) == 2


def test_a_new_count_takes_the_place_of_the_one_before(session, therapist):
    session.commit()
    for days in (0, 1):
        reach.count(NOW + timedelta(days=days))
    session.rollback()
    assert session.scalars(sa.select(ReachReport)).one().made_at == NOW + timedelta(days=1)


def test_where_nobody_can_be_found_nothing_is_counted(app, session):
    reach.count_daily(NOW)
    assert session.scalars(sa.select(OutboxMessage)).all() == []
    assert reach_counting.counted(NOW) == reach_counting.Counted(0, {})
