"""The pages of the client's rights: the map, the openings, the copy and the erasure."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core.audit import AuditEntry
from core.clock import FrozenClock
from core.database import db, unit_of_work
from core.mail import KeptMail
from core.outbox import drain
from practice.accounts.models import Client
from practice.care.queries import openings_of
from practice.intake.models import Intake
from practice.privacy.holdings import HOLDINGS
from practice.privacy.models import ErasureRequest
from practice.privacy.retention import plus_years
from practice.privacy.schedule import erase_what_is_due
from tests.builders.accounts import look_again, make_client, sign_in
from tests.conftest import NOW
from tests.journeys.street import Street

ClientOf = Callable[[str], Client]


@pytest.fixture
def ann(app: Flask, street: Street, http: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["ann"]))
    return http


@pytest.fixture
def ben(app: Flask, street: Street, http: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["ben"]))
    return http


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_map_says_of_each_kind_what_why_where_who_and_for_how_long(ann: FlaskClient) -> None:
    page = words(ann.get("/your-data").text)
    for holding in HOLDINGS:
        for said in (holding.heading, holding.what, holding.why, holding.who, holding.keeps):
            assert said in page.replace("&#39;", "'"), (holding.key, said)
    assert "1 time in care" in page
    assert "2 questionnaires" in page
    assert "3 groups" in page
    assert "The newest is of 1 December 2026" in page


def test_the_map_of_somebody_new_says_that_there_is_nothing_yet(
    app: Flask, http: FlaskClient
) -> None:
    with app.app_context(), unit_of_work() as session:
        client = make_client(session, consents=False)
        user = client.user
    with app.app_context():
        sign_in(http, db.session.merge(user))
    page = words(http.get("/your-data").text)
    assert page.count("nothing yet") == 11


def test_who_opened_the_record_is_said_with_role_and_reason(
    app: Flask, street: Street, http: FlaskClient
) -> None:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["rosa"]))
    episode = street.things["episode"]["ann's with rosa"]
    assert http.get(f"/caseload/{episode}").status_code == 200
    with app.app_context():
        sign_in(http, db.session.merge(street.people["ann"]))
    page = words(http.get("/your-data/openings").text)
    assert "Your record: what you shared, your scores and meetings" in page
    assert "Rosa Almeida therapist" in page
    assert "They treat you, or you asked them" in page
    # What she did herself stands apart.
    assert page.index("What you did yourself") < page.index("Sent the answers in")


def test_an_opening_stays_on_the_list_when_whoever_looked_is_not_named_any_more(
    app: Flask, street: Street, http: FlaskClient, client_of: ClientOf
) -> None:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["rosa"]))
    episode = street.things["episode"]["ann's with rosa"]
    http.get(f"/caseload/{episode}")
    with app.app_context(), unit_of_work() as session:
        before = len(openings_of(client_of("ann")))
        read = AuditEntry.action == "record.viewed"
        session.execute(sa.update(AuditEntry).where(read).values(actor_id=None))
        lines = openings_of(client_of("ann"))
        assert len(lines) == before
        assert "Somebody who no longer works here" in {line.who_label for line in lines}


def test_a_long_list_of_openings_says_where_the_rest_is(
    ann: FlaskClient, app: Flask, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = app.test_client()
    with app.app_context():
        sign_in(rosa, db.session.merge(street.people["rosa"]))
    episode = street.things["episode"]["ann's with rosa"]
    for _ in range(3):
        rosa.get(f"/caseload/{episode}")
    monkeypatch.setattr("practice.privacy.views.rights.MOST_OPENINGS", 2)
    page = words(ann.get("/your-data/openings").text)
    assert page.count("Your record: what you shared") == 2
    assert "These are the newest 2 of 3. All of them stand in the copy of everything" in page


def test_nobody_looked_says_so(app: Flask, http: FlaskClient) -> None:
    with app.app_context(), unit_of_work() as session:
        user = make_client(session).user
    with app.app_context():
        sign_in(http, db.session.merge(user))
    assert "Nobody has opened anything of yours" in http.get("/your-data/openings").text


def test_the_erasure_page_says_exactly_what_ends_goes_and_stays(ann: FlaskClient) -> None:
    page = words(ann.get("/your-data/erasure").text)
    assert "Your care with Rosa Almeida ends" in page
    assert "Your meeting with Rosa Almeida on 2 December 2026 is cancelled." in page
    assert "Your place in “Evenings-2f6e for people who drink” is given up." in page
    assert "Your answers : 1 time you answered" in page
    chart = "Until 1 December 2034 , because the state has records of care kept: "
    assert chart + "Your name and place Your scores (2) Whom you asked" in page
    proof = "Until 1 December 2032 , because we must be able to show what was agreed to: "
    assert proof + "What you agreed to (4)" in page
    assert (
        "For now , because a clinician still wants to make sure you are safe: Your e-mail" in page
    )
    assert "A clinician may still try to reach you" in page
    assert "The last of it goes by itself on 1 December 2034." in page


def test_looking_at_the_erasure_changes_nothing(ben: FlaskClient, app: Flask) -> None:
    with app.app_context():
        before = db.session.scalar(sa.select(sa.func.count(AuditEntry.id)))
    ben.get("/your-data/erasure")
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == before
        assert db.session.scalars(sa.select(ErasureRequest)).all() == []


@pytest.mark.parametrize("word", ["", "delete", "eras"])
def test_another_word_erases_nothing(ben: FlaskClient, app: Flask, word: str) -> None:
    answer = ben.post("/your-data/erasure", data={"when": "now", "word": word, "expected": "0"})
    assert answer.status_code == 422
    assert "Please look at this again" in answer.text
    with app.app_context():
        assert db.session.scalars(sa.select(ErasureRequest)).all() == []


def test_the_word_is_taken_as_people_type_it(ben: FlaskClient) -> None:
    data = {"when": "now", "word": " “Erase” ", "expected": "0"}
    assert ben.post("/your-data/erasure", data=data).status_code == 303


def test_erasing_signs_out_to_a_page_that_says_what_happened(
    ben: FlaskClient, app: Flask, clock: FrozenClock
) -> None:
    data = {"when": "now", "word": "erase", "expected": "0"}
    answer = ben.post("/your-data/erasure", data=data)
    assert answer.status_code == 303
    told = words(ben.get(answer.location).text)
    reference = answer.location.rsplit("/", 1)[1]
    assert "Your data is erased" in told
    assert reference in told
    assert re.search(r"Until 1 December 2034 , because [^:]*: .*Worries about your safety", told)
    assert ben.get("/your-data").status_code == 303
    drain(app, NOW, most=1000)
    with app.app_context():
        mail = db.session.scalars(sa.select(KeptMail).order_by(KeptMail.id.desc())).first()
        assert mail is not None
        assert mail.subject == "Your account is closed"
        assert reference in mail.body
    # Later, whoever comes by that address learns no kind of record from it.
    clock.move(timedelta(hours=1))
    later = words(ben.get(answer.location).text)
    assert "It was erased on 1 December 2026" in later
    assert "1 December 2034" in later
    assert "safety" not in later


def test_a_reference_that_is_nobodys_is_not_found(http: FlaskClient) -> None:
    assert http.get(f"/erasures/{uuid.uuid4()}").status_code == 404


def test_in_seven_days_can_be_called_off_until_then(
    ben: FlaskClient, app: Flask, clock: FrozenClock
) -> None:
    later = {"when": "later", "word": "erase", "expected": "0"}
    assert ben.post("/your-data/erasure", data=later).status_code == 303
    assert "will be erased on 8 December 2026" in words(ben.get("/your-data").text)
    assert ben.post("/your-data/erasure/cancellation").status_code == 303
    assert "will be erased on" not in ben.get("/your-data").text
    clock.move_to(NOW + timedelta(days=8))
    with app.app_context():
        erase_what_is_due(clock.now())
        assert db.session.scalars(sa.select(Intake)).all()


def test_after_seven_days_it_happens_by_itself_and_not_a_second_before(
    ben: FlaskClient, app: Flask, clock: FrozenClock, client_of: ClientOf
) -> None:
    ben.post("/your-data/erasure", data={"when": "later", "word": "erase", "expected": "0"})
    with app.app_context():
        mine = Intake.client_id == client_of("ben").id
        erase_what_is_due(NOW + timedelta(days=7) - timedelta(seconds=1))
        assert db.session.scalars(sa.select(Intake.id).where(mine)).all()
        erase_what_is_due(NOW + timedelta(days=7))
        look_again(db.session())
        assert db.session.scalars(sa.select(Intake.id).where(mine)).all() == []
        request = db.session.scalars(sa.select(ErasureRequest)).one()
        assert request.done_at == NOW + timedelta(days=7)


def test_asking_again_for_now_does_not_wait_for_the_seven_days(
    ben: FlaskClient, app: Flask
) -> None:
    ben.post("/your-data/erasure", data={"when": "later", "word": "erase", "expected": "0"})
    ben.post("/your-data/erasure", data={"when": "now", "word": "erase", "expected": "0"})
    with app.app_context():
        request = db.session.scalars(sa.select(ErasureRequest)).one()
        assert request.done_at == NOW


def test_a_copy_and_an_erasure_ask_for_a_fresh_proof(
    ann: FlaskClient, clock: FrozenClock, app: Flask
) -> None:
    clock.move(timedelta(minutes=16))
    for path in ("/your-data/copy", "/your-data/erasure"):
        for method in ("GET", "POST"):
            answer = ann.open(path, method=method, data={"when": "now", "word": "erase"})
            assert answer.status_code == 303
            assert "/confirm-it-is-you" in answer.location, (path, method)
    with app.app_context():
        assert db.session.scalars(sa.select(ErasureRequest)).all() == []


def test_eight_years_are_counted_by_the_calendar() -> None:
    assert plus_years(NOW.replace(year=2028, month=2, day=29), 6) == NOW.replace(
        year=2034, month=3, day=1
    )
