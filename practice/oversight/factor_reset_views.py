"""Lost second factors: one administrator asks, another confirms, the person can stop it."""

import uuid

from flask import flash, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from practice.accounts import factor_resets, two_people
from practice.accounts.blueprint import page, refusals_on
from practice.accounts.models import FactorReset
from practice.accounts.policy import step_up
from practice.forms import EmptyForm
from practice.oversight.blueprint import Page, bp
from practice.oversight.forms import FactorResetForm
from practice.oversight.policy import is_administrator


@bp.route("/oversight/lost-second-factors", methods=["GET", "POST"])
@policy(is_administrator)
@step_up
def factor_resets_page() -> Page:
    form = FactorResetForm()
    if form.validate_on_submit():
        with refusals_on(form), unit_of_work() as session:
            factor_resets.ask(session, form.email.data, form.reason.data, current_user.user, now())
        if not form.form_errors:
            return _done("It is asked for. Another administrator has to confirm it.")
    waiting = [(one, _why_not(one)) for one in factor_resets.waiting()]
    return page("oversight/factor_resets.html", form, waiting=waiting)


@bp.post("/oversight/lost-second-factors/<uuid:factor_reset>/confirmation")
@policy(is_administrator)
@step_up
def confirm_factor_reset(factor_reset: uuid.UUID) -> Page:
    form = EmptyForm()
    with refusals_on(form), unit_of_work() as session:
        factor_resets.confirm(session, factor_reset, current_user.user, now())
    if form.form_errors:
        return _done(form.form_errors[0], "clay")
    return _done("It is confirmed. The person has a mail, and a day to stop it.")


@bp.post("/oversight/lost-second-factors/<uuid:factor_reset>/stop")
@policy(is_administrator)
@step_up
def stop_factor_reset(factor_reset: uuid.UUID) -> Page:
    with unit_of_work() as session:
        factor_resets.refuse(session, factor_reset, current_user.user, now())
    return _done("It is stopped. Nothing is removed.")


def _why_not(reset: FactorReset) -> str:
    """Why whoever looks at it cannot confirm it; "" when they can, or asked themselves."""
    me = current_user.user
    if me.id == reset.asked_by_id:
        return ""
    return two_people.why_not(db.session(), reset.asked_by, me, now())


def _done(words: str, kind: str = "leaf") -> Response:
    flash(words, kind)
    return redirect(url_for("oversight.factor_resets_page"), 303)
