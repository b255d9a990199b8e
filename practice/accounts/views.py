"""Signing up, signing in and out, and choosing a new password."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from practice.accounts import (
    account_views,
    addresses,
    factor_views,
    letters,
    operations,
    passkey_views,
    passwords,
    proof_views,
    second_factors,
    signing_in,
    tokens,
)
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import Page, bp, counted, link_over, page
from practice.accounts.entering import begin, enter_with_password, go_in
from practice.accounts.forms import (
    AddressForm,
    ConfirmForm,
    NewPasswordForm,
    SignInForm,
    SignUpForm,
)
from practice.accounts.models import EmailTokenPurpose, Role, User
from practice.accounts.policy import anyone, signed_in
from practice.accounts.tokens import LinkOver

__all__ = ["account_views", "bp", "factor_views", "passkey_views", "proof_views"]

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
    if form.validate() and counted(form, Kind.sign_up, form.email.data):
        password_hash = passwords.hash_password(form.password.data)
        with unit_of_work() as session:
            letters.sign_up(session, form.email.data, password_hash, form.role, now())
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
    if form.validate_on_submit() and counted(form, Kind.mail, form.email.data):
        with unit_of_work() as session:
            letters.confirm_again(session, form.email.data, now())
        flash("If this address waits for a link, we have sent it again.", "leaf")
        return redirect(url_for("accounts.check_mail"), 303)
    return page("accounts/check_mail.html", form)


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
        return link_over("accounts.check_mail", "Send me a new link")
    return page("accounts/confirm.html", form)


@bp.route("/sign-in", methods=["GET", "POST"])
@policy(anyone)
def sign_in() -> Page:
    if current_user.is_authenticated and request.method == "GET":
        return redirect(url_for("today.today"), 303)
    form = SignInForm(next=request.args.get("next", ""))
    if form.validate_on_submit() and counted(form, Kind.sign_in, form.email.data):
        answer = enter_with_password(form.email.data, form.password.data, form.next_path)
        if answer is not None:
            return answer
        form.form_errors.append(NOT_SIGNED_IN)
    return page("accounts/sign_in.html", form)


@bp.post("/sign-out")
@policy(signed_in)
def sign_out() -> Page:
    home = "today.home" if current_user.has(Role.client) else "accounts.sign_in"
    with unit_of_work() as session:
        operations.end_session(session, current_user.user, current_user.row.public_id, now())
    return signing_in.leave(url_for(home))


@bp.route("/forgotten", methods=["GET", "POST"])
@policy(anyone)
def forgotten() -> Page:
    form = AddressForm()
    if form.validate_on_submit() and counted(form, Kind.mail, form.email.data):
        with unit_of_work() as session:
            letters.forgotten(session, form.email.data, now())
        return redirect(url_for("accounts.reset_sent"), 303)
    return page("accounts/forgotten.html", form)


@bp.get("/forgotten/sent")
@policy(anyone)
def reset_sent() -> Page:
    return render_template("accounts/reset_sent.html")


@bp.route("/reset/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def reset(token: str) -> Page:
    form = NewPasswordForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.reset, now())
        if addresses.is_taken_back(owner):
            # A fresh link, because the one before had run out: what else signs in is still to see.
            return redirect(url_for("accounts.taken_back", token=token), 303)
        form.is_for(owner, second_factor=_has_second_factor(owner))
        if form.validate_on_submit():
            password_hash = passwords.hash_password(form.password.data)
            with unit_of_work() as session:
                operations.reset_password(session, token, password_hash=password_hash, at=now())
            flash("Your new password is set. Please sign in with it.", "leaf")
            return redirect(url_for("accounts.sign_in"), 303)
    except LinkOver:
        return link_over("accounts.forgotten", "Ask for a new link")
    return page("accounts/reset.html", form)


@bp.route("/invitation/<string:token>", methods=["GET", "POST"])
@policy(anyone)
def invitation(token: str) -> Page:
    form = NewPasswordForm()
    try:
        owner = tokens.owner(db.session(), token, EmailTokenPurpose.invitation, now())
        form.is_for(owner, second_factor=False)
        if form.validate_on_submit():
            return _taken_up(token, passwords.hash_password(form.password.data))
    except LinkOver:
        return link_over("today.home", "Go to the first page")
    return page("accounts/invitation.html", form, owner=owner)


def _is_theirs(form: ConfirmForm, owner: User) -> bool:
    """Whether the account's password was chosen by whoever opens the link, not by a stranger."""
    if "password" not in form:
        return True
    email, password_hash = owner.email, owner.password_hash
    if counted(form, Kind.sign_in, email) and not passwords.is_right(
        form.password.data, password_hash
    ):
        form.password.errors = [NOT_THE_PASSWORD]
    return not form.errors


def _confirmed(token: str) -> Page:
    with unit_of_work() as session:
        user = operations.confirm(session, token, now())
        entry = begin(session, user)
    applies = user.has(Role.therapist)
    return go_in(entry, url_for("therapists.apply" if applies else "consent.begin"))


def _taken_up(token: str, password_hash: str) -> Page:
    with unit_of_work() as session:
        user = operations.take_up_invitation(session, token, password_hash=password_hash, at=now())
        entry = begin(session, user)
    return go_in(entry, url_for("today.today"))


def _has_second_factor(user: User) -> bool:
    return second_factors.factors_of(db.session(), user).any
