"""Roles that two administrators give: what one proposes, another agrees to or refuses."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from practice.accounts import proposals, two_people
from practice.accounts.blueprint import refusals_on
from practice.accounts.models import RoleProposal
from practice.accounts.policy import step_up
from practice.forms import EmptyForm
from practice.oversight.blueprint import Page, bp
from practice.oversight.policy import is_administrator


@bp.get("/oversight/proposals")
@policy(is_administrator)
def role_proposals() -> Page:
    session, at = db.session(), now()
    return render_template(
        "oversight/proposals.html",
        waiting=[(one, _why_not(one)) for one in proposals.waiting(session, at)],
        over=proposals.over(session, at),
        good_for=proposals.GOOD_FOR,
    )


@bp.post("/oversight/proposals/<uuid:role_proposal>/agreement")
@policy(is_administrator)
@step_up
def agree_to_roles(role_proposal: uuid.UUID) -> Response:
    form = EmptyForm()
    with refusals_on(form), unit_of_work() as session:
        proposals.agree(session, role_proposal, current_user.user, now())
    if form.form_errors:
        return _back(form.form_errors[0], "clay")
    return _back("You both agree, and it is done.")


@bp.post("/oversight/proposals/<uuid:role_proposal>/refusal")
@policy(is_administrator)
@step_up
def refuse_roles(role_proposal: uuid.UUID) -> Response:
    with unit_of_work() as session:
        proposals.refuse(session, role_proposal, current_user.user, now())
    return _back("Noted. Nothing changes.")


def _why_not(proposal: RoleProposal) -> str:
    """Why whoever looks at it cannot agree; "" when they can, or proposed it themselves."""
    me = current_user.user
    if proposal.user_id == me.id:
        return "It is about you, so somebody else has to agree."
    if proposal.proposed_by_id == me.id:
        return ""
    return two_people.why_not(db.session(), proposal.proposed_by, me, now())


def _back(words: str, kind: str = "leaf") -> Response:
    flash(words, kind)
    return redirect(url_for("oversight.role_proposals"), 303)
