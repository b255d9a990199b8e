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
        "The password of your account was changed and your other browsers were signed out.\n\n"
        f"If this was not you, choose a new one at once:\n{_link('accounts.forgotten')}",
        f"password-changed:{user.public_id}:{at.isoformat()}",
        at,
        closing="",
    )


def send_new_address(session: Session, email: str, token: str, at: datetime) -> None:
    _send(
        session,
        email,
        "Please confirm your address",
        "Somebody, most likely you, wants to sign in with this address from now on.\n\n"
        "To confirm it, open this page within a day:\n"
        f"{_link('accounts.confirm_address', token=token)}\n\n"
        "If you are asked to sign in there, do so with the address you had before.",
        f"new-address:{token_hash(token)}",
        at,
    )


def send_address_in_use(session: Session, email: str, token: str, at: datetime) -> None:
    """To an address that has an account of its own; `token` only tells one asking from the next."""
    _send(
        session,
        email,
        "You already have an account",
        "Somebody, perhaps you, wanted to use this address for another account with us. "
        "It has one already, so nothing was changed.\n\n"
        f"Sign in here:\n{_link('accounts.sign_in')}",
        f"new-address:{token_hash(token)}",
        at,
    )


def send_address_changed(session: Session, old_email: str, token: str, at: datetime) -> None:
    _send(
        session,
        old_email,
        "Your address was changed",
        "The address of your account was changed, and this one no longer signs in.\n\n"
        "If this was not you, take your account back here within three days:\n"
        f"{_link('accounts.take_back_address', token=token)}",
        f"address-changed:{token_hash(token)}",
        at,
        closing="If it was you, you need not do anything.",
    )


def send_address_taken_back(session: Session, replaced: str, user: User, at: datetime) -> None:
    """To the address that the account had until now: whoever reads it may be its owner."""
    _send(
        session,
        replaced,
        "Your address was changed back",
        "The address of your account was changed back to the one before, by a link that was sent "
        "there. This one no longer signs in.",
        f"address-taken-back:{user.public_id}:{at.isoformat()}",
        at,
        closing="If this was neither you nor meant for you, please tell the people who run this "
        "place.",
    )


def send_factor_going(session: Session, user: User, token: str, at: datetime) -> None:
    _send(
        session,
        user.email,
        "Your second step will be removed",
        "We were told that you can no longer show the second step of signing in. In a day it is "
        "removed, and your password alone signs you in.\n\n"
        f"If you still have it, or did not ask for this, stop it here:\n"
        f"{_link('accounts.keep_factor', token=token)}",
        f"factor-going:{token_hash(token)}",
        at,
        closing="If you did ask for it, you need not do anything.",
    )


def send_signing_in_changed(session: Session, user: User, at: datetime) -> None:
    """A passkey, the app or the codes: which of them is said on the page alone."""
    _send(
        session,
        user.email,
        "How you sign in was changed",
        "Somebody, most likely you, changed how your account is signed in to.\n\n"
        f"What is set up now stands here:\n{_link('accounts.account')}\n\n"
        f"If this was not you, choose a new password at once:\n{_link('accounts.forgotten')}",
        f"signing-in-changed:{user.public_id}:{at.isoformat()}",
        at,
        closing="",
    )


def send_recovery_code_used(session: Session, user: User, at: datetime) -> None:
    _send(
        session,
        user.email,
        "A recovery code was used",
        "Your account was signed in to with a recovery code.\n\n"
        f"You can see how many are left and make new ones here:\n{_link('accounts.account')}\n\n"
        f"If this was not you, choose a new password at once:\n{_link('accounts.forgotten')}",
        f"recovery-code:{user.public_id}:{at.isoformat()}",
        at,
        closing="",
    )


def send_second_step_guessed(session: Session, user: User, at: datetime) -> None:
    _send(
        session,
        user.email,
        "Somebody may know your password",
        "Somebody gave the password of your account, and then a wrong code many times in a row. "
        "Nobody was let in.\n\n"
        "If this was you, wait a quarter of an hour and try again.\n\n"
        f"If this was not you, choose a new password at once:\n{_link('accounts.forgotten')}",
        f"second-step-guessed:{user.public_id}:{at.isoformat()}",
        at,
        closing="",
    )


def send_second_persons_changed(session: Session, user: User, at: datetime) -> None:
    """To those who would notice: who it is stands in the console, never in a mail."""
    _send(
        session,
        user.email,
        "Who answers for this place has changed",
        "One administrator alone has changed who decides here or may open records. "
        "For a week nobody new can be the second person to whoever gave them the role.\n\n"
        "Administrators find who it was here:\n"
        f"{_settings().base_url}/oversight/staff\n\n"
        "If you know nothing of this, please ask them today, or whoever runs the machine.",
        f"second-persons-changed:{user.public_id}:{at.isoformat()}",
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
