"""Second factors for tests: an app whose codes are known, recovery codes, and passkeys."""

from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from practice.accounts import authenticator, recovery, second_factors
from practice.accounts.models import AuthenticatorApp, Passkey, User
from tests.builders.authenticator import SoftAuthenticator
from tests.conftest import NOW


def give_app(session: Session, user: User, *, at: datetime = NOW) -> str:
    """A confirmed authenticator app; returns its secret."""
    secret = authenticator.new_secret()
    session.add(AuthenticatorApp(user=user, secret=secret, created_at=at, confirmed_at=at))
    session.flush()
    return secret


def code(secret: str, at: datetime, *, steps: int = 0) -> str:
    """The code that the app shows at this instant, or `steps` half minutes away from it."""
    return authenticator.code_at(secret, authenticator.step_of(at) + steps)


def give_recovery_codes(session: Session, user: User, *, at: datetime = NOW) -> list[str]:
    codes = recovery.new_codes()
    second_factors.renew_codes(session, user, [recovery.hash_code(one) for one in codes], at)
    return codes


def add_passkey(http: FlaskClient, key: SoftAuthenticator, name: str = "My telephone") -> None:
    """Register the key for whoever is signed in on this browser."""
    options = http.post("/account/passkeys/new/options").get_json()
    answer = http.post(
        "/account/passkeys/new", data={"name": name, "credential": key.create(options)}
    )
    assert answer.status_code == 303, answer.text


def give_passkey(
    session: Session, user: User, *, name: str = "My telephone", at: datetime = NOW
) -> Passkey:
    """The row of a passkey whose key nobody has."""
    passkey = Passkey(
        user=user, name=name, credential_id=SoftAuthenticator().credential_id, public_key=b"\x00",
        sign_count=0, transports=[], created_at=at,
    )  # fmt: skip
    session.add(passkey)
    session.flush()
    return passkey
