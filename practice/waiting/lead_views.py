"""The clinical lead's pages of the waiting list."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.models import Client, Role
from practice.accounts.readings import viewed
from practice.matches.prices import newest_prices
from practice.paging import page_number
from practice.waiting import deciding, queries, runs
from practice.waiting.blueprint import bp
from practice.waiting.comparing import measures_of, sentence_of
from practice.waiting.forms import ChangeForm, ConfirmForm, RejectForm, ShowForm
from practice.waiting.listing import SHOW_WORDS, Listing, case_of, listing_for, name_of
from practice.waiting.models import Placement, WaitingRun
from practice.waiting.policy import is_lead
from practice.waiting.refusals import (
    CannotConfirm,
    ChangedMeanwhile,
    DecidedAlready,
    NothingChosen,
)
from practice.when import deadline_words

Answer = str | Response | tuple[str, int]
OFFERS = "offers"


@bp.get("/waiting-list")
@policy(is_lead)
def waiting_list() -> Answer:
    """The newest proposal beside first come, first served, who waits, and what is offered."""
    return _list_page(ConfirmForm(formdata=None))


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
            chosen = _chosen(form, run)
            deciding.confirm(session, run, chosen, current_user.user, now())
    except NotFound:
        raise
    except CannotConfirm as refusal:
        return _list_page(form, refusal, [each.public_id for each in chosen]), 409
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
    try:
        form.offer(each for each, _ in _one(waiting_placement).candidates)
        if not form.validate():
            return _case_page(waiting_placement, form, RejectForm(formdata=None)), 422
        with unit_of_work() as session:
            chosen = form.therapist.data
            deciding.change(session, _one(waiting_placement), chosen, current_user.user, now())
    except (NotFound, WrongState):
        return _over(waiting_placement)
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("The proposal is changed. Nobody has been written to yet.", "leaf")


@bp.post("/waiting-list/placements/<uuid:waiting_placement>/rejection")
@policy(is_lead)
def reject(waiting_placement: uuid.UUID) -> Answer:
    form = RejectForm()
    therapist, reason = form.therapist.data or "", form.reason.data or ""
    try:
        if not form.validate():
            return _case_page(waiting_placement, ChangeForm(formdata=None), form), 422
        with unit_of_work() as session:
            found = _one(waiting_placement)
            deciding.reject(session, found, therapist, reason, current_user.user, now())
    except ChangedMeanwhile as refusal:
        form.reason.errors = [refusal.message]
        return _case_page(waiting_placement, ChangeForm(formdata=None), form), 409
    except (NotFound, WrongState):
        return _over(waiting_placement, reason)
    return _back("These two are not proposed for each other again. The client waits on.", "leaf")


def _list_page(
    form: ConfirmForm, refused: CannotConfirm | None = None, chosen: Sequence[uuid.UUID] = ()
) -> str:
    """No row in the log, no page. What was refused names people: here, and in no cookie."""
    with unit_of_work() as session:
        listing = _listing()
        named = queries.clients_of(current_user.user, refused.placements if refused else ())
        viewed(
            session,
            "waiting_list.viewed",
            "user",
            current_user.public_id,
            [*listing.clients, *named],
            Role.clinical_lead,
        )
    return render_template(
        "waiting/list.html",
        listing=listing,
        run=listing.run,
        making=listing.making,
        has_failed=listing.making is not None and queries.has_failed(listing.making),
        showing=ShowForm(formdata=None, data={"show": listing.show.value}),
        heading=SHOW_WORDS[listing.show],
        address=_address,
        name_of=name_of,
        **_compared(listing.run),
        prices=newest_prices(),
        **_refused(form, refused, chosen),
        at=now(),
        zone=current_settings().zone,
        due_words=lambda placement: deadline_words(placement.due_at, current_settings().zone),
    )


def _listing() -> Listing:
    """The page of the list, and of what is offered, that the address asks for."""
    show, user = ShowForm(request.args).chosen, current_user.user
    return listing_for(user, show, page_number(), page_number(OFFERS), now())


def _address(**changed: Any) -> str:
    """The same part of the list with another page."""
    kept = {name: request.args[name] for name in ("show", "page", OFFERS) if name in request.args}
    return url_for("waiting.waiting_list", **kept | changed)


def _refused(
    form: ConfirmForm, refused: CannotConfirm | None, chosen: Sequence[uuid.UUID]
) -> dict[str, object]:
    """What is in the way, what stays ticked, and the others, who can be confirmed all the same."""
    problems = refused.placements if refused else []
    return {
        "problems": refused.problems if refused else [],
        "ticked": form.ticked,
        "others": [each for each in chosen if each not in problems],
        "everything": form.is_everything,
        "without": form.left_out | set(problems),
    }


def _case_page(public_id: uuid.UUID, changing: ChangeForm, rejecting: RejectForm) -> str:
    """No row in the log, no page."""
    with unit_of_work() as session:
        found = _one(public_id)
        case = case_of(session, current_user.user, found, now())
        _viewed_one(session, found, case.named)
    changing.offer(each.therapist_id for each in case.others)
    return render_template(
        "waiting/placement.html", case=case, changing=changing, rejecting=rejecting
    )


def _over(public_id: uuid.UUID, typed: str = "") -> Answer:
    """Decided by a colleague, or gone with its proposal: what was typed is not lost.

    What was never there and what is gone are not told apart.
    """
    with unit_of_work() as session:
        found = queries.decided_for(current_user.user, public_id)
        if found is None and not typed:
            raise NotFound
        if found is not None:
            _viewed_one(session, found, [found.client])
        told = _told(found) if found is not None else {}
    page = render_template(
        "waiting/placement_over.html", **told, typed=typed, zone=current_settings().zone
    )
    return page, 409 if told else 404


def _told(decided: Placement) -> dict[str, object]:
    """Who decided what, in names."""
    proposed, by = decided.proposed or "", decided.decided_by
    is_own = decided.decided_by_id == current_user.user.id
    return {
        "decided": decided,
        "who": name_of(decided),
        "therapist": queries.names_of(filter(None, [proposed])).get(
            proposed, "somebody who has left"
        ),
        "by": "You" if is_own else (by.name if by else "") or "A colleague",
    }


def _viewed_one(session: Session, placement: Placement, named: Iterable[Client]) -> None:
    role, public_id = Role.clinical_lead, placement.public_id
    viewed(session, "placement.viewed", "waiting_placement", public_id, named, role)


def _compared(run: WaitingRun | None) -> dict[str, object]:
    if run is None or not run.stands or not run.figures:
        return {"measures": [], "sentence": ""}
    return {"measures": measures_of(run.figures), "sentence": sentence_of(run.figures)}


def _chosen(form: ConfirmForm, run: WaitingRun) -> Sequence[Placement]:
    """Those ticked, or all that are proposed. Raises NothingChosen and DecidedAlready."""
    if form.is_everything:
        proposed = queries.proposed_in(current_user.user, run)
        chosen = [each for each in proposed if each.public_id not in form.left_out]
    else:
        chosen = list(queries.proposed_in(current_user.user, run, form.ticked))
        if len(chosen) < len(form.ticked):
            raise DecidedAlready
    if not chosen:
        raise NothingChosen
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
    return redirect(_address(), 303)
