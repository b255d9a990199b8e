"""The ways in: what happens on a browser once somebody has shown who they are.

What was shown is looked at once more, used up, and the session begun in one unit of work, under
the account's lock: a password, a code or a passkey that is taken back meanwhile opens nothing.
"""

from contextlib import suppress
from dataclasses import dataclass

from flask import redirect, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import (
    known_browsers,
    operations,
    passwords,
    queries,
    second_factors,
    signing_in,
)
from practice.accounts.attempts import Kind
from practice.accounts.blueprint import forgiven
from practice.accounts.browsers import browser_name
from practice.accounts.models import HalfSignIn, User
from practice.accounts.passkeys import PasskeyRefused, UsedKey
from practice.accounts.second_factors import CodeUsed


@dataclass(frozen=True)
class Entry:
    """A session that has begun, its token still to be handed out; a half waits for the rest."""

    user: User
    token: str
    is_half: bool = False


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
    forgiven(Kind.sign_in, email)
    with unit_of_work() as session:
        operations.take_turn(session, user)
        # Comparing takes a while, and meanwhile its owner may have chosen another.
        same = user.password_hash == compared_with
        if not same or not operations.may_sign_in(session, user, now()):
            return None
        if newer_hash:
            operations.renew_hash(user, newer_hash)
        entry = begin(session, user, short_password=passwords.is_short(password))
    return go_in(entry, path)


def enter_with_code(half: HalfSignIn, code: str, path: str) -> Response | None:
    """In, if this is a good code of whoever is half in; it is used up then."""
    key, user, at = half.id, half.user, now()
    shown = second_factors.look_at(db.session(), user, code, at)
    if shown is None:
        return None
    entry = None
    with suppress(CodeUsed, NotFound), unit_of_work() as session:
        operations.take_turn(session, user)
        operations.require_half(session, key)
        second_factors.use_up(session, user, shown, at)
        entry = begin_strongly(session, user)
    return go_in(entry, path) if entry else None


def enter_with_passkey(user: User, used: UsedKey, path: str) -> Response:
    """In with a passkey whose answer was right.

    Raises PasskeyRefused when it is gone, or the account closed, meanwhile.
    """
    with unit_of_work() as session:
        operations.take_turn(session, user)
        if user.is_disabled:
            raise PasskeyRefused
        second_factors.note_use(session, used, now())
        entry = begin_strongly(session, user)
    return go_in(entry, path)


def begin(session: Session, user: User, *, short_password: bool = False) -> Entry:
    """Begin with one factor; whoever has a second one goes on to show it."""
    if second_factors.factors_of(session, user).any:
        return Entry(user, signing_in.begin_half(session, user, now()), is_half=True)
    return Entry(user, _begun(session, user, short_password=short_password))


def begin_strongly(session: Session, user: User) -> Entry:
    """Begin with two factors, or with a passkey that knows its owner."""
    operations.forget_halves(session, user)
    return Entry(user, _begun(session, user, strong=True))


def go_in(entry: Entry, path: str) -> Response:
    """Hand the token out, and lead on."""
    if entry.is_half:
        signing_in.remember_half(entry.token)
        return redirect(url_for("accounts.second_step", next=path or None), 303)
    signing_in.remember(entry.user, entry.token)
    known_browsers.know_here(entry.user)
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
