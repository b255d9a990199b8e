"""The ways in: what happens on a browser once somebody has shown who they are."""

from contextlib import suppress

from flask import redirect, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import attempts, operations, passwords, queries, second_factors, signing_in
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import browser_address
from practice.accounts.browsers import browser_name
from practice.accounts.models import User
from practice.accounts.second_factors import CodeUsed


def enter_with_password(email: str, password: str, path: str) -> Response | None:
    """In, or on to the second factor, if address and password belong together and are in use.

    Just as much is done for an address that nobody has: the password is hashed all the same.
    """
    user = queries.user_with(db.session(), email)
    compared_with = user.password_hash if user else None
    right = passwords.is_right(password, compared_with)
    if user is None or not right:
        return None
    newer_hash = passwords.renewed(password, user.password_hash)
    attempts.forgive(Kind.sign_in, email, browser_address())
    with unit_of_work() as session:
        # Comparing takes a while, and meanwhile its owner may have chosen another.
        if user.password_hash != compared_with:
            return None
        allowed = operations.may_sign_in(session, user, now())
        if newer_hash:
            operations.renew_hash(user, newer_hash)
    return enter(user, path, short_password=passwords.is_short(password)) if allowed else None


def enter(user: User, path: str, *, short_password: bool = False) -> Response:
    """In with one factor; whoever has a second one goes on to show it."""
    with unit_of_work() as session:
        if second_factors.factors_of(session, user).any:
            signing_in.remember_half(signing_in.begin_half(session, user, now()))
            return redirect(url_for("accounts.second_step", next=path or None), 303)
        token = _begun(session, user, short_password=short_password)
    signing_in.remember(user, token)
    return redirect(path or url_for("today.today"), 303)


def enter_strongly(user: User, path: str) -> Response:
    """In with two factors, or with a passkey that knows its owner."""
    with unit_of_work() as session:
        operations.forget_halves(session, user)
        token = _begun(session, user, strong=True)
    signing_in.remember(user, token)
    return redirect(path or url_for("today.today"), 303)


def shows_code(user: User, code: str) -> bool:
    """Whether this is a good code of the app or a recovery code; it is used up then."""
    at = now()
    shown = second_factors.look_at(db.session(), user, code, at)
    if shown is None:
        return False
    with suppress(CodeUsed), unit_of_work() as session:
        second_factors.use_up(session, user, shown, at)
        return True
    return False


def _begun(
    session: Session, user: User, *, strong: bool = False, short_password: bool = False
) -> str:
    """Begin a session for this browser; whoever was signed in on it before is signed out."""
    if current_user.is_authenticated:
        with suppress(NotFound):
            operations.end_session(session, current_user.user, current_user.row.public_id, now())
    browser = browser_name(request.headers.get("User-Agent", ""))
    return operations.begin_session(
        session, user, browser, now(), strong=strong, short_password=short_password
    )
