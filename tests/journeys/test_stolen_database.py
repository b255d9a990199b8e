"""Whoever steals the database, without the keys, reads none of what people told the clinic."""

import os

import pytest
import sqlalchemy as sa

from core.database import db
from core.outbox import drain
from practice.accounts.models import Client, User
from practice.matches.models import MatchRequest
from tests.core.dumping import bytes_of
from tests.journeys.street import READERS, build, canary

# What a colleague wrote about another colleague's licence: no client is named in it.
ABOUT_PROFESSIONALS = {"why the board's page is not enough", "what the board's page said"}
OF_CLIENTS = [secret for secret in READERS if secret not in ABOUT_PROFESSIONALS]


@pytest.fixture
def stolen(app, session):
    """The bytes of the database after a day on the street, and what stood in them unsealed."""
    street = build(session)
    [request] = session.scalars(sa.select(MatchRequest).limit(1))
    request.reply = canary("what was said on the telephone") + " reply"
    for number, client in enumerate(session.scalars(sa.select(Client))):
        client.phone = f"206 555 77{number:02d}"
    session.commit()
    told = [user.email for user in street.people.values()]
    told += [user.name for user in session.scalars(sa.select(User)) if user.client is None]
    told += [client.preferred_name for client in session.scalars(sa.select(Client))]
    told += [client.phone for client in session.scalars(sa.select(Client))]
    session.rollback()
    drain(app, app.extensions["clock"].now())
    db.session.rollback()
    return bytes_of(db.engine), told


@pytest.mark.parametrize("secret", OF_CLIENTS)
def test_no_secret_of_a_client_stands_in_the_bytes(stolen, secret):
    data, _ = stolen
    assert len(data) > 10_000
    assert canary(secret).encode() not in data


def test_no_address_and_no_telephone_number_stands_in_the_bytes(stolen):
    data, told = stolen
    found = [text for text in told if len(text) > 8 and "@" in text and text.encode() in data]
    numbers = [text for text in told if text.startswith("206 555 77") and text.encode() in data]
    assert (found, numbers) == ([], [])
    assert sum("@" in text for text in told) > 5


def test_what_is_not_sealed_would_have_been_found(stolen):
    """The control: words about professionals stand in the clear, and the search finds them."""
    data, _ = stolen
    for secret in ABOUT_PROFESSIONALS:
        assert canary(secret).encode() in data


def test_the_keys_are_not_in_the_database(app, stolen, settings):
    data, _ = stolen
    for name in os.listdir(settings.data_dir / "keys"):
        key = (settings.data_dir / "keys" / name).read_bytes().strip()
        assert len(key) == 44
        assert key not in data
