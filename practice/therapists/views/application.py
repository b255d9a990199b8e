"""Beginning an application and sending it."""

from contextlib import suppress

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from practice.accounts.models import Role
from practice.accounts.policy import anyone
from practice.places import zone_of
from practice.therapists.forms.application import ApplyForm
from practice.therapists.models import Level
from practice.therapists.operations import HasProfile, NotComplete, begin_application, submit
from practice.therapists.policy import is_therapist
from practice.therapists.queries import therapist_of
from practice.therapists.views.blueprint import bp, own_profile


@bp.route("/apply", methods=["GET", "POST"])
@policy(anyone)
def apply() -> ResponseReturnValue:
    if not current_user.is_authenticated or not current_user.has(Role.therapist):
        return render_template("therapists/before_applying.html")
    if therapist_of(current_user.user) is not None:
        return redirect(url_for("therapists.profile"), 303)
    form = ApplyForm(name=current_user.name)
    if not form.validate_on_submit():
        return render_template("therapists/apply.html", form=form), _status(form)
    with suppress(HasProfile):
        _begin(form)
    return redirect(url_for("therapists.profile"), 303)


@bp.post("/profile/submission")
@policy(is_therapist)
def submission() -> ResponseReturnValue:
    try:
        with unit_of_work() as session:
            submit(session, own_profile(lock=True), actor=current_user.user, at=now())
    except NotComplete as refusal:
        flash(refusal.message, "sun")
    else:
        flash("Your application is on its way. We write to you when there is news.", "leaf")
    return redirect(url_for("therapists.profile"), 303)


def _begin(form: ApplyForm) -> None:
    with unit_of_work() as session:
        begin_application(
            session,
            current_user.user,
            name=form.name.data,
            profession=form.profession.data,
            level=Level(form.level.data),
            zone=zone_of(form.place.data),
            at=now(),
        )


def _status(form: ApplyForm) -> int:
    return 422 if form.is_submitted() else 200
