"""The client's page about a supervisor of their therapist whom they have not agreed to yet."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound, WrongState
from practice.accounts.policy import is_client, the_client
from practice.care import operations, queries
from practice.care.blueprint import bp
from practice.care.forms import SupervisorForm
from practice.care.models import Episode

AGREED = "They may read your record along with your therapist. You can take it back at any time."
TAKEN_BACK = "No supervisor reads your record."


@bp.get("/care/<uuid:episode>/supervisor")
@policy(is_client)
def supervisor(episode: uuid.UUID) -> str:
    """Who supervises, what they may read, and both answers."""
    found = _mine(episode)
    return render_template(
        "care/supervisor.html",
        episode=found,
        supervisor=found.therapist.supervisor,
        has_agreed=found.supervisor_id == found.therapist.supervisor_id,
    )


@bp.post("/care/<uuid:episode>/supervisor")
@policy(is_client)
def answer_supervisor(episode: uuid.UUID) -> Response:
    form = SupervisorForm()
    try:
        with unit_of_work() as session:
            _answer(session, _mine(episode), form)
    except WrongState as refusal:
        flash(refusal.message, "sun")
        return redirect(url_for("care.supervisor", episode=episode), 303)
    flash(AGREED if form.agrees else TAKEN_BACK, "leaf")
    return redirect(url_for("today.today"), 303)


def _answer(session: Session, episode: Episode, form: SupervisorForm) -> None:
    """Agreed is to whoever the page named, not to whoever supervises by now."""
    supervisor = episode.therapist.supervisor
    if not form.agrees:
        operations.stop_supervisor(session, episode, current_user.user, now())
    elif supervisor is None or str(supervisor.public_id) != form.supervisor.data:
        raise WrongState
    else:
        operations.agree_to_supervisor(session, episode, supervisor, current_user.user, now())


def _mine(public_id: uuid.UUID) -> Episode:
    found = queries.supervised_episode(the_client(), public_id)
    if found is None:
        raise NotFound
    return found
