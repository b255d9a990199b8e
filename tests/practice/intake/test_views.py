"""The intake over HTTP, without JavaScript: one question at a time, each answer kept at once."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from practice.accounts.models import Role
from practice.consent.models import Purpose, Signature
from practice.intake import queries
from practice.intake.instruments import INSTRUMENTS
from practice.intake.models import Intake, RiskFlag
from practice.intake.pages import KEYS, PAGES
from practice.intake.presenting import HAS_READ
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.consent import make_revocation
from tests.builders.intake import ANSWERS, make_intake, make_shift
from tests.conftest import NOW

PANEL = "You do not have to carry this alone"

# What a person sends for each page, so that the answers become those of the builder.
SENT = {
    "story": {"value": ANSWERS["story"]},
    "concerns": {"value": ["panic", "grief"]},
    "concern-weights": {"about-panic": "3", "about-grief": "1"},
    **{key: {"value": str(ANSWERS[key])} for key in KEYS if key[:5] in ("phq-9", "gad-7")},
    "place": {"value": "US-WA"},
    "birth-year": {"value": "1990"},
    "languages": {"value": ["en"]},
    "service": {"value": "individual"},
    "format": {"value": ["online"]},
    "payment": {"kind": "self-pay", "insurer": "", "budget": "$200"},
    "hours": {
        "zone": "America/Los_Angeles",
        "cells": ["tue-morning", "tue-afternoon", "tue-evening", "thu-evening"],
    },
    "wishes": {"gender-want": ["woman"]},
    "style": {"directive": "1", "warm": "2"},
    "about-you": {"gender": ["woman"], "faith": ["none"]},
}


@pytest.fixture
def client(session, http):
    client = make_client(session, place="")
    sign_in(http, client.user)
    return client


def page_of(answer):
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def text_of(answer):
    return re.sub(r"\s+", " ", page_of(answer).get_text(" "))


def send(http, page, action="continue", **values):
    return http.post(f"/intake/{page}", data=values | {"action": action})


def answers(session, client):
    session.expire_all()
    return queries.answers_of(queries.open_intake(client))


def walk(http, sent):
    """Go from /intake to the list of answers as the pages lead; returns the pages passed."""
    passed, address = [], http.get("/intake").location
    while not address.endswith("/intake/check"):
        key = address.rpartition("/")[2]
        assert http.get(address).status_code == 200
        passed.append(key)
        address = send(http, key, **sent.get(key, {"action": "skip"})).location
    return passed


def test_the_whole_intake_is_answered_page_by_page_checked_and_finished(session, http, client):
    assert walk(http, SENT) == list(KEYS)
    assert answers(session, client) == dict(ANSWERS)
    check = text_of(http.get("/intake/check"))
    for words in (ANSWERS["story"], "Panic attacks: a great deal", "At most $200", "1990"):
        assert words in check
    assert http.post("/intake/submission").location == "/intake/result"
    result = text_of(http.get("/intake/result"))
    assert "add up to 10 of 27, in the range called moderate" in result
    assert "It is not a diagnosis" in result
    assert PANEL not in result


def test_every_question_can_be_skipped_and_the_rest_still_works(session, http, client):
    passed = walk(http, {})
    assert passed == [key for key in KEYS if key != "concern-weights"]
    assert set(answers(session, client).values()) == {None}
    http.post("/intake/submission")
    result = text_of(http.get("/intake/result"))
    assert "nothing to add up" in result
    assert "Say where you will be" in result


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_each_question_says_what_it_asks_why_and_how_to_leave_it(session, http, client, page):
    send(http, "concerns", value=["panic"])
    asked = page_of(http.get(f"/intake/{page.key}"))
    assert [one.get_text(strip=True) for one in asked.find_all("h1")] == [page.heading]
    assert page.why in asked.find("main").get_text(" ")
    assert [one["value"] for one in asked.find("main").find_all("button")] == [
        "continue",
        "skip",
        "leave",
    ]
    if page.instrument:
        assert INSTRUMENTS[page.instrument].recall in asked.get_text(" ")


def test_an_answer_is_there_again_when_one_comes_back(session, http, client):
    for key in KEYS:
        send(http, key, **SENT[key])
    again = page_of(http.get("/intake/concerns"))
    assert {one["value"] for one in again.find_all("input", checked=True)} == {"panic", "grief"}
    assert page_of(http.get("/intake/payment")).find(id="budget")["value"] == "200"
    assert page_of(http.get("/intake/phq-9-1")).find("input", checked=True)["value"] == "2"
    ticked = {one["value"] for one in page_of(http.get("/intake/hours")).find_all(checked=True)}
    assert ticked == set(SENT["hours"]["cells"])
    style = page_of(http.get("/intake/style")).find(id="warm").find("option", selected=True)
    assert style["value"] == "2"


def test_it_resumes_in_another_browser_where_it_was_left(session, http, client, app):
    send(http, "story", value="first", action="leave")
    send(http, "concerns", action="skip")
    elsewhere = app.test_client()
    sign_in(elsewhere, client.user)
    assert elsewhere.get("/intake").location == "/intake/phq-9-1"
    assert "first" in text_of(elsewhere.get("/intake/story"))


def test_save_and_leave_keeps_what_is_there_and_asks_for_nothing_more(session, http, client):
    left = send(http, "story", value="half a", action="leave")
    assert (left.status_code, left.location) == (303, "/today")
    assert send(http, "phq-9-1", action="leave").location == "/today"
    assert answers(session, client) == {"story": "half a"}


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("story", {"value": "x" * 5001}),
        ("payment", {"kind": "insurance", "insurer": "", "budget": "85.50"}),
        ("birth-year", {"value": "nineteen"}),
    ],
)
def test_leaving_never_drops_what_was_typed_while_saying_that_it_is_kept(http, client, page, typed):
    answer = send(http, page, action="leave", **typed)
    assert answer.status_code == 422
    assert page_of(answer).find(class_="error-summary")


@pytest.mark.parametrize("page", [key for key in KEYS if key != "concern-weights"])
def test_a_page_left_empty_can_be_left(session, http, client, page):
    form = page_of(http.get(f"/intake/{page}")).find("form", id="question")
    zone = form.find("select", {"name": "zone"})
    sent = {"zone": zone.find("option")["value"]} if zone else {}
    assert send(http, page, action="leave", **sent).location == "/today"


@pytest.mark.parametrize(
    ("page", "values", "words"),
    [
        ("phq-9-1", {}, "Please choose an answer"),
        ("phq-9-1", {"value": "4"}, "Not a valid choice"),
        ("phq-9-9", {"value": "-1"}, "Not a valid choice"),
        ("concerns", {}, "Please choose at least one"),
        ("concerns", {"value": ["nonsense"]}, "not a valid choice"),
        ("place", {"value": "US-ZZ"}, "Not a valid choice"),
        ("birth-year", {"value": "nineteen"}, "four digits"),
        ("birth-year", {"value": "1850"}, "four digits"),
        ("birth-year", {"value": "２０００"}, "four digits"),
        ("birth-year", {"value": "1" * 5000}, "with four digits"),
        ("payment", {"kind": "insurance", "insurer": ""}, "which insurance"),
        ("payment", {"kind": "self-pay", "budget": "a lot"}, "such as 90"),
        ("payment", {"kind": "self-pay", "budget": "-5"}, "such as 90"),
        ("hours", {"zone": "America/Chicago"}, "Please choose at least one"),
        ("hours", {"zone": "Mars/Base", "cells": ["tue-morning"]}, "Not a valid choice"),
        ("wishes", {"gender-strength": "must_have"}, "what this is about"),
        ("wishes", {"gender-want": ["man"], "gender-strength": "no_preference"}, "How much does"),
        ("wishes", {"faith-want": ["unknown"]}, "not a valid choice"),
        ("style", {"warm": "9"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(session, http, client, page, values, words):
    answer = send(http, page, **values)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert page_of(answer).find(class_="error-summary")
    assert answers(session, client) == {}


def test_nothing_typed_is_lost_when_something_else_must_be_mended(session, http, client):
    answer = send(http, "payment", kind="insurance", insurer="", budget="85.50")
    refused = page_of(answer)
    assert refused.find(id="budget")["value"] == "85.50"
    assert refused.find("input", checked=True)["value"] == "insurance"
    long = send(http, "story", value="x" * 5001)
    assert long.status_code == 422
    assert "x" * 5001 in text_of(long)


def test_faith_and_the_like_can_only_be_a_wish(session, http, client):
    send(http, "wishes", **{"faith-want": ["jewish"], "faith-strength": "must_have"})
    wish = answers(session, client)["wishes"]["faith"]
    assert wish == {"want": ["jewish"], "strength": "would_like"}


def test_changing_an_answer_from_the_list_leads_back_to_the_list(session, http, client):
    walk(http, SENT)
    listed = page_of(http.get("/intake/check"))
    assert listed.find("a", href="/intake/service?back=check")
    changed = http.post("/intake/service?back=check", data={"value": "couple"})
    assert changed.location == "/intake/check"
    weigh = http.post("/intake/concerns?back=check", data={"value": ["anger"]})
    assert weigh.location == "/intake/concern-weights?back=check"
    assert answers(session, client)["service"] == "couple"


def test_finished_answers_can_be_taken_up_again(session, http, client):
    first = make_intake(session, client)
    session.commit()
    assert "Your answers are with us" in text_of(http.get("/intake"))
    assert http.post("/intake").location == "/intake/check"
    http.post("/intake/story?back=check", data={"value": "changed"})
    http.post("/intake/submission")
    session.expire_all()
    latest = queries.latest_submitted(client)
    assert latest.id != first.id
    assert queries.answers_of(latest) == dict(ANSWERS) | {"story": "changed"}


def test_an_answer_sent_from_an_old_tab_begins_a_new_run_with_all_the_others(session, http, client):
    make_intake(session, client)
    session.commit()
    send(http, "service", value="family")
    assert answers(session, client) == dict(ANSWERS) | {"service": "family"}


def test_finishing_twice_is_answered_plainly(session, http, client):
    http.post("/intake")
    assert http.post("/intake/submission").status_code == 303
    again = http.post("/intake/submission")
    assert again.status_code == 409
    assert "already with us" in text_of(again)


@pytest.mark.parametrize("missing", [Purpose.privacy_notice, Purpose.assessment])
@pytest.mark.parametrize("address", ["/intake", "/intake/phq-9-1", "/intake/check"])
def test_no_health_question_before_both_consents(session, http, client, missing, address):
    signed = sa.select(Signature).where(Signature.purpose == missing)
    make_revocation(session, session.scalars(signed).one())
    session.commit()
    assert http.get(address).location == "/consents/before-you-begin"
    assert send(http, "phq-9-9", value="3").location == "/consents/before-you-begin"
    assert session.scalars(sa.select(Intake)).all() == []


def test_a_positive_item_9_shows_help_above_everything_and_says_who_reads_it(session, http, client):
    make_shift(session)
    session.commit()
    answer = send(http, "phq-9-9", value="1")
    assert answer.location == "/intake/gad-7-1"
    following = page_of(http.get(answer.location))
    assert following.find("main").find(["section", "form", "h1"])["class"] == ["crisis-panel"]
    assert "until Tuesday 1 December at 17:00 (Los Angeles time)" in following.get_text()
    assert session.scalars(sa.select(RiskFlag.promised)).one() in following.get_text()


def test_with_nobody_on_duty_the_page_says_so(http, client):
    send(http, "phq-9-9", value="3")
    assert "Nobody is on duty right now and no shift is planned" in text_of(
        http.get("/intake/gad-7-1")
    )


def test_the_panel_blocks_nothing_and_makes_way_for_the_next_question(http, client, clock):
    send(http, "phq-9-9", value="2")
    clock.move(timedelta(minutes=1))
    assert send(http, "gad-7-1", value="0").location == "/intake/gad-7-2"
    assert PANEL not in text_of(http.get("/intake/gad-7-2"))


def test_the_panel_comes_back_with_the_result(http, client, clock):
    send(http, "phq-9-9", value="2")
    clock.move(timedelta(minutes=1))
    send(http, "gad-7-1", value="0")
    http.post("/intake/submission")
    assert PANEL in text_of(http.get("/intake/result"))


def test_an_old_promise_is_not_repeated_when_the_rota_no_longer_bears_it_out(
    session, http, client, clock
):
    make_shift(session, ends_at=NOW + timedelta(hours=1))
    session.commit()
    send(http, "phq-9-9", value="1")
    clock.move(timedelta(hours=2))
    assert "Nobody is on duty right now" in text_of(http.get("/intake/gad-7-1"))


def test_once_a_clinician_has_read_it_the_page_says_that(session, http, client, clock, app):
    clinician = make_shift(session).user
    staff = app.test_client()
    sign_in(staff, clinician)
    send(http, "phq-9-9", value="1")
    clock.move(timedelta(minutes=5))
    flag = session.scalars(sa.select(RiskFlag)).one()
    assert staff.get(f"/flags/{flag.public_id}").status_code == 200
    assert HAS_READ in text_of(http.get("/intake/gad-7-1"))


def test_skipping_item_9_raises_nothing(session, http, client):
    send(http, "phq-9-9", action="skip")
    assert PANEL not in text_of(http.get("/intake/gad-7-1"))
    assert session.scalars(sa.select(RiskFlag)).all() == []


def test_somebody_too_young_meets_help_and_nothing_is_kept(session, http, client):
    send(http, "story", value="a secret")
    answer = send(http, "birth-year", value="2012")
    assert answer.location == "/intake/young-people"
    told = http.get(answer.location)
    assert "There is help made for you" in text_of(told)
    assert "/young-people" in told.get_data(as_text=True)
    assert session.scalars(sa.select(Intake)).all() == []


def test_somebody_too_young_and_in_danger_sees_the_panel_and_what_stays(http, client):
    send(http, "phq-9-9", value="3")
    told = text_of(http.get(send(http, "birth-year", value="2012").location))
    assert PANEL in told
    assert "One thing stays" in told


def test_an_unknown_page_is_not_found(http, client):
    assert http.get("/intake/phq-9-10").status_code == 404
    assert send(http, "phq-9-10", value="1").status_code == 404


def test_one_client_never_sees_or_changes_the_answers_of_another(session, http, client, app):
    other = make_client(session)
    make_intake(session, other, story="canary of another")
    make_intake(session, other, story="canary of another", submitted=False)
    session.commit()
    for address in ("/intake", "/intake/story", "/intake/result", "/intake/check"):
        assert "canary" not in http.get(address, follow_redirects=True).get_data(as_text=True)
    send(http, "story", value="mine")
    http.post("/intake/submission")
    assert answers(session, other)["story"] == "canary of another"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.client}))
def test_the_intake_is_a_page_for_clients_only(session, http, role):
    sign_in(http, make_user(session, roles=(role,)))
    assert http.get("/intake").status_code == 404
    assert send(http, "story", value="x").status_code == 404


def test_a_visitor_is_asked_to_sign_in_first(app):
    assert app.test_client().get("/intake").location == "/sign-in?next=/intake"


def test_an_answer_without_the_token_of_the_form_is_refused(session, http, client, app):
    app.config["WTF_CSRF_ENABLED"] = True
    assert send(http, "phq-9-9", value="3").status_code == 400
    assert session.scalars(sa.select(Intake)).all() == []


def test_no_log_line_holds_a_word_of_the_answers(session, http, client, caplog):
    caplog.set_level(0)
    send(http, "story", value="canary in the story")
    send(http, "phq-9-9", value="3")
    send(http, "payment", kind="insurance", budget="canary")
    assert "canary" not in caplog.text


def test_own_words_raise_nothing_and_their_page_says_so_with_help_beside_it(session, http, client):
    """No person and no model reads them; the questionnaire's own question does raise a worry."""
    main = page_of(http.get("/intake/story")).main
    told = re.sub(r"\s+", " ", main.get_text(" "))
    assert "Nobody here reads this while you write or when you send your answers" in told
    assert "No machine looks through your words for signs of danger" in told
    calls = [link["href"] for link in main.select("a[href^='tel:'], a[href^='sms:']")]
    assert calls == ["tel:988", "sms:988", "tel:911"]
    walk(http, {"story": {"value": "I want to end my life tonight."}})
    assert http.post("/intake/submission").location == "/intake/result"
    assert session.scalars(sa.select(RiskFlag)).all() == []
