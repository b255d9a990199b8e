"""The custodian's list of what must be kept: numbers, kinds, days; each look is written down."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from core.audit import AuditEntry
from core.database import db, unit_of_work
from core.readings import AuditConcern
from practice.accounts.models import Client, Role
from practice.paging import PER_PAGE
from practice.privacy import operations
from practice.privacy.kept import KINDS
from practice.privacy.models import Because, Restriction
from tests.builders.accounts import make_client, make_user, sign_in
from tests.conftest import NOW
from tests.journeys.street import READERS, Street, canary
from tests.practice.privacy.test_pages import ClientOf, words
from tests.practice.privacy.world import erase

SUBPOENA = "Subpoena 24-2-01177, King County"


@pytest.fixture
def idris(app: Flask, street: Street, http: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["idris"]))
    return http


@pytest.fixture
def ben(app: Flask, street: Street, client_of: ClientOf) -> uuid.UUID:
    """Ben had himself erased; his record of care, a consent and a worry stay."""
    with app.app_context():
        reference = client_of("ben").public_id
    erase(app, reference)
    return reference


@pytest.fixture
def ann(app: Flask, street: Street, client_of: ClientOf) -> uuid.UUID:
    """Ann is under a legal hold."""
    with app.app_context(), unit_of_work() as session:
        client, ines = client_of("ann"), db.session.merge(street.people["ines"])
        operations.place_hold(session, client, SUBPOENA, ines, NOW)
        return client.public_id


def lines(page: str) -> list[list[str]]:
    rows = BeautifulSoup(page, "html.parser").select("tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in rows]


def readings(app: Flask) -> Iterator[tuple[AuditEntry, set[uuid.UUID]]]:
    with app.app_context():
        viewed = sa.select(AuditEntry).filter_by(action="kept_records.viewed")
        for row in db.session.scalars(viewed.order_by(AuditEntry.id)).all():
            among = sa.select(AuditConcern.client_id).where(AuditConcern.entry_id == row.id)
            yield row, {row.client_id} - {None} | set(db.session.scalars(among))


def test_who_was_erased_stands_there_by_number_kind_and_day(
    idris: FlaskClient, ben: uuid.UUID, app: Flask
) -> None:
    found = lines(idris.get("/records/kept").text)
    assert {line[0] for line in found} == {str(ben)}
    by_kind = {line[1]: line[2:] for line in found}
    # Ben's care ended forty days before the first of December 2026 in Washington: eight years.
    assert by_kind["Record of care"][0] == "1 December 2026"
    assert by_kind["Record of care"][1].endswith("2034")
    assert by_kind["Proof of what was agreed to"] == ["1 December 2026", "1 December 2032"]
    with app.app_context():
        kinds = set(db.session.scalars(sa.select(Restriction.because)))
    assert set(by_kind) == {KINDS[one] for one in kinds}


def test_why_a_hold_stands_and_what_is_kept_are_not_said(
    idris: FlaskClient, ben: uuid.UUID, ann: uuid.UUID
) -> None:
    page = idris.get("/records/kept").text
    assert [str(ann), "1 December 2026", "Ines"] in lines(page)
    for hidden in (SUBPOENA, "Ben", "Ann", "example.test", "afety", *map(canary, READERS)):
        assert hidden not in BeautifulSoup(page, "html.parser").select_one("main").get_text()


def test_each_look_is_one_row_that_names_whom_it_showed(
    idris: FlaskClient, ben: uuid.UUID, ann: uuid.UUID, app: Flask
) -> None:
    idris.get("/records/kept")
    idris.get("/records/kept?page=2")
    (first, both), (second, held) = readings(app)
    assert first.actor_role == second.actor_role == "records_custodian"
    assert both == {ben, ann}
    assert held == {ann}


def test_no_row_no_page(
    idris: FlaskClient, ben: uuid.UUID, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_details: object) -> None:
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr("core.audit.record", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = idris.get("/records/kept")
    assert answer.status_code == 500
    assert str(ben) not in answer.text


def test_where_nothing_is_kept_that_is_said_and_nothing_is_written_down(
    idris: FlaskClient, app: Flask
) -> None:
    page = words(idris.get("/records/kept").text)
    assert "Nothing is kept beyond its person’s wish" in page
    assert "No hold stands." in page
    assert list(readings(app)) == []


@pytest.mark.parametrize("who", ["ines", "clara", "noor", "rosa", "ann"])
def test_nobody_else_finds_it(
    app: Flask, street: Street, http: FlaskClient, ben: uuid.UUID, who: str
) -> None:
    with app.app_context():
        sign_in(http, db.session.merge(street.people[who]))
    assert http.get("/records/kept").status_code == 404


def test_many_come_in_pages_the_first_to_go_first_and_each_once(
    idris: FlaskClient, app: Flask
) -> None:
    with app.app_context(), unit_of_work() as session:
        for days in (*range(PER_PAGE, 0, -1), None):
            keep(session, make_client(session), days)
        keep(session, make_client(session), 3, "scores", "care")
    first, second = (lines(idris.get(f"/records/kept?page={page}").text) for page in (1, 2))
    assert (len(first), len(second)) == (PER_PAGE, 2)
    assert len({line[0] for line in first + second}) == PER_PAGE + 2
    assert first[0][3] == "2 December 2026"
    assert second[-1][3] == "no day yet"
    assert "Page 2 of 2" in words(idris.get("/records/kept?page=2").text)
    assert "There is nothing on this page" in words(idris.get("/records/kept?page=9").text)


def test_one_thing_that_waits_for_an_event_leaves_the_whole_kind_without_a_day(
    idris: FlaskClient, app: Flask
) -> None:
    with app.app_context(), unit_of_work() as session:
        client = make_client(session)
        keep(session, client, 5, "care")
        keep(session, client, None, "scores")
    [line] = lines(idris.get("/records/kept").text)
    assert line[3] == "no day yet"


def test_nobody_is_the_custodian_of_their_own_record(app: Flask, http: FlaskClient) -> None:
    with app.app_context():
        with unit_of_work() as session:
            custodian = make_user(session, roles=(Role.records_custodian,))
            own = make_client(session, user=custodian)
            keep(session, own, 5)
            operations.place_hold(session, own, SUBPOENA, custodian, NOW)
        sign_in(http, db.session.merge(custodian))
    assert lines(http.get("/records/kept").text) == []


def test_it_is_linked_where_a_custodian_looks(idris: FlaskClient) -> None:
    page = BeautifulSoup(idris.get("/records").data, "html.parser")
    for place in ("header nav", "main"):
        assert page.select_one(f'{place} a[href="/records/kept"]'), place


def keep(session: object, client: Client, days: int | None, *holdings: str) -> None:
    for holding in holdings or ("care",):
        row = Restriction(
            client_id=client.id,
            holding=holding,
            because=Because.clinical_record,
            since=NOW,
            until=NOW + timedelta(days=days) if days is not None else None,
        )
        session.add(row)  # type: ignore[attr-defined]
