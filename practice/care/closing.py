"""Closing notes: what the responsible clinician writes in the thirty days after the end.

What comes later is not lost: handed to the records custodian it is a late note, marked as such by
its own time. Whoever hands it over is shown nothing of the record.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, WrongState
from practice.accounts.models import Role, User
from practice.accounts.neutral_mail import say_something_waits
from practice.care.emergency.mails import holders_of
from practice.care.models import ClosingNote, Episode

CUSTODIANS_PAGE = "/records"


class ClosingNotesOver(WrongState):
    message = "The thirty days for closing notes are over. The records custodian has the record."


def write_note(
    session: Session,
    episode: Episode,
    words: str,
    actor: User,
    at: datetime,
    *,
    amends: ClosingNote | None = None,
) -> ClosingNote:
    """Add a note, or an amendment to one; what was written stays as it is.

    Raises NotFound for an episode that goes on or is somebody else's, and for a note of another
    episode; ClosingNotesOver from day 31.
    """
    until = _end_of_notes(episode, actor)
    if until <= at:
        raise ClosingNotesOver
    note = _add(session, episode, words, actor, at, amends)
    _record(session, note, actor, at, "closing_note.amended" if amends else "closing_note.written")
    return note


def hand_over(
    session: Session,
    episode: Episode,
    words: str,
    actor: User,
    at: datetime,
    *,
    amends: ClosingNote | None = None,
) -> ClosingNote:
    """Add a late note to what the records custodian holds; the custodians are told.

    Raises NotFound as `write_note`, and WrongState while closing notes can still be written.
    """
    if at < _end_of_notes(episode, actor):
        raise WrongState
    note = _add(session, episode, words, actor, at, amends)
    _record(session, note, actor, at, "closing_note.handed_over")
    _tell_custodians(session, note, at)
    return note


def _end_of_notes(episode: Episode, actor: User) -> datetime:
    until = episode.closing_notes_until
    if until is None or episode.therapist.user_id != actor.id:
        raise NotFound
    return until


def _add(
    session: Session,
    episode: Episode,
    words: str,
    actor: User,
    at: datetime,
    amends: ClosingNote | None,
) -> ClosingNote:
    if amends is not None and amends.episode_id != episode.id:
        raise NotFound
    note = ClosingNote(episode=episode, author=actor, written_at=at, amends=amends, words=words)
    session.add(note)
    session.flush()
    return note


def _tell_custodians(session: Session, note: ClosingNote, at: datetime) -> None:
    """Nobody is the custodian of their own record, nor told of what they wrote themselves."""
    concerned = {note.author_id, note.episode.client.user_id}
    for person in holders_of(session, Role.records_custodian):
        if person.id not in concerned:
            about = f"late note:{note.public_id}"
            say_something_waits(session, person, at, path=CUSTODIANS_PAGE, about=about)


def _record(session: Session, note: ClosingNote, actor: User, at: datetime, action: str) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="closing_note",
        subject_id=note.public_id,
        actor_id=actor.public_id,
        actor_role=Role.therapist,
        client_id=note.episode.client.public_id,
    )
