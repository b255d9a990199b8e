"""A person's own account: who they are, how they sign in, and where they are signed in."""

import uuid

from flask import flash, redirect, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from practice.accounts import operations, queries, signing_in
from practice.accounts.blueprint import Page, bp, page
from practice.accounts.forms import ClientDetailsForm, DetailsForm
from practice.accounts.models import User
from practice.accounts.policy import signed_in


@bp.route("/account", methods=["GET", "POST"])
@policy(signed_in)
def account() -> Page:
    form = _details_form(current_user.user)
    if form.validate_on_submit():
        with unit_of_work() as session:
            operations.change_details(session, current_user.user, at=now(), **form.details)
        flash("We have kept your changes.", "leaf")
        return redirect(url_for("accounts.account"), 303)
    browsers = queries.live_sessions(db.session(), current_user.user, now())
    return page("accounts/account.html", form, browsers=browsers, zone=_zone(current_user.user))


@bp.post("/account/browsers/<uuid:browser>/end")
@policy(signed_in)
def end_browser(browser: uuid.UUID) -> Page:
    with unit_of_work() as session:
        operations.end_session(session, current_user.user, browser, now())
    if browser == current_user.row.public_id:
        signing_in.forget()
    flash("That browser is signed out.", "leaf")
    return redirect(url_for("accounts.account"), 303)


@bp.post("/account/browsers/end")
@policy(signed_in)
def end_every_browser() -> Page:
    with unit_of_work() as session:
        operations.end_all_sessions(session, current_user.user, current_user.user, now())
    signing_in.forget()
    flash("You are signed out everywhere.", "leaf")
    return redirect(url_for("accounts.sign_in"), 303)


def _details_form(user: User) -> DetailsForm:
    if user.client is None:
        return DetailsForm(name=user.name)
    return ClientDetailsForm(name=user.client.preferred_name, phone=user.client.phone)


def _zone(user: User) -> str:
    """The zone to tell this person times in."""
    return user.client.zone if user.client else current_settings().zone
