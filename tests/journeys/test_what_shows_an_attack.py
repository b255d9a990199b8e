"""Whoever reads the log sees attempts against the controls, and nothing about a person."""

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core.audit import AuditEntry
from practice.accounts.passwords import hash_password
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.care import make_episode

ADDRESS, PASSWORD = "sam@example.test", "five small words in order"
CHARGE = {"Stripe-Signature": "t=1,v1=0"}


@pytest.fixture
def client(session):
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    client = make_client(session, user=user)
    session.commit()
    return client


def wrong_password(http: FlaskClient, _session: sa.orm.Session) -> None:
    http.post("/sign-in", data={"email": ADDRESS, "password": "not the one they chose"})


def somebody_elses_record(http: FlaskClient, session: sa.orm.Session) -> None:
    sign_in(http, make_episode(session).client.user)
    http.get(f"/caseload/{make_episode(session).public_id}")


def from_another_site(http: FlaskClient, _session: sa.orm.Session) -> None:
    http.post("/sign-in", data={"email": ADDRESS}, headers={"Sec-Fetch-Site": "cross-site"})


def a_forged_webhook(http: FlaskClient, _session: sa.orm.Session) -> None:
    http.post("/webhooks/stripe", data=b"{}", headers=CHARGE)


def too_much(http: FlaskClient, _session: sa.orm.Session) -> None:
    http.post("/sign-in", data={"email": "a" * 3_000_000})


ATTEMPTS: dict[str, tuple[Callable[..., None], str, int]] = {
    "a wrong password": (wrong_password, "/sign-in", 422),
    "a record of somebody else": (somebody_elses_record, "/caseload/<uuid:episode>", 404),
    "a form sent from another site": (from_another_site, "/sign-in", 403),
    "a forged webhook": (a_forged_webhook, "/webhooks/stripe", 400),
    "too large a request": (too_much, "/sign-in", 413),
}


@pytest.mark.parametrize("what", ATTEMPTS)
def test_an_attempt_is_a_line_with_its_route_and_status(http, session, client, caplog, what):
    attempt, route, status = ATTEMPTS[what]
    attempt(http, session)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "attune"]
    assert (route, status) in [(line.get("route"), line.get("status")) for line in lines]
    for line in lines:
        assert line["at"].endswith("+00:00")
    for told in (ADDRESS, PASSWORD, str(client.public_id), str(client.user.public_id)):
        assert told not in caplog.text


def test_a_form_without_its_token_is_a_line_too(app: Flask, client, caplog):
    app.test_client().post("/sign-in", data={"email": ADDRESS})
    assert '"route": "/sign-in", "status": 400' in caplog.text


def test_signing_in_is_an_act_that_says_with_how_much(http, session, client):
    http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    begun = sa.select(AuditEntry).where(AuditEntry.action == "session.begun")
    [act] = session.scalars(begun.execution_options(populate_existing=True)).all()
    assert act.actor_id == client.user.public_id
    assert act.details["strong"] is False
