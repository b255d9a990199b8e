"""The lead's list: everybody who waits, in pages, and never one query more for one person more."""

import re

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.readings import AuditConcern
from practice.paging import PER_PAGE
from practice.waiting.models import PlacementState
from tests.builders.accounts import sign_in
from tests.builders.counting import statements_of
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.builders.waiting import make_lead, make_run, make_waiting, placement_of

LIST = "/waiting-list"
SHOWS = ("longest", "severe", "proposed", "unplaced", "to-call")


@pytest.fixture
def lead(session, http):
    lead = make_lead(session)
    sign_in(http, lead)
    return lead


def soup(answer):
    assert answer.status_code in {200, 409}, answer.status_code
    return BeautifulSoup(answer.data, "html.parser")


def words(element):
    return re.sub(r"\s+", " ", element.get_text(" ")).strip()


def names(http, show="longest", page=1):
    """Who stands on one page of the list, in its order."""
    found = soup(http.get(f"{LIST}?show={show}&page={page}"))
    return [words(cell) for cell in found.select("section[aria-labelledby=who] tbody th")]


def row_of(http, name, show="longest"):
    found = soup(http.get(f"{LIST}?show={show}"))
    return words(next(row for row in found.select("tbody tr") if row.th and words(row.th) == name))


def crowd(session, count, **answers):
    return [make_waiting(session, f"Person {one}", days=one, **answers) for one in range(count)]


@pytest.mark.parametrize("show", SHOWS)
def test_the_queries_do_not_grow_with_how_many_wait(app, session, http, lead, show):
    make_therapist(session, "Rosa Almeida", open_places=2)
    make_therapist(session, "Lena Brandt", open_places=2, skills={"panic": 1})
    crowd(session, 6)
    make_run(session, lead)
    few = queries_of(app, http, show)
    session.rollback()
    make_therapist(session, "Vera Lund", open_places=9)
    crowd(session, PER_PAGE)
    make_run(session, lead)
    assert queries_of(app, http, show) == few


def queries_of(app, http, show):
    address = f"{LIST}?show={show}"
    http.get(address)
    with statements_of(app) as seen:
        assert http.get(address).status_code == 200
    return len(seen)


def test_the_queries_of_one_placement_do_not_grow_with_how_many_could_give_way(
    app, session, http, lead
):
    def asked(number):
        session.rollback()
        for one in range(number):
            make_therapist(session, f"Therapist {number} {one}", open_places=1)
        crowd(session, number)
        last = make_waiting(session, f"Last of {number}", days=0)
        make_run(session, lead)
        address = f"{LIST}/placements/{placement_of(session, last).public_id}"
        said = words(soup(http.get(address)).main)
        assert said.count("would wait on") >= number
        return queries_of_page(app, http, address)

    few = asked(2)
    assert asked(6) <= few


def queries_of_page(app, http, address):
    with statements_of(app) as seen:
        assert http.get(address).status_code == 200
    # The ledger has a row for each client who is named.
    return len([one for one in seen if one.startswith("SELECT")])


def test_a_page_holds_twenty_and_only_they_are_named_in_the_log(session, http, lead):
    crowd(session, PER_PAGE + 3)
    session.commit()
    assert names(http)[0] == f"Person {PER_PAGE + 2}"
    assert len(names(http)) == PER_PAGE
    assert names(http, page=2) == ["Person 2", "Person 1", "Person 0"]
    session.rollback()
    last = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    named = sa.select(sa.func.count()).where(AuditConcern.entry_id == last.id)
    assert session.scalar(named) == 3
    assert "There is nothing on this page" in words(soup(http.get(f"{LIST}?page=9")))


def test_what_makes_no_sense_in_the_address_is_the_first_page_of_all(session, http, lead):
    crowd(session, 2)
    session.commit()
    for address in ("?show=nonsense", "?page=-1", "?page=x&offers=y", "?show=&page="):
        found = soup(http.get(LIST + address))
        assert "Everybody, the longest waiting first" in words(found)
        assert "Person 1" in words(found)


def test_the_severe_come_first_where_that_is_asked_for(session, http, lead):
    make_therapist(session, most_acuity=3)
    make_waiting(session, "Early", days=20, phq_9_9=0)
    make_waiting(session, "Severe", days=1, phq_9_9=1)
    make_run(session, lead)
    make_waiting(session, "Late", days=0)
    session.commit()
    assert names(http) == ["Early", "Severe", "Late"]
    assert names(http, "severe") == ["Severe", "Early", "Late"]


def test_who_has_a_proposal_and_who_has_none_can_be_looked_at_apart(session, http, lead):
    rosa = make_therapist(session, "Rosa Almeida", open_places=1)
    for name, days in (("Ann", 30), ("Ben", 10)):
        make_waiting(session, name, days=days)
    make_run(session, lead)
    assert names(http, "proposed") == ["Ann"]
    assert names(http, "unplaced") == ["Ben"]
    assert "has a place" not in row_of(http, "Ben", "unplaced")
    session.rollback()
    rosa.open_places = 2
    session.commit()
    assert "waits on; Rosa Almeida has a place" in row_of(http, "Ben", "unplaced")


def test_whoever_no_proposal_is_about_stands_there_all_the_same(session, http, lead):
    therapist = make_therapist(session, "Rosa Almeida", open_places=9)
    asks, _ = make_waiting(session, "Asks"), make_waiting(session, "New")
    make_request(session, asks, therapist)
    session.commit()
    assert "has asked somebody" in row_of(http, "Asks")
    assert "no proposal yet" in row_of(http, "New")


def test_with_one_in_the_way_all_the_others_can_be_confirmed_at_once(session, http, lead):
    rosa = make_therapist(session, "Rosa Almeida", languages=["es"], open_places=1)
    make_therapist(session, "Lena Brandt", open_places=PER_PAGE + 5)
    people = crowd(session, PER_PAGE + 2)
    make_waiting(session, "Ana", languages=["es"])
    run = make_run(session, lead)
    rosa.open_places = 0
    session.commit()
    address = f"{LIST}/runs/{run.public_id}/confirmation"
    page = soup(http.post(address, data={"placement": "all"}))
    assert "Rosa Almeida has no open place left for Ana." in words(page)
    [form] = [one for one in page.select("form") if "Confirm the other" in words(one)]
    sent = {}
    for field in form.select("input[name]"):
        sent.setdefault(field["name"], []).append(field["value"])
    assert words(form.button) == f"Confirm the other {len(people)}"
    assert http.post(address, data=sent).status_code == 303
    assert f"{len(people)} people have been written to" in words(soup(http.get(LIST)))
    session.rollback()
    session.expire_all()
    assert {placement_of(session, one).state for one in people} == {PlacementState.offered}
    assert names(http, "proposed") == ["Ana"]


def test_of_several_ticked_the_others_can_be_confirmed_without_ticking_again(session, http, lead):
    rosa = make_therapist(session, "Rosa Almeida", languages=["es"], open_places=1)
    make_therapist(session, "Lena Brandt", open_places=9)
    ana, ben = make_waiting(session, "Ana", languages=["es"]), make_waiting(session, "Ben")
    make_waiting(session, "Kim")
    run = make_run(session, lead)
    rosa.open_places = 0
    session.commit()
    ticked = [str(placement_of(session, one).public_id) for one in (ana, ben)]
    address = f"{LIST}/runs/{run.public_id}/confirmation"
    page = soup(http.post(address, data={"placement": ticked}))
    boxes = page.select("input[type=checkbox][checked]")
    assert {one["value"] for one in boxes} == set(ticked)
    [form] = [one for one in page.select("form") if "Confirm the other one" in words(one)]
    hidden = [one["value"] for one in form.select("input[name=placement]")]
    assert hidden == ticked[1:]


def test_what_is_offered_has_pages_of_its_own(session, http, lead):
    make_therapist(session, "Rosa Almeida", open_places=PER_PAGE + 2)
    crowd(session, PER_PAGE + 2)
    run = make_run(session, lead)
    http.post(f"{LIST}/runs/{run.public_id}/confirmation", data={"placement": "all"})
    for address, rows in ((LIST, PER_PAGE), (f"{LIST}?offers=2", 2)):
        offered = soup(http.get(address)).select("section[aria-labelledby=offered] tbody tr")
        assert len(offered) == rows
