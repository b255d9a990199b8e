"""What waits for each person today."""

from datetime import date, time, timedelta

import pytest

from practice.accounts.models import Role
from practice.consent.models import Purpose, Signature
from practice.consent.operations import revoke
from practice.groups.models import EnrolmentState
from practice.local_time import instant_at
from practice.matches import operations as matches
from practice.matches.reviews import operations as reviews
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.appointments import make_booked
from tests.builders.groups import make_enrolment, make_group
from tests.builders.intake import make_intake
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist, make_therapist_user
from tests.conftest import NOW


def today(http, user):
    sign_in(http, user)
    return http.get("/today")


def test_a_new_client_is_offered_the_questions(http, session):
    page = today(http, make_client(session).user).text
    assert "Begin with a few questions" in page
    assert "See my matches" not in page


def test_somebody_who_stopped_in_between_is_told_that_nothing_is_lost(http, session):
    client = make_client(session)
    make_intake(session, client, answers={"story": "A few words."}, submitted=False)
    page = today(http, client.user).text
    assert "Go on with the questions" in page
    assert "A few words." not in page


def test_finished_answers_lead_to_the_matches(http, session):
    page = today(http, make_seeker(session).user).text
    assert "See who fits, and why" in page
    assert "Begin with a few questions" not in page


def test_nobody_is_promised_matches_that_may_not_be_there(http, session):
    page = today(http, make_seeker(session).user).text
    assert "matches are ready" not in page


def test_a_request_says_until_when_it_is_answered(http, session):
    request = make_request(session)
    page = today(http, request.client.user).text
    assert f"{request.therapist.name} has your request and answers by" in page


def test_a_request_made_on_a_sunday_is_answered_by_the_end_of_tuesday(http, session):
    request = make_request(session, at=NOW - timedelta(days=2))
    page = today(http, request.client.user).text
    assert "answers by the end of Tuesday 1 December (Los Angeles time)." in page


def test_an_answered_look_is_told_for_a_fortnight_or_until_another_is_asked_for(
    http, session, clock
):
    client, lead = make_seeker(session), make_user(session, roles=(Role.clinical_lead,))
    told, review = "Somebody has looked at your matches", reviews.ask(session, client, "", NOW)
    assert told not in today(http, client.user).text
    reviews.answer(session, review, "Because of the hours.", [], lead, NOW)
    page = today(http, client.user).text
    assert told in page
    assert "Because of the hours." not in page
    clock.move(timedelta(days=13))
    assert told in today(http, client.user).text
    again = reviews.ask(session, client, "", NOW)
    assert told not in today(http, client.user).text
    reviews.answer(session, again, "Because of the price.", [], lead, NOW)
    clock.move(timedelta(days=1))
    assert told not in today(http, client.user).text


def test_a_request_whose_time_has_passed_is_not_said_to_wait(http, session, clock):
    request = make_request(session)
    sign_in(http, request.client.user)
    clock.move_to(request.answer_due_at + timedelta(minutes=1))
    sign_in(http, request.client.user)
    page = http.get("/today").text
    assert "did not answer in time" in page
    assert "has your request" not in page


def test_a_refusal_leads_to_the_next_person(http, session):
    request = make_request(session)
    matches.decline(session, request, request.therapist.user, NOW, "My week is full.")
    page = today(http, request.client.user).text
    assert "could not take this on" in page
    assert "See who is next" in page


def test_an_acceptance_asks_for_a_time(http, session):
    request = make_request(session, accepted=True)
    page = today(http, request.client.user).text
    assert "said yes" in page
    assert f"/requests/{request.public_id}/times" in page


def test_whoever_chose_no_time_is_not_told_that_the_therapist_was_silent(http, session, clock):
    request = make_request(session, accepted=True)
    session.commit()
    later = NOW + timedelta(days=30)
    clock.move_to(later)
    matches.lapse(session, request, later)
    page = today(http, request.client.user).text
    assert "No time was chosen with" in page
    assert "did not answer in time" not in page


def test_a_booked_meeting_stands_on_both_sides(http, session):
    booked = make_booked(session)
    assert f"With {booked.therapist.name}" in today(http, booked.client.user).text
    page = today(http, booked.therapist.user).text
    assert "first meeting" in page
    assert f"/appointments/{booked.public_id}" in page


def test_without_the_clients_consent_a_therapist_sees_not_even_that_they_met(http, session, clock):
    booked = make_booked(session)
    # The meeting is just over, so that taking the consent back cancels nothing.
    after = booked.ends_at + timedelta(hours=1)
    clock.move_to(after)
    signed = session.query(Signature).filter_by(purpose=Purpose.treatment).one()
    assert f"/appointments/{booked.public_id}" in today(http, booked.therapist.user).text
    revoke(session, signed, booked.client.user, after)
    assert f"/appointments/{booked.public_id}" not in today(http, booked.therapist.user).text


def test_a_meeting_far_ahead_is_on_the_clients_day_and_one_that_is_over_is_not(
    http, session, clock
):
    booked = make_booked(session)
    booked.starts_at += timedelta(days=70)
    booked.ends_at += timedelta(days=70)
    there = f"/appointments/{booked.public_id}"
    assert there in today(http, booked.client.user).text
    clock.move_to(booked.ends_at)
    assert there not in today(http, booked.client.user).text


def test_whoever_is_in_care_is_not_sent_to_look_for_somebody_between_two_meetings(
    http, session, clock
):
    booked = make_booked(session)
    clock.move_to(booked.ends_at)
    page = today(http, booked.client.user).text
    assert f"You are in care with {booked.therapist.name}" in page
    assert "See who fits, and why" not in page
    booked.episode.ended_at = booked.ends_at
    assert "You are in care with" not in today(http, booked.client.user).text


def test_a_therapist_counts_the_meetings_of_their_own_day(http, session, clock):
    """At the end of the day in Los Angeles it is tomorrow in UTC."""
    booked = make_booked(session)
    assert booked.therapist.zone == "America/Los_Angeles"
    assert "No meetings today" in today(http, booked.therapist.user).text
    clock.move_to(instant_at(date(2026, 12, 2), time(23, 30), booked.therapist.zone))
    assert booked.starts_at.date() == date(2026, 12, 2)
    page = today(http, booked.therapist.user).text
    assert "1 meeting today" in page
    assert f"/appointments/{booked.public_id}" in page
    clock.move(timedelta(hours=1))
    page = today(http, booked.therapist.user).text
    assert "No meetings today" in page
    assert f"/appointments/{booked.public_id}" not in page


def test_a_group_that_is_over_is_not_on_anybodys_day(http, session):
    client = make_client(session)
    group = make_group(session, title="Slow mornings", days=-70, sessions=4)
    make_enrolment(session, group, client)
    assert "Slow mornings" not in today(http, client.user).text


def test_a_therapist_sees_who_asks_but_nothing_of_what_was_shared(http, session):
    request = make_request(session)
    page = today(http, request.therapist.user).text
    assert "1 person asks for you" in page
    assert f"/requests/{request.public_id}" in page
    assert "Panic" not in page
    assert "Sam" not in page


def test_a_deadline_at_midnight_is_told_as_the_end_of_the_day_before(http, session, clock):
    """Asked on a Sunday: two working days end with Tuesday, and not on Wednesday at 00:00."""
    request = make_request(session, at=NOW - timedelta(days=2))
    assert "Answer by the end of Tuesday 1 December" in today(http, request.therapist.user).text
    clock.move(timedelta(days=1))
    assert "Was due by the end of Tuesday 1 December" in today(http, request.therapist.user).text


def test_a_therapist_is_reminded_of_hours_and_licences(http, session):
    therapist = make_therapist(
        session,
        expires_on=(NOW + timedelta(days=20)).date(),
        hours_confirmed_at=NOW - timedelta(days=20),
    )
    page = today(http, therapist.user).text
    assert "Please confirm your hours" in page
    assert "A licence of yours ends soon" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EnrolmentState.seated, "you have a seat"),
        (EnrolmentState.held, "a seat is held for you"),
        (EnrolmentState.invited, "you are invited"),
        (EnrolmentState.screening, "the leader is reading"),
    ],
)
def test_a_clients_groups_say_where_they_stand(http, session, state, words):
    client = make_client(session)
    make_enrolment(session, make_group(session, title="Slow mornings"), client, state)
    page = today(http, client.user).text
    assert "Slow mornings" in page
    assert words in page


@pytest.mark.parametrize("state", [EnrolmentState.left, EnrolmentState.expired])
def test_a_group_that_somebody_left_is_not_on_their_day(http, session, state):
    client = make_client(session)
    make_enrolment(session, make_group(session, title="Slow mornings"), client, state)
    assert "Slow mornings" not in today(http, client.user).text


def test_leaders_see_their_coming_sessions(http, session):
    lead = make_therapist(session)
    make_group(session, lead=lead, title="Slow mornings", days=3)
    make_group(session, title="Of somebody else", days=3)
    page = today(http, lead.user).text
    assert "Slow mornings" in page
    assert "Of somebody else" not in page


@pytest.mark.parametrize(
    ("role", "where"),
    [
        (Role.administrator, "/credentials"),
        (Role.duty_clinician, "/flags"),
        (Role.clinical_lead, "/flags"),
        (Role.moderator, "/account"),
    ],
)
def test_other_staff_begin_where_their_work_is(http, session, role, where):
    assert today(http, make_user(session, roles=(role,))).location == where


def test_a_therapist_without_a_profile_begins_with_the_application(http, session):
    assert today(http, make_therapist_user(session, "Ana Ruiz")).location == "/apply"


def test_a_visitor_signs_in_first_and_comes_back(http):
    assert http.get("/today").location == "/sign-in?next=/today"
