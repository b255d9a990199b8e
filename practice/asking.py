"""What the pages do on which somebody asks for work that comes round (`core.rounds`)."""

from flask import flash, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.clock import now
from core.database import unit_of_work
from core.rounds import AskedLately, Round


def ask_for(work: Round, page: str) -> Response:
    """Begin it, and lead back to the page that shows its result; `page` is an endpoint."""
    try:
        with unit_of_work() as session:
            actor = current_user.user
            work.ask(session, now(), actor.public_id, actor.main_role)
    except AskedLately as refusal:
        flash(refusal.message, "sun")
    else:
        flash("It has begun. The result appears on this page.", "leaf")
    return redirect(url_for(page), 303)
