"""The records custodian's pages: closed records, found exactly and opened with a reason."""

import uuid

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.care import queries
from practice.care.blueprint import bp
from practice.care.custody import open_for_an_hour, search
from practice.care.forms import LookupForm
from practice.care.models import EndReason, LookupReason
from practice.care.policy import is_custodian
from practice.care.records import closed_record
from practice.intake.instruments import INSTRUMENTS
from practice.places import PLACES

Answer = str | Response | tuple[str, int]


@bp.get("/records")
@policy(is_custodian)
def records() -> Answer:
    """`?note=` names a late note: whose record it is in stands in the field then, as a number."""
    form = LookupForm(formdata=None)
    return _page(form, request.args.get("note", ""))


@bp.post("/records")
@policy(is_custodian)
def search_records() -> Answer:
    """Sent, never asked for by an address: a name belongs into no address."""
    form = LookupForm()
    if not (form.validate() and _found(form)):
        return _page(form), 422
    return redirect(url_for("care.records"), 303)


@bp.get("/records/<uuid:lookup>")
@policy(is_custodian)
def record(lookup: uuid.UUID) -> str:
    """What the law keeps of one client, read only. No row in the log, no page."""
    with unit_of_work() as session:
        found = queries.lookup(current_user.user, lookup, now())
        held = closed_record(current_user.user, found, now()) if found else None
        if found is None or held is None:
            raise NotFound
        viewed(
            session,
            "closed_record.viewed",
            "record_lookup",
            found.public_id,
            [found.client],
            Role.records_custodian,
            reason=found.reason,
        )
    return render_template(
        "care/record.html",
        record=held,
        places=PLACES,
        ends={reason.value: reason.label for reason in EndReason},
        instruments=INSTRUMENTS,
        zone=current_settings().zone,
    )


def _found(form: LookupForm) -> bool:
    """Look up; what nobody is found under is said beside the field, and the search is kept."""
    reason, words = LookupReason(form.reason.data), form.words.data
    with unit_of_work() as session:
        found = search(session, form.who.data, current_user.user, now())
        if found.refusal is None:
            open_for_an_hour(session, found, reason, words, current_user.user, now())
    if found.refusal:
        form.who.errors = [*form.who.errors, found.refusal.message]
    return found.refusal is None


def _page(form: LookupForm, note: str = "") -> str:
    """The search, and what was found within the hour; whom that names is written down."""
    with unit_of_work() as session:
        found = queries.lookups(current_user.user, now())
        clients = [one.client for one in found]
        if behind := queries.client_behind(current_user.user, note, now()):
            form.who.data = str(behind.public_id)
            clients.append(behind)
        if clients:
            me, role = current_user.public_id, Role.records_custodian
            viewed(session, "closed_records.viewed", "user", me, clients, role)
    return render_template(
        "care/records.html",
        form=form,
        lookups=found,
        late_notes=queries.late_notes(current_user.user, now()),
        zone=current_settings().zone,
    )
