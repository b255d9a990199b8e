"""Invented people who can sign in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from practice.accounts import demo
from practice.accounts.models import AuthenticatorApp, Client, Role, User, UserRole
from practice.seed.words import FAMILIES, MEN, NEITHER, WOMEN

PASSWORD = "calm-lantern-meadow"


@dataclass
class Passwords:
    """One hash for everybody of a world: hashing each by itself would take minutes."""

    hasher: PasswordHasher
    hashed: str = field(init=False)

    def __post_init__(self) -> None:
        self.hashed = self.hasher.hash(PASSWORD)


class Names:
    """Names with a gender each, not repeated before every combination is used."""

    def __init__(self, chance: Random) -> None:
        people = [(first, "woman") for first in WOMEN] + [(first, "man") for first in MEN]
        people += [(first, "non-binary") for first in NEITHER]
        self._pairs = [
            (f"{first} {family}", gender) for first, gender in people for family in FAMILIES
        ]
        chance.shuffle(self._pairs)
        self._used = 0

    def next(self) -> tuple[str, str]:
        name, gender = self._pairs[self._used % len(self._pairs)]
        again = self._used // len(self._pairs)
        self._used += 1
        return (f"{name} {again + 1}" if again else name), gender


def add_user(
    session: Session,
    passwords: Passwords,
    email: str,
    name: str,
    roles: tuple[Role, ...],
    at: datetime,
) -> User:
    joined = at - timedelta(days=60)
    user = User(
        email=email,
        name=name,
        password_hash=passwords.hashed,
        created_at=joined,
        email_confirmed_at=joined,
        role_rows=[UserRole(role=role, granted_at=joined) for role in roles],
    )
    session.add(user)
    if user.is_staff:
        add_demo_app(session, user, joined)
    return user


def add_demo_app(session: Session, user: User, at: datetime) -> None:
    """The second factor that all invented staff share: /demo/second-factor shows its codes."""
    session.add(AuthenticatorApp(user=user, secret=demo.SECRET, created_at=at, confirmed_at=at))


def add_client(
    session: Session,
    passwords: Passwords,
    email: str,
    name: str,
    place: str,
    zone: str,
    at: datetime,
) -> Client:
    user = add_user(session, passwords, email, name, (Role.client,), at)
    client = Client(
        user=user,
        preferred_name=name.split(maxsplit=1)[0],
        phone="",
        place=place,
        zone=zone,
        adult_attested_at=at - timedelta(days=60),
        created_at=at - timedelta(days=60),
    )
    session.add(client)
    return client
