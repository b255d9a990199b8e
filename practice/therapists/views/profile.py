"""A therapist's own profile: what is missing, its sections, supervision, hours and room."""

import uuid

import sqlalchemy as sa
from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.forms import EmptyForm
from practice.therapists import operations, presenting
from practice.therapists.completeness import missing_from
from practice.therapists.forms.application import SupervisorForm
from practice.therapists.forms.hours import CapacityForm, HoursForm
from practice.therapists.models import Therapist
from practice.therapists.policy import associates_of, is_therapist
from practice.therapists.queries import (
    authority_of,
    possible_supervisors,
    supervised_by,
    therapist_of,
)
from practice.therapists.sections import SECTIONS, Section, section_called
from practice.therapists.summaries import summary_of
from practice.therapists.views.blueprint import bp, own_profile


@bp.get("/profile")
@policy(is_therapist)
def profile() -> ResponseReturnValue:
    therapist = therapist_of(current_user.user)
    if therapist is None:
        return redirect(url_for("therapists.apply"), 303)
    return _overview(therapist, CapacityForm(obj=therapist)), 200


@bp.route("/profile/<string:section>", methods=["GET", "POST"])
@policy(is_therapist)
def edit(section: str) -> ResponseReturnValue:
    chosen = section_called(section)
    form = chosen.form.of(own_profile())
    if not form.validate_on_submit():
        page = render_template("therapists/section.html", section=chosen, form=form)
        return page, 422 if form.is_submitted() else 200
    with unit_of_work() as session:
        operations.save_profile(
            session, own_profile(lock=True), form.values(), actor=current_user.user, at=now()
        )
    flash("Saved.", "leaf")
    return redirect(_after(chosen), 303)


@bp.route("/profile/supervisor", methods=["GET", "POST"])
@policy(is_therapist)
def supervisor() -> ResponseReturnValue:
    therapist = own_profile()
    form = SupervisorForm.choosing(possible_supervisors(therapist, now()), therapist.supervisor)
    if not form.validate_on_submit():
        page = render_template("therapists/supervisor.html", therapist=therapist, form=form)
        return page, 422 if form.is_submitted() else 200
    with unit_of_work() as session:
        operations.name_supervisor(
            session, own_profile(lock=True), _chosen(form), actor=current_user.user, at=now()
        )
    flash(_said_of_supervisor(form), "leaf")
    return redirect(url_for("therapists.profile"), 303)


@bp.post("/profile/associates/<uuid:associate>/agreement")
@policy(is_therapist)
def agree_to_supervise(associate: uuid.UUID) -> ResponseReturnValue:
    return _answer_supervision(associate, agrees=True, said="Thank you. Your agreement is noted.")


@bp.post("/profile/associates/<uuid:associate>/refusal")
@policy(is_therapist)
def decline_to_supervise(associate: uuid.UUID) -> ResponseReturnValue:
    return _answer_supervision(
        associate, agrees=False, said="Noted. They are no longer shown under your supervision."
    )


@bp.route("/profile/hours", methods=["GET", "POST"])
@policy(is_therapist)
def hours() -> ResponseReturnValue:
    form = HoursForm.of(own_profile())
    if not form.validate_on_submit():
        page = render_template("therapists/hours.html", form=form)
        return page, 422 if form.is_submitted() else 200
    with unit_of_work() as session:
        operations.set_hours(
            session,
            own_profile(lock=True),
            form.windows(),
            zone=form.zone.data,
            actor=current_user.user,
            at=now(),
        )
    flash(HOURS_KEPT if form.windows() else NO_HOURS, "leaf")
    return redirect(url_for("therapists.profile"), 303)


@bp.post("/profile/hours/confirmation")
@policy(is_therapist)
def confirm_hours() -> ResponseReturnValue:
    try:
        with unit_of_work() as session:
            therapist = own_profile(lock=True)
            operations.confirm_hours(session, therapist, actor=current_user.user, at=now())
    except operations.NoHours as refusal:
        flash(refusal.message, "sun")
    else:
        flash("Thank you. Your hours are confirmed for fourteen days.", "leaf")
    return redirect(url_for("therapists.profile"), 303)


@bp.post("/profile/capacity")
@policy(is_therapist)
def capacity() -> ResponseReturnValue:
    form = CapacityForm()
    if not form.validate_on_submit():
        return _overview(own_profile(), form), 422
    with unit_of_work() as session:
        operations.set_capacity(
            session, own_profile(), form.open_places.data, actor=current_user.user, at=now()
        )
    flash("Saved.", "leaf")
    return redirect(url_for("therapists.profile"), 303)


def _overview(therapist: Therapist, capacity_form: CapacityForm) -> str:
    at = now()
    return render_template(
        "therapists/profile.html",
        therapist=therapist,
        missing=missing_from(therapist),
        authority=authority_of([therapist.id], at)[therapist.id],
        hours_are_fresh=therapist.hours_are_fresh(at),
        associates=supervised_by(therapist),
        section_rows=_section_rows(therapist),
        section_address=_address_of,
        can_send=therapist.application.state in operations.SENDABLE,
        capacity_form=capacity_form,
        button_form=EmptyForm(),
        presenting=presenting,
    )


def _section_rows(therapist: Therapist) -> list[tuple[str, str, str]]:
    """(title, what stands there, address) of each section, for the list on the overview."""
    lacking = {missing.section for missing in missing_from(therapist)}
    titles = {section.key: section.title for section in SECTIONS} | {"licences": "Licences"}
    if therapist.is_associate:
        titles["supervisor"] = "Your supervisor"
    return [
        (title, MISSING if key in lacking else summary_of(therapist, key), _address_of(key))
        for key, title in titles.items()
    ]


MISSING = "Something is missing"
HOURS_KEPT = "Your hours are saved and confirmed for fourteen days."
NO_HOURS = "Saved. Without any hours you are not shown to anyone new."


def _address_of(section: str) -> str:
    if section in ("licences", "supervisor"):
        return url_for(f"therapists.{section}")
    return url_for("therapists.edit", section=section)


def _after(section: Section) -> str:
    if section.then:
        return url_for("therapists.edit", section=section.then)
    return url_for("therapists.profile")


def _chosen(form: SupervisorForm) -> Therapist | None:
    if not form.supervisor.data:
        return None
    public_id = uuid.UUID(form.supervisor.data)
    return db.session.scalars(sa.select(Therapist).where(Therapist.public_id == public_id)).one()


def _said_of_supervisor(form: SupervisorForm) -> str:
    if form.supervisor.data:
        return "Saved. Your supervisor is asked to confirm it."
    return "Saved. Nobody is named as your supervisor."


def _answer_supervision(associate: uuid.UUID, *, agrees: bool, said: str) -> ResponseReturnValue:
    with unit_of_work() as session:
        query = associates_of(current_user.user).where(Therapist.public_id == associate)
        locked = query.with_for_update(of=Therapist, key_share=True)
        found = session.scalars(locked).first()
        if found is None:
            raise NotFound
        operations.answer_supervision(
            session, found, agrees=agrees, actor=current_user.user, at=now()
        )
    flash(said, "leaf")
    return redirect(url_for("therapists.profile"), 303)
