"""Passkeys: signing in and proving with one, adding, naming and removing them."""

import uuid

from flask import flash, redirect, render_template, session, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import Refusal
from practice.accounts import attempts, challenges, passkeys, second_factors
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import Page, bp, browser_address, counted, page, refusals_on
from practice.accounts.entering import enter_with_passkey
from practice.accounts.factor_views import done, factor_added, may_be_without
from practice.accounts.forms import NewPasskeyForm, PasskeyForm, PasskeyNameForm, RemovalForm
from practice.accounts.models import ChallengePurpose, Passkey, User
from practice.accounts.passkeys import PasskeyRefused, UsedKey
from practice.accounts.policy import anyone, signed_in, step_up
from practice.accounts.proof_views import proved
from practice.forms import EmptyForm

# Pages that may wait for a passkey at the same time in one browser.
MOST_PAGES = 4


@bp.post("/passkey-options")
@policy(anyone)
def passkey_options() -> Page | dict[str, object]:
    """What a browser's passkey is to sign: to sign in, or to prove who is signed in."""
    user = current_user.user if current_user.is_authenticated else None
    if not counted(EmptyForm(), Kind.challenge, ""):
        return {"refused": True}
    purpose = ChallengePurpose.prove if user else ChallengePurpose.sign_in
    known = second_factors.factors_of(db.session(), user).passkeys if user else []
    return passkeys.authentication_options(current_settings(), _challenge(purpose, user), known)


@bp.post("/sign-in/passkey")
@policy(anyone)
def sign_in_with_passkey() -> Page:
    form = PasskeyForm()
    try:
        _require_whole(form)
        answer = enter_with_passkey(*_shown(form, ChallengePurpose.sign_in, None), form.next_path)
    except Refusal as refusal:
        flash(refusal.message, "clay")
        return redirect(url_for("accounts.sign_in", next=form.next_path or None), 303)
    attempts.forgive(Kind.sign_in, "", browser_address())
    return answer


@bp.post("/confirm-it-is-you/passkey")
@policy(signed_in)
def prove_with_passkey() -> Page:
    form = PasskeyForm()
    try:
        _require_whole(form)
        _, used = _shown(form, ChallengePurpose.prove, current_user.user)
        with unit_of_work() as db_session:
            second_factors.note_use(db_session, used, now())
    except Refusal as refusal:
        flash(refusal.message, "clay")
        return redirect(url_for("accounts.prove", next=form.next_path or None), 303)
    attempts.forgive(Kind.sign_in, "", browser_address())
    return proved(form.next_path, strong=True)


@bp.get("/account/passkeys/new")
@policy(signed_in)
@step_up
def new_passkey() -> Page:
    return render_template("accounts/new_passkey.html", form=NewPasskeyForm(name=_suggested_name()))


@bp.post("/account/passkeys/new/options")
@policy(signed_in)
@step_up
def new_passkey_options() -> dict[str, object]:
    user = current_user.user
    known = second_factors.factors_of(db.session(), user).passkeys
    challenge = _challenge(ChallengePurpose.register, user)
    return passkeys.registration_options(current_settings(), user, challenge, known)


@bp.post("/account/passkeys/new")
@policy(signed_in)
@step_up
def add_passkey() -> Page:
    form, user = NewPasskeyForm(), current_user.user
    if form.validate():
        with refusals_on(form):
            answer = passkeys.parsed(form.credential.data)
            challenge = _taken(answer, ChallengePurpose.register, user)
            new = passkeys.verified_new(current_settings(), answer, challenge)
            with unit_of_work() as db_session:
                second_factors.add_passkey(db_session, user, new, form.name.data, now())
    if form.errors:
        return page("accounts/new_passkey.html", form)
    return factor_added("Your passkey is set up.")


@bp.route("/account/passkeys/<uuid:passkey>", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def passkey(passkey: uuid.UUID) -> Page:
    """Its name."""
    found = second_factors.passkey_of(db.session(), current_user.user, passkey)
    form = PasskeyNameForm(name=found.name)
    if form.validate_on_submit():
        with unit_of_work() as db_session:
            found = second_factors.passkey_of(db_session, current_user.user, passkey)
            second_factors.rename_passkey(db_session, found, form.name.data, now())
        return done("The passkey has its new name.")
    return page("accounts/passkey.html", form, passkey=found)


@bp.route("/account/passkeys/<uuid:passkey>/removal", methods=["GET", "POST"])
@policy(signed_in)
@step_up
def remove_passkey(passkey: uuid.UUID) -> Page:
    form, user = RemovalForm(), current_user.user
    found = second_factors.passkey_of(db.session(), user, passkey)
    if form.validate_on_submit() and may_be_without(form, user):
        with refusals_on(form), unit_of_work() as db_session:
            found = second_factors.passkey_of(db_session, user, passkey)
            second_factors.remove_passkey(db_session, found, now())
        if not form.form_errors:
            return done("The passkey is removed. Please remove it from your device as well.")
    return page("accounts/remove_passkey.html", form, passkey=found)


def _challenge(purpose: ChallengePurpose, user: User | None) -> bytes:
    with unit_of_work() as db_session:
        row = challenges.issue(db_session, purpose, user, now())
        challenge, public_id = row.challenge, row.public_id
    session["challenges"] = [*session.get("challenges", [])[1 - MOST_PAGES :], str(public_id)]
    return challenge


def _taken(answer: dict[str, object], purpose: ChallengePurpose, user: User | None) -> bytes:
    """The challenge that this browser was given and answers; raises PasskeyRefused."""
    given = [uuid.UUID(one) for one in session.get("challenges", [])]
    answered = passkeys.challenge_of(answer)
    with unit_of_work() as db_session:
        return challenges.take(db_session, given, answered, purpose, user, now())


def _require_whole(form: PasskeyForm) -> None:
    if not form.validate() or not counted(form, Kind.sign_in, ""):
        raise PasskeyRefused(next(iter(form.form_errors), None))


def _shown(form: PasskeyForm, purpose: ChallengePurpose, user: User | None) -> tuple[User, UsedKey]:
    """Whose passkey is behind a browser's answer, and its use; raises PasskeyRefused.

    `user` is who must own it, None when the passkey says who somebody is.
    """
    answer = passkeys.parsed(form.credential.data)
    challenge = _taken(answer, purpose, user)
    passkey = second_factors.passkey_with(db.session(), passkeys.credential_id_of(answer))
    if passkey is None or not _belongs(passkey, answer, user):
        raise PasskeyRefused
    owner = passkey.user
    return owner, passkeys.verified_use(current_settings(), answer, challenge, passkey)


def _belongs(passkey: Passkey, answer: dict[str, object], user: User | None) -> bool:
    owner = passkey.user
    if user is not None:
        return owner.id == user.id
    usable = owner.is_confirmed and not owner.is_disabled
    return usable and passkeys.handle_of(answer) == owner.public_id.bytes


def _suggested_name() -> str:
    return current_user.row.browser
