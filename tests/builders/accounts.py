"""People for tests: with a confirmed address and signed in, unless the test says otherwise."""

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session, object_session

from practice.accounts import signing_in
from practice.accounts.models import Client, Role, User, UserRole
from tests.builders.consent import sign_before_intake
from tests.builders.kept import kept
from tests.conftest import NOW

NO_PASSWORD = "no password opens this"

_numbers = itertools.count(1)


@kept
def make_user(
    session: Session,
    email: str = "",
    *,
    name: str = "",
    roles: Iterable[Role] = (Role.client,),
    confirmed: bool = True,
    at: datetime = NOW,
    **columns: Any,
) -> User:
    """A flushed user with these roles; nobody can sign in with the password it has."""
    user = User(
        email=email or f"person{next(_numbers)}@example.test",
        name=name,
        created_at=at,
        email_confirmed_at=at if confirmed else None,
        role_rows=[UserRole(role=role, granted_at=at) for role in roles],
        **{"password_hash": NO_PASSWORD} | columns,
    )
    session.add(user)
    session.flush()
    return user


@kept
def make_client(
    session: Session,
    *,
    place: str = "US-WA",
    consents: bool = True,
    user: User | None = None,
    at: datetime = NOW,
    **columns: Any,
) -> Client:
    """A flushed adult client; `consents` signs what stands before the intake."""
    client = Client(
        **{
            "user": user or make_user(session, at=at),
            "preferred_name": "Sam",
            "place": place,
            "adult_attested_at": at,
            "created_at": at,
        }
        | columns
    )
    session.add(client)
    session.flush()
    if consents:
        sign_before_intake(session, client, at=at)
    return client


def sign_in(http: FlaskClient, user: User) -> None:
    """Sign the browser in as `user`, second factor and all. Commits what the test has built."""
    session = object_session(user)
    assert session is not None, "sign_in needs a user that a session holds"
    at = http.application.extensions["clock"].now()
    token = signing_in.begin(session, user, at, "A browser in a test", strong=True)
    session.commit()
    with http.session_transaction() as cookie:
        cookie.clear()
        cookie["_user_id"] = token
        cookie["_fresh"] = True


def look_again(session: Session) -> None:
    """Let the test's session see what requests have written since."""
    session.rollback()
    session.expire_all()
