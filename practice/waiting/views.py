"""The client's pages of the waiting list: joining, waiting, and what was found."""

import uuid
from contextlib import suppress

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.policy import is_client, the_client
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import page
from practice.matches.forms import AskForm
from practice.matches.obstacles import should_see_a_person
from practice.matches.operations import AlreadyAsking, NotOffered
from practice.matches.sharing import shareable
from practice.places import place
from practice.waiting import list_views, offers, operations, placement_views, queries
from practice.waiting.blueprint import bp
from practice.waiting.models import Placement, PlacementState
from practice.waiting.offered import shown_of_offer
from practice.waiting.refusals import OfferIsOver
from practice.when import deadline_words

__all__ = ["bp", "list_views", "placement_views"]


@bp.get("/waiting")
@policy(is_client)
@page.after_intake
def index() -> page.Answer:
    """What waiting means and how it stands: never a rank, which tells of others."""
    client, search = the_client(), page.search()
    offer, standing = queries.offer_of(client), page.standing()
    fits_nobody = offer is None and not standing.is_out and not search.finds_somebody()
    return render_template(
        "waiting/index.html",
        entry=queries.open_entry(client),
        offer=offer,
        ended=queries.newest_placement(client),
        standing=standing,
        reading=page.danger_words(search),
        needs_more=fits_nobody and search.is_beyond_every_scope(),
        person_first=fits_nobody and should_see_a_person(search.values),
        here=place(client.place).name,
        zone=client.zone,
        due_words=_due_words,
    )


@bp.post("/waiting")
@policy(is_client)
@page.after_intake
def join() -> page.Answer:
    try:
        with unit_of_work() as session:
            operations.join(session, the_client(), now())
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("You are on the waiting list now.", "leaf")


@bp.post("/waiting/departure")
@policy(is_client)
def leave() -> page.Answer:
    with unit_of_work() as session:
        entry = queries.open_entry(the_client())
        if entry is not None:
            operations.leave(session, entry, now())
    return _back("You are no longer on the waiting list.", "leaf")


@bp.get("/waiting/offers/<uuid:waiting_offer>")
@policy(is_client)
def offer(waiting_offer: uuid.UUID) -> page.Answer:
    """Whom was found, why, and the exact sum; or what became of it."""
    return _offer_page(_own(waiting_offer), _ask_form())


@bp.post("/waiting/offers/<uuid:waiting_offer>/agreement")
@policy(is_client)
def agree(waiting_offer: uuid.UUID) -> page.Answer:
    form = _ask_form()
    if not form.validate():
        return _offer_page(_own(waiting_offer), form), 422
    try:
        with unit_of_work() as session:
            asked = offers.agree(
                session,
                _own(waiting_offer),
                share=form.ticked,
                name=form.name.data or "",
                actor=current_user.user,
                at=now(),
            )
    except NotOffered:
        return _no_longer_possible(waiting_offer)
    except (AlreadyAsking, OfferIsOver) as refusal:
        return _to(waiting_offer, refusal.message)
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    flash("Your request is on its way.", "leaf")
    return redirect(url_for("matches.request_page", match_request=asked.public_id), 303)


@bp.post("/waiting/offers/<uuid:waiting_offer>/refusal")
@policy(is_client)
def decline(waiting_offer: uuid.UUID) -> page.Answer:
    try:
        with unit_of_work() as session:
            offers.decline(session, _own(waiting_offer), current_user.user, now())
    except OfferIsOver as refusal:
        return _to(waiting_offer, refusal.message)
    return _back("You are still on the list, and will not be offered this therapist again.", "leaf")


def _offer_page(placement: Placement, form: AskForm) -> str:
    is_open = placement.state is PlacementState.offered and not placement.is_due(now())
    shown = shown_of_offer(placement, now()) if is_open else None
    return render_template(
        "waiting/offer.html",
        placement=placement,
        is_open=is_open,
        still_waits=queries.open_entry(placement.client) is not None,
        card=shown and shown.card,
        number=shown and shown.number,
        form=form,
        items=shareable(answers_of(latest_submitted(placement.client))),
        here=place(placement.client.place).name if placement.client.place else "",
        due=_due_words(placement),
    )


def _no_longer_possible(public_id: uuid.UUID) -> Response:
    """Something has changed since: the place goes back, and the client waits on."""
    # Its time may have run out in this very moment; then it has gone back already.
    with suppress(WrongState), unit_of_work() as session:
        offers.withdraw(session, _own(public_id), None, now())
    return _back(
        "This therapist cannot be asked any more. You are still on the list, and we look again.",
        "sun",
    )


def _own(public_id: uuid.UUID) -> Placement:
    found = queries.placement_of(the_client(), public_id)
    if found is None:
        raise NotFound
    return found


def _ask_form() -> AskForm:
    client = the_client()
    form = AskForm(name=client.preferred_name)
    form.offer(shareable(answers_of(latest_submitted(client))))
    return form


def _due_words(placement: Placement) -> str:
    """On the clinic's clock: its working days are what was promised."""
    return deadline_words(placement.due_at, current_settings().zone) if placement.due_at else ""


def _to(public_id: uuid.UUID, message: str) -> Response:
    flash(message, "sun")
    return redirect(url_for("waiting.offer", waiting_offer=public_id), 303)


def _back(message: str, kind: str) -> Response:
    flash(message, kind)
    return redirect(url_for("waiting.index"), 303)
