"""Pages of accounts."""

import uuid
from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import attempts, operations, passwords, queries, signing_in, tokens
from practice.accounts.attempts import Kind, TooManyTries
from practice.accounts.browsers import browser_name
from practice.accounts.forms import (
    AddressForm,
    ClientDetailsForm,
    ConfirmForm,
    DetailsForm,
    NewPasswordForm,
    SignInForm,
    SignUpForm,
)
from practice.accounts.models import EmailTokenPurpose, Role, User
from practice.accounts.policy import anyone, signed_in
from practice.accounts.tokens import LinkOver
from practice.forms import Form

bp = Blueprint("accounts", __name__)

Page = Response | str | tuple[str, int]

NOT_SIGNED_IN = (
    "We could not sign you in with this address and password. If you have just signed up, "
    "please open the link in our mail first."
)

NOT_THE_PASSWORD = "This is not the password that was chosen for this account last."


@bp.get("/sign-up")
@policy(anyone)
def sign_up() -> Page:
    # The question comes without a form: whoever is too young leaves nothing here, no cookie either.
    if request.args.get("adult") != "yes" and request.args.get("for") != Role.therapist:
        return render_template("accounts/adult.html")
    return render_template("accounts/sign_up.html", form=SignUpForm(request.args))


@bp.post("/sign-up")
@policy(anyone)
def open_account() -> Page:
    form = SignUpForm()
    if not form.may_sign_up:
        return redirect(url_for("accounts.sign_up"), 303)
    if form.validate() and _counted(form, Kind.mail):
        password_hash = passwords.hash_password(form.password.data)
        with unit_of_work() as session:
            operations.sign_up(
                session, form.email.data, password_hash=password_hash, role=form.role, at=now()
            )
        signing_in.note_sign_up(password_hash)
        return redirect(url_for("accounts.check_mail"), 303)
    return render_template("accounts/sign_up.html", form=form), 422


@bp.get("/young-people")
@policy(anyone)
def youth() -> Page:
    return render_template("accounts/youth.html")


@bp.route("/sign-up/sent", methods=["GET", "POST"])
@policy(anyone)
def check_mail() -> Page:
    form = AddressForm()
    if form.validate_on_submit() and _counted(form, Kind.mail):
        with unit_of_work() as session:
            operations.ask_to_confirm_again(session, form.email.data, now())
        flash("If this address waits for a link, we have sent it again.", "leaf")
        return redirect(url_for("accounts.check_mail"), 303)
    return _page("accounts/check_mail.html", form)


@bp.route("/confirm/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def confirm(token: str) -> Page:
    form = ConfirmForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.confirm, now())
        form.ask_only(elsewhere=not signing_in.signed_up_here(owner))
        if form.validate_on_submit() and _is_theirs(form, owner):
            return _confirmed(token)
    except LinkOver:
        return _link_over("accounts.check_mail", "Send me a new link")
    return _page("accounts/confirm.html", form)


@bp.route("/sign-in", methods=["GET", "POST"])
@policy(anyone)
def sign_in() -> Page:
    if current_user.is_authenticated and request.method == "GET":
        return redirect(url_for("today.today"), 303)
    form = SignInForm(next=request.args.get("next", ""))
    if form.validate_on_submit() and _counted(form, Kind.sign_in):
        if _signed_in_with(form):
            return redirect(form.next_path or url_for("today.today"), 303)
        form.form_errors.append(NOT_SIGNED_IN)
    return _page("accounts/sign_in.html", form)


@bp.post("/sign-out")
@policy(signed_in)
def sign_out() -> Page:
    home = "today.home" if current_user.has(Role.client) else "accounts.sign_in"
    with unit_of_work() as session:
        operations.end_session(session, current_user.user, current_user.row.public_id, now())
    signing_in.forget()
    return redirect(url_for(home), 303)


@bp.route("/forgotten", methods=["GET", "POST"])
@policy(anyone)
def forgotten() -> Page:
    form = AddressForm()
    if form.validate_on_submit() and _counted(form, Kind.mail):
        with unit_of_work() as session:
            operations.forget_password(session, form.email.data, now())
        return redirect(url_for("accounts.reset_sent"), 303)
    return _page("accounts/forgotten.html", form)


@bp.get("/forgotten/sent")
@policy(anyone)
def reset_sent() -> Page:
    return render_template("accounts/reset_sent.html")


@bp.route("/reset/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def reset(token: str) -> Page:
    form = NewPasswordForm()
    try:
        tokens.owner(db.session(), token, EmailTokenPurpose.reset, now())
        if form.validate_on_submit():
            password_hash = passwords.hash_password(form.password.data)
            with unit_of_work() as session:
                operations.reset_password(session, token, password_hash=password_hash, at=now())
            flash("Your new password is set. Please sign in with it.", "leaf")
            return redirect(url_for("accounts.sign_in"), 303)
    except LinkOver:
        return _link_over("accounts.forgotten", "Ask for a new link")
    return _page("accounts/reset.html", form)


@bp.route("/invitation/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def invitation(token: str) -> Page:
    form = NewPasswordForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.invitation, now())
        if form.validate_on_submit():
            return _taken_up(token, passwords.hash_password(form.password.data))
    except LinkOver:
        return _link_over("today.home", "Go to the first page")
    return _page("accounts/invitation.html", form, owner=owner)


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
    return _page("accounts/account.html", form, browsers=browsers, zone=_zone(current_user.user))


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


def _counted(form: Form, kind: Kind, address: str | None = None) -> bool:
    """Count the try in a transaction of its own: it counts even if what follows fails."""
    address = address or form.email.data
    try:
        with unit_of_work() as session:
            attempts.count(session, kind, address, request.remote_addr or "", now())
    except TooManyTries as refusal:
        form.form_errors.append(refusal.message)
    return not form.form_errors


def _signed_in_with(form: SignInForm) -> bool:
    """Sign the browser in if address and password belong together and are in use."""
    user = queries.user_with(db.session(), form.email.data)
    right = passwords.is_right(form.password.data, user.password_hash if user else None)
    if user is None or not right:
        return False
    with unit_of_work() as session:
        attempts.forgive(session, Kind.sign_in, form.email.data, request.remote_addr or "")
        token = _begun(session, user) if operations.may_sign_in(session, user, now()) else None
    if token:
        signing_in.remember(user, token)
    return token is not None


def _is_theirs(form: ConfirmForm, owner: User) -> bool:
    """Whether the account's password was chosen by whoever opens the link, not by a stranger."""
    if "password" not in form:
        return True
    email, password_hash = owner.email, owner.password_hash
    if _counted(form, Kind.sign_in, email) and not passwords.is_right(
        form.password.data, password_hash
    ):
        form.password.errors = [NOT_THE_PASSWORD]
    return not form.errors


def _confirmed(token: str) -> Page:
    with unit_of_work() as session:
        user = operations.confirm(session, token, now())
        of_browser = _begun(session, user)
    signing_in.remember(user, of_browser)
    applies = user.has(Role.therapist)
    return redirect(url_for("therapists.apply" if applies else "consent.begin"), 303)


def _taken_up(token: str, password_hash: str) -> Page:
    with unit_of_work() as session:
        user = operations.take_up_invitation(session, token, password_hash=password_hash, at=now())
        of_browser = _begun(session, user)
    signing_in.remember(user, of_browser)
    return redirect(url_for("today.today"), 303)


def _begun(session: Session, user: User) -> str:
    """Begin a session for this browser; whoever was signed in on it before is signed out."""
    if current_user.is_authenticated:
        with suppress(NotFound):
            operations.end_session(session, current_user.user, current_user.row.public_id, now())
    browser = browser_name(request.headers.get("User-Agent", ""))
    return operations.begin_session(session, user, browser, now())


def _details_form(user: User) -> DetailsForm:
    if user.client is None:
        return DetailsForm(name=user.name)
    return ClientDetailsForm(name=user.client.preferred_name, phone=user.client.phone)


def _zone(user: User) -> str:
    """The zone to tell this person times in."""
    return user.client.zone if user.client else current_settings().zone


def _link_over(endpoint: str, label: str) -> Page:
    return render_template("accounts/link_over.html", endpoint=endpoint, label=label), 410


def _page(template: str, form: Form, **values: object) -> Page:
    return render_template(template, form=form, **values), 422 if form.errors else 200
