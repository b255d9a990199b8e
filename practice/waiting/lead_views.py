"""The clinical lead's pages of the waiting list."""

import uuid
from collections.abc import Container, Sequence

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.matches.prices import newest_prices
from practice.waiting import deciding, queries, runs
from practice.waiting.blueprint import bp
from practice.waiting.comparing import measures_of, sentence_of
from practice.waiting.forms import ChangeForm, ConfirmForm, RejectForm
from practice.waiting.listing import Listing, case_of, listing_for, name_of
from practice.waiting.models import Placement, WaitingRun
from practice.waiting.policy import is_lead
from practice.waiting.refusals import CannotConfirm, DecidedAlready, NothingChosen
from practice.when import deadline_words

Answer = str | Response | tuple[str, int]
EVERYTHING = "all"


@bp.get("/waiting-list")
@policy(is_lead)
def waiting_list() -> Answer:
    """Who waits, the newest proposal beside first come, first served, and what is offered."""
    return _list_page()


@bp.post("/waiting-list/runs")
@policy(is_lead)
def ask_for_run() -> Answer:
    with unit_of_work() as session:
        runs.ask(session, current_user.user, now())
    return _back("A proposal is being worked out. It appears on this page.", "leaf")


@bp.post("/waiting-list/runs/<uuid:waiting_run>/withdrawal")
@policy(is_lead)
def withdraw_run(waiting_run: uuid.UUID) -> Answer:
    try:
        with unit_of_work() as session:
            runs.withdraw(session, _run(waiting_run), current_user.user, now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("The proposal is taken back. What was offered already stays offered.", "leaf")


@bp.post("/waiting-list/runs/<uuid:waiting_run>/confirmation")
@policy(is_lead)
def confirm(waiting_run: uuid.UUID) -> Answer:
    form = ConfirmForm()
    try:
        with unit_of_work() as session:
            run = _run(waiting_run)
            chosen = _chosen(form, listing_for(current_user.user), run)
            deciding.confirm(session, run, chosen, current_user.user, now())
    except NotFound:
        raise
    except CannotConfirm as refusal:
        return _list_page(refusal.problems, form.placement.raw_data or ()), 409
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    people = "One person has" if len(chosen) == 1 else f"{len(chosen)} people have"
    return _back(f"{people} been written to. Each place is kept until they answer.", "leaf")


@bp.get("/waiting-list/placements/<uuid:waiting_placement>")
@policy(is_lead)
def placement(waiting_placement: uuid.UUID) -> Answer:
    return _case_page(waiting_placement, ChangeForm(), RejectForm())


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/change")
@policy(is_lead)
def change(waiting_placement: uuid.UUID) -> Answer:
    form = ChangeForm()
    form.offer(each for each, _ in _one(waiting_placement).candidates)
    if not form.validate():
        return _case_page(waiting_placement, form, RejectForm(formdata=None)), 422
    try:
        with unit_of_work() as session:
            chosen = form.therapist.data
            deciding.change(session, _one(waiting_placement), chosen, current_user.user, now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("The proposal is changed. Nobody has been written to yet.", "leaf")


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/rejection")
@policy(is_lead)
def reject(waiting_placement: uuid.UUID) -> Answer:
    form = RejectForm()
    if not form.validate():
        return _case_page(waiting_placement, ChangeForm(formdata=None), form), 422
    try:
        with unit_of_work() as session:
            reason = form.reason.data or ""
            deciding.reject(session, _one(waiting_placement), reason, current_user.user, now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("These two are not proposed for each other again. The client waits on.", "leaf")


def _list_page(problems: Sequence[str] = (), ticked: Container[str] = ()) -> str:
    """No row in the log, no page. `problems` name people, so they stand here and in no cookie."""
    with unit_of_work() as session:
        listing = listing_for(current_user.user)
        shown = [each.client for each in listing.offered]
        shown += [row.placement.client for row in listing.rows]
        viewed(
            session,
            "waiting_list.viewed",
            "user",
            current_user.public_id,
            shown,
            Role.clinical_lead,
        )
    return render_template(
        "waiting/list.html",
        listing=listing,
        run=listing.run,
        name_of=name_of,
        **_compared(listing.run),
        prices=newest_prices(),
        problems=problems,
        ticked=ticked,
        at=now(),
        zone=current_settings().zone,
        due_words=lambda placement: deadline_words(placement.due_at, current_settings().zone),
    )


def _case_page(public_id: uuid.UUID, changing: ChangeForm, rejecting: RejectForm) -> str:
    """No row in the log, no page."""
    with unit_of_work() as session:
        found = _one(public_id)
        case = case_of(session, found)
        viewed(
            session,
            "placement.viewed",
            "waiting_placement",
            found.public_id,
            case.named,
            Role.clinical_lead,
        )
    changing.offer(each.therapist_id for each in case.others)
    return render_template(
        "waiting/placement.html", case=case, changing=changing, rejecting=rejecting
    )


def _compared(run: WaitingRun | None) -> dict[str, object]:
    if run is None or not run.stands:
        return {"measures": [], "sentence": ""}
    return {"measures": measures_of(run.figures), "sentence": sentence_of(run.figures)}


def _chosen(form: ConfirmForm, listing: Listing, run: WaitingRun) -> list[Placement]:
    """Those ticked, or all that are proposed. Raises NothingChosen and DecidedAlready."""
    proposed = [row.placement for row in listing.proposed if row.placement.run_id == run.id]
    ticked = set(form.placement.raw_data or [])
    if EVERYTHING in ticked:
        return proposed
    chosen = [each for each in proposed if str(each.public_id) in ticked]
    if not ticked:
        raise NothingChosen
    if len(chosen) < len(ticked):
        raise DecidedAlready
    return chosen


def _one(public_id: uuid.UUID) -> Placement:
    found = queries.placement_for(current_user.user, public_id)
    if found is None or not found.run.stands:
        raise NotFound
    return found


def _run(public_id: uuid.UUID) -> WaitingRun:
    found = queries.run_with(public_id)
    if found is None:
        raise NotFound
    return found


def _back(message: str, kind: str) -> Response:
    flash(message, kind)
    return redirect(url_for("waiting.waiting_list"), 303)
