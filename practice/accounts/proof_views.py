"""Being asked again who one is, what was typed meanwhile, and how long there is left."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import (
    attempts,
    demo,
    keeping,
    known_browsers,
    operations,
    passwords,
    second_factors,
    signing_in,
)
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import Page, bp, browser_address, counted, page
from practice.accounts.entering import shows_code
from practice.accounts.forms import ProofForm
from practice.accounts.models import User
from practice.accounts.policy import anyone, signed_in
from practice.forms import EmptyForm

NOT_PROVED = "This is not right. Please try again; a code works once and for a short while."


@bp.route("/confirm-it-is-you", methods=["GET", "POST"])
@policy(signed_in)
def prove() -> Page:
    form, user = ProofForm(next=request.args.get("next", "")), current_user.user
    factors = second_factors.factors_of(db.session(), user)
    form.ask_for_code(wanted=factors.any)
    if form.validate_on_submit() and counted(form, Kind.step_up, user.email):
        if _is_right(form, user):
            attempts.forgive(Kind.step_up, user.email, browser_address())
            return proved(form.next_path, strong=factors.any)
        form.form_errors.append(NOT_PROVED)
    return page("accounts/prove.html", form, factors=factors, demo=demo.shown(now()))


@bp.get("/kept/<uuid:kept>")
@policy(signed_in)
def kept(kept: uuid.UUID) -> Page:
    """What was typed when the time ran out, to be sent after all."""
    typed = keeping.kept_form(current_user.user, kept)
    if not typed.path:
        raise NotFound
    return render_template("accounts/kept.html", typed=typed, kept=kept, form=EmptyForm())


@bp.post("/kept/<uuid:kept>/removal")
@policy(signed_in)
def throw_away(kept: uuid.UUID) -> Page:
    with unit_of_work() as session:
        keeping.throw_away(session, current_user.user, kept)
    flash("What you had typed is thrown away.", "leaf")
    return redirect(url_for("today.today"), 303)


@bp.get("/account/time-left")
@policy(anyone)
def time_left() -> dict[str, object]:
    """For the page that is open: whether its person is still signed in, and for how long.

    Asking does not keep anybody signed in. The token goes into the forms of a page that was open
    when its person had to sign in again.
    """
    if not current_user.is_authenticated:
        return {"signed_in": False}
    return {
        "signed_in": True,
        "seconds": signing_in.seconds_left(),
        "person": signing_in.mark_of(current_user.user),
        "token": generate_csrf(),
    }


@bp.post("/account/staying")
@policy(signed_in)
def stay() -> dict[str, object]:
    """Somebody at the open page says that they are there."""
    signing_in.put_off()
    return {"signed_in": True, "seconds": signing_in.seconds_left()}


def proved(path: str, *, strong: bool) -> Response:
    """This browser has shown who sits at it: it gets a new token and goes on.

    One that was signed out elsewhere meanwhile has to sign in again.
    """
    at = now()
    try:
        with unit_of_work() as session:
            token = operations.prove(session, current_user.row.public_id, at, strong=strong)
    except NotFound:
        return signing_in.leave(url_for("accounts.sign_in", next=path or None))
    signing_in.go_on_with(token)
    known_browsers.know_here(current_user.user)
    return redirect(path or url_for("accounts.account"), 303)


def _is_right(form: ProofForm, user: User) -> bool:
    """The password first: a code that is right is used up."""
    right = passwords.is_right(form.password.data, user.password_hash)
    return right and ("code" not in form or shows_code(user, form.code.data))
