"""A client's way in and out: ask, sign, take a seat, see where it stands, leave."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.queries import order_of, paid_of
from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.models import Client
from practice.accounts.policy import is_client, the_client
from practice.consent.models import Purpose
from practice.consent.operations import WordsChanged
from practice.consent.queries import current_document
from practice.groups import operations, queries
from practice.groups.forms import AskForm, LeaveForm, SeatForm
from practice.groups.models import Enrolment, EnrolmentState, Group
from practice.groups.policy import enrolments_visible_to
from practice.groups.refusals import (
    GroupClosed,
    GroupFull,
    HandleTaken,
    NoLeadHere,
    RefundChanged,
    ScreeningFirst,
)
from practice.groups.views.blueprint import bp
from practice.groups.views.catalogue import announced, page_of
from practice.headers import let_forms_lead_to_payment

# Where there is nothing to fill in any more, only something to see.
PAST_THE_DOOR = frozenset(
    {
        EnrolmentState.screening,
        EnrolmentState.declined,
        EnrolmentState.held,
        EnrolmentState.seated,
    }
)
TURNED_AWAY = (GroupFull, GroupClosed, NoLeadHere, ScreeningFirst)


@bp.route("/groups/<uuid:group>/enrolment", methods=["GET", "POST"])
@policy(is_client)
def enrol(group: uuid.UUID) -> ResponseReturnValue:
    found, client = announced(group), the_client()
    known = queries.enrolment_in(found, client.id)
    if known is not None and known.state in PAST_THE_DOOR:
        return _to(known)
    if refusal := _refusal(found, client):
        return _turned_away(found, refusal)
    form = _join_form(found, client, known)
    if not form.validate_on_submit():
        return _join_page(found, form, known)
    return _join(found, client, known, form)


@bp.get("/enrolments/<uuid:enrolment>")
@policy(is_client)
def enrolment(enrolment: uuid.UUID) -> str:
    found = _mine(enrolment)
    if found.state is EnrolmentState.held:
        let_forms_lead_to_payment()
    order = order_of(db.session(), found.order_id) if found.order_id else None
    return render_template(
        "groups/enrolment.html",
        enrolment=found,
        group=announced(found.group.public_id),
        order=order,
        paid=paid_of(order) if order else None,
        zone=the_client().zone,
        joinable=found.group.takes_people(now()),
    )


@bp.route("/enrolments/<uuid:enrolment>/departure", methods=["GET", "POST"])
@policy(is_client)
def leave(enrolment: uuid.UUID) -> ResponseReturnValue:
    found, form = _mine(enrolment), LeaveForm()
    if not found.is_live:
        return _to(found)
    if not form.validate_on_submit():
        return _leave_page(found)
    try:
        with unit_of_work() as session:
            operations.leave(session, enrolment, the_client(), int(form.expected.data), now())
    except (RefundChanged, WrongState) as refusal:
        flash(refusal.message, "sun")
        return redirect(url_for("groups.leave", enrolment=enrolment), 303)
    return _to(found)


def _mine(enrolment: uuid.UUID) -> Enrolment:
    mine = enrolments_visible_to(the_client().user)
    found = db.session.scalar(mine.where(Enrolment.public_id == enrolment))
    if found is None:
        raise NotFound
    return found


def _refusal(group: Group, client: Client) -> Refusal | None:
    """Why nobody need fill in a form; asked again under the lock when it is sent."""
    if not group.takes_people(now()):
        return GroupClosed()
    if client.place and not operations.has_lead_in(group, client.place, now()):
        return NoLeadHere()
    return None if queries.seats_left(group, now()) else GroupFull()


def _join_form(group: Group, client: Client, known: Enrolment | None) -> AskForm | SeatForm:
    asks = group.kind.is_screened and not (known is not None and known.was_invited)
    form = AskForm() if asks else SeatForm()
    return form.ask_only(client, known)


def _join(
    group: Group, client: Client, known: Enrolment | None, form: AskForm | SeatForm
) -> ResponseReturnValue:
    try:
        return _to(_joined(group, client, known, form))
    except HandleTaken as refusal:
        form.handle.errors = [refusal.message]
        return _join_page(group, form, known)
    except WordsChanged as refusal:
        form.form_errors.append(refusal.message)
        return _join_page(group, form, known)
    except TURNED_AWAY as refusal:
        return _turned_away(group, refusal)


def _joined(
    group: Group, client: Client, known: Enrolment | None, form: AskForm | SeatForm
) -> Enrolment:
    with unit_of_work() as session:
        if isinstance(form, AskForm):
            joining = form.joining(client, known, why=form.why.data)
            return operations.ask_to_join(session, group.public_id, client, joining, now())
        joining = form.joining(client, known, evidence=form.evidence)
        return operations.take_seat(session, group.public_id, client, joining, now())


def _join_page(
    group: Group, form: AskForm | SeatForm, known: Enrolment | None
) -> ResponseReturnValue:
    asks = isinstance(form, AskForm)
    page = render_template(
        "groups/ask.html" if asks else "groups/seat.html",
        group=group,
        form=form,
        known=known,
        document=None if asks else current_document(Purpose.group),
        zone=the_client().zone,
        **page_of(group),
    )
    return page, 422 if form.errors else 200


def _turned_away(group: Group, refusal: Refusal) -> ResponseReturnValue:
    page = render_template("groups/turned_away.html", group=group, refusal=refusal)
    return page, 409 if request.method == "POST" else 200


def _leave_page(enrolment: Enrolment) -> str:
    order = order_of(db.session(), enrolment.order_id) if enrolment.order_id else None
    return render_template(
        "groups/leave.html",
        enrolment=enrolment,
        group=enrolment.group,
        paid=paid_of(order) if order else None,
        refund=operations.refund_now(db.session(), enrolment, now()),
        zone=the_client().zone,
        **page_of(enrolment.group),
    )


def _to(enrolment: Enrolment) -> ResponseReturnValue:
    return redirect(url_for("groups.enrolment", enrolment=enrolment.public_id), 303)
