from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from core.audit import AuditEntry
from core.errors import WrongState
from core.outbox import OutboxMessage
from practice.appointments import operations
from practice.appointments.calendar import calendar_text
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.queries import free_times, open_for_times
from practice.appointments.refusals import (
    CannotMeetThatWay,
    HoldRanOut,
    NotLicensedThere,
    NotOpenForTimes,
    SlotTaken,
)
from practice.appointments.sweeps import release_what_ran_out
from practice.care.models import Episode
from practice.consent.models import Purpose, Signature
from practice.consent.operations import ensure_documents, revoke
from practice.consent.policy import signatures_of
from practice.matches.models import RequestState
from practice.matches.operations import withdraw
from practice.therapists.models import LicenceState, Therapist
from tests.builders.appointments import EVIDENCE, make_booked, make_held
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def choose(session, request, starts_at, way="online", at=NOW):
    return operations.choose(session, request, starts_at, way, request.client.user, at)


def sign(session, held, at=NOW):
    return operations.sign_and_book(session, held, EVIDENCE, held.client.user, at)


@pytest.fixture
def request_(session):
    ensure_documents(session, NOW)
    return make_request(session, accepted=True)


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_time_is_kept_for_half_an_hour(session, request_):
    held = make_held(session, request_)
    assert held.state is AppointmentState.held
    assert held.is_held_at(NOW + timedelta(minutes=29))
    assert not held.is_held_at(NOW + timedelta(minutes=30))


def test_a_held_time_is_not_offered_to_others_and_is_free_again_afterwards(session, request_):
    held = make_held(session, request_, nth=2)
    other = make_request(session, therapist=request_.therapist, accepted=True)
    assert held.starts_at not in {one.starts_at for one in free_times(session, other, NOW)}
    later = NOW + timedelta(minutes=30)
    assert held.starts_at in {one.starts_at for one in free_times(session, other, later)}
    assert choose(session, other, held.starts_at, at=later).state is AppointmentState.held


def test_the_same_time_cannot_be_held_twice(session, request_):
    held = make_held(session, request_)
    other = make_request(session, therapist=request_.therapist, accepted=True)
    with pytest.raises(SlotTaken):
        choose(session, other, held.starts_at)


def test_the_index_stands_behind_the_check(session, request_):
    held = make_held(session, request_)
    twin = Appointment(
        client=held.client,
        therapist=held.therapist,
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        zone=held.zone,
        format="online",
        state=AppointmentState.held,
        held_until=held.held_until,
    )
    with pytest.raises(SlotTaken):
        operations._add(session, twin)


def test_changing_ones_mind_frees_the_first_time(session, request_):
    first = make_held(session, request_)
    second = make_held(session, request_, nth=1)
    assert first.state is AppointmentState.cancelled
    assert second.state is AppointmentState.held


def test_only_free_times_can_be_chosen(session, request_):
    with pytest.raises(SlotTaken):
        choose(session, request_, NOW + timedelta(days=3, minutes=7))


def test_only_a_way_of_meeting_that_they_offer(session, request_):
    starts_at = free_times(session, request_, NOW)[0].starts_at
    with pytest.raises(CannotMeetThatWay):
        choose(session, request_, starts_at, "telephone")


def test_no_time_without_a_yes(session):
    request = make_request(session)
    starts_at = free_times(session, request, NOW)[0].starts_at
    with pytest.raises(NotOpenForTimes):
        choose(session, request, starts_at)


def test_times_end_with_the_licence(session):
    therapist = make_therapist(session, expires_on=date(2026, 12, 7))
    request = make_request(session, therapist=therapist, accepted=True)
    until = therapist.licences[0].in_force_until
    offered = free_times(session, request, NOW)
    assert offered
    assert all(meeting.ends_at <= until for meeting in offered)
    with pytest.raises(NotLicensedThere):
        choose(session, request, until + timedelta(hours=10))


def test_signing_books_the_meeting_and_opens_the_episode_together(session, request_):
    held = make_held(session, request_)
    episode = sign(session, held)
    assert held.state is AppointmentState.booked
    assert held.episode is episode
    assert request_.state is RequestState.met
    signature = session.scalars(
        sa.select(Signature).where(Signature.purpose == Purpose.treatment)
    ).one()
    assert signature.scope == f"therapist:{request_.therapist.public_id}"
    assert signature.scope_label == request_.therapist.name
    assert signature.place == "US-WA"


def test_a_hold_that_ran_out_cannot_be_signed_for(session, request_):
    held = make_held(session, request_)
    with pytest.raises(HoldRanOut):
        sign(session, held, at=NOW + timedelta(minutes=30))
    assert count(session, Episode) == 0


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_licence_that_ends_meanwhile_is_looked_at_again_in_the_booking(session, seconds):
    ensure_documents(session, NOW)
    request = make_request(session, accepted=True)
    held = make_held(session, request)
    moment = NOW + timedelta(minutes=10)
    request.therapist.licences[0].in_force_until = held.ends_at + timedelta(seconds=seconds)
    session.flush()
    if seconds < 0:
        with pytest.raises(NotLicensedThere):
            sign(session, held, at=moment)
        assert count(session, Episode) == 0
    else:
        assert sign(session, held, at=moment)


def test_a_licence_that_is_suspended_meanwhile_refuses_the_booking(session, request_):
    held = make_held(session, request_)
    request_.therapist.licences[0].move_to(LicenceState.suspended)
    session.flush()
    with pytest.raises(NotLicensedThere):
        sign(session, held)


def test_a_client_who_has_moved_is_not_booked_across_a_border(session, request_):
    held = make_held(session, request_)
    held.client.place = "US-OR"
    session.flush()
    with pytest.raises(NotLicensedThere):
        sign(session, held)


def test_a_withdrawn_request_keeps_no_time_and_no_place(session, request_):
    held = make_held(session, request_)
    withdraw(session, request_, request_.client.user, NOW)
    assert held.state is AppointmentState.cancelled
    assert session.get(Therapist, request_.therapist_id).open_places == 3
    with pytest.raises(HoldRanOut):
        sign(session, held)


def test_the_sweep_frees_what_ran_out_and_only_that(session, request_):
    held = make_held(session, request_)
    session.commit()
    release_what_ran_out(NOW + timedelta(minutes=29))
    assert state_of(session, held) is AppointmentState.held
    release_what_ran_out(NOW + timedelta(minutes=30))
    assert state_of(session, held) is AppointmentState.cancelled


def state_of(session, appointment):
    session.expire_all()
    return session.get(Appointment, appointment.id).state


def test_after_cancelling_another_time_is_booked_without_signing_again(session, request_):
    first = make_booked(session, request_)
    operations.cancel(session, first, first.client.user, NOW)
    assert open_for_times(request_, NOW)
    second = make_held(session, request_, nth=3)
    assert second.state is AppointmentState.booked
    assert second.episode is first.episode
    assert not open_for_times(request_, NOW)


def test_a_meeting_that_has_begun_cannot_be_cancelled(session, request_):
    booked = make_booked(session, request_)
    with pytest.raises(WrongState):
        operations.cancel(session, booked, booked.client.user, booked.starts_at)


def test_withdrawing_the_treatment_consent_cancels_what_is_ahead_and_ends_the_care(
    session, request_
):
    booked = make_booked(session, request_)
    client = booked.client
    scope = f"therapist:{booked.therapist.public_id}"
    [signature] = [one for one in session.scalars(signatures_of(client)) if one.scope == scope]
    revoke(session, signature, client.user, NOW)
    assert booked.state is AppointmentState.cancelled
    assert booked.episode.ended_at == NOW
    assert session.get(Therapist, booked.therapist_id).open_places == 3


def test_a_meeting_with_somebody_else_stays_when_one_consent_is_withdrawn(session, request_):
    booked = make_booked(session, request_)
    other = make_booked(
        session,
        make_request(session, booked.client, make_therapist(session, name="B"), accepted=True),
        nth=5,
    )
    scope = f"therapist:{other.therapist.public_id}"
    signatures = session.scalars(signatures_of(booked.client))
    [signature] = [one for one in signatures if one.scope == scope]
    revoke(session, signature, booked.client.user, NOW)
    assert other.state is AppointmentState.cancelled
    assert booked.state is AppointmentState.booked


def test_one_person_is_never_in_two_meetings_at_once(session, request_):
    booked = make_booked(session, request_)
    other = make_request(session, booked.client, make_therapist(session, name="B"), accepted=True)
    assert booked.starts_at not in {one.starts_at for one in free_times(session, other, NOW)}


def test_the_calendar_file_holds_the_instant_and_nothing_private(session, request_):
    booked = make_booked(session, request_)
    text = calendar_text(booked)
    [event] = Calendar.from_ical(text).walk("VEVENT")
    assert event.decoded("dtstart") == booked.starts_at
    assert event.decoded("dtend") == booked.ends_at
    assert str(event["summary"]) == "Meeting"
    for private in (booked.therapist.name, "Sam", "panic", "therap", "consent"):
        assert private.lower() not in text.lower()


def test_both_get_the_date_by_mail_and_the_mail_says_nothing(session, request_):
    booked = make_booked(session, request_)
    mails = [
        row.payload
        for row in session.scalars(sa.select(OutboxMessage))
        if "attachment" in row.payload
    ]
    assert {mail["to"] for mail in mails} == {
        booked.client.user.email,
        booked.therapist.user.email,
    }
    assert all(mail["attachment"]["name"] == "meeting.ics" for mail in mails)
    assert not any(booked.therapist.name in mail["body"] + mail["subject"] for mail in mails)


def test_each_step_is_written_down(session, request_):
    booked = make_booked(session, request_)
    operations.cancel(session, booked, booked.therapist.user, NOW)
    steps = sa.select(AuditEntry).where(AuditEntry.subject_id == booked.public_id)
    rows = session.scalars(steps.order_by(AuditEntry.id)).all()
    assert [(row.action, row.actor_role) for row in rows] == [
        ("appointment.held", "client"),
        ("appointment.booked", "client"),
        ("appointment.cancelled", "therapist"),
    ]


def test_a_week_over_a_clock_change_keeps_the_wall_clock(session):
    october = NOW.replace(month=10, day=27)
    therapist = make_therapist(
        session, at=october, hours=[(4, time(9), time(10)), (0, time(9), time(10))]
    )
    ensure_documents(session, october)
    request = make_request(session, therapist=therapist, accepted=True, at=october)
    found = free_times(session, request, october)
    assert [f"{one.starts_at:%a %d %b %H:%M}" for one in found] == [
        "Fri 30 Oct 16:00",
        "Mon 02 Nov 17:00",
        "Fri 06 Nov 17:00",
        "Mon 09 Nov 17:00",
    ]
