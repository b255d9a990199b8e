"""On a telephone a row of these tables is a card: each cell says itself what its column says."""

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from core.database import db, unit_of_work
from practice.privacy import operations
from tests.builders.accounts import sign_in
from tests.conftest import NOW
from tests.journeys.street import Street
from tests.practice.privacy.test_pages import ClientOf


@pytest.mark.parametrize(
    ("who", "address", "tables"), [("ines", "/retention", 2), ("idris", "/records/kept", 2)]
)
def test_each_cell_behind_the_first_is_named_like_its_column(
    app: Flask,
    street: Street,
    http: FlaskClient,
    client_of: ClientOf,
    who: str,
    address: str,
    tables: int,
) -> None:
    with app.app_context():
        _hold_and_erase(street, client_of)
        sign_in(http, db.session.merge(street.people[who]))
    stacked = BeautifulSoup(http.get(address).text, "html.parser").select("table.stacked")
    assert len(stacked) == tables
    for table in stacked:
        headings = [one.get_text(" ", strip=True) for one in table.select("thead th")]
        rows = table.select("tbody tr")
        assert rows
        for row in rows:
            assert _labels(row) in (headings[1:], [headings[1], "Goes"], headings[1:-1])


def _labels(row: Tag) -> list[str]:
    """What the cells say; an empty one is not shown as a part of the card and says nothing."""
    first, *others = row.select("td")
    assert not first.has_attr("data-label")
    return [str(cell["data-label"]) for cell in others if cell.get_text(strip=True)]


def _hold_and_erase(street: Street, client_of: ClientOf) -> None:
    with unit_of_work() as session:
        ann, ben = client_of("ann"), client_of("ben")
        operations.place_hold(session, ann, "A subpoena", session.merge(street.people["ines"]), NOW)
        operations.erase(session, ben, None, NOW)
