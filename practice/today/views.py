"""The home page, everybody's day, help right now, whether all is well, whom to tell if not."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from core.access import anyone, policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.policy import signed_in
from practice.accounts.readings import viewed
from practice.appointments.models import Appointment
from practice.appointments.presenting import template_words
from practice.care.queries import (
    emergencies_waiting,
    new_supervisors,
    reviews_overdue,
    told_lately,
)
from practice.consent.policy import signatures_of
from practice.consent.queries import is_asked_again
from practice.groups.presenting import own_state_of
from practice.intake.queries import latest_submitted, open_intake
from practice.local_time import instant_at
from practice.matches.deadlines import answer_due_words
from practice.therapists.models import HOURS_STAY_FRESH, Therapist
from practice.therapists.queries import therapist_of
from practice.today import queries
from practice.today.styleguide import StyleForm
from practice.waiting import queries as waiting
from practice.waiting.without_place import ToCall, to_call

bp = Blueprint("today", __name__)
bp.context_processor(template_words)

CONTACT_GOOD_FOR = timedelta(days=180)

STAFF_PAGES = {
    Role.administrator: "credentials.queue",
    Role.duty_clinician: "intake.flags",
    Role.clinical_lead: "intake.flags",
    Role.records_custodian: "care.records",
}


@bp.get("/")
@policy(anyone)
def home() -> str:
    return render_template("today/home.html", right_now=queries.right_now(now()))


@bp.get("/crisis")
@policy(anyone)
def crisis() -> str:
    return render_template("today/crisis.html")


@bp.get("/today")
@policy(signed_in)
def today() -> Any:
    """A client's next steps, a therapist's day, or the page where other staff begin."""
    if current_user.client is not None:
        return render_template("today/client.html", **_of_client())
    if (therapist := therapist_of(current_user.user)) is not None:
        return render_template("today/therapist.html", **_of_therapist(therapist))
    if current_user.has(Role.therapist):
        return redirect(url_for("therapists.apply"), 303)
    of_staff = _of_staff()
    if of_staff["waiting"] or of_staff["to_call"].people:
        return render_template("today/staff.html", **of_staff)
    return redirect(url_for(_first_page()), 303)


def _first_page() -> str:
    found = (page for role, page in STAFF_PAGES.items() if current_user.has(role))
    return next(found, "accounts.account")


@bp.get("/health")
@policy(anyone)
def health() -> tuple[Response, int]:
    """200 when the database answers and nothing waits too long, 503 otherwise."""
    try:
        late = queries.outbox_is_late(now())
    except SQLAlchemyError:
        return jsonify(database="away", outbox="unknown"), 503
    return jsonify(database="ok", outbox="late" if late else "ok"), 503 if late else 200


@bp.get("/security")
@policy(anyone)
def security() -> str:
    contact = current_settings().security_contact
    return render_template("today/security.html", contact=contact)


@bp.get("/.well-known/security.txt")
@policy(anyone)
def security_contact() -> Response:
    """Whom to tell about a weakness (RFC 9116); not there while nobody is named."""
    settings = current_settings()
    if not settings.security_contact:
        raise NotFound
    lines = (
        f"Contact: {settings.security_contact}",
        f"Expires: {_good_until(now()):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.base_url}{url_for('today.security_contact')}",
        f"Policy: {settings.base_url}{url_for('today.security')}",
    )
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")


@bp.get("/styleguide")
@policy(anyone)
def styleguide() -> str:
    calm, wrong = StyleForm(formdata=None), StyleForm(formdata=None, prefix="wrong")
    wrong.email.errors = ("Please write an address like name@example.org.",)
    wrong.story.errors = ("Please shorten this to 500 letters.",)
    wrong.often.errors = ("Please choose one.",)
    return render_template("styleguide.html", calm=calm, wrong=wrong)


def _good_until(at: datetime) -> datetime:
    """A whole day in half a year; the RFC asks for less than a year."""
    day = (at + CONTACT_GOOD_FOR).astimezone(UTC)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _of_staff() -> dict[str, Any]:
    """What cannot wait stands before the page where they begin otherwise."""
    is_lead = current_user.has(Role.clinical_lead)
    waiting = emergencies_waiting(current_user.user, now())
    return {
        "waiting": waiting,
        "overdue": reviews_overdue(now()) if is_lead and waiting else 0,
        "to_call": to_call(current_user.user) if is_lead else ToCall(),
        "begin": _first_page(),
    }


def _of_client() -> dict[str, Any]:
    client, at = current_user.client, now()
    return {
        "client": client,
        "submitted": latest_submitted(client),
        "unfinished": open_intake(client),
        "match_request": queries.request_of(client),
        "answer_due_words": answer_due_words,
        "was_looked_at": queries.was_looked_at(client, at),
        "waiting_entry": waiting.open_entry(client),
        "waiting_offer": waiting.offer_of(client),
        "told_lately": told_lately(client, at),
        "new_supervisors": new_supervisors(client),
        "in_care_of": queries.therapists_caring_for(client.id),
        "meetings": queries.meetings_of_client(client, at),
        "sessions": queries.sessions_of_client(client.id, at),
        "seats": queries.seats_of(client.id, at),
        "own_state_of": own_state_of,
        "asked_again": is_asked_again(signatures_of(client)),
    }


def _of_therapist(therapist: Therapist) -> dict[str, Any]:
    at = now()
    local = at.astimezone(ZoneInfo(therapist.zone))
    day_began = instant_at(local.date(), time(), therapist.zone)
    meetings = _meetings_written_down(therapist, day_began)
    confirmed = therapist.hours_confirmed_at
    return {
        "therapist": therapist,
        "local": local,
        "meetings": meetings,
        "meetings_today": _count_on(local.date(), meetings, local.tzinfo),
        "sessions": queries.sessions_of_leader(therapist.id, at),
        "requests": queries.requests_waiting_for(therapist.user),
        "answer_due_words": answer_due_words,
        "at": at,
        "hours_are_stale": confirmed is None or at - confirmed > HOURS_STAY_FRESH,
        "licences_ending": queries.licences_ending(therapist.id, at),
    }


def _meetings_written_down(therapist: Therapist, since: datetime) -> list[Appointment]:
    """With the names of who comes: that they were shown is written down, or no page."""
    with unit_of_work() as session:
        meetings = queries.meetings_of_therapist(therapist, since, now())
        if meetings:
            clients = [meeting.client for meeting in meetings]
            me = current_user.public_id
            viewed(session, "day.viewed", "user", me, clients, Role.therapist)
    return meetings


def _count_on(day: date, meetings: list[Appointment], zone: tzinfo | None) -> int:
    return sum(meeting.starts_at.astimezone(zone).date() == day for meeting in meetings)
