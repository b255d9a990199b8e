"""What a client may know and ask: what is kept, who looked, a copy, and being forgotten."""

import uuid
from datetime import datetime, timedelta

from flask import Response, flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts import signing_in
from practice.accounts.policy import anyone, is_client, step_up, the_client
from practice.care.queries import TOLD_FOR, openings_of, openings_tally
from practice.forms import EmptyForm
from practice.privacy import operations, queries
from practice.privacy.exporting import archive, archive_name
from practice.privacy.forms import LATER, ErasureForm
from practice.privacy.holdings import NOWHERE, WHERE_WORDS
from practice.privacy.models import ErasureRequest
from practice.privacy.presenting import grouped, map_of, own_acts, plan_of, stay_lines
from practice.privacy.views.blueprint import Page, bp

# So long what stays is listed by kind; later the address tells no more than two dates.
TOLD_IN_FULL = timedelta(hours=1)
MOST_OPENINGS = 200


@bp.get("/your-data")
@policy(is_client)
def your_data() -> Page:
    client = the_client()
    return render_template(
        "privacy/your_data.html",
        lines=map_of(db.session(), client),
        places=WHERE_WORDS,
        nowhere=NOWHERE,
        client=client,
        waiting=queries.waiting_erasure(db.session(), client),
    )


@bp.get("/your-data/openings")
@policy(is_client)
def openings() -> Page:
    client = the_client()
    return render_template(
        "privacy/openings.html",
        openings=openings_of(client, most=MOST_OPENINGS),
        in_all=openings_tally(client)[0],
        own=own_acts(db.session(), client),
        zone=client.zone,
    )


@bp.get("/your-data/copy")
@policy(is_client)
@step_up
def download() -> Page:
    return render_template("privacy/copy.html", form=EmptyForm())


@bp.post("/your-data/copy")
@policy(is_client)
@step_up
def copy() -> Page:
    """Everything that is theirs, made while they wait and kept nowhere."""
    client, at = the_client(), now()
    with unit_of_work() as session:
        operations.record_copy(session, client, current_user.user, at)
    response = Response(archive(db.session(), the_client(), at), mimetype="application/zip")
    name = archive_name(client, at)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.route("/your-data/erasure", methods=["GET", "POST"])
@policy(is_client)
@step_up
def erasure() -> Page:
    form = ErasureForm()
    if form.validate_on_submit():
        try:
            return _put_off() if form.when.data == LATER else _erased(form.expected.data)
        except (operations.PlanChanged, operations.WorksHere) as refusal:
            form.form_errors.append(refusal.message)
    client = the_client()
    plan = plan_of(db.session(), client, now())
    form.expected.data = plan.refund
    page = render_template(
        "privacy/erasure.html",
        form=form,
        plan=plan,
        grouped=grouped,
        zone=client.zone,
        waiting=queries.waiting_erasure(db.session(), client),
    )
    return page, 422 if form.errors else 200


@bp.post("/your-data/erasure/cancellation")
@policy(is_client)
def call_off() -> Page:
    with unit_of_work() as session:
        operations.call_off(session, the_client(), now())
    flash("Nothing will be erased. Everything stays as it was.", "leaf")
    return redirect(url_for("privacy.your_data"), 303)


@bp.get("/erasures/<uuid:reference>")
@policy(anyone)
def erased(reference: uuid.UUID) -> Page:
    """What became of a wish to be forgotten: for whoever has its reference, and nobody's name."""
    request, at = queries.erasure_with(db.session(), reference), now()
    if request is None or request.done_at is None:
        raise NotFound
    lines = stay_lines(queries.restrictions_after(db.session(), request))
    return render_template(
        "privacy/erased.html",
        request=request,
        lines=lines,
        openings=_openings_to_tell(request, at),
        grouped=grouped,
        in_full=at - request.done_at < TOLD_IN_FULL,
        last_day=max((line.until for line in lines if line.until), default=None),
        zone=current_settings().zone,
    )


def _openings_to_tell(request: ErasureRequest, at: datetime) -> list[queries.ToldOpening]:
    """As long as on a client's first page: whoever reads the goodbye mail late still finds them."""
    is_new = request.done_at is not None and at - request.done_at < TOLD_FOR
    return queries.openings_told_with(db.session(), request) if is_new else []


def _erased(expected: int) -> Page:
    with unit_of_work() as session:
        request = operations.erase(
            session, the_client(), current_user.user, now(), expected=expected
        )
        reference = request.public_id
    signing_in.forget()
    return redirect(url_for("privacy.erased", reference=reference), 303)


def _put_off() -> Page:
    with unit_of_work() as session:
        operations.ask_for_later(session, the_client(), now())
    flash("We will erase it in seven days. Until then you can call it off here.", "leaf")
    return redirect(url_for("privacy.erasure"), 303)
