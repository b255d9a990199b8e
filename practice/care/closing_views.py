"""The one page that stays after care has ended: closing notes, for thirty days.

What is sent later is given back, with the way to the records custodian: nothing typed is lost, and
nothing of the record is shown again.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.care import queries
from practice.care.blueprint import bp
from practice.care.closing import hand_over, write_note
from practice.care.forms import ClosingNoteForm
from practice.care.models import ClosingNote, EndReason, Episode
from practice.therapists.policy import is_therapist

Answer = str | Response | tuple[str, int]


@bp.get("/caseload/<uuid:episode>/closing-notes")
@policy(is_therapist)
def closing(episode: uuid.UUID) -> Answer:
    """The notes so far, and the form. No row in the log, no page."""
    form = ClosingNoteForm(formdata=None)
    form.amends.data = request.args.get("amends", "")
    return _page(episode, form)


@bp.post("/caseload/<uuid:episode>/closing-notes")
@policy(is_therapist)
def write(episode: uuid.UUID) -> Answer:
    form, at = ClosingNoteForm(), now()
    if form.words.data and queries.handed_on_episode(current_user.user, episode, at):
        return _late_page(episode, form), 409
    if not form.validate():
        return _page(episode, form), 422
    with unit_of_work() as session:
        found = _mine(episode, at)
        amends = _named(queries.notes_of(found), form.amends.data)
        write_note(session, found, form.words.data, current_user.user, at, amends=amends)
    flash("The note is kept. It cannot be changed, only added to.", "leaf")
    return redirect(url_for("care.closing", episode=episode), 303)


@bp.post("/caseload/<uuid:episode>/late-note")
@policy(is_therapist)
def hand_late_note_over(episode: uuid.UUID) -> Answer:
    """The custodian gets the words; whoever wrote them sees nothing of the record, then or now."""
    form = ClosingNoteForm()
    with unit_of_work() as session:
        found = queries.handed_on_episode(current_user.user, episode, now())
        if found is None:
            raise NotFound
        if not form.validate():
            return _late_page(episode, form), 422
        amends = _named(queries.notes_of(found), form.amends.data)
        hand_over(session, found, form.words.data, current_user.user, now(), amends=amends)
    flash("Your late note is with the records custodian now, with your name and the time.", "leaf")
    return redirect(url_for("care.caseload"), 303)


def _late_page(episode: uuid.UUID, form: ClosingNoteForm) -> str:
    return render_template("care/late_note.html", episode=episode, form=form)


def _page(public_id: uuid.UUID, form: ClosingNoteForm) -> str:
    with unit_of_work() as session:
        found = _mine(public_id, now())
        notes = queries.notes_of(found)
        clients, role = [found.client], Role.therapist
        viewed(session, "closing_notes.viewed", "episode", found.public_id, clients, role)
    return render_template(
        "care/closing.html",
        episode=found,
        notes=notes,
        amended=_named(notes, form.amends.data),
        because=EndReason(found.ended_because).label if found.ended_because else "",
        days=days_left(found, now()),
        form=form,
    )


def days_left(episode: Episode, at: datetime) -> int:
    """Begun days until the last one is over: 30 at the end itself, 1 on the last day."""
    left = (episode.closing_notes_until or at) - at
    return -(-left // timedelta(days=1))


def _named(notes: Sequence[ClosingNote], public_id: str | None) -> ClosingNote | None:
    return next((note for note in notes if str(note.public_id) == public_id), None)


def _mine(public_id: uuid.UUID, at: datetime) -> Episode:
    found = queries.closing_episode(current_user.user, public_id, at)
    if found is None:
        raise NotFound
    return found
