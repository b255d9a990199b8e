"""After the end: thirty days of closing notes by the responsible clinician, and nothing else."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import NotFound
from core.outbox import OutboxMessage
from practice.care import operations
from practice.care.closing import ClosingNotesOver, write_note
from practice.care.models import ClosingNote, EndReason
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from tests.builders.accounts import look_again, sign_in
from tests.builders.care import make_episode
from tests.builders.intake import STORY
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.practice.care.pages import actions, text

NOTE = "canary-4411: we parted well, and agreed on what to do in bad weeks."
DAYS = timedelta(days=1)


@pytest.fixture
def episode(session):
    return make_episode(session)


def end(session, episode, at=NOW):
    operations.end(session, episode, EndReason.completed, episode.therapist.user, at)


def take_back(session, episode, at=NOW):
    scope = f"therapist:{episode.therapist.public_id}"
    signatures = session.scalars(signatures_of(episode.client))
    [signature] = [one for one in signatures if one.scope == scope]
    revoke(session, signature, episode.client.user, at)


def record_page(episode):
    return f"/caseload/{episode.public_id}"


def notes_page(episode):
    return f"/caseload/{episode.public_id}/closing-notes"


def pages_of(episode):
    """Every page of an episode but the closing notes, its meeting and its request among them."""
    base = record_page(episode)
    [meeting] = meetings(episode)
    return (
        base,
        f"{base}/end",
        f"/appointments/{meeting}",
        f"/appointments/{meeting}/calendar.ics",
    )


def meetings(episode):
    from practice.appointments.queries import meetings_of

    return [one.public_id for one in meetings_of([episode.id])[episode.id]]


@pytest.mark.parametrize("how", [end, take_back])
def test_with_the_tab_open_the_next_request_finds_nothing_but_the_closing_notes(
    session, http, clock, episode, how
):
    sign_in(http, episode.therapist.user)
    pages = pages_of(episode)
    assert [http.get(page).status_code for page in pages] == [200] * len(pages)
    look_again(session)
    how(session, episode)
    session.commit()
    assert [http.get(page).status_code for page in pages] == [404] * len(pages)
    page = text(http.get(notes_page(episode)))
    assert "30 days are left" in page
    assert "Nothing yet." in page
    for gone in (STORY, "10, moderate", episode.client.user.email):
        assert gone not in page


def test_notes_are_written_to_the_last_minute_of_day_thirty_and_not_on_day_31(
    session, http, clock, episode
):
    end(session, episode)
    clock.move_to(NOW + 30 * DAYS - timedelta(seconds=1))
    sign_in(http, episode.therapist.user)
    assert "The last day" in text(http.get(notes_page(episode)))
    assert http.post(notes_page(episode), data={"words": NOTE}).status_code == 303
    clock.move_to(NOW + 30 * DAYS)
    assert http.get(notes_page(episode)).status_code == 404
    assert http.post(notes_page(episode), data={"words": NOTE}).status_code == 409
    assert episode.client.called not in text(http.get("/caseload"))
    look_again(session)
    assert len(session.scalars(sa.select(ClosingNote)).all()) == 1
    with pytest.raises(ClosingNotesOver):
        write_note(session, episode, NOTE, episode.therapist.user, NOW + 30 * DAYS)


def test_an_amendment_is_a_row_of_its_own_and_the_note_stays(session, http, episode):
    end(session, episode)
    sign_in(http, episode.therapist.user)
    http.post(notes_page(episode), data={"words": NOTE})
    look_again(session)
    [note] = session.scalars(sa.select(ClosingNote))
    page = text(http.get(f"{notes_page(episode)}?amends={note.public_id}"))
    assert "You are adding to a note" in page
    later = {"words": "It was three weeks, not two.", "amends": str(note.public_id)}
    assert http.post(notes_page(episode), data=later).status_code == 303
    look_again(session)
    first, second = session.scalars(sa.select(ClosingNote).order_by(ClosingNote.id))
    assert (first.words, first.amends, second.amends) == (NOTE, None, first)
    page = text(http.get(notes_page(episode)))
    assert "Adds to the note of" in page
    assert NOTE in page
    assert actions(session, subject_kind="closing_note") == [
        "closing_note.written",
        "closing_note.amended",
    ]


def test_an_empty_note_is_said_beside_its_field(session, http, episode):
    end(session, episode)
    sign_in(http, episode.therapist.user)
    answer = http.post(notes_page(episode), data={"words": "  "})
    assert answer.status_code == 422
    assert "Please write the note first." in text(answer)


def test_there_are_no_closing_notes_while_the_care_goes_on(session, http, episode):
    sign_in(http, episode.therapist.user)
    assert http.get(notes_page(episode)).status_code == 404
    with pytest.raises(NotFound):
        write_note(session, episode, NOTE, episode.therapist.user, NOW)


def test_neither_supervisor_nor_colleague_finds_the_notes(session, http):
    supervisor = make_therapist(session, name="Ana Supervisor")
    associate = make_therapist(session, name="Ben Associate", supervisor=supervisor)
    episode = make_episode(session, therapist=associate)
    end(session, episode)
    for other in (supervisor, make_therapist(session, name="Cleo Colleague")):
        sign_in(http, other.user)
        assert http.get(notes_page(episode)).status_code == 404
        assert http.post(notes_page(episode), data={"words": NOTE}).status_code == 404
        with pytest.raises(NotFound):
            write_note(session, episode, NOTE, other.user, NOW)


def test_a_note_is_not_amended_from_another_record(session, episode):
    end(session, episode)
    other = make_episode(session, therapist=episode.therapist, nth=1)
    end(session, other)
    note = write_note(session, other, NOTE, other.therapist.user, NOW)
    with pytest.raises(NotFound):
        write_note(session, episode, "More.", episode.therapist.user, NOW, amends=note)


@pytest.mark.parametrize("how", [end, take_back])
def test_a_date_that_waits_to_be_sent_to_the_therapist_is_taken_back(session, episode, how):
    to_them = OutboxMessage.dedupe_key.endswith(str(episode.therapist.user.public_id))
    booked = sa.select(OutboxMessage).where(
        OutboxMessage.dedupe_key.startswith("mail:appointment booked"), to_them
    )
    assert session.scalars(booked).one().done_at is None
    how(session, episode)
    session.expire_all()
    assert session.scalars(booked).one().last_error == "Withdrawn"


def test_what_is_written_is_sealed(session, episode):
    end(session, episode)
    write_note(session, episode, NOTE, episode.therapist.user, NOW)
    [sealed] = session.scalars(sa.select(ClosingNote.words_sealed))
    assert NOTE.encode() not in sealed
