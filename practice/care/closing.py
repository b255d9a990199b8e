"""Closing notes: what the responsible clinician writes in the thirty days after the end."""

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, WrongState
from practice.accounts.models import Role, User
from practice.care.models import ClosingNote, Episode


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
    until = episode.closing_notes_until
    if until is None or episode.therapist.user_id != actor.id:
        raise NotFound
    if until <= at:
        raise ClosingNotesOver
    if amends is not None and amends.episode_id != episode.id:
        raise NotFound
    note = ClosingNote(episode=episode, author=actor, written_at=at, amends=amends, words=words)
    session.add(note)
    session.flush()
    _record(session, note, actor, at)
    return note


def _record(session: Session, note: ClosingNote, actor: User, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action="closing_note.amended" if note.amends else "closing_note.written",
        subject_kind="closing_note",
        subject_id=note.public_id,
        actor_id=actor.public_id,
        actor_role=Role.therapist,
        client_id=note.episode.client.public_id,
    )
