import re

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from practice.accounts.models import Role
from practice.appointments import operations
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.queries import free_times
from practice.care.models import EndReason, Episode
from practice.care.operations import end
from practice.consent.operations import ensure_documents
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.appointments import EVIDENCE, make_booked, make_held
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

SIGNED = {"agreed": "y", "typed_name": "Sam Doe"}


def soup(response):
    return BeautifulSoup(response.data, "html.parser")


def text(response):
    return re.sub(r"\s+", " ", soup(response).get_text(" "))


@pytest.fixture
def asked(session, http):
    """An accepted request, with its client signed in."""
    ensure_documents(session, NOW)
    request = make_request(session, accepted=True)
    sign_in(http, request.client.user)
    return request


def times_of(request):
    return f"/requests/{request.public_id}/times"


def page_of(appointment):
    return f"/appointments/{appointment.public_id}"


def test_from_the_list_of_times_to_a_booked_meeting(session, http, asked):
    page = soup(http.get(times_of(asked)))
    first = page.select_one("input[name=starts_at]")["value"]
    answer = http.post(times_of(asked), data={"starts_at": first, "format": "online"})
    assert answer.status_code == 303
    consent = soup(http.get(answer.location))
    assert asked.therapist.name in consent.get_text()
    assert "Washington licence" in consent.get_text()
    signed = http.post(answer.location, data=SIGNED)
    meeting = text(http.get(signed.location))
    assert "Your first meeting is booked." in meeting
    assert "https://meet.example.test/room" in meeting
    assert session.scalar(sa.select(sa.func.count()).select_from(Episode)) == 1


def test_a_double_click_on_signing_is_one_booking(session, http, asked):
    held = make_held(session, asked)
    session.commit()
    answers = [http.post(f"{page_of(held)}/consent", data=SIGNED) for _ in range(2)]
    assert {answer.location for answer in answers} == {page_of(held)}
    assert session.scalar(sa.select(sa.func.count()).select_from(Episode)) == 1


def test_unsigned_nothing_is_booked_and_what_was_typed_is_kept(session, http, asked):
    held = make_held(session, asked)
    session.commit()
    answer = http.post(f"{page_of(held)}/consent", data={"typed_name": "Sam Doe"})
    assert answer.status_code == 422
    assert soup(answer).select_one("input[name=typed_name]")["value"] == "Sam Doe"
    assert soup(answer).select_one("[role=alert]")
    session.expire_all()
    assert session.get(Appointment, held.id).state is AppointmentState.held


def test_a_time_that_was_just_taken_is_said_plainly_with_what_is_free_now(session, http, asked):
    slot = free_times(session, asked, NOW)[0].starts_at
    make_held(session, make_request(session, therapist=asked.therapist, accepted=True))
    session.commit()
    answer = http.post(times_of(asked), data={"starts_at": slot.isoformat(), "format": "online"})
    assert answer.status_code == 409
    assert "Somebody has just taken that time" in text(answer)
    assert soup(answer).select("input[name=starts_at]")


@pytest.mark.parametrize("data", [{}, {"starts_at": "soon", "format": "online"}])
def test_without_a_time_the_page_asks_again(http, asked, data):
    answer = http.post(times_of(asked), data=data)
    assert answer.status_code == 422
    assert soup(answer).select_one("[role=alert]")


def test_days_and_times_are_the_clients_and_the_therapists_stand_beside(session, http):
    client_zone = "America/New_York"
    request = make_request(session, accepted=True)
    request.client.zone = client_zone
    sign_in(http, request.client.user)
    page = text(http.get(times_of(request)))
    assert "New York time" in page
    assert "what their clock shows, Los Angeles time" in page
    assert re.search(r"13:00 \( ?theirs 10:00\)", page)


def test_when_the_clocks_agree_one_time_is_enough(http, asked):
    asked_page = text(http.get(times_of(asked)))
    assert "what their clock shows" not in asked_page


def test_a_full_week_says_so_and_keeps_the_place(session, http):
    therapist = make_therapist(session, hours=[])
    request = make_request(session, therapist=therapist, accepted=True)
    sign_in(http, request.client.user)
    assert "No free times in the next two weeks" in text(http.get(times_of(request)))


def test_after_half_an_hour_the_page_leads_back_to_the_times(session, http, clock, asked):
    held = make_held(session, asked)
    session.commit()
    clock.move_to(held.held_until)
    answer = http.post(f"{page_of(held)}/consent", data=SIGNED)
    assert answer.location == times_of(asked)
    assert http.get(f"{page_of(held)}/consent").location == times_of(asked)


def test_the_meeting_as_each_of_the_two_sees_it(session, http, asked):
    booked = make_booked(session, asked)
    session.commit()
    assert f"Your meeting with {asked.therapist.name}" in text(http.get(page_of(booked)))
    file = http.get(f"{page_of(booked)}/calendar.ics")
    assert file.mimetype == "text/calendar"
    assert b"SUMMARY:Meeting" in file.data
    sign_in(http, asked.therapist.user)
    page = http.get(page_of(booked))
    assert "Your meeting with Sam" in text(page)
    assert soup(page).select_one("a[href^='/caseload/']")


def test_cancelling_is_said_before_and_another_time_can_be_chosen(session, http, asked):
    booked = make_booked(session, asked)
    session.commit()
    before = text(http.get(f"{page_of(booked)}/cancellation"))
    assert "is told, and the time is free for others at once" in before
    answer = http.post(f"{page_of(booked)}/cancellation")
    page = soup(http.get(answer.location))
    assert "does not take place" in page.get_text()
    assert page.select_one(f"a[href='{times_of(asked)}']")
    assert http.post(f"{page_of(booked)}/cancellation").status_code == 303


def test_once_the_consent_is_withdrawn_the_therapist_finds_nothing(session, http, asked):
    booked = make_booked(session, asked)
    session.commit()
    signature = soup(http.get("/consents")).select("a[href$='/revocation']")[0]["href"]
    for link in soup(http.get("/consents")).select("a[href^='/consents/']"):
        if asked.therapist.name in text(http.get(link["href"])):
            signature = f"{link['href'].split('/revocation')[0]}/revocation"
    assert http.post(signature).status_code == 303
    session.expire_all()
    assert session.get(Appointment, booked.id).state is AppointmentState.cancelled
    sign_in(http, asked.therapist.user)
    for address in (page_of(booked), f"{page_of(booked)}/calendar.ics"):
        assert http.get(address).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_somebody_elses_meeting_is_not_found(session, http, role):
    booked = make_booked(session)
    other = {
        Role.client: lambda: make_client(session).user,
        Role.therapist: lambda: make_therapist(session, name="Another").user,
    }.get(role, lambda: make_user(session, roles=(role,)))()
    sign_in(http, other)
    for method, address in (
        ("get", ""),
        ("get", "/consent"),
        ("post", "/consent"),
        ("get", "/calendar.ics"),
        ("get", "/cancellation"),
        ("post", "/cancellation"),
    ):
        answer = getattr(http, method)(page_of(booked) + address, data=SIGNED)
        assert answer.status_code == 404, (method, address)
        assert booked.therapist.name.encode() not in answer.data
    assert http.get(times_of(booked.request)).status_code == 404
    session.expire_all()
    assert session.get(Appointment, booked.id).state is AppointmentState.booked


def test_a_held_time_is_not_the_therapists_to_see(session, http):
    held = make_held(session)
    sign_in(http, held.therapist.user)
    assert http.get(page_of(held)).status_code == 404


@pytest.mark.parametrize("odd", ["2026-12-02T18:00", "0001-01-01T00:00+23:59", "9999-12-31", "x"])
def test_a_time_that_is_no_choice_is_refused_kindly(http, asked, odd):
    answer = http.post(times_of(asked), data={"starts_at": odd, "format": "online"})
    assert answer.status_code in (303, 409, 422)


def test_a_therapist_no_longer_finds_the_meetings_of_care_that_has_ended(session, http):
    booked = make_booked(session)
    sign_in(http, booked.therapist.user)
    assert http.get(page_of(booked)).status_code == 200
    end(session, booked.episode, EndReason.completed, booked.therapist.user, NOW)
    session.commit()
    assert http.get(page_of(booked)).status_code == 404
    assert http.get(f"{page_of(booked)}/calendar.ics").status_code == 404


def test_signing_a_second_time_opens_no_second_episode_and_refuses_nothing(session):
    """Two clicks both found the time held; the second came to the lock when it was booked."""
    booked = make_booked(session)
    again = operations.sign_and_book(session, booked, EVIDENCE, booked.client.user, NOW)
    assert again is booked.episode
    assert session.scalar(sa.select(sa.func.count()).select_from(Episode)) == 1
