"""Pages of care: the caseload and one client's record. Each view of it is written down."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.care import closing_views, custody_views, operations, queries, supervisor_views
from practice.care.blueprint import bp
from practice.care.emergency import views as emergency_views
from practice.care.emergency.policy import asks
from practice.care.forms import EndForm
from practice.care.models import EndReason, Episode
from practice.care.queries import CaseloadLine
from practice.intake.instruments import INSTRUMENTS
from practice.matches.sharing import SharedItem, in_lines
from practice.places import PLACES
from practice.therapists.policy import is_therapist

__all__ = ["bp", "closing_views", "custody_views", "emergency_views", "supervisor_views"]

Answer = str | Response | tuple[str, int]


@bp.get("/caseload")
@policy(is_therapist)
def caseload() -> str:
    """Everybody in care, with their scores. No row in the log, no page."""
    with unit_of_work() as session:
        lines = queries.caseload_of(current_user.user)
        to_close = queries.to_close(current_user.user, now())
        shown = [line.episode.client for line in lines] + [one.client for one in to_close]
        me = current_user.public_id
        viewed(session, "caseload.viewed", "user", me, shown, Role.therapist, lines=len(lines))
    return render_template(
        "care/caseload.html",
        lines=lines,
        to_close=to_close,
        at=now(),
        own_id=current_user.id,
        may_ask=asks(current_user.user),
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
        found = line.episode
        role = _role_in(found)
        viewed(session, "record.viewed", "episode", found.public_id, [found.client], role)
    return render_template(
        "care/episode.html",
        line=line,
        shared=_shared(line),
        here=PLACES[line.episode.place].name,
        at=now(),
        is_own=role is Role.therapist,
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
    return redirect(url_for("care.closing", episode=episode), 303)


def _end_page(public_id: uuid.UUID, form: EndForm) -> str:
    with unit_of_work() as session:
        found = queries.own_episode(current_user.user, public_id)
        if found is None:
            raise NotFound
        clients, role = [found.client], Role.therapist
        viewed(session, "end_of_care.viewed", "episode", found.public_id, clients, role)
    return render_template("care/end.html", episode=found, form=form)


def _role_in(episode: Episode) -> Role:
    is_own = episode.therapist.user_id == current_user.id
    return Role.therapist if is_own else Role.supervisor


def _shared(line: CaseloadLine) -> list[SharedItem]:
    request = line.episode.request
    return in_lines(request.shared) if request else []
