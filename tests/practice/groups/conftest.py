from collections.abc import Iterator

import pytest
from flask import Flask

from practice.consent.models import Purpose
from tests.builders.checkout import Bank, bank_for
from tests.builders.consent import make_document


@pytest.fixture
def bank(app: Flask) -> Iterator[Bank]:
    with bank_for(app) as bank:
        yield bank


@pytest.fixture
def agreement(session):
    """The published text that is signed before a seat."""
    document = make_document(session, Purpose.group)
    session.commit()
    return document
