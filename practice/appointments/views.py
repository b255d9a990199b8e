"""Pages of meetings: choosing a time, signing with it, the meeting itself, cancelling."""

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.models import Role
from practice.accounts.policy import has_role, is_client, the_client
from practice.accounts.readings import viewed
from practice.appointments import operations, queries
from practice.appointments.calendar import calendar_text
from practice.appointments.forms import TimeForm
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.policy import is_client_of
from practice.appointments.presenting import days_of, template_words
from practice.appointments.refusals import SlotTaken
from practice.consent.forms import SignForm
from practice.consent.models import Purpose
from practice.consent.operations import WordsChanged
from practice.consent.queries import current_document
from practice.matches.models import MatchRequest
from practice.matches.queries import request_of
from practice.therapists.queries import licence_evidence

bp = Blueprint("appointments", __name__)
bp.context_processor(template_words)

Answer = str | AnyResponse | tuple[str, int]

is_one_of_the_two = has_role(Role.client, Role.therapist)


@bp.get("/requests/<uuid:match_request>/times")
@policy(is_client)
def times(match_request: uuid.UUID) -> Answer:
    """Free first meetings by day, on the client's own clock."""
    asked = _my_request(match_request)
    if not queries.open_for_times(asked, now()):
        return redirect(url_for("matches.request_page", match_request=match_request), 303)
    return _times_page(asked, _time_form(asked))


@bp.post("/requests/<uuid:match_request>/times")
@policy(is_client)
def choose(match_request: uuid.UUID) -> Answer:
    form = _time_form(_my_request(match_request))
    if not form.validate():
        return _times_page(_my_request(match_request), form), 422
    try:
        with unit_of_work() as session:
            chosen = operations.choose(
                session,
                _my_request(match_request),
                form.starts_at.data,
                form.format.data,
                current_user.user,
                now(),
            )
    except SlotTaken as refusal:
        flash(refusal.message, "sun")
        return _times_page(_my_request(match_request), _time_form(_my_request(match_request))), 409
    except Refusal as refusal:
        return _refused(refusal, "matches.request_page", match_request=match_request)
    return redirect(_after_choosing(chosen), 303)


@bp.get("/appointments/<uuid:appointment>/consent")
@policy(is_client)
def consent(appointment: uuid.UUID) -> Answer:
    """The treatment consent with this therapist, before the first meeting."""
    held = _my_appointment(appointment)
    if not held.is_held_at(now()):
        return _no_longer_held(held)
    return _consent_page(held, SignForm())


@bp.post("/appointments/<uuid:appointment>/consent")
@policy(is_client)
def sign(appointment: uuid.UUID) -> Answer:
    form = SignForm()
    held = _my_appointment(appointment)
    if not form.validate():
        return _consent_page(held, form), 422
    if held.state is AppointmentState.booked:
        return redirect(url_for("appointments.show", appointment=appointment), 303)
    try:
        with unit_of_work() as session:
            held = _my_appointment(appointment)
            operations.sign_and_book(session, held, form.evidence, current_user.user, now())
    except WordsChanged as refusal:
        form.form_errors.append(refusal.message)
        return _consent_page(_my_appointment(appointment), form), 422
    except WrongState as refusal:
        return _refused(refusal, "appointments.times", match_request=_request_id(appointment))
    except Refusal as refusal:
        return _refused(refusal, "matches.request_page", match_request=_request_id(appointment))
    flash("Your first meeting is booked.", "leaf")
    return redirect(url_for("appointments.show", appointment=appointment), 303)


@bp.get("/appointments/<uuid:appointment>")
@policy(is_one_of_the_two)
def show(appointment: uuid.UUID) -> Answer:
    found = _seen(appointment)
    mine = is_client_of(current_user.user, found)
    if mine and found.is_held_at(now()):
        return redirect(url_for("appointments.consent", appointment=appointment), 303)
    request = found.request
    return render_template(
        "appointments/show.html",
        appointment=found,
        mine=mine,
        zone=found.client.zone if mine else found.zone,
        is_ahead=found.is_ahead(now()),
        may_choose_again=mine and request is not None and queries.open_for_times(request, now()),
    )


@bp.get("/appointments/<uuid:appointment>/calendar.ics")
@policy(is_one_of_the_two)
def calendar(appointment: uuid.UUID) -> Response:
    found = _seen(appointment)
    if found.state is AppointmentState.held:
        raise NotFound
    headers = {"Content-Disposition": 'attachment; filename="meeting.ics"'}
    return Response(calendar_text(found), mimetype="text/calendar", headers=headers)


@bp.get("/appointments/<uuid:appointment>/cancellation")
@policy(is_one_of_the_two)
def cancellation(appointment: uuid.UUID) -> Answer:
    """What happens when it is cancelled, said before it happens."""
    found = _seen(appointment)
    if not found.is_ahead(now()):
        return redirect(url_for("appointments.show", appointment=appointment), 303)
    mine = is_client_of(current_user.user, found)
    zone = found.client.zone if mine else found.zone
    return render_template(
        "appointments/cancellation.html", appointment=found, mine=mine, zone=zone
    )


@bp.post("/appointments/<uuid:appointment>/cancellation")
@policy(is_one_of_the_two)
def cancel(appointment: uuid.UUID) -> Answer:
    try:
        with unit_of_work() as session:
            operations.cancel(session, _visible(appointment), current_user.user, now())
    except WrongState as refusal:
        return _refused(refusal, "appointments.show", appointment=appointment)
    flash("The meeting is cancelled, and the other one is told.", "leaf")
    return redirect(url_for("appointments.show", appointment=appointment), 303)


def _times_page(asked: MatchRequest, form: TimeForm) -> str:
    free = queries.free_times(db.session(), asked, now())
    return render_template(
        "appointments/times.html",
        match_request=asked,
        therapist=asked.therapist,
        days=days_of(free, asked.client.zone, asked.therapist.zone),
        form=form,
        zone=asked.client.zone,
    )


def _time_form(asked: MatchRequest) -> TimeForm:
    form = TimeForm()
    form.offer(asked.therapist.formats)
    return form


def _after_choosing(chosen: Appointment) -> str:
    if chosen.state is AppointmentState.booked:
        return url_for("appointments.show", appointment=chosen.public_id)
    return url_for("appointments.consent", appointment=chosen.public_id)


def _consent_page(held: Appointment, form: SignForm) -> str:
    therapist = held.therapist
    evidence = licence_evidence([therapist.id], now())[therapist.id]
    return render_template(
        "appointments/consent.html",
        appointment=held,
        therapist=therapist,
        document=current_document(Purpose.treatment),
        licences=[licence for licence in evidence if licence.place == held.client.place],
        zone=held.client.zone,
        form=form,
    )


def _no_longer_held(found: Appointment) -> AnyResponse:
    if found.state is AppointmentState.booked or found.request is None:
        return redirect(url_for("appointments.show", appointment=found.public_id), 303)
    flash("The time was kept for half an hour and is free again. Please choose once more.", "sun")
    return redirect(url_for("appointments.times", match_request=found.request.public_id), 303)


def _request_id(appointment: uuid.UUID) -> uuid.UUID:
    request = _my_appointment(appointment).request
    if request is None:
        raise NotFound
    return request.public_id


def _my_request(public_id: uuid.UUID) -> MatchRequest:
    asked = request_of(the_client(), public_id)
    if asked is None:
        raise NotFound
    return asked


def _my_appointment(public_id: uuid.UUID) -> Appointment:
    found = queries.appointment_of(the_client(), public_id)
    if found is None:
        raise NotFound
    return found


def _seen(public_id: uuid.UUID) -> Appointment:
    """The meeting for a page about it. What the therapist sees is written down: no row, no page."""
    found = _visible(public_id)
    if is_client_of(current_user.user, found):
        return found
    with unit_of_work() as session:
        found = _visible(public_id)
        clients, role = [found.client], Role.therapist
        viewed(session, "meeting.viewed", "appointment", found.public_id, clients, role)
    return found


def _visible(public_id: uuid.UUID) -> Appointment:
    found = queries.appointment_for(current_user.user, public_id)
    if found is None:
        raise NotFound
    return found


def _refused(refusal: Refusal, endpoint: str, **values: Any) -> AnyResponse:
    if isinstance(refusal, NotFound):
        raise refusal
    flash(refusal.message, "sun")
    return redirect(url_for(endpoint, **values), 303)
