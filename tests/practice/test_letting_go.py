"""A database that goes away when a page is finished does not spoil the page."""

import sqlite3
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import db
from tests.builders.faults import SAID_BY_THE_SERVER


@pytest.mark.parametrize("kind", [sqlite3.OperationalError, psycopg.OperationalError])
def test_a_page_that_was_finished_when_the_database_went_away_is_answered(
    app: Flask, http: FlaskClient, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    with app.app_context():
        dialect = db.engine.dialect
    if not issubclass(kind, dialect.import_dbapi().Error):
        pytest.skip("an error of the other database")
    tried: list[Any] = []

    def gone(connection: Any) -> None:
        tried.append(connection)
        raise kind(SAID_BY_THE_SERVER)

    with monkeypatch.context() as patched:
        patched.setattr(dialect, "do_rollback", gone)
        assert http.get("/therapists").status_code == 200
    assert tried
    assert http.get("/therapists").status_code == 200
