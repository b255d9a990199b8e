"""The mails about an account: neutral words, links from the configured address only."""

from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from core.config import Settings, current_settings
from core.mail import send_mail
from practice.accounts.models import User
from practice.accounts.signing_in import token_hash

CLOSING = "If you did not ask for this, you need not do anything: nothing changes."


def send_confirmation(session: Session, user: User, token: str, at: datetime) -> None:
    _send(
        session,
        user.email,
        "Please confirm your address",
        "Somebody, most likely you, gave this address to open an account with us.\n\n"
        f"To confirm it, open this page within a day:\n{_link('accounts.confirm', token=token)}",
        f"confirm:{token_hash(token)}",
        at,
    )


def send_known_already(session: Session, user: User, at: datetime) -> None:
    _send(
        session,
        user.email,
        "You already have an account",
        "Somebody, most likely you, gave this address to open an account with us. "
        "You have one already.\n\n"
        f"Sign in here:\n{_link('accounts.sign_in')}\n\n"
        f"If you do not remember your password:\n{_link('accounts.forgotten')}",
        f"known:{user.public_id}:{at.isoformat()}",
        at,
    )


def send_reset(session: Session, user: User, token: str, at: datetime) -> None:
    _send(
        session,
        user.email,
        "Choose a new password",
        "Somebody, most likely you, asked for a new password for this address.\n\n"
        f"Choose it on this page within an hour:\n{_link('accounts.reset', token=token)}",
        f"reset:{token_hash(token)}",
        at,
    )


def send_password_changed(session: Session, user: User, at: datetime) -> None:
    _send(
        session,
        user.email,
        "Your password was changed",
        "The password of your account was changed and every browser was signed out.\n\n"
        f"If this was not you, choose a new one at once:\n{_link('accounts.forgotten')}",
        f"password-changed:{user.public_id}:{at.isoformat()}",
        at,
        closing="",
    )


def send_invitation(session: Session, user: User, token: str, at: datetime) -> None:
    _send(
        session,
        user.email,
        "You are invited to the team",
        f"You are invited to work with us at {_settings().organisation}.\n\n"
        "Choose a password on this page within a week:\n"
        f"{_link('accounts.invitation', token=token)}",
        f"invitation:{token_hash(token)}",
        at,
    )


def _send(
    session: Session,
    to: str,
    subject: str,
    words: str,
    dedupe_key: str,
    at: datetime,
    *,
    closing: str = CLOSING,
) -> None:
    body = "\n\n".join(filter(None, (words, closing, _settings().organisation)))
    send_mail(session, to=to, subject=subject, body=body + "\n", dedupe_key=dedupe_key, at=at)


def _link(endpoint: str, **values: str) -> str:
    """An address under BASE_URL: what a request claims as its host never reaches a mail."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return f"{_settings().base_url}{path}"


def _settings() -> Settings:
    return current_settings()
