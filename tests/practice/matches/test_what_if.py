"""Trying other wishes: what would change is shown before anything is kept, and tells on nobody."""

import re

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.intake.models import Intake
from practice.intake.queries import answers_of, latest_submitted, open_intake
from practice.matches.what_if.trying import COSTS
from tests.builders.accounts import make_client, sign_in
from tests.builders.intake import ANSWERS, make_intake
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/matches/what-if"


def soup(answer):
    assert answer.status_code in {200, 409, 422}, answer.status_code
    return BeautifulSoup(answer.data, "html.parser")


def text(element):
    return re.sub(r"\s+", " ", element.get_text(" "))


def preview(answer):
    return text(soup(answer).select_one("#preview"))


def as_they_stand(http):
    """What a browser would send from the page as it is."""
    form = soup(http.get(PAGE)).select_one("form[data-preview]")
    sent = {}
    for field in form.select("input[name]"):
        if field["type"] in ("checkbox", "radio"):
            if field.has_attr("checked"):
                sent.setdefault(field["name"], []).append(field["value"])
        elif field["type"] == "text":
            sent[field["name"]] = field.get("value", "")
    for field in form.select("select"):
        chosen = field.select_one("option[selected]")
        sent[field["name"]] = chosen["value"] if chosen else ""
    return sent


def send(http, action="look", shown=None, **moved):
    """What is to be kept is looked at first, unless it is told what was `shown`."""
    fields = as_they_stand(http) | {name.replace("__", "-"): value for name, value in moved.items()}
    if action == "keep":
        fields["shown"] = shown_by(send(http, **moved)) if shown is None else shown
    return http.post(PAGE, data={**fields, "action": action})


def shown_by(answer):
    field = soup(answer).select_one("#preview [name=shown]")
    return field["value"] if field else ""


def runs(session):
    return session.scalar(sa.select(sa.func.count()).select_from(Intake))


@pytest.fixture
def client(session, http):
    client = make_seeker(session)
    sign_in(http, client.user)
    return client


@pytest.fixture
def therapists(session):
    for name, columns in (
        ("Ana Alder", {"fee": 9000}),
        ("Ben Birch", {"fee": 12000}),
        ("Cora Cedar", {"fee": 30000, "skills": {"panic": 3, "grief": 3}}),
    ):
        make_therapist(session, name=name, **columns)
    session.commit()


def test_the_page_shows_the_wishes_as_they_stand(http, client, therapists):
    page = soup(http.get(PAGE))
    assert page.select_one("input[name='payment-budget']")["value"] == "200"
    assert page.select_one("input[name='format-value'][value=online]").has_attr("checked")
    assert "Your first list now" in text(page)
    assert not page.select("button[value=keep]")
    assert "Try other wishes" in text(soup(http.get("/matches")))


def test_a_heading_says_what_a_wish_is_about_once(session, http):
    wish = {"approach": {"want": ["cbt"], "strength": "must_have"}}
    sign_in(http, make_seeker(session, wishes=wish).user)
    headings = [text(one).strip() for one in soup(http.get(PAGE)).select("form summary")]
    [approach] = [one for one in headings if one.startswith("Approach")]
    assert approach.count("Approach") == 1
    assert "(must have)" in approach


def test_sending_the_page_as_it_is_moves_nothing(session, http, client, therapists):
    answer = send(http, "keep")
    assert "Your first list now" in preview(answer)
    assert runs(session) == 1


def test_a_moved_wish_shows_who_enters_before_anything_is_kept(session, http, client, therapists):
    shown = preview(send(http, payment__budget="300"))
    assert "comes in Cora Cedar" in shown
    assert "stays Ana Alder" in shown
    assert "Keep these wishes" in shown
    assert runs(session) == 1
    assert "Cora Cedar" not in text(soup(http.get("/matches")))


def in_short(answer):
    """The line that stays in sight on a telephone."""
    return text(soup(answer).select_one("main form .in-short")).strip()


@pytest.mark.parametrize(
    ("moved", "line"),
    [
        ({}, ""),
        ({"payment__budget": "300"}, "1 comes in. See who"),
        ({"payment__budget": "100"}, "1 leaves. See who"),
        ({"payment__budget": "10"}, "Nobody would fit all of it. See why"),
        ({"payment__budget": "190"}, "Your first list stays as it is. See who"),
        ({"payment__budget": "a lot"}, "One of your wishes needs another look. See which"),
    ],
)
def test_what_would_change_stands_in_one_line_as_well(http, client, therapists, moved, line):
    answer = send(http, **moved)
    assert in_short(answer) == line
    link = soup(answer).select_one(".in-short a")
    assert link is None or soup(answer).select_one(link["href"])


def test_a_moved_wish_shows_who_leaves_and_why(http, client, therapists):
    shown = preview(send(http, payment__budget="100"))
    assert "leaves Ben Birch" in shown
    assert "Their lowest price, $120, is $20 above your limit." in shown


def test_whoever_is_only_overtaken_leaves_for_no_other_reason(session, http, client):
    for number in range(3):
        make_therapist(session, name=f"Early {number}", skills={"panic": 3, "grief": 3})
    late = make_therapist(session, name="Late Linden", fee=30000, skills={"panic": 3, "grief": 3})
    make_therapist(session, name="Last Larch", fee=30000, skills={})
    late.identities = {"gender": ["woman"]}
    session.commit()
    shown = preview(send(http, payment__budget="300"))
    assert "comes in Late Linden" in shown
    assert "Others are now closer to what you ask for." in shown


def test_nobody_would_fit_is_said(http, client, therapists):
    assert "Nobody would fit all of it" in preview(send(http, payment__budget="10"))


def test_what_is_kept_is_a_new_version_and_the_list_follows(session, http, client, therapists):
    answer = send(http, "keep", payment__budget="300")
    assert answer.location == PAGE
    session.expire_all()
    assert runs(session) == 2
    kept = answers_of(latest_submitted(client))
    assert kept["payment"]["budget"] == 30000
    assert {**kept, "payment": None} == {**ANSWERS, "payment": None}
    assert "Cora Cedar" in text(soup(http.get("/matches")))
    acts = session.scalars(
        sa.select(AuditEntry.action).where(AuditEntry.action == "intake.amended")
    )
    assert len(acts.all()) == 1


def test_what_was_not_shown_is_not_kept_but_shown(session, http, client, therapists):
    """The list for $250 stands there, and $300 is kept: without a script, or when one failed."""
    shown = shown_by(send(http, payment__budget="250"))
    answer = send(http, "keep", shown, payment__budget="300")
    assert answer.status_code == 409
    assert "Nothing is kept yet" in preview(answer)
    assert "comes in Cora Cedar" in preview(answer)
    assert runs(session) == 1
    assert send(http, "keep", shown_by(answer), payment__budget="300").location == PAGE


def test_wishes_that_changed_elsewhere_since_they_were_shown_are_shown_anew(
    session, http, client, therapists
):
    """In another window one of the two was kept, so that only the other would change now."""
    both = {"payment__budget": "300", "format__value": ["telephone"]}
    shown = shown_by(send(http, **both))
    send(http, "keep", payment__budget="300")
    answer = send(http, "keep", shown, **both)
    assert "With a change to: way of meeting." in preview(answer)
    session.expire_all()
    assert answers_of(latest_submitted(client))["format"] == ["online"]


def test_what_was_kept_can_be_taken_back(session, http, client, therapists):
    send(http, "keep", payment__budget="300")
    page = soup(http.get(PAGE))
    assert "What you changed last: price and way of paying" in text(page)
    assert http.post(f"{PAGE}/undoing").location == PAGE
    session.expire_all()
    assert answers_of(latest_submitted(client)) == ANSWERS
    assert "Cora Cedar" not in text(soup(http.get("/matches")))


def test_there_is_nothing_to_take_back_of_answers_given_otherwise(session, http, client):
    make_intake(session, client, story="Something else entirely.")
    session.commit()
    assert "What you changed last" not in text(soup(http.get(PAGE)))
    http.post(f"{PAGE}/undoing")
    session.expire_all()
    assert answers_of(latest_submitted(client))["story"] == "Something else entirely."


def test_wishes_about_the_person_that_were_changed_elsewhere_are_not_taken_back_here(
    session, http, client
):
    changed = {"gender": {"want": ["man"], "strength": "would_like"}}
    make_intake(session, client, wishes=changed)
    session.commit()
    assert "What you changed last" not in text(soup(http.get(PAGE)))
    http.post(f"{PAGE}/undoing")
    session.expire_all()
    assert answers_of(latest_submitted(client))["wishes"] == changed


def test_nothing_is_kept_without_the_consent_that_answers_rest_on(
    session, http, client, therapists
):
    signatures = session.scalars(signatures_of(client))
    [assessment] = [one for one in signatures if one.purpose is Purpose.assessment]
    revoke(session, assessment, client.user, NOW)
    session.commit()
    assert send(http, "keep", payment__budget="300").location == "/consents/before-you-begin"
    assert runs(session) == 1


def test_a_run_that_is_open_says_the_same_and_stays_open(session, http, client, therapists):
    make_intake(session, client, answers={"story": "Half written."}, submitted=False)
    session.commit()
    send(http, "keep", payment__budget="300")
    session.expire_all()
    draft = answers_of(open_intake(client))
    assert draft["story"] == "Half written."
    assert draft["payment"]["budget"] == 30000


def test_wishes_about_the_person_stay_as_they_are_and_cannot_be_moved(session, http, client):
    make_therapist(session)
    session.commit()
    page = soup(http.get(PAGE))
    names = {field["name"] for field in page.select("form[data-preview] [name]")}
    assert not [name for name in names if "gender" in name or "faith" in name]
    send(http, "keep", wishes__want=["cbt"], wishes__strength="must_have", **{"gender-want": "man"})
    session.expire_all()
    assert answers_of(latest_submitted(client))["wishes"] == {
        **ANSWERS["wishes"],
        "approach": {"want": ["cbt"], "strength": "must_have"},
    }


def test_an_emptied_wish_is_no_preference(session, http, client, therapists):
    emptied = {"format__value": [], "payment__kind": "", "payment__budget": ""}
    assert send(http, "keep", **emptied).status_code == 303
    session.expire_all()
    kept = answers_of(latest_submitted(client))
    assert kept["format"] is None
    assert kept["payment"] is None


def test_what_cannot_be_read_is_told_beside_the_field_and_nothing_is_lost(http, client, therapists):
    answer = send(http, "keep", payment__budget="a lot", service__value="couple")
    assert answer.status_code == 422
    page = soup(answer)
    assert page.select_one(".error-summary")
    assert page.select_one("input[name='payment-budget']")["value"] == "a lot"
    assert page.select_one("input[name='service-value'][value=couple]").has_attr("checked")
    assert "One of your wishes needs another look" in text(page)
    # All that a browser with scripts takes over of the answer.
    [error] = page.select_one("#payment-budget-error").find_all(string=True)[-1:]
    assert str(error).strip() in preview(answer)


# What it counts


def crowd(session, count, **columns):
    for number in range(count):
        make_therapist(session, name=f"Person {number}", **columns)
    session.commit()


def test_each_wish_is_told_with_what_it_costs_alone(session, http, client):
    crowd(session, 12, fee=30000)
    crowd(session, 11)
    shown = preview(http.get(PAGE))
    assert "About 10 therapists fit everything that is a must" in shown
    assert "Your limit or way of paying : about 10 fewer" in shown
    assert "Each of your other wishes leaves out fewer than 10" in shown


@pytest.mark.parametrize("count", [0, 1, 9])
def test_no_count_below_ten_is_told_apart(session, http, client, count):
    crowd(session, count, fee=30000)
    shown = preview(http.get(PAGE))
    assert "Each of your wishes leaves out fewer than 10" in shown
    assert "Fewer than 10 therapists fit" in shown


def test_the_same_words_stand_whichever_count_below_ten_it_is(session, http, client):
    pages = []
    for _ in range(3):
        crowd(session, 1, fee=30000)
        pages.append(preview(http.get(PAGE)))
    assert len(set(pages)) == 1


def test_wishes_about_the_person_are_in_no_count(session, http):
    wish = {"gender": {"want": ["woman"], "strength": "must_have"}}
    client = make_seeker(session, wishes=wish)
    sign_in(http, client.user)
    crowd(session, 12, identities={"gender": ["man"]})
    shown = preview(http.get(PAGE))
    assert "Nobody fits all of it" in shown
    told = "About 10 therapists fit everything that is a must, wishes about the person aside."
    assert told in shown


def test_subtracting_what_two_wishes_show_tells_no_count_below_ten(session, http, client):
    """Three cost between the two limits; 13 and 16 fit, and 14 and 11 are left out."""
    crowd(session, 13, fee=9000)
    crowd(session, 3, fee=15000)
    crowd(session, 11, fee=90000)
    pages = [preview(send(http, payment__budget=budget)) for budget in ("100", "160")]
    figures = [re.findall(r"[Aa]bout (\d+)", page) for page in pages]
    assert figures == [["15", "15"], ["15", "10"]]


def test_neither_licence_nor_risk_nor_anything_private_is_offered_for_relaxing():
    assert not {"licence", "scope", "age", "exclusion", "capacity"} & set(COSTS)
    assert not [rule for rule in COSTS if rule.startswith("must.") and rule != "must.approach"]


def test_nothing_of_a_wish_stands_in_an_address(http, client, therapists):
    assert b"Cora Cedar" not in http.get(f"{PAGE}?payment-budget=300").data
    assert "?" not in send(http, "keep", payment__budget="300").location


def test_before_the_questions_there_is_nothing_to_try(session, http):
    client = make_client(session)
    sign_in(http, client.user)
    assert "First a few questions" in text(soup(http.get(PAGE)))
    assert "First a few questions" in text(soup(http.post(PAGE)))
