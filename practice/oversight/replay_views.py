"""Working out again a list that somebody was shown, by its number and with a reason."""

from flask import render_template
from flask_login import current_user

import matching
from core.access import policy
from core.clock import now
from core.database import unit_of_work
from practice.accounts.models import Role
from practice.accounts.policy import step_up
from practice.matches.replaying import NoSuchList, Replay, ReplayReason, replay
from practice.oversight.blueprint import Page, bp
from practice.oversight.policy import is_administrator
from practice.oversight.weights.forms import ReplayForm


@bp.get("/oversight/replay")
@policy(is_administrator)
@step_up
def replay_page() -> Page:
    return _page(ReplayForm())


@bp.post("/oversight/replay")
@policy(is_administrator)
@step_up
def replay_list() -> Page:
    """No row in the log, no page. The number stands in no address."""
    form = ReplayForm()
    if not form.validate():
        return _page(form), 422
    try:
        with unit_of_work() as session:
            found = replay(
                session,
                form.wanted,
                ReplayReason(form.reason.data),
                actor_id=current_user.public_id,
                actor_role=Role.administrator,
                at=now(),
            )
    except NoSuchList as refusal:
        form.number.errors = [refusal.message]
        return _page(form), 422
    return _page(form, found)


def _page(form: ReplayForm, found: Replay | None = None) -> str:
    return render_template(
        "oversight/replay.html", form=form, found=found, engine_here=matching.ENGINE_VERSION
    )
