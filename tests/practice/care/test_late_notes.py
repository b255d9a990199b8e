"""A closing note sent too late: nothing typed is lost, and nothing of the record is shown again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.errors import NotFound, WrongState
from core.mail import KeptMail
from core.outbox import drain
from practice.accounts.models import Role
from practice.care import operations
from practice.care.closing import hand_over, write_note
from practice.care.models import ClosingNote, EndReason
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.care import make_episode
from tests.builders.intake import STORY
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.practice.care.pages import text

EARLIER = "canary-5120: what was written in time."
LATE = "canary-5121: they wrote to me on the last evening, and are well."
OVER = NOW + timedelta(days=30)


@pytest.fixture
def episode(session):
    """Ended at NOW, with a note that was in time; the clinician's place is called Rosa's."""
    episode = make_episode(session, therapist=make_therapist(session, name="Rosa Almeida"))
    episode.therapist.user.name = "Rosa Almeida"
    operations.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
    write_note(session, episode, EARLIER, episode.therapist.user, NOW)
    return episode


@pytest.fixture
def custodian(session):
    return make_user(session, name="Idris Vaughan", roles=(Role.records_custodian,))


def closing(episode):
    return f"/caseload/{episode.public_id}/closing-notes"


def handing_over(episode):
    return f"/caseload/{episode.public_id}/late-note"


def notes(session):
    look_again(session)
    return session.scalars(sa.select(ClosingNote).order_by(ClosingNote.id)).all()


def test_what_was_typed_is_given_back_and_nothing_of_the_record_with_it(
    session, http, clock, episode
):
    clock.move_to(OVER - timedelta(seconds=1))
    sign_in(http, episode.therapist.user)
    [note] = notes(session)
    assert http.get(closing(episode)).status_code == 200
    clock.move_to(OVER)
    answer = http.post(closing(episode), data={"words": LATE, "amends": str(note.public_id)})
    assert answer.status_code == 409
    page = BeautifulSoup(answer.data, "html.parser")
    assert page.select_one("textarea").text.strip() == LATE
    assert page.select_one("form [name=amends]")["value"] == str(note.public_id)
    assert "The time for this note is over" in text(answer)
    assert "the records custodian holds the record" in text(answer)
    for gone in (EARLIER, STORY, "Sam", "The work is done", episode.client.user.email):
        assert gone not in answer.text
    assert notes(session) == [note]


def test_handed_over_it_stands_in_the_record_late_by_its_author_and_time(
    app, session, http, clock, episode, custodian
):
    clock.move_to(OVER + timedelta(hours=1))
    sign_in(http, episode.therapist.user)
    [earlier] = notes(session)
    sent = {"words": LATE, "amends": str(earlier.public_id)}
    answer = http.post(handing_over(episode), data=sent, follow_redirects=True)
    assert "with the records custodian now" in text(answer)
    assert LATE not in answer.text
    assert "Sam" not in text(answer)
    before, late = notes(session)
    assert (before.is_late, late.is_late) == (False, True)
    assert (late.words, late.author, late.written_at) == (LATE, episode.therapist.user, clock.now())
    assert late.amends is before
    [row] = session.scalars(sa.select(AuditEntry).filter_by(action="closing_note.handed_over"))
    assert (row.subject_id, row.client_id) == (late.public_id, episode.client.public_id)
    assert LATE not in str(row.details)
    drain(app, clock.now(), most=1_000)
    look_again(session)
    [mail] = [one for one in session.scalars(sa.select(KeptMail)) if one.to == custodian.email]
    assert "/records" in mail.body
    assert "note" not in f"{mail.subject} {mail.body}".lower()


def test_the_custodian_finds_what_came_and_reads_it_only_with_a_reason(
    session, http, clock, episode, custodian
):
    clock.move_to(OVER)
    note = hand_over(session, episode, LATE, episode.therapist.user, OVER)
    sign_in(http, custodian)
    page = http.get("/records")
    assert "Rosa Almeida" in text(page)
    for hidden in (LATE, "Sam", str(episode.client.public_id)):
        assert hidden not in page.text
    page = BeautifulSoup(http.get(f"/records?note={note.public_id}").data, "html.parser")
    number = page.select_one("[name=who]")["value"]
    assert number == str(episode.client.public_id)
    seen = sa.select(AuditEntry).where(AuditEntry.action == "closed_records.viewed")
    [row] = session.scalars(seen).all()
    assert (row.actor_id, row.client_id) == (custodian.public_id, episode.client.public_id)
    why = {"who": number, "reason": "complaint", "words": "A late note has come for this record."}
    page = BeautifulSoup(http.post("/records", data=why, follow_redirects=True).data, "html.parser")
    record = http.get(page.select_one("td a")["href"])
    assert LATE in record.text
    assert "Handed over when the thirty days for closing notes had passed" in text(record)
    assert text(record).count("Handed over when") == 1
    clock.move(timedelta(days=30))
    assert "Late notes" not in text(http.get("/records"))


def test_nobody_elses_record_takes_a_late_note(session, http, clock, episode):
    clock.move_to(OVER)
    other = make_therapist(session, name="Ana Other").user
    sign_in(http, other)
    for page in (handing_over(episode), closing(episode)):
        assert http.post(page, data={"words": LATE}).status_code == 404
    with pytest.raises(NotFound):
        hand_over(session, episode, LATE, other, OVER)
    assert len(notes(session)) == 1


def test_while_notes_can_be_written_nothing_is_late(session, http, clock, episode):
    clock.move_to(OVER - timedelta(seconds=1))
    sign_in(http, episode.therapist.user)
    assert http.post(handing_over(episode), data={"words": LATE}).status_code == 404
    with pytest.raises(WrongState):
        hand_over(session, episode, LATE, episode.therapist.user, clock.now())
    assert len(notes(session)) == 1


def test_an_empty_late_note_is_said_beside_its_field(session, http, clock, episode):
    clock.move_to(OVER)
    sign_in(http, episode.therapist.user)
    assert http.post(closing(episode), data={"words": " "}).status_code == 404
    answer = http.post(handing_over(episode), data={"words": " "})
    assert answer.status_code == 422
    assert "Please write the note first." in text(answer)
    assert "Sam" not in answer.text


def test_a_custodian_neither_hears_of_nor_finds_a_note_about_themselves(
    app, session, http, clock, episode, custodian
):
    episode.client.user = custodian
    session.flush()
    clock.move_to(OVER)
    note = hand_over(session, episode, LATE, episode.therapist.user, OVER)
    sign_in(http, custodian)
    assert "Late notes" not in text(http.get("/records"))
    page = BeautifulSoup(http.get(f"/records?note={note.public_id}").data, "html.parser")
    assert not page.select_one("[name=who]").get("value")
    drain(app, OVER, most=1_000)
    look_again(session)
    paths = [one.body for one in session.scalars(sa.select(KeptMail)) if one.to == custodian.email]
    assert not any("/records" in body for body in paths)
