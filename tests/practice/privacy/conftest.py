"""The street: Ann in Rosa's care with seats in groups, Ben who has only asked around."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from core.config import current_settings
from core.database import db, unit_of_work
from core.erasures import register_of
from practice.accounts.models import Client
from tests.builders.kept import kept
from tests.journeys.street import Street, build


@pytest.fixture
def street(app: Flask) -> Street:
    with app.app_context(), unit_of_work() as session:
        return kept(build)(session)


@pytest.fixture
def client_of(street: Street, app: Flask) -> Callable[[str], Client]:
    """Somebody of the street as a client, in the session that runs."""

    def found(name: str) -> Client:
        client = db.session.merge(street.people[name]).client
        assert client is not None
        return client

    return found


@pytest.fixture
def register(app: Flask) -> Path:
    """The register of this test alone."""
    with app.app_context():
        path = register_of(current_settings())
    path.unlink(missing_ok=True)
    return path
