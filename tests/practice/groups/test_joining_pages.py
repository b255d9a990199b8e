import uuid
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from practice.groups.models import EnrolmentState, GroupKind, GroupState, ScreeningDecision
from practice.groups.operations import HOLD_LASTS
from practice.wiring import sweep
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.groups import make_enrolment, make_group
from tests.conftest import NOW

SEAT = {"handle": "River", "agreed": "y", "typed_name": "Sam Doe"}


def page(answer):
    return BeautifulSoup(answer.text, "html.parser")


def words(answer) -> str:
    return " ".join(page(answer).select_one("main").get_text(" ").split())


def join_address(group):
    return f"/groups/{group.public_id}/enrolment"


def address(enrolment):
    return f"/enrolments/{enrolment.public_id}"


def invite(session, enrolment):
    enrolment.screening = ScreeningDecision(
        decided_by_id=enrolment.group.created_by_id, decided_at=NOW, invited=True, reason="Fits."
    )
    enrolment.state = EnrolmentState.invited
    session.flush()


def test_a_visitor_is_asked_to_sign_in_and_comes_back(session, http):
    group = make_group(session)
    session.commit()
    answer = http.get(join_address(group))
    assert answer.status_code == 303
    assert answer.location.endswith(f"next={join_address(group)}")


def test_a_free_seat_is_taken_with_one_form(session, http, agreement):
    group, client = make_group(session, price=0), make_client(session)
    sign_in(http, client.user)
    answer = http.post(join_address(group), data=SEAT, follow_redirects=True)
    assert page(answer).h1.text == "You have a seat"
    assert group.where in answer.text


def test_a_paid_seat_is_held_with_price_time_and_a_way_to_pay(session, http, agreement):
    group, client = make_group(session), make_client(session)
    sign_in(http, client.user)
    answer = http.post(join_address(group), data=SEAT, follow_redirects=True)
    assert page(answer).h1.text == "Your seat is held"
    assert "$240" in words(answer)
    assert "10:40" in words(answer)
    assert group.where not in answer.text
    assert page(answer).select_one("main form")["action"].endswith("/payment")


def test_the_place_is_asked_of_who_has_not_said_it_and_decides(session, http, agreement):
    group, client = make_group(session), make_client(session, place="")
    sign_in(http, client.user)
    assert page(http.get(join_address(group))).select_one("select[name=place]")
    elsewhere = http.post(join_address(group), data=SEAT | {"place": "US-OR"})
    assert (elsewhere.status_code, page(elsewhere).h1.text) == (409, "No seat this time")
    here = http.post(join_address(group), data=SEAT | {"place": "US-WA"})
    assert here.status_code == 303


def test_who_lives_where_nobody_is_licensed_is_told_before_any_form(session, http, agreement):
    group, client = make_group(session), make_client(session, place="US-OR")
    sign_in(http, client.user)
    answer = http.get(join_address(group))
    assert "licensed where you are" in words(answer)
    assert not page(answer).select("main form")


@pytest.mark.parametrize(
    "wrong",
    [
        {"handle": "a"},
        {"handle": "sam@example.org"},
        {"handle": "x" * 31},
        {"agreed": ""},
        {"typed_name": ""},
    ],
)
def test_nothing_typed_is_lost_when_something_is_missing(session, http, agreement, wrong):
    group, client = make_group(session), make_client(session)
    sign_in(http, client.user)
    form = {name: value for name, value in (SEAT | wrong).items() if value}
    answer = http.post(join_address(group), data=form)
    assert answer.status_code == 422
    assert page(answer).select_one(".error-summary a")
    kept = page(answer).select_one("input[name=handle]")["value"]
    assert kept == form.get("handle")


def test_a_name_that_is_taken_is_said_beside_the_field(session, http, agreement):
    group, client = make_group(session, price=0), make_client(session)
    make_enrolment(session, group, make_client(session), handle="river", seat_number=1)
    sign_in(http, client.user)
    answer = http.post(join_address(group), data=SEAT)
    assert answer.status_code == 422
    assert page(answer).select_one("#handle-error")


def test_the_whole_text_of_the_agreement_stands_above_the_signature(session, http, agreement):
    group, client = make_group(session), make_client(session)
    sign_in(http, client.user)
    assert "You agree to this." in words(http.get(join_address(group)))


def test_a_full_group_says_so_before_any_form(session, http, agreement):
    group, client = make_group(session, seats=1), make_client(session)
    make_enrolment(session, group, make_client(session), seat_number=1)
    sign_in(http, client.user)
    answer = http.get(join_address(group))
    assert answer.status_code == 200
    assert "last seat" in words(answer)


def test_a_therapy_group_asks_why_and_tells_where_the_request_stands(session, http, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    sign_in(http, client.user)
    form = {"handle": "River", "why": "I am tired of being alone with it."}
    answer = http.post(join_address(group), data=form, follow_redirects=True)
    assert page(answer).h1.text == "Your request is with the leader"
    assert form["why"] in words(answer)


def test_who_is_invited_signs_and_takes_the_seat_under_the_same_name(session, http, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    enrolment = make_enrolment(session, group, client, EnrolmentState.invited, handle="Heron")
    invite(session, enrolment)
    sign_in(http, client.user)
    assert not page(http.get(join_address(group))).select("input[name=handle]")
    http.post(join_address(group), data={"agreed": "y", "typed_name": "Sam Doe"})
    session.refresh(enrolment)
    assert (enrolment.state, enrolment.handle) == (EnrolmentState.held, "Heron")


def test_a_declined_request_is_told_kindly_and_never_why(session, http):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    enrolment = make_enrolment(session, group, client, EnrolmentState.declined)
    enrolment.screening = ScreeningDecision(
        decided_by_id=group.created_by_id, decided_at=NOW, invited=False, reason="Too raw for now."
    )
    sign_in(http, client.user)
    answer = http.get(address(enrolment))
    assert "other groups and therapists are open to you" in words(answer)
    assert "Too raw" not in answer.text


@pytest.mark.parametrize("path", ["", "/departure", "/payment"])
def test_somebody_elses_enrolment_is_not_there(session, http, path):
    group = make_group(session)
    enrolment = make_enrolment(session, group, make_client(session), seat_number=1)
    sign_in(http, make_client(session).user)
    assert http.get(address(enrolment) + path).status_code == 404
    assert http.post(address(enrolment) + "/departure", data={"expected": "0"}).status_code == 404
    sign_in(http, group.professionals[0].user)
    assert http.get(address(enrolment) + path).status_code == 404


def test_a_group_that_is_not_there_is_not_found(session, http):
    sign_in(http, make_client(session).user)
    assert http.get(f"/groups/{uuid.uuid4()}/enrolment").status_code == 404


def test_staff_without_a_client_of_their_own_take_no_seat(session, http):
    group = make_group(session)
    sign_in(http, group.professionals[0].user)
    assert http.get(join_address(group)).status_code == 404


def test_a_draft_is_not_there_for_clients(session, http, agreement):
    group, client = make_group(session, state=GroupState.draft), make_client(session)
    sign_in(http, client.user)
    assert http.get(join_address(group)).status_code == 404
    assert http.post(join_address(group), data=SEAT).status_code == 404


def test_leaving_an_unpaid_seat_says_that_nothing_was_charged(session, http, agreement):
    group, client = make_group(session), make_client(session)
    sign_in(http, client.user)
    held = http.post(join_address(group), data=SEAT).location
    assert "Nothing was charged" in words(http.get(held + "/departure"))
    answer = http.post(held + "/departure", data={"expected": "0"}, follow_redirects=True)
    assert page(answer).h1.text == "You have left this group"


def test_a_refund_that_changed_meanwhile_is_shown_again(session, http, agreement):
    group, client = make_group(session, price=0), make_client(session)
    sign_in(http, client.user)
    seated = http.post(join_address(group), data=SEAT).location
    answer = http.post(seated + "/departure", data={"expected": "100"})
    assert answer.location.endswith("/departure")
    assert "has changed since" in words(http.get(answer.location))


@pytest.mark.parametrize("expected", ["", "x", "-1"])
def test_leaving_without_having_seen_the_refund_asks_again(session, http, agreement, expected):
    group, client = make_group(session, price=0), make_client(session)
    sign_in(http, client.user)
    seated = http.post(join_address(group), data=SEAT).location
    assert http.post(seated + "/departure", data={"expected": expected}).status_code == 200
    assert "You have a seat" in words(http.get(seated))


def test_other_members_are_nowhere_on_the_pages_of_a_client(session, http, agreement):
    group, client = make_group(session, price=0), make_client(session)
    other = make_client(session, preferred_name="Zebulon")
    make_enrolment(session, group, other, handle="Kestrel", seat_number=9)
    sign_in(http, client.user)
    seated = http.post(join_address(group), data=SEAT).location
    for path in ("/groups", f"/groups/{group.public_id}", seated, seated + "/departure"):
        text = http.get(path).text
        for secret in ("Kestrel", "Zebulon", other.user.email, str(other.public_id)):
            assert secret not in text


def test_a_seat_not_paid_in_time_can_be_tried_for_again(session, http, agreement, clock, app):
    group, client = make_group(session), make_client(session)
    sign_in(http, client.user)
    held = http.post(join_address(group), data=SEAT).location
    clock.move(HOLD_LASTS)
    sweep(app, clock.now())
    assert "not paid in time" in words(http.get(held))
    assert page(http.post(join_address(group), data=SEAT, follow_redirects=True)).h1.text == (
        "Your seat is held"
    )


def test_times_are_on_the_clients_own_clock(session, http, agreement):
    group = make_group(session, price=0)
    client = make_client(session, zone="America/New_York")
    sign_in(http, client.user)
    seated = http.post(join_address(group), data=SEAT).location
    first = page(http.get(seated)).select_one("main table time").text
    assert first.endswith("21:30")


def test_a_confirmed_person_without_the_role_of_a_client_finds_no_door(session, http):
    group = make_group(session)
    sign_in(http, make_user(session, roles=()))
    assert http.get(join_address(group)).status_code == 404


def test_a_group_that_has_begun_takes_nobody(session, http, agreement, clock):
    group, client = make_group(session), make_client(session)
    clock.move_to(group.starts_at - timedelta(hours=1))
    sign_in(http, client.user)
    assert page(http.get(join_address(group))).h1.text == "Take a seat"
    clock.move_to(group.starts_at)
    assert http.post(join_address(group), data=SEAT).status_code == 409


def test_where_words_for_a_leader_are_typed_it_says_that_nobody_reads_them_at_once(session, http):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    sign_in(http, client.user)
    answer = http.get(join_address(group))
    assert "Nobody reads this at once" in words(answer)
    assert page(answer).select_one("main form a[href='tel:988']")
