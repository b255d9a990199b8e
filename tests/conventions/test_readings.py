"""Silent reading: each page that shows a client to somebody else writes exactly one row.

The pages are found by walking: every address, asked for by everybody of `street.py`. One that
shows a client's name or secret to anybody but that client must have written one row that names
them, in the transaction that read it; when the row cannot be written there is no page.
"""

import re
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.clock import FrozenClock
from core.database import db, unit_of_work
from core.readings import VIEWED, AuditConcern, concerns_digest
from practice.accounts.models import Client
from practice.care.opened import WHAT
from tests.builders.accounts import sign_in
from tests.conftest import NOW, empty_database
from tests.journeys.street import READERS, build, canary

ROOT = Path(__file__).parents[2]
CLIENTS = ("ann", "ben")
# (endpoint, who looks, the thing it is about): every page that shows a client to somebody else.
CLINICAL = (
    ("appointments.calendar", "rosa", "appointment", "ann's with rosa"),
    ("appointments.cancellation", "rosa", "appointment", "ann's with rosa"),
    ("appointments.show", "rosa", "appointment", "ann's with rosa"),
    ("care.caseload", "rosa", "", ""),
    ("care.caseload", "sven", "", ""),
    ("care.closing", "sven", "episode", "ben's with sven, just ended"),
    ("care.emergency", "clara", "opening", "noor's, in danger"),
    ("care.emergency", "ines", "opening", "noor's, waiting"),
    ("care.emergency_record", "lena", "opening", "lena's, allowed"),
    ("care.emergency_record", "noor", "opening", "noor's, in danger"),
    ("care.ending", "rosa", "episode", "ann's with rosa"),
    ("care.episode", "rosa", "episode", "ann's with rosa"),
    ("care.episode", "sven", "episode", "ann's with rosa"),
    ("care.record", "idris", "lookup", "ben's by idris"),
    ("care.records", "idris", "", ""),
    ("groups.roster", "rosa", "group", "the screened one"),
    ("intake.flag", "noor", "flag", "ann's"),
    ("intake.flags", "clara", "", ""),
    ("matches.inbox", "rosa", "", ""),
    ("matches.review_case", "clara", "match_review", "ben's"),
    ("matches.reviews", "clara", "", ""),
    ("matches.request_page", "rosa", "match_request", "ben's to rosa"),
    ("today.today", "rosa", "", ""),
    ("waiting.placement", "clara", "waiting_placement", "ann's"),
    ("waiting.placement", "clara", "waiting_placement", "ben's, offered"),
    ("waiting.waiting_list", "clara", "", ""),
)


@pytest.fixture(scope="module")
def app(whole_app):
    """One street for all of them: looking changes nothing but the log."""
    whole_app.extensions["clock"] = FrozenClock(NOW)
    with whole_app.app_context():
        empty_database(db.engine)
    yield whole_app
    with whole_app.app_context():
        empty_database(db.engine)


@pytest.fixture(scope="module")
def street(app):
    with app.app_context(), unit_of_work() as session:
        return build(session)


def address(app, street, endpoint, kind, thing):
    values = {kind: street.things[kind][thing]} if kind else {}
    with app.test_request_context():
        return app.url_for(endpoint, **values)


def browser_of(app, street, name):
    browser = app.test_client()
    with app.app_context():
        sign_in(browser, db.session.merge(street.people[name]))
    return browser


def rows(app):
    """The readings so far, each with the public ids of the clients it names."""
    with app.app_context():
        found = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
        readings = [row for row in found if row.action.endswith(VIEWED)]
        return [(row, names_in(row)) for row in readings]


def names_in(row):
    among = sa.select(AuditConcern.client_id).where(AuditConcern.entry_id == row.id)
    return {row.client_id} - {None} | set(db.session.scalars(among))


def shown_on(app, street, page):
    """The public ids of clients whose name or secret stands on a page."""
    texts = {name: [rf"\b{name.capitalize()}(bird)?\b"] for name in CLIENTS}
    for secret in READERS:
        for name in CLIENTS:
            if re.search(rf"\b{name}('s)?\b", secret):
                texts[name].append(re.escape(canary(secret)))
    with app.app_context():
        ids = {
            name: db.session.scalar(
                sa.select(Client.public_id).where(Client.user_id == street.people[name].id)
            )
            for name in CLIENTS
        }
    return {ids[name] for name in CLIENTS if any(re.search(one, page) for one in texts[name])}


@pytest.mark.parametrize("page", CLINICAL, ids=lambda page: f"{page[0]} by {page[1]}")
def test_a_page_about_a_client_writes_exactly_one_row_that_names_them(app, street, page):
    endpoint, who, kind, thing = page
    browser = browser_of(app, street, who)
    before = len(rows(app))
    answer = browser.get(address(app, street, endpoint, kind, thing))
    assert answer.status_code == 200
    [(row, named)] = rows(app)[before:]
    assert row.actor_id == street.people[who].public_id
    assert shown_on(app, street, answer.text) <= named
    assert named
    if len(named) > 1:
        assert row.details["concerns"] == concerns_digest(named)


@pytest.mark.parametrize("page", CLINICAL, ids=lambda page: f"{page[0]} by {page[1]}")
def test_no_row_no_page(app, street, page, monkeypatch):
    endpoint, who, kind, thing = page
    browser = browser_of(app, street, who)

    def broken(*_arguments, **_details):
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr("core.audit.record", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = browser.get(address(app, street, endpoint, kind, thing))
    assert answer.status_code == 500
    assert shown_on(app, street, answer.text) == set()


def test_every_page_that_shows_a_client_to_somebody_else_is_listed(app, street):
    """Walks every address without or with one thing; who is shown must be in the list above."""
    listed = Counter(endpoint for endpoint, *_ in CLINICAL)
    for name in sorted(set(street.people) - {"ann", "ben", "omar"}):
        browser = browser_of(app, street, name)
        for endpoint, place in pages(app, street):
            answer = browser.get(place)
            if answer.status_code == 200 and shown_on(app, street, answer.text):
                assert listed[endpoint], f"{name} sees a client at {endpoint}, unlisted"


def pages(app, street):
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        kinds = re.findall(r"<\w+:(\w+)>", rule.rule)
        if "GET" not in rule.methods or rule.endpoint in {"static", "styles.sheet"}:
            continue
        if not kinds:
            yield rule.endpoint, rule.rule
        elif len(kinds) == 1 and kinds[0] in street.things:
            for thing in street.things[kinds[0]]:
                yield rule.endpoint, address(app, street, rule.endpoint, kinds[0], thing)


def test_every_reading_has_words_for_the_client():
    """Each action that a view writes is told in plain words on the client's own list."""
    used = set()
    for path in (ROOT / "practice").rglob("*.py"):
        used |= set(re.findall(r'"([a-z_]+\.viewed)"', path.read_text()))
    assert used == set(WHAT)
