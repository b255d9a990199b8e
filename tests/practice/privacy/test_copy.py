"""The copy of everything: all that is theirs is in it, and nothing of anybody else's."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from core.audit import AuditEntry, record
from core.database import db, unit_of_work
from core.verifying import verify
from practice.accounts.models import Client
from practice.appointments.models import Appointment, AppointmentState
from practice.care.emergency.models import EmergencyOpening, OpeningKind, OpeningReason
from practice.care.models import ClosingNote
from practice.intake.queries import answers_of, latest_submitted
from practice.matches.models import Proposal
from practice.matches.operations import keep_proposal
from practice.matches.search import search_for
from practice.privacy.copying import SECTIONS, everything_of
from practice.privacy.exporting import archive
from tests.builders.accounts import sign_in
from tests.builders.care import make_episode
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.journeys.street import READERS, Street, canary

ROOT = Path(__file__).parents[3]
ClientOf = Callable[[str], Client]
Files = dict[str, str]


def copy_for(app: Flask, http: FlaskClient, street: Street, name: str) -> Files:
    with app.app_context():
        sign_in(http, db.session.merge(street.people[name]))
    answer = http.post("/your-data/copy")
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {one: archive.read(one).decode() for one in archive.namelist()}


@pytest.mark.parametrize("name", ["ann", "ben"])
def test_every_secret_of_theirs_is_in_it_and_nobody_elses(
    app: Flask, http: FlaskClient, street: Street, name: str
) -> None:
    files = copy_for(app, http, street, name)
    for document in ("data.json", "your-data.html"):
        for secret, readers in READERS.items():
            theirs = name in readers
            assert (canary(secret) in files[document]) == theirs, (document, secret)


@pytest.mark.parametrize("name", ["ann", "ben"])
def test_nobody_elses_name_address_or_id_is_in_it(
    app: Flask, http: FlaskClient, street: Street, name: str
) -> None:
    with app.app_context():
        others = [db.session.merge(user) for one, user in street.people.items() if one != name]
        private = {user.email for user in others} | {str(user.public_id) for user in others}
        private |= {str(user.client.public_id) for user in others if user.client}
        staff = {user.name for user in others if user.name in {"Noor", "Clara", "Ines", "Idris"}}
    files = copy_for(app, http, street, name)
    assert [one for one in private if one in "\n".join(files.values())] == []
    # Who opened the record is told by name on its own page, and nowhere else.
    data = json.loads(files["data.json"])
    opened = data.pop("openings")
    assert [one for one in staff if one in json.dumps(data)] == []
    assert (name == "ben") == any(one["who"] in staff for one in opened)


def test_the_therapists_private_facts_are_not_in_it(app: Flask) -> None:
    """What the engine knew of them stays with us: their ages, their limits, their hours."""
    with app.app_context():
        with unit_of_work() as session:
            therapist = make_therapist(session, "Rosa Almeida", youngest=19, most_acuity=3)
            client = make_seeker(session)
        page_of_matches(app, client)
        proposal = db.session.scalars(sa.select(Proposal)).one()
        assert proposal.shown[0]["ages"][0] == 19
        copy = everything_of(db.session(), db.session.merge(client), NOW)
        [shown] = copy["matches"]["lists"][0]["shown"]
        assert shown["therapist"] == therapist.name
        assert set(shown) == {
            "therapist",
            "points",
            "little_known",
            "needed_elsewhere",
            "of",
            "lines",
        }


def page_of_matches(app: Flask, client: Client) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    sign_in(browser, db.session.merge(client).user)
    assert browser.get("/matches").status_code == 200


def test_the_points_in_the_copy_are_those_of_the_page_and_add_up(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            make_therapist(session, "Rosa Almeida")
            client = make_seeker(session)
        page_of_matches(app, client)
        copy = everything_of(db.session(), db.session.merge(client), NOW)
    [found] = copy["matches"]["lists"]
    with app.app_context():
        assert found["number"] == str(db.session.scalars(sa.select(Proposal.public_id)).one())
    assert sum(found["weights"].values()) == 1000
    for shown in found["shown"]:
        assert sum(line["points"] for line in shown["lines"]) == shown["points"] > 0
        for line in shown["lines"]:
            assert line["points"] == line["score"] * line["weight"]
            assert line["weight"] == found["weights"][line["factor"]]
    assert any(line["words"] for line in found["shown"][0]["lines"])


def test_an_opening_they_are_not_told_of_yet_is_not_in_it(
    app: Flask, street: Street, client_of: ClientOf, http: FlaskClient
) -> None:
    with app.app_context(), unit_of_work() as session:
        opening = EmergencyOpening(
            kind=OpeningKind.danger, client=session.merge(client_of("ann")),
            asked_by_id=session.merge(street.people["noor"]).id, asked_as="duty_clinician",
            asked_at=NOW, reason=OpeningReason.danger, words="SECRET-WORDS", opened_at=NOW,
        )  # fmt: skip
        session.add(opening)
        session.flush()
        session.add(
            AuditEntry(
                at=NOW, action="emergency.viewed", subject_kind="emergency_opening",
                subject_id=opening.public_id, client_id=client_of("ann").public_id,
                actor_id=street.people["noor"].public_id, actor_role="duty_clinician",
            )
        )  # fmt: skip
        session.flush()
        public_id = opening.public_id
    files = copy_for(app, http, street, "ann")
    assert "emergency" not in files["data.json"].split('"openings"')[1].split("]")[0]
    assert "SECRET-WORDS" not in "".join(files.values())
    with app.app_context(), unit_of_work() as session:
        told = session.scalars(
            sa.select(EmergencyOpening).where(EmergencyOpening.public_id == public_id)
        ).one()
        told.told_at = NOW
    assert "opened in an emergency" in copy_for(app, http, street, "ann")["data.json"]


def test_the_signed_copies_verify_with_nothing_but_the_file(
    app: Flask, http: FlaskClient, street: Street
) -> None:
    files = copy_for(app, http, street, "ann")
    signed = [name for name in files if name.startswith("consents/")]
    assert len(signed) == 4
    for name in signed:
        assert verify(io.BytesIO(files[name].encode()))
    listed = [one["file"] for one in json.loads(files["data.json"])["consents"]]
    assert sorted(listed) == sorted(signed)


def test_making_a_copy_is_written_down_and_leaves_nothing_on_the_disk(
    app: Flask, http: FlaskClient, street: Street
) -> None:
    folder: Path = app.extensions["settings"].data_dir
    before = sorted(folder.rglob("*"))
    copy_for(app, http, street, "ann")
    assert sorted(folder.rglob("*")) == before
    with app.app_context():
        made = sa.select(AuditEntry).where(AuditEntry.action == "export.made")
        assert db.session.scalars(made).one().client_id is not None


def test_the_document_stands_alone(app: Flask, http: FlaskClient, street: Street) -> None:
    document = copy_for(app, http, street, "ann")["your-data.html"]
    assert "<script" not in document
    assert "<link" not in document
    assert not re.search(r"(src|href)=\"(https?:)?//", document)
    assert "None" not in re.sub(r"<p>None\.</p>", "", document)


def test_every_field_of_the_copy_is_documented(app: Flask, client_of: ClientOf) -> None:
    text = (ROOT / "docs/reference/export.md").read_text()
    with app.app_context():
        copy = everything_of(db.session(), client_of("ann"), NOW)
    assert set(SECTIONS) <= set(copy)
    for name in names_in(copy):
        assert f"`{name}`" in text, name


def names_in(values: object) -> set[str]:
    """Every name of a field; what lies under the person's own values has names of its own."""
    found: set[str] = set()
    if isinstance(values, list):
        for one in values:
            found |= names_in(one)
    if isinstance(values, dict):
        for name, value in values.items():
            found.add(name)
            if name not in OWN_VALUES:
                found |= names_in(value)
    return found


OWN_VALUES = {
    "value", "shared", "shared_in_words", "raised_by", "evidence", "your_inputs", "rules",
    "factors", "weights",
}  # fmt: skip


YEARS, ACTS, LISTS, SHOWN = 10, 2000, 40, 30
# Longer than this, and it would have to be made in the background. Seconds of work.
WAITED_FOR = 2.0


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_ten_years_of_weekly_meetings_are_copied_while_they_wait(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    """A meeting and a note a week, a list of therapists each season, and all that was done."""
    with app.test_request_context():
        with unit_of_work() as session:
            client = ten_years(session)
        began = time.process_time()
        data = archive(db.session(), client, NOW)
        took = time.process_time() - began
    with capsys.disabled():
        print(f"\n{len(data) / 1000:.0f} kB in {took:.2f} s of work")
    assert took <= WAITED_FOR


def ten_years(session: Session) -> Client:
    episode = make_episode(session)
    client, user = episode.client, episode.therapist.user
    for week in range(YEARS * 52):
        at = NOW - timedelta(weeks=week + 1)
        session.add(
            Appointment(
                client=client, therapist=episode.therapist, episode=episode, starts_at=at,
                ends_at=at + timedelta(minutes=50), zone="America/Los_Angeles", format="video",
                state=AppointmentState.booked,
            )
        )  # fmt: skip
        session.add(
            ClosingNote(episode=episode, author=user, written_at=at, words="What was done. " * 60)
        )
    for number in range(ACTS):
        mine = number % 4 == 0
        record(
            session, at=NOW - timedelta(hours=number), subject_kind="episode",
            subject_id=episode.public_id, action="episode.begun" if mine else "record.viewed",
            actor_id=client.user.public_id if mine else user.public_id,
            actor_role="client" if mine else "therapist", client_id=client.public_id,
        )  # fmt: skip
    keep_lists(session, client)
    return client


def keep_lists(session: Session, client: Client) -> None:
    for number in range(SHOWN):
        make_therapist(session, name=f"Therapist {number}")
    search = search_for(client, answers_of(latest_submitted(client)), NOW)
    offers = search.offers(SHOWN)
    first = keep_proposal(session, client, search.values, offers.therapists, offers.weights, NOW)
    assert first is not None
    for number in range(LISTS - 1):
        session.add(
            Proposal(
                client_id=client.id, made_at=NOW, digest=f"list {number}",
                weights_version=first.weights_version, engine_version=first.engine_version,
                client_inputs=first.client_inputs, shown=first.shown,
            )
        )  # fmt: skip
