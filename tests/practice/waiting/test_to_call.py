"""Whoever is severely unwell and gets no place is not lost in the middle of a list: call them."""

import re

import pytest
from bs4 import BeautifulSoup

from practice.accounts.models import Role, UserRole
from tests.builders.accounts import make_user, sign_in
from tests.builders.therapists import make_therapist
from tests.builders.waiting import make_lead, make_run, make_waiting, placement_of
from tests.conftest import NOW

LIST = "/waiting-list"
TO_CALL = f"{LIST}?show=to-call"
SEVERE = {f"phq_9_{item}": 3 for item in range(1, 9)}
MOST_SEVERE = {"phq_9_9": 3}


@pytest.fixture
def lead(session, http):
    lead = make_lead(session)
    sign_in(http, lead)
    return lead


@pytest.fixture
def rosa(session):
    """One place, within whose scope everybody is."""
    return make_therapist(session, "Rosa Almeida", open_places=1, most_acuity=3)


def page_at(http, address):
    answer = http.get(address)
    assert answer.status_code == 200, answer.status_code
    return BeautifulSoup(answer.data, "html.parser").main


def words(element):
    return re.sub(r"\s+", " ", element.get_text(" ")).replace(" ,", ",").strip()


def names(page):
    return [words(cell) for cell in page.select("section[aria-labelledby=who] tbody th")]


def row_of(page, name):
    return words(next(row for row in page.select("tbody tr") if row.th and words(row.th) == name))


def first_note(page):
    note = page.select_one(".note")
    return words(note) if note else ""


def placement_page(session, http, client):
    return page_at(http, f"{LIST}/placements/{placement_of(session, client).public_id}")


# The warning


def test_the_page_says_first_whom_no_proposal_can_help_and_leads_to_exactly_them(
    session, http, lead, rosa
):
    make_waiting(session, "Placed", days=90, **MOST_SEVERE)
    make_waiting(session, "Mild", days=80, languages=["es"])
    make_waiting(session, "No place", days=5, **SEVERE)
    make_waiting(session, "Nobody", days=1, languages=["es"], **MOST_SEVERE)
    make_run(session, lead)
    page = page_at(http, LIST)
    assert first_note(page).startswith(
        "2 people whose need is severe have no place in the newest proposal"
    )
    assert "Nobody who is here fits one of them, whatever is proposed" in first_note(page)
    assert "one fits somebody, and no place was left" in first_note(page)
    assert "A person should call them." in first_note(page)
    [link] = page.select_one(".note").select("a")
    assert link["href"] == f"{TO_CALL}#who"
    assert names(page_at(http, TO_CALL)) == ["Nobody", "No place"]


@pytest.mark.parametrize(
    ("nobody", "no_place", "said"),
    [
        (1, 0, "Nobody who is here fits them, whatever is proposed."),
        (2, 0, "Nobody who is here fits any of them, whatever is proposed."),
        (0, 1, "They fit somebody, and no place was left."),
        (0, 2, "They fit somebody, and no place was left."),
        (2, 2, "Nobody who is here fits 2 of them, whatever is proposed; 2 fit somebody"),
    ],
)
def test_it_is_said_in_words_that_fit_the_number(session, http, lead, rosa, nobody, no_place, said):
    make_waiting(session, "Placed", days=90, **MOST_SEVERE)
    for number in range(nobody):
        make_waiting(session, f"Nobody {number}", languages=["es"], **SEVERE)
    for number in range(no_place):
        make_waiting(session, f"No place {number}", **SEVERE)
    make_run(session, lead)
    assert said in first_note(page_at(http, LIST))


def test_nobody_is_to_be_called_where_all_whose_need_is_severe_are_placed(
    session, http, lead, rosa
):
    make_waiting(session, "Placed", **SEVERE)
    make_waiting(session, "Not severe", languages=["es"])
    make_run(session, lead)
    page = page_at(http, LIST)
    assert "whose need is severe" not in first_note(page)
    assert names(page_at(http, TO_CALL)) == []


def test_a_proposal_that_was_taken_back_says_nothing_of_anybody(session, http, lead):
    make_waiting(session, "Sam", **SEVERE)
    run = make_run(session, lead)
    assert "should call them" in words(page_at(http, LIST))
    http.post(f"{LIST}/runs/{run.public_id}/withdrawal")
    assert "should call them" not in words(page_at(http, LIST))


def test_it_stands_also_while_the_next_proposal_is_worked_out(session, http, lead):
    make_waiting(session, "Sam", **SEVERE)
    make_run(session, lead)
    http.post(f"{LIST}/runs")
    page_at(http, LIST)
    assert "One person whose need is severe has no place" in first_note(page_at(http, LIST))


# In the list


def test_each_row_says_why_and_the_most_severe_come_first_among_those_without_a_place(
    session, http, lead, rosa
):
    make_waiting(session, "Placed", days=300, **MOST_SEVERE)
    make_waiting(session, "Early", days=60)
    make_waiting(session, "Severe", days=5, **SEVERE)
    make_waiting(session, "Most severe", days=1, languages=["es"], **MOST_SEVERE)
    make_run(session, lead)
    page = page_at(http, f"{LIST}?show=unplaced")
    assert names(page) == ["Most severe", "Severe", "Early"]
    assert "waits on: nobody who is here fits" in row_of(page, "Most severe")
    for name in ("Severe", "Early"):
        assert "waits on: no place was left" in row_of(page, name)
    assert "waits on: nobody who is here fits" in row_of(page_at(http, LIST), "Most severe")


def test_two_of_one_name_are_told_apart_by_how_long_they_have_waited(session, http, lead, rosa):
    rosa.open_places = 2
    for days in (12, 40):
        make_waiting(session, "Priya", days=days)
    make_run(session, lead)
    page = page_at(http, LIST)
    rows = page.select("section[aria-labelledby=who] tbody")[0]
    assert [words(link) for link in rows.select("a")] == [
        "Look at Priya, who has waited 40 days",
        "Look at Priya, who has waited 12 days",
    ]
    assert [words(label) for label in rows.select("label")] == [
        "Priya, who has waited 40 days, with Rosa Almeida",
        "Priya, who has waited 12 days, with Rosa Almeida",
    ]


# The page of one of them


def test_the_page_of_somebody_whom_nobody_fits_says_which_wishes_stand_in_the_way(
    session, http, lead, rosa
):
    client = make_waiting(session, languages=["es"])
    make_run(session, lead)
    page = words(placement_page(session, http, client))
    assert "Some do not list a language you chose." in page
    assert "share no whole hour" not in page
    assert "A person should call them" not in page, (
        "nobody has to call whoever is not severely unwell"
    )


def test_nothing_stands_in_the_way_of_whoever_only_found_no_place_left(session, http, lead, rosa):
    make_waiting(session, "Placed", days=90)
    client = make_waiting(session)
    make_run(session, lead)
    page = words(placement_page(session, http, client))
    assert "What leaves most of them out" not in page


def test_it_says_where_no_wish_is_in_the_way_but_how_unwell_they_are(session, http, lead, rosa):
    rosa.most_acuity = 1
    client = make_waiting(session, **SEVERE)
    make_run(session, lead)
    page = words(placement_page(session, http, client))
    assert "does not work with people as unwell as they are" in page


def test_it_says_where_somebody_who_fits_has_come_since(session, http, lead):
    client = make_waiting(session, **SEVERE)
    make_run(session, lead)
    make_therapist(session, most_acuity=3)
    session.commit()
    page = words(placement_page(session, http, client))
    assert "Somebody who fits them has come since." in page
    assert "Nobody who is here now fits them." not in page


def test_it_says_where_nobody_could_be_looked_for(session, http, lead, rosa):
    client = make_waiting(session)
    client.place = ""
    make_run(session, lead)
    assert "Nobody could be looked for" in words(placement_page(session, http, client))


def test_whoever_should_be_called_has_their_telephone_there(session, http, lead):
    calls, mails = (make_waiting(session, name, **SEVERE) for name in ("Ann", "Ben"))
    calls.phone = "+1 206 555 0142"
    make_run(session, lead)
    page = placement_page(session, http, calls)
    assert page.select("a[href='tel:+12065550142']")
    page = placement_page(session, http, mails)
    assert "No telephone number given" in words(page)
    assert page.select(f"a[href='mailto:{mails.user.email}']")


def test_whoever_has_a_place_proposed_is_reached_by_confirming_it(session, http, lead, rosa):
    client = make_waiting(session, **SEVERE)
    make_run(session, lead)
    assert "A person should call them" not in words(placement_page(session, http, client))


# The first page


def test_the_leads_day_begins_with_whom_to_call(session, http, lead):
    assert http.get("/today").location == "/flags"
    make_waiting(session, "Sam", **SEVERE)
    make_run(session, lead)
    page = page_at(http, "/today")
    assert words(page.h1) == "One person should be called"
    assert "One person whose need is severe has no place" in first_note(page)
    assert "Sam" not in words(page)
    assert {link["href"] for link in page.select("a")} == {f"{TO_CALL}#who", "/flags"}


@pytest.mark.parametrize("role", [Role.administrator, Role.duty_clinician, Role.moderator])
def test_nobody_but_the_lead_is_told_of_it(session, http, lead, role):
    make_waiting(session, **SEVERE)
    make_run(session, lead)
    sign_in(http, make_user(session, roles=(role,)))
    assert http.get("/today").status_code == 303


def test_a_lead_who_waits_themselves_is_not_told_of_themselves(session, http, lead):
    client = make_waiting(session, **SEVERE)
    client.user.role_rows.append(UserRole(role=Role.clinical_lead, granted_at=NOW))
    make_run(session, lead)
    sign_in(http, client.user)
    assert "should call them" not in words(page_at(http, LIST))
