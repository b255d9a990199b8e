"""Flags over HTTP: read by clinicians alone, each reading written down, closed with a reason."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from practice.accounts.models import Role
from practice.intake.models import FlagContact, FlagOutcome, FlagReading
from practice.intake.queries import PAGE_SIZE
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.intake import make_duty_clinician, make_flag, make_shift
from tests.conftest import NOW

READERS = {Role.duty_clinician, Role.clinical_lead}
CONTACT = {"manner": "telephone", "reached": "yes", "words": "Talked for a while."}
OUTCOME = {"result": "safe_plan_made", "reason": "Sister stays the night."}


@pytest.fixture
def clinician(session, http):
    clinician = make_duty_clinician(session)
    sign_in(http, clinician)
    return clinician


@pytest.fixture
def flag(session):
    client = make_client(session, preferred_name="Marisol", phone="206 555 0100")
    flag = make_flag(session, client, at=NOW - timedelta(hours=3))
    session.commit()
    return flag


def address(flag, rest=""):
    return f"/flags/{flag.public_id}{rest}"


def text_of(answer):
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    return re.sub(r"\s+", " ", page.get_text(" "))


def count(session, what):
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(what))


def readings_in_the_log(session):
    read = sa.select(AuditEntry).where(AuditEntry.action == "flag.viewed")
    return count(session, read.subquery())


def test_a_flag_is_read_answered_and_closed(session, http, clinician, flag):
    page = text_of(http.get(address(flag)))
    for words in ("Marisol", "206 555 0100", flag.client.user.email, "More than half the days"):
        assert words in page
    assert http.post(address(flag, "/contacts"), data=CONTACT).location == address(flag)
    assert "Talked for a while." in text_of(http.get(address(flag)))
    assert http.post(address(flag, "/outcome"), data=OUTCOME).location == "/flags"
    listed = text_of(http.get("/flags"))
    assert "Nothing waits" in listed
    assert "Talked, and made a plan to stay safe" in listed
    session.expire_all()
    assert flag.outcome.user_id == clinician.id
    assert "Sister stays the night." in text_of(http.get(address(flag)))


def test_every_opening_of_a_flag_writes_one_row_of_the_log(session, http, clinician, flag):
    for opened in (1, 2, 3):
        assert http.get(address(flag)).status_code == 200
        assert readings_in_the_log(session) == opened
    assert count(session, FlagReading) == 1


def test_without_the_row_there_is_no_page(session, http, clinician, flag, monkeypatch):
    def refuse(*_args, **_named):
        raise OSError("the log cannot be written")

    monkeypatch.setattr("practice.intake.flags.operations.audit.record", refuse)
    answer = http.get(address(flag))
    assert answer.status_code == 500
    assert "Marisol" not in text_of(answer)
    assert count(session, FlagReading) == 0


def test_the_list_names_nobody(http, clinician, flag):
    listed = http.get("/flags").get_data(as_text=True)
    assert address(flag) in listed
    assert "PHQ-9, question 9" in listed
    assert "3 hours" in listed
    for words in ("Marisol", "206 555", flag.client.user.email):
        assert words not in listed


@pytest.mark.parametrize("role", sorted(set(Role) - READERS))
def test_for_anybody_else_there_are_no_flags(session, http, flag, role):
    sign_in(http, make_user(session, roles=(role,)))
    answers = [
        http.get("/flags"),
        http.get(address(flag)),
        http.post(address(flag, "/contacts"), data=CONTACT),
        http.post(address(flag, "/outcome"), data=OUTCOME),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert not any("Marisol" in answer.get_data(as_text=True) for answer in answers)
    assert count(session, FlagContact) == count(session, FlagReading) == 0


@pytest.mark.parametrize("role", sorted(READERS))
def test_duty_clinicians_and_the_clinical_lead_open_it(session, http, flag, role):
    sign_in(http, make_user(session, roles=(role,)))
    assert http.get(address(flag)).status_code == 200


def test_a_flag_that_is_not_there_is_not_found(http, clinician, flag):
    assert http.get(f"/flags/{flag.client.public_id}").status_code == 404


def test_an_outcome_before_any_contact_is_refused_in_words(session, http, clinician, flag):
    http.get(address(flag))
    refused = http.post(address(flag, "/outcome"), data=OUTCOME)
    assert refused.status_code == 422
    assert "log at least one try" in text_of(refused)
    assert OUTCOME["reason"] in text_of(refused)
    assert count(session, FlagOutcome) == 0


def test_an_outcome_by_somebody_who_has_not_read_it_is_refused(session, http, clinician, flag):
    http.post(address(flag, "/contacts"), data=CONTACT)
    refused = http.post(address(flag, "/outcome"), data=OUTCOME)
    assert refused.status_code == 422
    assert "open and read the flag" in text_of(refused)


@pytest.mark.parametrize(
    ("rest", "sent", "words"),
    [
        ("/contacts", {"words": "kept words"}, "Please choose how you tried."),
        ("/contacts", CONTACT | {"manner": "pigeon"}, "Not a valid choice"),
        ("/outcome", {"reason": "kept words"}, "Please choose an outcome."),
        ("/outcome", OUTCOME | {"reason": "  "}, "Please say why"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(http, clinician, flag, rest, sent, words):
    refused = http.post(address(flag, rest), data=sent)
    assert refused.status_code == 422
    assert words in text_of(refused)
    assert ("kept words" in text_of(refused)) == ("kept words" in str(sent))


def test_a_flag_closed_meanwhile_keeps_its_first_outcome(session, http, clinician, flag, app):
    other = app.test_client()
    sign_in(other, make_duty_clinician(session, name="Ana Silva"))
    for browser in (http, other):
        browser.get(address(flag))
    http.post(address(flag, "/contacts"), data=CONTACT)
    assert http.post(address(flag, "/outcome"), data=OUTCOME).status_code == 303
    late = other.post(address(flag, "/outcome"), data=OUTCOME | {"reason": "mine"})
    assert late.status_code == 422
    assert "closed meanwhile" in text_of(late)
    late = other.post(address(flag, "/contacts"), data=CONTACT)
    assert "closed meanwhile" in text_of(late)
    outcomes = session.scalars(sa.select(FlagOutcome))
    assert [outcome.reason for outcome in outcomes] == [OUTCOME["reason"]]


def test_the_page_says_who_is_on_duty_or_that_nobody_is(session, http, clinician):
    assert "Nobody is on duty now, and no shift is planned" in text_of(http.get("/flags"))
    make_shift(session, starts_at=NOW + timedelta(hours=1), ends_at=NOW + timedelta(hours=5))
    session.commit()
    assert "Next: Noor Haddad, from" in text_of(http.get("/flags"))
    make_shift(session, make_duty_clinician(session, name="Ana Silva"))
    session.commit()
    assert "Ana Silva, until" in text_of(http.get("/flags"))


def test_the_list_costs_the_same_for_few_flags_as_for_many(session, http, clinician, app):
    def statements():
        seen = []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", note)
        http.get("/flags")
        sa.event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    few = [make_flag(session) for _ in range(2)]
    session.commit()
    cost = statements()
    assert few
    for _ in range(PAGE_SIZE):
        make_flag(session)
    session.commit()
    assert statements() == cost
