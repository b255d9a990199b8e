"""Pages of care: the caseload and one client's record. Each view of it is written down."""

import uuid

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core import audit
from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.care import operations, queries
from practice.care.forms import EndForm
from practice.care.models import EndReason
from practice.care.queries import CaseloadLine
from practice.intake.instruments import INSTRUMENTS
from practice.matches.sharing import SharedItem, in_lines
from practice.places import PLACES
from practice.therapists.policy import is_therapist

bp = Blueprint("care", __name__)

Answer = str | Response | tuple[str, int]


@bp.get("/caseload")
@policy(is_therapist)
def caseload() -> str:
    """Everybody in care, with their scores. No row in the log, no page."""
    with unit_of_work() as session:
        lines = queries.caseload_of(current_user.user)
        _write_down(session, "caseload.viewed", "user", current_user.public_id, lines=len(lines))
    return render_template(
        "care/caseload.html",
        lines=lines,
        at=now(),
        own_id=current_user.id,
        instruments=INSTRUMENTS,
    )


@bp.get("/caseload/<uuid:episode>")
@policy(is_therapist)
def episode(episode: uuid.UUID) -> str:
    """One client's record. No row in the log, no page."""
    with unit_of_work() as session:
        line = queries.line_of(current_user.user, episode)
        if line is None:
            raise NotFound
        _write_down(session, "record.viewed", "episode", line.episode.public_id)
    return render_template(
        "care/episode.html",
        line=line,
        shared=_shared(line),
        here=PLACES[line.episode.place].name,
        at=now(),
        is_own=line.episode.therapist.user_id == current_user.id,
    )


@bp.get("/caseload/<uuid:episode>/end")
@policy(is_therapist)
def ending(episode: uuid.UUID) -> str:
    return _end_page(episode, EndForm())


@bp.post("/caseload/<uuid:episode>/end")
@policy(is_therapist)
def end(episode: uuid.UUID) -> Answer:
    form = EndForm()
    if not form.validate():
        return _end_page(episode, form), 422
    with unit_of_work() as session:
        found = queries.own_episode(current_user.user, episode)
        if found is None:
            raise NotFound
        operations.end(session, found, EndReason(form.because.data), current_user.user, now())
    flash("The care has ended. Meetings still ahead are cancelled and your place is free.", "leaf")
    return redirect(url_for("care.caseload"), 303)


def _end_page(public_id: uuid.UUID, form: EndForm) -> str:
    found = queries.own_episode(current_user.user, public_id)
    if found is None:
        raise NotFound
    return render_template("care/end.html", episode=found, form=form)


def _shared(line: CaseloadLine) -> list[SharedItem]:
    request = line.episode.request
    return in_lines(request.shared) if request else []


def _write_down(
    session: Session, action: str, kind: str, subject: uuid.UUID, **details: int
) -> None:
    audit.record(
        session,
        at=now(),
        action=action,
        subject_kind=kind,
        subject_id=subject,
        actor_id=current_user.public_id,
        actor_role=Role.therapist,
        **details,
    )
