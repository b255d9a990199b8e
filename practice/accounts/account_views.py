"""A person's own account: who they are, how they sign in, and where they are signed in."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from practice.accounts import (
    addresses,
    factor_resets,
    known_browsers,
    operations,
    passwords,
    queries,
    second_factors,
    signing_in,
    tokens,
)
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import Page, bp, counted, link_over, page, refusals_on
from practice.accounts.forms import (
    AddressForm,
    ClientDetailsForm,
    DetailsForm,
    NewPasswordForm,
    TakenBackForm,
)
from practice.accounts.models import EmailTokenPurpose, User
from practice.accounts.policy import anyone, signed_in, step_up
from practice.accounts.proof_views import proved
from practice.accounts.tokens import LinkOver
from practice.accounts.ways_in import Way, ways_in
from practice.forms import EmptyForm
from practice.when import date_words

NOT_THE_OLD_ONE = (
    "This is not the password that the account had before. Leave the boxes empty to go on without "
    "removing anything."
)


@bp.route("/account", methods=["GET", "POST"])
@policy(signed_in)
def account() -> Page:
    form, user = _details_form(current_user.user), current_user.user
    if form.validate_on_submit():
        with unit_of_work() as session:
            operations.change_details(session, user, at=now(), **form.details)
        flash("We have kept your changes.", "leaf")
        return redirect(url_for("accounts.account"), 303)
    return page(
        "accounts/account.html",
        form,
        browsers=queries.live_sessions(db.session(), user, now()),
        factors=second_factors.factors_of(db.session(), user),
        limits=signing_in.limits_of(user),
        zone=_zone(user),
    )


@bp.route("/account/password", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def password() -> Page:
    user = current_user.user
    has_factor = second_factors.factors_of(db.session(), user).any
    form = NewPasswordForm().is_for(user, second_factor=has_factor)
    if form.validate_on_submit():
        password_hash = passwords.hash_password(form.password.data)
        with unit_of_work() as session:
            operations.change_password(
                session, user, password_hash, stays=current_user.row.public_id, at=now()
            )
        flash("Your new password is set. Every other browser is signed out.", "leaf")
        return proved(url_for("accounts.account"), strong=False)
    return page("accounts/password.html", form)


@bp.route("/account/address", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def address() -> Page:
    form = AddressForm()
    if form.validate_on_submit() and counted(form, Kind.mail, current_user.email):
        with refusals_on(form), unit_of_work() as session:
            addresses.ask(session, current_user.user, form.email.data, now())
        if not form.form_errors:
            return redirect(url_for("accounts.address_sent"), 303)
    return page("accounts/address.html", form)


@bp.get("/account/address/sent")
@policy(signed_in)
def address_sent() -> Page:
    return render_template("accounts/address_sent.html")


@bp.route("/address/<string:token>", methods=["GET", "POST"])
@policy(signed_in)
def confirm_address(token: str) -> Page:
    """For who asked alone: an address that was mistyped gives its reader no account."""
    form = EmptyForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.new_address, now())
        if owner.id != current_user.user.id:
            raise LinkOver
        if form.validate_on_submit():
            with unit_of_work() as session:
                addresses.confirm(session, token, now())
            flash("Your new address is confirmed. You sign in with it from now on.", "leaf")
            return redirect(url_for("accounts.account"), 303)
    except LinkOver:
        return link_over("accounts.address", "Ask for a new link")
    change = addresses.asked_for(db.session(), current_user.user)
    return page("accounts/confirm_address.html", form, change=change)


@bp.route("/address/<string:token>/return", methods=["GET", "POST"])
@policy(anyone)
def take_back_address(token: str) -> Page:
    """This was not me: the old address again, everybody out, then a new password."""
    form = EmptyForm()
    try:
        change = addresses.to_undo(db.session(), token, now())
        if form.validate_on_submit():
            with unit_of_work() as session:
                reset = addresses.take_back(session, token, now())
            signing_in.forget()
            return redirect(url_for("accounts.taken_back", token=reset), 303)
    except LinkOver:
        return link_over("accounts.forgotten", "Choose a new password")
    ways = ways_in(db.session(), change.user)
    return page(
        "accounts/take_back_address.html",
        form,
        change=change,
        going=[one for one in ways if one.added_at >= change.asked_at],
        left=[one for one in ways if one.added_at < change.asked_at],
        zone=_zone(change.user),
    )


@bp.route("/address/taken-back/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def taken_back(token: str) -> Page:
    """The account is theirs again: what else signs in to it, and a new password."""
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.reset, now())
        if not addresses.is_taken_back(owner):
            return redirect(url_for("accounts.reset", token=token), 303)
        ways = ways_in(db.session(), owner)
        form = _taken_back_form(owner, ways)
        if form.validate_on_submit() and _may_remove(form, owner):
            answer = _begun_again(form, token)
            if answer is not None:
                return answer
    except LinkOver:
        return link_over("accounts.forgotten", "Ask for a new link")
    return page("accounts/taken_back.html", form, ways=ways)


@bp.route("/second-factor/<string:token>/stays", methods=["GET", "POST"])
@policy(anyone)
def keep_factor(token: str) -> Page:
    """The owner of a second factor stops its removal."""
    form = EmptyForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.keep_factor, now())
        due_at = factor_resets.due_at(db.session(), owner)
        if form.validate_on_submit():
            with unit_of_work() as session:
                factor_resets.keep(session, token, now())
            flash("Nothing is removed. How you sign in stays as it is.", "leaf")
            return redirect(url_for("accounts.sign_in"), 303)
    except LinkOver:
        return link_over("accounts.forgotten", "Choose a new password")
    return page("accounts/keep_factor.html", form, due_at=due_at, zone=_zone(owner))


@bp.post("/account/browsers/<uuid:browser>/end")
@policy(signed_in)
@step_up
def end_browser(browser: uuid.UUID) -> Page:
    with unit_of_work() as session:
        operations.end_session(session, current_user.user, browser, now())
    if browser == current_user.row.public_id:
        signing_in.forget()
    flash("That browser is signed out.", "leaf")
    return redirect(url_for("accounts.account"), 303)


@bp.post("/account/browsers/others/end")
@policy(signed_in)
@step_up
def end_other_browsers() -> Page:
    with unit_of_work() as session:
        operations.end_other_sessions(session, current_user.user, current_user.row.public_id, now())
    known_browsers.know_here(current_user.user)
    flash("Every other browser is signed out.", "leaf")
    return redirect(url_for("accounts.account"), 303)


@bp.post("/account/browsers/end")
@policy(signed_in)
@step_up
def end_every_browser() -> Page:
    with unit_of_work() as session:
        operations.end_all_sessions(session, current_user.user, current_user.user, now())
    return known_browsers.forget_here(signing_in.leave(url_for("accounts.signed_out")))


@bp.get("/signed-out")
@policy(anyone)
def signed_out() -> Page:
    return render_template("accounts/signed_out.html")


def _taken_back_form(owner: User, ways: list[Way]) -> TakenBackForm:
    """With a password as long as it must be beside what is left."""
    zone = _zone(owner)
    words = [(one.key, f"{one.name}, added {date_words(one.added_at, zone)}") for one in ways]
    form = TakenBackForm().offer(words)
    left = any(one.is_factor for one in ways if one.key not in form.chosen)
    form.is_for(owner, second_factor=left)
    return form


def _may_remove(form: TakenBackForm, owner: User) -> bool:
    """What was there before goes only with the password of before."""
    if not form.chosen:
        return True
    email, hash_before = owner.email, addresses.password_before(db.session(), owner)
    if counted(form, Kind.sign_in, email) and not passwords.is_right(
        form.old_password.data or "", hash_before
    ):
        form.old_password.errors = [NOT_THE_OLD_ONE]
    return not form.errors


def _begun_again(form: TakenBackForm, token: str) -> Page | None:
    password_hash, keys = passwords.hash_password(form.password.data), form.chosen
    with refusals_on(form), unit_of_work() as session:
        addresses.begin_again(session, token, keys, password_hash=password_hash, at=now())
    if form.form_errors:
        return None
    flash("Your new password is set. Please sign in with it.", "leaf")
    return redirect(url_for("accounts.sign_in"), 303)


def _details_form(user: User) -> DetailsForm:
    if user.client is None:
        return DetailsForm(name=user.name)
    return ClientDetailsForm(name=user.client.preferred_name, phone=user.client.phone)


def _zone(user: User) -> str:
    """The zone to tell this person times in."""
    return user.client.zone if user.client else current_settings().zone
