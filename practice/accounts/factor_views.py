"""The second step of signing in, and setting up what it needs: the app and recovery codes."""

import uuid

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import (
    authenticator,
    demo,
    keeping,
    passwords,
    recovery,
    second_factors,
    signing_in,
)
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import Page, bp, counted, forgiven, page, refusals_on
from practice.accounts.entering import enter_with_code
from practice.accounts.forms import CodeForm, RemovalForm
from practice.accounts.keeping import Typed
from practice.accounts.models import User
from practice.accounts.policy import anyone, only_in_demo, signed_in, step_up
from practice.accounts.proof_views import proved
from practice.forms import EmptyForm

NOT_THE_CODE = (
    "This code is not right, or it was used already. An app shows a new one every half minute."
)
TOO_SHORT_ALONE = (
    "Without a second factor your password has to be longer: at least 15 characters. "
    "Please change it first."
)


@bp.route("/sign-in/second-step", methods=["GET", "POST"])
@policy(anyone)
def second_step() -> Page:
    half = signing_in.half_way(now())
    if half is None:
        return redirect(url_for("accounts.sign_in", next=request.args.get("next")), 303)
    form = CodeForm(next=request.args.get("next", ""))
    user = half.user
    if form.validate_on_submit() and counted(form, Kind.second_factor, user.email):
        answer = enter_with_code(half, form.code.data, form.next_path)
        if answer is not None:
            forgiven(Kind.second_factor, user.email)
            return answer
        form.code.errors = [NOT_THE_CODE]
    elif form.form_errors:
        with unit_of_work() as session:
            second_factors.warn_of_guessing(session, user, now())
    factors = second_factors.factors_of(db.session(), user)
    return page("accounts/second_step.html", form, factors=factors, demo=demo.shown(now()))


@bp.get("/account/second-factor")
@policy(signed_in)
def secure() -> Page:
    """Where staff begin, and whoever has a password too short to stand alone."""
    factors = second_factors.factors_of(db.session(), current_user.user)
    if current_user.row.is_strong and factors.any:
        return redirect(url_for("accounts.account"), 303)
    return render_template("accounts/secure.html", factors=factors, row=current_user.row)


@bp.post("/account/authenticator")
@policy(signed_in)
@step_up
def begin_authenticator() -> Page:
    with unit_of_work() as session:
        second_factors.begin_app(session, current_user.user, now())
    return redirect(url_for("accounts.authenticator_page"), 303)


@bp.get("/account/authenticator")
@policy(signed_in)
@step_up
def authenticator_page() -> Page:
    return _authenticator_page(CodeForm(formdata=None))


@bp.post("/account/authenticator/confirmation")
@policy(signed_in)
@step_up
def confirm_authenticator() -> Page:
    form, user = CodeForm(), current_user.user
    if form.validate() and counted(form, Kind.second_factor, user.email):
        with unit_of_work() as session:
            right = second_factors.confirm_app(session, user, form.code.data, now())
        if right:
            return factor_added("Your authenticator app is set up.")
        form.code.errors = [NOT_THE_CODE]
    return _authenticator_page(form)


@bp.route("/account/authenticator/removal", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def remove_authenticator() -> Page:
    form, user = RemovalForm(), current_user.user
    if second_factors.confirmed_app(db.session(), user) is None:
        raise NotFound
    if form.validate_on_submit() and may_be_without(form, user):
        with refusals_on(form), unit_of_work() as session:
            second_factors.remove_app(session, user, now())
        if not form.form_errors:
            return done("The authenticator app is removed.")
    return page("accounts/remove_authenticator.html", form)


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def recovery_codes() -> Page:
    """How many are left; ten new ones on request."""
    factors = second_factors.factors_of(db.session(), current_user.user)
    if not factors.any:
        raise NotFound
    if EmptyForm().validate_on_submit():
        return redirect(_fresh_codes(current_user.user), 303)
    return render_template("accounts/recovery_codes.html", factors=factors)


@bp.get("/account/recovery-codes/<uuid:kept>")
@policy(signed_in)
def new_recovery_codes(kept: uuid.UUID) -> Page:
    """The only look at them: they are kept for half an hour, readable in this browser alone."""
    codes = [code for _, code in keeping.kept_form(current_user.user, kept).values]
    return render_template("accounts/new_recovery_codes.html", codes=codes, kept=kept)


@bp.get("/account/recovery-codes/<uuid:kept>/file")
@policy(signed_in)
def recovery_codes_file(kept: uuid.UUID) -> FileResponse:
    codes = [code for _, code in keeping.kept_form(current_user.user, kept).values]
    text = "\n".join([f"Recovery codes, each good once: {current_settings().base_url}", *codes, ""])
    headers = {"Content-Disposition": 'attachment; filename="recovery-codes.txt"'}
    return FileResponse(text, mimetype="text/plain", headers=headers)


@bp.post("/account/recovery-codes/<uuid:kept>/kept")
@policy(signed_in)
def keep_recovery_codes(kept: uuid.UUID) -> Page:
    """Their owner has written them down: the copy goes."""
    with unit_of_work() as session:
        keeping.throw_away(session, current_user.user, kept)
    return redirect(url_for("today.today"), 303)


@bp.get("/demo/second-factor")
@policy(only_in_demo)
def demo_codes() -> Page:
    return render_template("accounts/demo_codes.html", demo=demo.shown(now()))


def _authenticator_page(form: CodeForm) -> Page:
    app = second_factors.app_of(db.session(), current_user.user)
    if app is None or app.confirmed_at is not None:
        return redirect(url_for("accounts.account"), 303)
    address = authenticator.address_of(
        app.secret, current_user.email, current_settings().organisation
    )
    return page(
        "accounts/authenticator.html",
        form,
        picture=authenticator.picture_of(address),
        key=authenticator.in_groups(app.secret),
    )


def factor_added(words: str) -> Response:
    """Recovery codes come with the first factor, and the browser that set it up has shown it."""
    flash(words, "leaf")
    user = current_user.user
    needs_codes = second_factors.factors_of(db.session(), user).codes_left == 0
    path = _fresh_codes(user) if needs_codes else url_for("accounts.account")
    return proved(path, strong=True)


def _fresh_codes(user: User) -> str:
    """Ten new codes; the path where their owner sees them once."""
    codes = recovery.new_codes()
    hashes = [recovery.hash_code(code) for code in codes]
    with unit_of_work() as session:
        second_factors.renew_codes(session, user, hashes, now())
    typed = Typed("", [("code", code) for code in codes])
    return url_for("accounts.new_recovery_codes", kept=keeping.keep_here(user, typed))


def may_be_without(form: RemovalForm, user: User) -> bool:
    """Whether the password is right and, with no second factor left, long enough."""
    if not counted(form, Kind.step_up, user.email):
        return False
    if not passwords.is_right(form.password.data, user.password_hash):
        form.password.errors = ["This is not your password."]
    elif passwords.is_short(form.password.data) and _would_be_last(user):
        form.password.errors = [TOO_SHORT_ALONE]
    return not form.errors


def _would_be_last(user: User) -> bool:
    return second_factors.factors_of(db.session(), user).count <= 1


def done(words: str) -> Response:
    flash(words, "leaf")
    return redirect(url_for("accounts.account"), 303)
