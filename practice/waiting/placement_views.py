"""The clinical lead's page of one placement: confirm it, change it, or say no."""

import uuid
from collections.abc import Iterable

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound, WrongState
from practice.accounts.models import Client, Role
from practice.accounts.readings import viewed
from practice.waiting import deciding, queries
from practice.waiting.blueprint import bp
from practice.waiting.forms import ChangeForm, RejectForm, SeenForm
from practice.waiting.listing import case_of
from practice.waiting.models import Placement
from practice.waiting.policy import is_lead
from practice.waiting.refusals import CannotConfirm, ChangedMeanwhile, NotOnTheirList
from practice.waiting.since import since_of

Answer = str | Response | tuple[str, int]


@bp.get("/waiting-list/placements/<uuid:waiting_placement>")
@policy(is_lead)
def placement(waiting_placement: uuid.UUID) -> Answer:
    """To be decided, or what was decided."""
    try:
        return _case_page(waiting_placement)
    except NotFound:
        return _over(waiting_placement, has_acted=False)


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/confirmation")
@policy(is_lead)
def confirm_one(waiting_placement: uuid.UUID) -> Answer:
    form = SeenForm()
    try:
        with unit_of_work() as session:
            found, user = _one(waiting_placement), current_user.user
            deciding.confirm(session, found.run, [found], user, now(), seen=form.version)
    except CannotConfirm as refusal:
        return _once_more(waiting_placement, seen=form, problems=refusal.problems)
    except (NotFound, WrongState):
        return _over(waiting_placement)
    return _back("One person has been written to. The place is kept until they answer.")


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/change")
@policy(is_lead)
def change(waiting_placement: uuid.UUID) -> Answer:
    form = ChangeForm()
    try:
        form.offer(each for each, _ in _one(waiting_placement).candidates)
        if not form.validate():
            return _case_page(waiting_placement, form), 422
        with unit_of_work() as session:
            found, user = _one(waiting_placement), current_user.user
            chosen, seen = form.therapist.data, form.version
            deciding.change(session, found, chosen, user, now(), seen=seen)
    except (ChangedMeanwhile, NotOnTheirList) as refusal:
        form.therapist.errors = [refusal.message]
        return _once_more(waiting_placement, form, seen=form)
    except (NotFound, WrongState):
        return _over(waiting_placement)
    return _back("The proposal is changed. Nobody has been written to yet.")


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/rejection")
@policy(is_lead)
def reject(waiting_placement: uuid.UUID) -> Answer:
    form = RejectForm()
    reason = form.reason.data or ""
    try:
        if not form.validate():
            return _case_page(waiting_placement, rejecting=form), 422
        with unit_of_work() as session:
            found, user = _one(waiting_placement), current_user.user
            deciding.reject(session, found, reason, user, now(), seen=form.version)
    except ChangedMeanwhile as refusal:
        form.reason.errors = [refusal.message]
        return _once_more(waiting_placement, rejecting=form, seen=form)
    except (NotFound, WrongState):
        return _over(waiting_placement, reason)
    return _back("These two are not proposed for each other again. The client waits on.")


def _once_more(
    public_id: uuid.UUID,
    changing: ChangeForm | None = None,
    rejecting: RejectForm | None = None,
    **shown: object,
) -> Answer:
    """The page with what has changed since, or what became of it where that was decided."""
    try:
        return _case_page(public_id, changing, rejecting, **shown), 409
    except NotFound:
        return _over(public_id, (rejecting.reason.data or "") if rejecting else "")


def _case_page(
    public_id: uuid.UUID,
    changing: ChangeForm | None = None,
    rejecting: RejectForm | None = None,
    *,
    seen: SeenForm | None = None,
    problems: Iterable[str] = (),
) -> str:
    """No row in the log, no page."""
    with unit_of_work() as session:
        found = _one(public_id)
        case = case_of(session, current_user.user, found, now())
        _viewed_one(session, found, case.named)
        is_newer = seen is not None and found.version > seen.version
        since = since_of([found], current_user.user) if is_newer else []
    changing = changing or ChangeForm(formdata=None)
    changing.offer(each.therapist_id for each in case.others)
    return render_template(
        "waiting/placement.html",
        case=case,
        changing=changing,
        rejecting=rejecting or RejectForm(formdata=None),
        since=since,
        problems=problems,
        at=now(),
        zone=current_settings().zone,
    )


def _over(public_id: uuid.UUID, typed: str = "", *, has_acted: bool = True) -> Answer:
    """Decided by a colleague, or gone with its proposal: what was typed is not lost.

    What was never there and what is gone are not told apart.
    """
    with unit_of_work() as session:
        found = queries.decided_for(current_user.user, public_id)
        if found is None and not has_acted:
            raise NotFound
        if found is not None:
            _viewed_one(session, found, [found.client])
        since = since_of([found], current_user.user) if found is not None else []
    page = render_template(
        "waiting/placement_over.html",
        since=since[0] if since else None,
        has_acted=has_acted,
        typed=[("", typed)] if typed else [],
        zone=current_settings().zone,
    )
    if not has_acted:
        return page
    return page, 409 if since else 404


def _viewed_one(session: Session, placement: Placement, named: Iterable[Client]) -> None:
    role, public_id = Role.clinical_lead, placement.public_id
    viewed(session, "placement.viewed", "waiting_placement", public_id, named, role)


def _one(public_id: uuid.UUID) -> Placement:
    found = queries.placement_for(current_user.user, public_id)
    if found is None or not found.run.stands:
        raise NotFound
    return found


def _back(message: str) -> Response:
    flash(message, "leaf")
    return redirect(url_for("waiting.waiting_list"), 303)
