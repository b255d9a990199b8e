"""Opening a record in an emergency: asking, deciding, reading for an hour, reviewing."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotAllowed, NotFound, Refusal, WrongState
from practice.accounts.models import Role
from practice.accounts.policy import step_up
from practice.accounts.readings import viewed
from practice.accounts.two_people import SecondPersonNeeded, why_not
from practice.care import queries
from practice.care.blueprint import bp
from practice.care.emergency import operations as rules
from practice.care.emergency.models import EmergencyOpening, OpeningReason, Stage
from practice.care.emergency.operations import (
    NobodyFound,
    NotTheirsToDelay,
    TooManyMisses,
    YourOwnRecord,
)
from practice.care.emergency.policy import (
    MAY_ASK,
    MAY_DECIDE,
    decides,
    may_ask,
    may_open_at_once,
    reviews,
)
from practice.care.forms import AskForm, DangerForm, DecisionForm, DelayForm, ReviewForm
from practice.care.models import EndReason
from practice.care.records import record_under
from practice.forms import Form
from practice.intake.presenting import source_words
from practice.paging import page_number
from practice.places import PLACES

Answer = str | Response | tuple[str, int]
# Several forms stand on one page: each has field names and ids of its own.
REVIEW, DELAY = "review-", "delay-"
# Two lists on one page, each turned by a parameter of its own name.
PAGED = ("mine", "reviewed")
ENDS = {reason.value: reason.label for reason in EndReason}
NOT_FOUND = (NobodyFound, TooManyMisses, YourOwnRecord)


@bp.get("/emergency")
@policy(may_ask)
def emergencies() -> str:
    """What one asked for, decides and reviews. Clients stand here by their reference alone."""
    return render_template(
        "care/emergencies.html",
        found=queries.emergencies(current_user.user, now(), **_pages()),
        pages_of=_address,
        may_open_at_once=current_user.has(Role.duty_clinician),
        **_clock(),
    )


@bp.route("/emergency/request", methods=["GET", "POST"])
@policy(may_ask)
@step_up
def ask_emergency() -> Answer:
    form = AskForm()
    if not form.validate_on_submit():
        return _form_page("care/emergency_ask.html", form)
    opening = _asked(form)
    if opening is None:
        return _form_page("care/emergency_ask.html", form)
    flash("Your request waits for a second person. They have got a mail.", "leaf")
    return redirect(url_for("care.emergency", opening=opening.public_id), 303)


@bp.route("/emergency/danger", methods=["GET", "POST"])
@policy(may_open_at_once)
@step_up
def open_in_danger() -> Answer:
    form = DangerForm()
    if not form.validate_on_submit():
        return _form_page("care/emergency_danger.html", form)
    opening = _opened(form)
    if opening is None:
        return _form_page("care/emergency_danger.html", form)
    return redirect(url_for("care.emergency_record", opening=opening.public_id), 303)


@bp.get("/emergency/<uuid:opening>")
@policy(may_ask)
def emergency(opening: uuid.UUID) -> str:
    return _opening_page(opening)


@bp.get("/emergency/<uuid:opening>/record")
@policy(may_ask)
def emergency_record(opening: uuid.UUID) -> str:
    """The record itself, read only, while the hour runs. No row in the log, no page."""
    with unit_of_work() as session:
        found = queries.emergency_to_read(current_user.user, opening, now())
        if found is None:
            raise NotFound
        record = record_under(found, now())
        _write_down(session, found, "emergency.viewed", found.asked_as)
    return render_template(
        "care/emergency_record.html",
        record=record,
        opening=found,
        minutes=minutes_left(found),
        places=PLACES,
        ends=ENDS,
        source_words=source_words,
        **_clock(),
    )


@bp.post("/emergency/<uuid:opening>/decision")
@policy(decides)
@step_up
def decide_emergency(opening: uuid.UUID) -> Answer:
    form = DecisionForm()
    if not form.validate():
        return _opening_page(opening, decision=form), 422

    def decide(session: Session, found: EmergencyOpening) -> None:
        approved, words = form.answer.data == "yes", form.words.data or ""
        rules.decide(
            session, found, approved=approved, words=words, actor=current_user.user, at=now()
        )

    return _act(opening, decide, "Your answer is kept, and they are told.")


@bp.post("/emergency/<uuid:opening>/end")
@policy(may_ask)
def end_emergency(opening: uuid.UUID) -> Answer:
    def end(session: Session, found: EmergencyOpening) -> None:
        rules.end_early(session, found, current_user.user, now())

    return _act(opening, end, "The record is closed again.")


@bp.post("/emergency/<uuid:opening>/review")
@policy(reviews)
def review_emergency(opening: uuid.UUID) -> Answer:
    form = ReviewForm(prefix=REVIEW)
    if not form.validate():
        return _opening_page(opening, review=form), 422

    def review(session: Session, found: EmergencyOpening) -> None:
        justified, words = form.answer.data == "yes", form.words.data or ""
        rules.review(
            session, found, justified=justified, words=words, actor=current_user.user, at=now()
        )

    return _act(opening, review, "Your review is kept.")


@bp.post("/emergency/<uuid:opening>/notice")
@policy(reviews)
def delay_notice(opening: uuid.UUID) -> Answer:
    form = DelayForm(prefix=DELAY)
    if not form.validate():
        return _opening_page(opening, delay=form), 422
    until = form.instant(current_settings().zone)

    def delay(session: Session, found: EmergencyOpening) -> None:
        words = form.words.data or ""
        rules.delay_notice(
            session, found, until=until, words=words, actor=current_user.user, at=now()
        )

    try:
        return _act(opening, delay, "They are told on that day, and not before.")
    except NotTheirsToDelay as refusal:
        form.until.errors = [refusal.message]
        return _opening_page(opening, delay=form), 422


def _pages() -> dict[str, int]:
    return {name: page_number(name) for name in PAGED}


def _address(name: str, number: int) -> str:
    """This page with one of its lists at another page; the other list stays where it is."""
    return url_for("care.emergencies", **_pages() | {name: number}, _anchor=name)


def minutes_left(opening: EmergencyOpening) -> int:
    """Begun minutes until it closes by itself."""
    left = (opening.closes_at or now()) - now()
    return -(-left // timedelta(minutes=1))


def _asked(form: AskForm) -> EmergencyOpening | None:
    """Ask; what cannot be is said beside the field, and a search that finds nobody counts."""
    reason = OpeningReason(form.reason.data)
    try:
        with unit_of_work() as session:
            return rules.ask(
                session, form.who.data, reason, form.words.data, current_user.user, now()
            )
    except NOT_FOUND as refusal:
        return _not_found(form, refusal)


def _opened(form: DangerForm) -> EmergencyOpening | None:
    try:
        with unit_of_work() as session:
            who, words = form.who.data, form.words.data
            return rules.open_in_danger(session, who, words, current_user.user, now())
    except NOT_FOUND as refusal:
        return _not_found(form, refusal)


def _not_found(form: AskForm | DangerForm, refusal: Refusal) -> None:
    form.who.errors = [*form.who.errors, refusal.message]
    if isinstance(refusal, NobodyFound):
        with unit_of_work() as session:
            rules.note_miss(session, current_user.user, now())


def _form_page(template: str, form: Form) -> Answer:
    return render_template(template, form=form), 422 if form.errors else 200


def _opening_page(public_id: uuid.UUID, **forms: Form) -> str:
    """What one may do about it. The reason may tell of the client: it is a reading like another."""
    with unit_of_work() as session:
        found = _visible(public_id)
        _write_down(session, found, "emergency_request.viewed", _role_in(found))
        readings = queries.readings_under(found)
        answers_as = rules.LEAD if found.is_danger else MAY_DECIDE
        why = why_not(
            session, found.asked_by, current_user.user, now(),
            asks_as=MAY_ASK, answers_as=answers_as,
        )  # fmt: skip
    return render_template(
        "care/emergency.html",
        why_not=why,
        opening=found,
        stage=found.stage(now()),
        is_mine=found.asked_by_id == current_user.id,
        readings=readings,
        minutes=minutes_left(found),
        forms={**_blank_forms(), **forms},
        **_clock(),
    )


def _blank_forms() -> dict[str, Form]:
    return {
        "decision": DecisionForm(formdata=None),
        "review": ReviewForm(formdata=None, prefix=REVIEW),
        "delay": DelayForm(formdata=None, prefix=DELAY),
    }


def _act(
    public_id: uuid.UUID, act: Callable[[Session, EmergencyOpening], None], done: str
) -> Response:
    """Carry one act out and come back, with its refusal in words if there is one."""
    try:
        with unit_of_work() as session:
            act(session, _visible(public_id))
    except NotAllowed:
        raise NotFound from None
    except (WrongState, SecondPersonNeeded) as refusal:
        flash(refusal.message, "sun")
    else:
        flash(done, "leaf")
    return redirect(url_for("care.emergencies"), 303)


def _visible(public_id: uuid.UUID) -> EmergencyOpening:
    found = queries.emergency(current_user.user, public_id, now())
    if found is None:
        raise NotFound
    return found


def _role_in(opening: EmergencyOpening) -> str:
    if opening.asked_by_id == current_user.id:
        return opening.asked_as
    is_lead = current_user.has(Role.clinical_lead)
    return Role.clinical_lead if is_lead else Role.administrator


def _write_down(session: Session, opening: EmergencyOpening, action: str, role: str) -> None:
    viewed(
        session,
        action,
        queries.EMERGENCY,
        opening.public_id,
        [opening.client],
        role,
        reason=opening.reason,
    )


def _clock() -> dict[str, Any]:
    return {"at": now(), "zone": current_settings().zone, "Stage": Stage}
