from collections.abc import Iterator

import pytest
from flask import Flask

from billing.signals import order_paid
from practice.groups.operations import seat_the_paid
from tests.builders.checkout import Bank, bank_for


@pytest.fixture
def bank(app: Flask) -> Iterator[Bank]:
    """A payment company, and no room upstairs that waits for its money."""
    order_paid.disconnect(seat_the_paid)
    with bank_for(app) as bank:
        yield bank
    order_paid.connect(seat_the_paid)
