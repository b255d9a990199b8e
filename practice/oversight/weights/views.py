"""Pages of the weights: those in force with their history, new ones, their preview."""

import uuid

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

import matching
from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import Erased, NotFound, Refusal
from matching.auditing import FEWEST_PEOPLE
from practice.accounts.models import User
from practice.accounts.policy import step_up
from practice.matches.market import weighing
from practice.matches.market.in_place import newest_weights
from practice.matches.models import WeightsVersion
from practice.oversight.blueprint import Page, bp
from practice.oversight.models import WeightsPreview
from practice.oversight.policy import is_administrator
from practice.oversight.weights import preview as previews
from practice.oversight.weights.forms import WeightsForm
from practice.oversight.weights.people import MOST
from practice.oversight.weights.words import about, told

# What each factor is made of, beside its field.
HINTS = {
    "concerns": "How well the therapist knows what they would like help with.",
    "hours": "How many hours of the week suit both.",
    "approach": "Whether the therapist works in ways they wish for.",
    "price": "How far the price lies within what they can pay.",
    "style": "How near the two are in their way of working.",
    "language": "Which of their languages the therapist speaks.",
    "identity": "What they hope for in the person, if the therapist publishes it.",
    "format": "Whether they can meet as they wish to.",
    "record": "The same for everybody while track record is off.",
}


@bp.get("/oversight/weights")
@policy(is_administrator)
def weights() -> Page:
    preview = previews.newest_unpublished()
    return render_template(
        "oversight/weights.html",
        history=weighing.history(),
        in_force=newest_weights(),
        labels=weighing.FACTOR_NAMES,
        preview=preview,
        has_failed=preview is not None and previews.has_failed(preview),
        name_of=_name_of,
    )


@bp.get("/oversight/weights/new")
@policy(is_administrator)
def new_weights() -> Page:
    """Begins with those in force, or with an older version that is to come back."""
    older = _older()
    begin = older.weights if older else newest_weights().by_factor
    return _form_page(WeightsForm(data=begin), older)


@bp.post("/oversight/weights/new")
@policy(is_administrator)
def preview_weights() -> Page:
    form = WeightsForm()
    if not form.validate():
        return _form_page(form), 422
    try:
        with unit_of_work() as session:
            preview = previews.ask(
                session, form.weights, form.reason.data, current_user.user, now()
            )
            address = url_for("oversight.weights_preview", weights_preview=preview.public_id)
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return _form_page(form), 422
    return redirect(address, 303)


@bp.get("/oversight/weights/previews/<uuid:weights_preview>")
@policy(is_administrator)
def weights_preview(weights_preview: uuid.UUID) -> Page:
    """How far it is, and then what these weights would change and the button that publishes."""
    preview = _preview(weights_preview)
    before = weighing.version_with(preview.after_version) or newest_weights()
    return render_template(
        "oversight/weights_preview.html",
        preview=preview,
        has_failed=previews.has_failed(preview),
        figures=preview.figures,
        told=told(preview.figures) if preview.made_at else None,
        about=about,
        before=before.by_factor,
        changes=weighing.changes(before.by_factor, preview.weights),
        labels=weighing.FACTOR_NAMES,
        obstacle=previews.obstacle(preview, now()),
        fewest=FEWEST_PEOPLE,
        most=MOST,
        asked_by=_name_of(preview.asked_by),
    )


@bp.post("/oversight/weights/previews/<uuid:weights_preview>/publication")
@policy(is_administrator)
@step_up
def publish_weights(weights_preview: uuid.UUID) -> Page:
    try:
        with unit_of_work() as session:
            row = previews.publish(session, weights_preview, current_user.user, now())
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "sun")
        address = url_for("oversight.weights_preview", weights_preview=weights_preview)
        return redirect(address, 303)
    flash(f"Version {row.version} is in force. Whoever looks now is ranked by it.", "leaf")
    return redirect(url_for("oversight.weights"), 303)


def _form_page(form: WeightsForm, older: WeightsVersion | None = None) -> str:
    return render_template(
        "oversight/new_weights.html",
        form=form,
        factors=matching.FACTORS,
        hints=HINTS,
        in_force=newest_weights(),
        older=older,
    )


def _older() -> WeightsVersion | None:
    """The version that `?again=` names; None without one."""
    try:
        public_id = uuid.UUID(request.args.get("again", ""))
    except ValueError:
        return None
    return db.session.scalars(
        sa.select(WeightsVersion).where(WeightsVersion.public_id == public_id)
    ).first()


def _preview(public_id: uuid.UUID) -> WeightsPreview:
    found = previews.preview_with(public_id)
    if found is None:
        raise NotFound
    return found


def _name_of(user: User | None) -> str:
    if user is None:
        return "The product’s own"
    try:
        return user.name or user.email
    except Erased:
        return "Somebody whose name was erased"
