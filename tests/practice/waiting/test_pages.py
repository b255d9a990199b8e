"""The pages: the client's, which tell nothing of others, and the lead's, which nobody else sees."""

import io
import json
import re
import uuid
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from core.audit import AuditEntry
from core.outbox import OutboxMessage, drain
from practice.accounts.models import Role
from practice.matches.models import MatchRequest, Proposal
from practice.matches.obstacles import FEWEST_TOLD
from practice.matches.replaying import Verdict, replayed
from practice.waiting import deciding, operations, runs
from practice.waiting.comparing import percent_of
from practice.waiting.models import Placement, PlacementState, WaitingRun
from tests.builders.accounts import make_user, sign_in
from tests.builders.intake import STORY
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.builders.waiting import entry_of, make_lead, make_run, make_waiting, placement_of
from tests.conftest import NOW

LIST = "/waiting-list"


def text(answer):
    assert answer.status_code in {200, 422}, answer.status_code
    page = BeautifulSoup(answer.data, "html.parser")
    return re.sub(r"\s+", " ", page.get_text(" "))


def soup(answer):
    return BeautifulSoup(answer.data, "html.parser")


def fresh(session):
    """What a request has committed since is read."""
    session.rollback()
    session.expire_all()


@pytest.fixture
def lead(session):
    return make_lead(session)


@pytest.fixture
def therapist(session):
    return make_therapist(session, "Rosa Almeida", open_places=1, skills={"panic": 3, "grief": 3})


@pytest.fixture
def client(session):
    return make_waiting(session, "Sam")


@pytest.fixture
def run(session, lead, therapist, client):
    return make_run(session, lead)


def confirm_all(http, run):
    return http.post(f"{LIST}/runs/{run.public_id}/confirmation", data={"placement": "all"})


@pytest.fixture
def offer(session, http, lead, client, run):
    sign_in(http, lead)
    assert confirm_all(http, run).status_code == 303
    fresh(session)
    placement = placement_of(session, client)
    sign_in(http, client.user)
    return f"/waiting/offers/{placement.public_id}"


# The client's


def test_where_nobody_fits_one_can_join_and_leave(session, http):
    client = make_seeker(session)
    sign_in(http, client.user)
    assert "See how waiting works" in text(http.get("/matches"))
    assert http.post("/waiting").status_code == 303
    page = text(http.get("/waiting"))
    assert "You are on the waiting list" in page
    assert "See the groups" in page
    assert "You are on the waiting list" in text(http.get("/matches"))
    assert http.post("/waiting/departure").status_code == 303
    assert "Put me on the waiting list" in text(http.get("/waiting"))
    assert http.post("/waiting/departure").status_code == 303


def test_who_would_rather_not_choose_can_wait_too(session, http, therapist):
    sign_in(http, make_seeker(session).user)
    assert "See how waiting works" in text(http.get("/matches"))


def test_the_page_of_who_waits_is_the_same_however_many_wait_before_them(session, http, client):
    sign_in(http, client.user)
    alone = http.get("/waiting").data
    for number in range(3):
        make_waiting(session, f"Earlier {number}", days=99)
    session.commit()

    def bare(page):
        return re.sub(rb'nonce="[^"]*"|value="[^"]*"', b"", page)

    assert bare(http.get("/waiting").data) == bare(alone)


HEAVY = {f"phq_9_{item}": 3 for item in range(1, 9)}
MORE_HELP = "You deserve more help than a weekly meeting"


def panels(page):
    return page.select(".crisis-panel a[href='tel:988']")


@pytest.mark.parametrize("waits", [False, True])
def test_somebody_beyond_every_scope_is_led_to_a_person_before_they_wait(session, http, waits):
    make_therapist(session, most_acuity=1)
    client = make_waiting(session, **HEAVY) if waits else make_seeker(session, **HEAVY)
    sign_in(http, client.user)
    page = soup(http.get("/waiting"))
    assert MORE_HELP in page.get_text()
    assert "So please do not only wait." in page.get_text()
    assert panels(page)
    assert "Who reads this here" not in page.get_text(), "no flag was raised"


@pytest.mark.parametrize("thoughts", [1, 3])
def test_help_stands_above_the_wait_for_whoever_may_be_in_danger(session, http, thoughts):
    """Somebody would fit them: it is not for want of a therapist that they should call."""
    make_therapist(session, most_acuity=3)
    sign_in(http, make_waiting(session, phq_9_9=thoughts).user)
    page = soup(http.get("/waiting"))
    assert panels(page)
    assert "Who reads this here." in page.get_text(" ")
    assert MORE_HELP not in page.get_text()


@pytest.mark.parametrize(("answers", "is_offered"), [(HEAVY, True), ({}, False)])
def test_whoever_is_acutely_unwell_and_fits_nobody_is_offered_a_person(
    session, http, answers, is_offered
):
    make_therapist(session, fee=90000, most_acuity=1)
    sign_in(http, make_waiting(session, **answers).user)
    page = soup(http.get("/waiting"))
    assert ("A person should look at this with you" in page.get_text()) is is_offered
    assert bool(page.select("main a[href='/matches/review']")) is is_offered


def test_whoever_only_fits_nobody_now_waits_as_everybody_does(session, http):
    make_therapist(session, fee=90000)
    sign_in(http, make_waiting(session).user)
    page = soup(http.get("/waiting"))
    assert not panels(page)
    assert MORE_HELP not in page.get_text()


def test_a_place_that_was_found_is_not_called_too_little(session, http, lead):
    """The only one within whose scope they are keeps the last place for them."""
    make_therapist(session, "Rosa Almeida", open_places=1, most_acuity=2)
    make_therapist(session, "Lena Brandt", open_places=1, most_acuity=0)
    client = make_waiting(session, **HEAVY)
    run = make_run(session, lead)
    sign_in(http, lead)
    confirm_all(http, run)
    fresh(session)
    sign_in(http, client.user)
    page = text(http.get("/waiting"))
    assert "A place was found for you" in page
    assert MORE_HELP not in page


def test_an_offer_shows_who_and_why_and_is_answered_with_a_request(
    session, http, client, therapist, offer
):
    page = text(http.get(offer))
    assert "A place with Rosa Almeida" in page
    assert "How this adds up" in page
    assert "by 10:00 on Friday 4 December" in page
    answer = http.post(f"{offer}/agreement", data={"name": "Sam", "share": ["concerns"]})
    [request] = session.scalars(sa.select(MatchRequest))
    assert answer.location == f"/requests/{request.public_id}"
    assert set(request.shared) == {"name", "concerns"}
    assert "You said yes" in text(http.get(offer))
    sign_in(http, therapist.user)
    assert "One of your places is kept for them already" in text(http.get(answer.location))
    assert "one place is kept for people from the waiting list" in text(http.get("/profile"))
    sign_in(http, client.user)
    assert "Somebody has been asked" in text(http.get("/waiting"))


def test_an_offer_has_a_number_under_which_it_is_worked_out_again(session, http, client, offer):
    [number] = {each.get_text() for each in soup(http.get(offer)).select("p.soft .num")}
    assert soup(http.get(offer)).select_one("p.soft .num").get_text() == number
    fresh(session)
    kept = session.scalars(sa.select(Proposal).where(Proposal.public_id == uuid.UUID(number))).one()
    found = replayed(kept)
    assert found.verdict is Verdict.same
    shown = soup(http.get(offer)).select_one(".sum .total .num").get_text()
    assert [matching.shown_total(one.total_shown) for one in found.therapists] == [int(shown)]


def test_not_this_one_is_one_click_without_a_reason(session, http, client, offer):
    assert http.post(f"{offer}/refusal").location == "/waiting"
    assert "You said “not this one”" in text(http.get(offer))
    assert "You are on the waiting list" in text(http.get("/waiting"))
    assert http.post(f"{offer}/agreement", data={"name": ""}).location == offer
    assert not session.scalars(sa.select(MatchRequest)).all()


def test_pressing_yes_twice_says_what_became_of_it_and_nothing_that_is_not_true(
    session, http, client, offer
):
    for _ in range(2):
        answer = http.post(f"{offer}/agreement", data={"name": "Sam"})
    assert answer.location == offer
    page = text(http.get(offer))
    assert "You said yes" in page
    assert "has gone back" not in page
    assert len(session.scalars(sa.select(MatchRequest)).all()) == 1


def test_whoever_left_the_list_is_not_told_that_they_still_wait(session, http, client, offer):
    assert http.post("/waiting/departure").status_code == 303
    page = text(http.get(offer))
    assert "This place is no longer kept" in page
    assert "none of the time" not in page


def test_when_the_time_is_over_the_page_says_so_and_nothing_can_be_sent(
    session, http, clock, client, offer
):
    clock.move_to(NOW + timedelta(days=7))
    sign_in(http, client.user)
    assert "This place is no longer kept" in text(http.get(offer))
    http.post(f"{offer}/agreement", data={"name": ""})
    assert not session.scalars(sa.select(MatchRequest)).all()


def test_somebody_who_can_no_longer_be_asked_is_said_and_the_place_goes_back(
    session, http, client, therapist, offer
):
    therapist.services = ["couple"]
    session.commit()
    assert http.post(f"{offer}/agreement", data={"name": ""}).location == "/waiting"
    fresh(session)
    assert placement_of(session, client).state is PlacementState.withdrawn
    assert therapist.open_places == 1
    assert "cannot be asked any more" in text(http.get("/waiting"))


def test_an_offer_is_nobody_elses(session, http, lead, offer):
    for somebody in (make_seeker(session).user, lead):
        sign_in(http, somebody)
        assert http.get(offer).status_code == 404
        assert http.post(f"{offer}/agreement", data={"name": ""}).status_code == 404
        assert http.post(f"{offer}/refusal").status_code == 404


def test_the_copy_of_everything_tells_of_the_wait(session, http, client, therapist, offer):
    with zipfile.ZipFile(io.BytesIO(http.post("/your-data/copy").data)) as archive:
        [waiting] = json.loads(archive.read("data.json"))["waiting"]
        document = archive.read("your-data.html").decode()
    [placement] = waiting["placements"]
    assert (placement["state"], placement["therapist"]) == ("offered", "Rosa Almeida")
    assert placement["fitting"][0]["therapist"] == "Rosa Almeida"
    assert "When you waited for a place" in document


def test_whom_the_lead_or_the_client_did_not_want_shows_in_no_why_not(
    session, http, lead, client, therapist, run
):
    def why_not():
        sign_in(http, client.user)
        page = http.get("/matches/why-not?name=Rosa").data
        return re.sub(rb'nonce="[^"]*"|value="[^"]*"', b"", page)

    before = why_not()
    placement = placement_of(session, client)
    deciding.reject(session, placement, "Neighbours.", lead, NOW, seen=0)
    session.commit()
    assert why_not() == before


# The lead's


def test_a_proposal_is_asked_for_and_worked_out_in_the_background(
    app, session, http, lead, therapist, client
):
    sign_in(http, lead)
    assert "No proposal has been made yet" in text(http.get(LIST))
    http.post(f"{LIST}/runs")
    page = http.get(LIST)
    assert "A proposal is being worked out" in text(page)
    assert b'href="/waiting-list">Look again' in page.data
    fresh(session)
    drain(app, NOW)
    page = text(http.get(LIST))
    assert "One person of 1 could be placed: no more than by first come, first served" in page
    assert "First come, first served" in page
    assert "Rosa Almeida" in page


def test_the_lead_sees_names_and_need_and_neither_story_nor_questionnaires(
    session, http, lead, client, run
):
    sign_in(http, lead)
    placement = placement_of(session, client)
    page = text(http.get(LIST)) + text(http.get(f"{LIST}/placements/{placement.public_id}"))
    assert "Sam" in page
    assert "Panic" in page
    assert STORY not in page
    assert "PHQ" not in page
    fresh(session)
    looks = sa.select(AuditEntry.action).where(AuditEntry.action.like("%.viewed"))
    seen = session.scalars(looks.order_by(AuditEntry.id)).all()
    assert seen == ["waiting_list.viewed", "placement.viewed"]


def test_a_change_says_what_it_costs_and_is_made(session, http, lead, therapist):
    make_therapist(session, "Lena Brandt", open_places=1, skills={"panic": 1})
    ann, ben = make_waiting(session, "Ann"), make_waiting(session, "Ben", days=20)
    make_run(session, lead)
    sign_in(http, lead)
    with_rosa, with_lena = ann, ben
    if placement_of(session, ann).proposed != str(therapist.public_id):
        with_rosa, with_lena = ben, ann
    address = f"{LIST}/placements/{placement_of(session, with_lena).public_id}"
    page = text(http.get(address))
    assert re.search(rf"{with_rosa.preferred_name} would go to Lena Brandt", page)
    assert http.post(f"{address}/change").status_code == 422
    sent = {"therapist": str(therapist.public_id)}
    assert http.post(f"{address}/change", data=sent).location == LIST
    fresh(session)
    assert placement_of(session, with_lena).proposed == str(therapist.public_id)


def about(session, client, reason="Neighbours."):
    """The form of a rejection as the page of the placement sends it."""
    return {"reason": reason, "seen": placement_of(session, client).run.version}


CONFIRMED = "confirmed Sam with Rosa Almeida"
REJECTED = "decided not to propose Rosa Almeida for Sam"


def main_of(answer):
    return re.sub(r"\s+", " ", soup(answer).main.get_text(" "))


@pytest.mark.parametrize("what", [CONFIRMED, REJECTED])
def test_when_a_colleague_decided_first_what_was_typed_is_still_there_and_says_who(
    session, http, lead, client, run, what
):
    odile, placement = make_lead(session, "Odile Marchand"), placement_of(session, client)
    sent = about(session, client)
    if what == CONFIRMED:
        deciding.confirm(session, run, [placement], odile, NOW, seen=0)
    else:
        deciding.reject(session, placement, "At school together.", odile, NOW, seen=0)
    session.commit()
    sign_in(http, lead)
    answer = http.post(f"{LIST}/placements/{placement.public_id}/rejection", data=sent)
    assert answer.status_code == 409
    page = main_of(answer)
    assert f"Odile Marchand {what}, Tuesday 1 December at 10:00" in page
    assert "Neighbours." in page
    assert ("At school together." in page) is (what == REJECTED)
    fresh(session)
    assert "Neighbours." not in placement_of(session, client).reason
    act = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (act.action, act.subject_id) == ("placement.viewed", placement.public_id)


@pytest.mark.parametrize("act", ["change", "confirmation"])
@pytest.mark.parametrize("is_own", [True, False])
def test_acting_on_what_is_decided_says_who_decided_it_and_when(
    session, http, lead, client, therapist, run, is_own, act
):
    by = lead if is_own else make_lead(session, "Odile Marchand")
    placement = placement_of(session, client)
    deciding.confirm(session, run, [placement], by, NOW, seen=0)
    session.commit()
    sign_in(http, lead)
    sent = {"therapist": str(therapist.public_id), "seen": "0"}
    answer = http.post(f"{LIST}/placements/{placement.public_id}/{act}", data=sent)
    assert answer.status_code == 409
    who = "You" if is_own else "Odile Marchand"
    assert f"{who} {CONFIRMED}, Tuesday 1 December at 10:00" in main_of(answer)
    assert "Nothing of yours was done." in main_of(answer)
    assert f"{who} {CONFIRMED}" in text(http.get(f"{LIST}/placements/{placement.public_id}"))
    assert http.post(f"{LIST}/placements/{uuid.uuid4()}/{act}", data=sent).status_code == 404


def test_when_the_proposal_is_gone_what_was_typed_is_still_there(session, http, lead, client, run):
    sent, placement = about(session, client), placement_of(session, client).public_id
    runs.withdraw(session, run, lead, NOW)
    session.commit()
    sign_in(http, lead)
    gone = http.post(f"{LIST}/placements/{placement}/rejection", data=sent)
    never_was = http.post(f"{LIST}/placements/{uuid.uuid4()}/rejection", data=sent)
    assert (gone.status_code, never_was.status_code) == (404, 404)
    assert b"Neighbours." in gone.data
    assert b"Sam" not in gone.data
    assert without_nonce(gone.data) == without_nonce(never_was.data)


def without_nonce(page):
    return re.sub(rb'nonce="[^"]*"|value="[^"]*"', b"", page)


def test_a_reason_is_about_the_two_who_stood_on_the_page(session, http, lead, client, run):
    lena = make_therapist(session, "Lena Brandt")
    run = make_run(session, lead, NOW + timedelta(hours=1))
    sent, placement = about(session, client), placement_of(session, client)
    [other] = {each for each, _ in placement.candidates} - {placement.proposed}
    deciding.change(session, placement, other, make_lead(session, "Odile Marchand"), NOW, seen=0)
    session.commit()
    sign_in(http, lead)
    answer = http.post(f"{LIST}/placements/{placement.public_id}/rejection", data=sent)
    assert answer.status_code == 409
    page = BeautifulSoup(answer.data, "html.parser").main
    assert page.textarea.get_text().strip() == "Neighbours."
    assert "This has changed since you opened it" in page.get_text()
    fresh(session)
    assert placement_of(session, client).state is PlacementState.proposed
    assert run.stands
    assert lena.open_places


def test_a_rejection_needs_a_reason_and_is_shown_the_next_time(session, http, lead, client, run):
    sign_in(http, lead)
    address = f"{LIST}/placements/{placement_of(session, client).public_id}"
    assert http.post(f"{address}/rejection").status_code == 422
    assert http.post(f"{address}/rejection", data=about(session, client)).location == LIST
    assert "You decided not to propose Rosa Almeida for Sam" in text(http.get(address))
    fresh(session)
    make_run(session, lead, NOW + timedelta(hours=1))
    address = f"{LIST}/placements/{placement_of(session, client).public_id}"
    page = text(http.get(address))
    assert "Rosa Almeida : Neighbours." in page
    assert "waits on" in page


def test_nothing_ticked_and_something_decided_already_are_told(session, http, lead, client, run):
    sign_in(http, lead)
    address = f"{LIST}/runs/{run.public_id}/confirmation"
    http.post(address)
    assert "tick at least one" in text(http.get(LIST))
    ticked = {"placement": str(placement_of(session, client).public_id)}
    http.post(address, data=ticked)
    assert "One person has been written to" in text(http.get(LIST))
    answer = http.post(address, data=ticked)
    assert answer.status_code == 409
    assert "Nothing was confirmed" in main_of(answer)
    assert "You confirmed Sam with Rosa Almeida, Tuesday 1 December at 10:00" in main_of(answer)
    assert "Offered" in main_of(answer)
    assert answer.data.count(b"<h1>") == 1


@pytest.fixture
def changed(session, lead, therapist, client):
    """Sam, whom Odile proposed for Lena after the page of the lead was opened at version 0."""
    make_therapist(session, "Lena Brandt", open_places=3, skills={"panic": 1})
    make_run(session, lead)
    placement = placement_of(session, client)
    [other] = {each for each, _ in placement.candidates} - {placement.proposed}
    deciding.change(session, placement, other, make_lead(session, "Odile Marchand"), NOW, seen=0)
    session.commit()
    return placement


SAID = "Odile Marchand proposed Lena Brandt for Sam instead, Tuesday 1 December at 10:00"


@pytest.mark.parametrize("seen", ["0", "", "what", "-1"])
def test_what_a_colleague_changed_is_shown_before_it_is_confirmed(
    session, http, lead, client, changed, seen
):
    sign_in(http, lead)
    address = f"{LIST}/placements/{changed.public_id}"
    answer = http.post(f"{address}/confirmation", data={"seen": seen})
    assert answer.status_code == 409
    assert SAID in main_of(answer)
    assert "Sam with Lena Brandt" in soup(answer).h1.get_text()
    fresh(session)
    assert placement_of(session, client).state is PlacementState.proposed
    [again] = soup(answer).select(f'form[action="{address}/confirmation"] [name="seen"]')
    assert http.post(f"{address}/confirmation", data={"seen": again["value"]}).location == LIST
    assert "One person has been written to" in text(http.get(LIST))
    fresh(session)
    assert placement_of(session, client).therapist.name == "Lena Brandt"


def test_a_choice_that_was_made_on_another_state_of_things_is_kept_and_not_carried_out(
    session, http, lead, client, therapist, changed
):
    sign_in(http, lead)
    sent = {"therapist": str(therapist.public_id), "seen": "0"}
    answer = http.post(f"{LIST}/placements/{changed.public_id}/change", data=sent)
    assert answer.status_code == 409
    assert SAID in main_of(answer)
    assert "This has changed since you opened it" in main_of(answer)
    [chosen] = soup(answer).select('[name="therapist"][checked]')
    assert chosen["value"] == sent["therapist"]
    fresh(session)
    assert placement_of(session, client).proposed != sent["therapist"]


@pytest.mark.parametrize("how", ["all", "ticked"])
def test_of_many_only_the_unchanged_are_written_to_and_the_page_says_who_is_not(
    session, http, lead, client, therapist, how
):
    make_therapist(session, "Lena Brandt", open_places=3, skills={"panic": 1})
    for name in ("Ann", "Ben"):
        make_waiting(session, name)
    run, odile = make_run(session, lead), make_lead(session, "Odile Marchand")
    sign_in(http, lead)
    page = soup(http.get(LIST))
    [seen] = page.select('form.stack [name="seen"]')
    ids = [one["value"] for one in page.select('input[name="placement"]')]
    waiting = list(session.scalars(sa.select(Placement).order_by(Placement.id)))
    changed = next(one for one in waiting if one.proposed == str(therapist.public_id))
    rejected = next(one for one in waiting if one is not changed)
    [other] = {each for each, _ in changed.candidates} - {changed.proposed}
    deciding.change(session, changed, other, odile, NOW, seen=0)
    deciding.reject(session, rejected, "Neighbours.", odile, NOW, seen=0)
    session.commit()
    sent = {"seen": seen["value"], "placement": "all" if how == "all" else ids}
    answer = http.post(f"{LIST}/runs/{run.public_id}/confirmation?show=proposed", data=sent)
    assert answer.status_code == 200
    names = changed.client.preferred_name, rejected.client.preferred_name
    assert "One person has been written to, and 2 were left as they are" in main_of(answer)
    assert f"Odile Marchand proposed Lena Brandt for {names[0]} instead" in main_of(answer)
    assert f"Odile Marchand decided not to propose Lena Brandt for {names[1]}" in main_of(answer)
    with http.session_transaction() as cookie:
        assert not any(name in str(dict(cookie)) for name in names)
    fresh(session)
    states = {one: one.state for one in session.scalars(sa.select(Placement))}
    assert states[changed] is PlacementState.proposed
    assert states[rejected] is PlacementState.rejected
    assert list(states.values()).count(PlacementState.offered) == 1
    looks = sa.select(AuditEntry).where(AuditEntry.action == "waiting_list.viewed")
    newest = session.scalars(looks.order_by(AuditEntry.id.desc())).first()
    # The one who was rejected is on this part of the list by the note alone.
    assert newest.details["clients"] == 3


def test_who_is_gone_is_told_without_a_name_and_the_others_are_written_to(
    session, http, lead, client, therapist
):
    make_therapist(session, "Lena Brandt", open_places=3, skills={"panic": 1})
    left = make_waiting(session, "Ann")
    run = make_run(session, lead)
    ids = [str(placement_of(session, each).public_id) for each in (left, client)]
    operations.leave(session, entry_of(session, left), NOW)
    session.commit()
    sign_in(http, lead)
    answer = http.post(
        f"{LIST}/runs/{run.public_id}/confirmation", data={"placement": ids, "seen": "0"}
    )
    assert "One person you ticked no longer waits, or is in a newer proposal." in main_of(answer)
    assert "Ann" not in main_of(answer)
    fresh(session)
    assert placement_of(session, client).state is PlacementState.offered
    sent = {"placement": ids[0], "seen": "0"}
    http.post(f"{LIST}/runs/{run.public_id}/confirmation", data=sent)
    assert "a newer proposal has come" in text(http.get(LIST))


def test_what_is_in_the_way_leaves_the_others_one_press_away_and_the_changed_unticked(
    session, http, lead, client, therapist
):
    lena = make_therapist(session, "Lena Brandt", open_places=3, skills={"panic": 1})
    for name in ("Ann", "Ben"):
        make_waiting(session, name)
    run, odile = make_run(session, lead), make_lead(session, "Odile Marchand")
    waiting = list(session.scalars(sa.select(Placement).order_by(Placement.id)))
    changed = next(one for one in waiting if one.proposed == str(therapist.public_id))
    hindered, free = (one for one in waiting if one is not changed)
    deciding.change(session, changed, str(lena.public_id), odile, NOW, seen=0)
    hindered.client.place = ""
    session.commit()
    sign_in(http, lead)
    address = f"{LIST}/runs/{run.public_id}/confirmation"
    answer = http.post(
        address, data={"placement": [str(one.public_id) for one in waiting], "seen": "0"}
    )
    assert answer.status_code == 409
    name = hindered.client.preferred_name
    assert f"Lena Brandt no longer fits {name}" in main_of(answer)
    assert "Odile Marchand proposed Lena Brandt for" in main_of(answer)
    ticked = {one["value"] for one in soup(answer).select('[name="placement"][checked]')}
    assert ticked == {str(hindered.public_id), str(free.public_id)}
    note = soup(answer).select_one(".note form")
    sent = {one["name"]: one["value"] for one in note.select("input")}
    assert (sent["placement"], sent["seen"]) == (str(free.public_id), "0")
    assert http.post(address, data=sent).status_code == 303
    fresh(session)
    assert session.get(Placement, free.id).state is PlacementState.offered
    assert session.get(Placement, changed.id).state is PlacementState.proposed


def test_a_proposal_taken_back_meanwhile_is_said_when_somebody_confirms_it(
    session, http, lead, client, run
):
    runs.withdraw(session, run, lead, NOW)
    session.commit()
    sign_in(http, lead)
    assert confirm_all(http, run).location == LIST
    assert "This proposal no longer stands" in text(http.get(LIST))


# How near it is


def test_a_search_that_was_stopped_is_told_beside_how_near_it_is_and_what_it_means(
    session, http, lead, run
):
    sign_in(http, lead)
    assert "none has a higher total; that is proven" in text(http.get(LIST))
    assert "stopped early" not in text(http.get(LIST))
    run.gap, run.cut_short = 0.01234, True
    session.commit()
    page = main_of(http.get(LIST))
    assert "none has a total more than 1.24 % higher; that is proven" in page
    assert "The search was stopped early" in page
    assert "with a total up to 1.24 % higher, and no more: that is certain" in page
    assert "The search goes on until at most 0.10 % can be missing" in page
    assert "You can decide on this proposal as on any other" in page


def test_how_near_it_is_is_never_rounded_to_nearer():
    said = {gap: percent_of(gap) for gap in (1e-9, 0.00001, 0.0001, 0.00012, 0.001, 0.00101, 0.5)}
    assert {gap: words.replace("\N{NO-BREAK SPACE}", " ") for gap, words in said.items()} == {
        1e-9: "0.01 %",
        0.00001: "0.01 %",
        0.0001: "0.01 %",
        0.00012: "0.02 %",
        0.001: "0.10 %",
        0.00101: "0.11 %",
        0.5: "50.00 %",
    }


def test_what_is_in_the_way_is_named_on_the_page_and_in_no_cookie(
    session, http, lead, client, therapist, run
):
    sign_in(http, lead)
    placement = placement_of(session, client)
    therapist.open_places = 0
    session.commit()
    answer = http.post(
        f"{LIST}/runs/{run.public_id}/confirmation", data={"placement": str(placement.public_id)}
    )
    assert answer.status_code == 409
    page = BeautifulSoup(answer.data, "html.parser")
    assert "Rosa Almeida has no open place left for Sam." in page.get_text()
    assert page.select_one(f'input[value="{placement.public_id}"]').has_attr("checked")
    with http.session_transaction() as cookie:
        assert "Sam" not in str(dict(cookie))


def test_a_proposal_that_could_not_be_worked_out_is_said_and_another_can_be_made(
    app, session, http, lead, therapist, client
):
    sign_in(http, lead)
    http.post(f"{LIST}/runs")
    session.rollback()
    session.execute(sa.update(OutboxMessage).values(dead_at=NOW))
    session.commit()
    page = text(http.get(LIST))
    assert "The proposal could not be worked out" in page
    assert "Make a new proposal" in page
    http.post(f"{LIST}/runs")
    drain(app, NOW)
    assert "Rosa Almeida" in text(http.get(LIST))


def test_while_the_next_is_worked_out_the_one_before_can_still_be_decided_on(
    session, http, lead, client, run
):
    sign_in(http, lead)
    http.post(f"{LIST}/runs")
    page = text(http.get(LIST))
    assert "A proposal is being worked out" in page
    assert "Confirm all 1" in page
    assert confirm_all(http, run).status_code == 303
    fresh(session)
    assert placement_of(session, client).state is PlacementState.offered


def test_a_proposal_is_taken_back_and_what_was_offered_stays(session, http, lead, client, offer):
    sign_in(http, lead)
    [run] = session.scalars(sa.select(WaitingRun))
    assert http.post(f"{LIST}/runs/{run.public_id}/withdrawal").location == LIST
    page = text(http.get(LIST))
    assert "was taken back" in page
    assert "Rosa Almeida" in page
    assert entry_of(session, client).left_at is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.clinical_lead])
def test_nobody_but_the_lead_finds_any_of_it(session, http, client, run, role):
    placement = placement_of(session, client)
    sign_in(http, make_user(session, roles=(role,)))
    for path in (LIST, f"{LIST}/placements/{placement.public_id}"):
        assert http.get(path).status_code == 404
    for path in (
        f"{LIST}/runs",
        f"{LIST}/runs/{run.public_id}/withdrawal",
        f"{LIST}/runs/{run.public_id}/confirmation",
        f"{LIST}/placements/{placement.public_id}/confirmation",
        f"{LIST}/placements/{placement.public_id}/change",
        f"{LIST}/placements/{placement.public_id}/rejection",
    ):
        assert http.post(path, data={"placement": "all"}).status_code == 404
    fresh(session)
    assert placement_of(session, client).state is PlacementState.proposed


# Prices on the client's page


def test_what_is_needed_elsewhere_is_a_line_of_the_sum_until_it_counts_no_more(
    session, http, clock, lead, therapist
):
    make_therapist(session, "Lena Brandt", open_places=50, skills={"panic": 1})
    for days in range(FEWEST_TOLD):
        make_waiting(session, days=days)
    run = make_run(session, lead)
    assert run.prices[str(therapist.public_id)] > 0
    arrival = make_seeker(session)
    sign_in(http, arrival.user)
    page = BeautifulSoup(http.get("/matches").data, "html.parser")
    card = page.select_one(f"#therapist-{therapist.public_id}")
    lines = [
        int(one.get_text().split(" of ")[0].replace("−", "-")) for one in card.select(".sum .num")
    ]
    assert "Needed elsewhere more" in card.get_text()
    assert sum(lines[:-1]) == lines[-1]
    clock.move_to(NOW + timedelta(days=7))
    sign_in(http, arrival.user)
    assert "Needed elsewhere more" not in text(http.get("/matches"))


def test_a_place_that_cannot_be_used_meanwhile_is_said_and_can_be_let_go(
    session, http, client, therapist, offer
):
    therapist.hours_confirmed_at = None
    session.commit()
    assert "This place cannot be used at the moment" in text(http.get(offer))
    assert http.post(f"{offer}/refusal").location == "/waiting"
    fresh(session)
    assert therapist.open_places == 1


def test_what_is_being_worked_out_can_be_stopped(app, session, http, lead, therapist, client):
    sign_in(http, lead)
    http.post(f"{LIST}/runs")
    run = session.scalars(sa.select(WaitingRun)).one()
    assert http.post(f"{LIST}/runs/{run.public_id}/withdrawal").status_code == 303
    fresh(session)
    drain(app, NOW)
    assert placement_of(session, client) is None
    assert "No proposal has been made yet" in text(http.get(LIST))
