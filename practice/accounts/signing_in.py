"""Signed-in browsers: Flask-Login over rows of our own, so that any of them can be ended."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.clock import now
from core.database import db, unit_of_work
from practice.accounts import attempts, keeping
from practice.accounts.models import HalfSignIn, SignInSession, User

SEEN_EVERY = timedelta(minutes=5)
WARNED_BEFORE = timedelta(minutes=2)


@dataclass(frozen=True)
class Limits:
    """For how long a browser stays signed in: without a page being asked for, and at most."""

    idle: timedelta
    absolute: timedelta


# Staff read other people's records, so the second level of assurance holds for them (AAL2 of NIST
# SP 800-63B-4: at most an hour idle, at most a day). Clients read only their own, often on their
# own telephone in several goes through a night: a working day idle, a fortnight in all (AAL1: at
# most thirty days). What would hurt them most asks for a fresh proof in any case.
STAFF_LIMITS = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
CLIENT_LIMITS = Limits(idle=timedelta(hours=12), absolute=timedelta(days=14))


# What somebody without the second factor they need may open: setting one up, help, and leaving.
OPEN_BEFORE_SECOND_FACTOR = frozenset(
    "accounts.secure accounts.authenticator_page accounts.begin_authenticator "
    "accounts.confirm_authenticator accounts.new_recovery_codes accounts.recovery_codes_file "
    "accounts.keep_recovery_codes accounts.new_passkey accounts.add_passkey "
    "accounts.new_passkey_options accounts.prove accounts.prove_with_passkey "
    "accounts.passkey_options accounts.sign_out accounts.signed_out accounts.time_left "
    "accounts.stay accounts.sign_in accounts.demo_codes oversight.mails oversight.mail "
    "consent.privacy today.crisis today.health static styles.sheet payments.webhook".split()
)
MAY_CHOOSE_LONGER = frozenset({"accounts.password"})
HALF_LASTS = timedelta(minutes=10)

# What a page asks for by itself, or a browser for a page, shows nobody's presence.
ASKED_BY_THE_PAGE = frozenset({None, "static", "styles.sheet", "accounts.time_left"})


class SignedIn(UserMixin):
    """The person of this request, with everything of their user row at hand."""

    def __init__(self, user: User, row: SignInSession, token: str) -> None:
        self.user = user
        self.row = row
        self._token = token

    def get_id(self) -> str:
        return self._token

    def __getattr__(self, name: str) -> Any:
        return getattr(self.user, name)


def install(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(load_signed_in)
    attempts.install(app, app.extensions["settings"])
    app.context_processor(staying)
    app.before_request(keep_awake)
    app.before_request(lead_to_second_factor)


def load_signed_in(token: str) -> SignedIn | None:
    """The person whose browser holds this token, if its row is still good."""
    row = db.session.scalars(_live_row(token, now())).first()
    if row is None or row.user.disabled_at is not None:
        return None
    return SignedIn(row.user, row, token)


def keep_awake() -> None:
    """Put the idle limit off: a page was asked for. Written at most once in `SEEN_EVERY`."""
    if request.endpoint in ASKED_BY_THE_PAGE or not current_user.is_authenticated:
        return
    if now() - current_user.row.last_seen_at >= SEEN_EVERY:
        put_off()


def lead_to_second_factor() -> Response | None:
    """Staff have a second factor before they see anything else; a short password needs one too."""
    if request.endpoint in OPEN_BEFORE_SECOND_FACTOR or not current_user.is_authenticated:
        return None
    row = current_user.row
    if row.is_strong or not (current_user.is_staff or row.short_password):
        return None
    if request.endpoint in MAY_CHOOSE_LONGER and not current_user.is_staff:
        return None
    return redirect(url_for("accounts.secure"), 303)


def put_off() -> None:
    """Somebody is there: the idle limit counts from now."""
    at = now()
    seen = {"last_seen_at": at, "idle_until": at + limits_of(current_user.user).idle}
    row = SignInSession.id == current_user.row.id
    with unit_of_work() as db_session:
        db_session.execute(sa.update(SignInSession).where(row).values(**seen))


def begin(
    db_session: Session,
    user: User,
    at: datetime,
    browser: str,
    *,
    strong: bool = False,
    short_password: bool = False,
) -> str:
    """Add the row of a new signed-in browser; returns the token that only its cookie holds.

    `strong` says that a second factor or a passkey was shown as well.
    """
    token = secrets.token_urlsafe(32)
    limits = limits_of(user)
    db_session.add(
        SignInSession(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=at,
            last_seen_at=at,
            proved_at=at,
            idle_until=at + limits.idle,
            expires_at=at + limits.absolute,
            is_strong=strong,
            short_password=short_password,
            browser=browser[:80],
        )
    )
    return token


def prove(row: SignInSession, at: datetime, *, strong: bool) -> str:
    """Note a fresh proof; returns the new token of this browser, the old one opens nothing."""
    token = secrets.token_urlsafe(32)
    row.token_hash = token_hash(token)
    row.proved_at = row.last_seen_at = at
    row.idle_until = at + limits_of(row.user).idle
    row.is_strong = row.is_strong or strong
    return token


def go_on_with(token: str) -> None:
    """Exchange the token in the cookie; the pages that are open keep their forms' token."""
    session["_user_id"] = token


def limits_of(user: User) -> Limits:
    return STAFF_LIMITS if user.is_staff else CLIENT_LIMITS


def remember(user: User, token: str) -> None:
    """Put the token into a fresh cookie: nothing of the visitor's earlier cookie survives."""
    session.clear()
    login_user(SignedIn(user, SignInSession(), token))


def begin_half(db_session: Session, user: User, at: datetime) -> str:
    """The password was right; returns the token of the browser that may show the rest."""
    token = secrets.token_urlsafe(32)
    db_session.add(
        HalfSignIn(token_hash=token_hash(token), user_id=user.id, expires_at=at + HALF_LASTS)
    )
    return token


def remember_half(token: str) -> None:
    session.clear()
    session["half"] = token


def half_way(at: datetime) -> HalfSignIn | None:
    """Whose password was right on this browser a few minutes ago."""
    good = sa.and_(
        HalfSignIn.token_hash == token_hash(session.get("half", "")), HalfSignIn.expires_at > at
    )
    row = db.session.scalars(sa.select(HalfSignIn).where(good)).first()
    return row if row and not row.user.is_disabled else None


def note_sign_up(password_hash: str) -> None:
    """Let this browser's cookie know the account it asked for, whether or not one was opened."""
    session["signed_up"] = token_hash(password_hash)


def signed_up_here(user: User) -> bool:
    """Whether this browser chose the password that the account has now."""
    return secrets.compare_digest(session.get("signed_up", ""), token_hash(user.password_hash))


def staying() -> dict[str, Any]:
    """For the frame of every page: how long its person stays signed in."""
    if not current_user.is_authenticated:
        return {"staying": None}
    sign_in = url_for("accounts.sign_in", next=request.path if request.method == "GET" else None)
    person = mark_of(current_user.user)
    return {"staying": {"seconds": seconds_left(), "person": person, "sign_in": sign_in}}


def seconds_left() -> int:
    """How long this browser stays signed in if nobody asks for another page."""
    row = current_user.row
    return max(0, int((min(row.idle_until, row.expires_at) - now()).total_seconds()))


def mark_of(user: User) -> str:
    """Tells a page whether the person who signs in again is the one who opened it."""
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, b"page of " + user.public_id.bytes, hashlib.sha256).hexdigest()[:16]


def forget() -> None:
    logout_user()
    session.clear()


def leave(address: str) -> Response:
    """Off to a page for everybody, leaving nothing in the browser; headers.py clears its cache."""
    forget()
    return keeping.without_key(redirect(address, 303))


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in_address() -> str:
    """Where to sign in, coming back afterwards to this page or to what was typed on it."""
    if request.method == "GET":
        return url_for("accounts.sign_in", next=request.path)
    owner = _lapsed_user()
    if owner is None:
        return url_for("accounts.sign_in")
    return url_for("accounts.sign_in", next=keeping.keep_request(owner) or None)


def _lapsed_user() -> User | None:
    """Whose browser this was until its time ran out; nobody's if it was signed out."""
    known = sa.select(SignInSession).where(
        SignInSession.token_hash == token_hash(session.get("_user_id", "")),
        SignInSession.ended_at.is_(None),
    )
    row = db.session.scalars(known).first()
    return row.user if row and not row.user.is_disabled else None


def is_live(at: datetime) -> sa.ColumnElement[bool]:
    """Whether a signed-in browser still is: not ended, not too old, not idle for too long."""
    return sa.and_(
        SignInSession.ended_at.is_(None),
        SignInSession.expires_at > at,
        SignInSession.idle_until > at,
    )


def _live_row(token: str, at: datetime) -> sa.Select[SignInSession]:
    return (
        sa.select(SignInSession)
        .options(sa.orm.joinedload(SignInSession.user))
        .where(SignInSession.token_hash == token_hash(token), is_live(at))
    )
