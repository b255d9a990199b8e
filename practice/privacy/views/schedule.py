"""The administrators' page: by which rules things go, how many and when; never whose."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.policy import has_role, step_up
from practice.asking import ask_for
from practice.forms import EmptyForm
from practice.places import PLACES
from practice.privacy import operations, queries
from practice.privacy.forms import HoldForm
from practice.privacy.retention import DEFAULT_YEARS_OF_RECORD, SCHEDULE, YEARS_OF_RECORD
from practice.privacy.schedule import KEEPING, preview
from practice.privacy.views.blueprint import Page, bp

administers = has_role(Role.administrator)


@bp.get("/retention")
@policy(administers)
def schedule() -> Page:
    return _schedule_page(HoldForm())


@bp.route("/retention/run", methods=["GET", "POST"])
@policy(administers)
@step_up
def run() -> Page:
    form = EmptyForm()
    if form.validate_on_submit():
        return ask_for(KEEPING, "privacy.schedule")
    due = [line for line in preview(db.session(), now()) if line.now]
    return render_template("privacy/run.html", due=due, schedule=SCHEDULE, form=form)


@bp.post("/retention/holds")
@policy(administers)
@step_up
def place_hold() -> Page:
    form = HoldForm()
    if form.validate_on_submit() and _held(form):
        flash("Nothing of this client is deleted until you lift the hold.", "leaf")
        return redirect(url_for("privacy.schedule"), 303)
    return _schedule_page(form)


@bp.post("/retention/holds/<uuid:hold>/lifting")
@policy(administers)
@step_up
def lift_hold(hold: uuid.UUID) -> Page:
    with unit_of_work() as session:
        standing = queries.standing_hold(session, hold)
        if standing is None:
            raise NotFound
        operations.lift_hold(session, standing, current_user.user, now())
    flash("The hold is lifted. What was waiting goes with the next run.", "leaf")
    return redirect(url_for("privacy.schedule"), 303)


def _held(form: HoldForm) -> bool:
    with unit_of_work() as session:
        client = queries.client_with(session, form.reference)
        if client is None:
            form.client.errors = ["No client has this reference. Please check it."]
            return False
        try:
            operations.place_hold(session, client, form.reason.data, current_user.user, now())
        except operations.HeldAlready as refusal:
            form.client.errors = [refusal.message]
    return not form.errors


def _schedule_page(form: HoldForm) -> Page:
    page = render_template(
        "privacy/schedule.html",
        form=form,
        lines=preview(db.session(), now()),
        schedule=SCHEDULE,
        states=YEARS_OF_RECORD,
        places=PLACES,
        default_years=DEFAULT_YEARS_OF_RECORD,
        holds=queries.standing_holds(db.session()),
        runs=queries.last_runs(db.session()),
        round=KEEPING.standing(db.session(), now()),
        unfinished=len(queries.unfinished_erasures(db.session())),
        zone=current_settings().zone,
    )
    return page, 422 if form.errors else 200
