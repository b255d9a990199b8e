"""The public list of therapists and each one's public profile."""

import uuid
from typing import Any

from flask import render_template, request, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import db
from core.errors import NotFound
from practice.accounts.models import Role
from practice.accounts.policy import anyone
from practice.paging import page_number
from practice.therapists import presenting
from practice.therapists.directory import page_of_directory
from practice.therapists.forms.directory import DirectoryForm
from practice.therapists.models import Therapist
from practice.therapists.queries import authorised, authority_of, licence_evidence
from practice.therapists.views.blueprint import bp


@bp.get("/therapists")
@policy(anyone)
def directory() -> str:
    form = DirectoryForm(request.args)
    filters = form.filters()
    page = page_of_directory(filters, page_number(), now())
    return render_template(
        "therapists/directory.html",
        form=form,
        filters=filters,
        page=page,
        page_address=lambda number: _page_address(form, number),
        presenting=presenting,
    )


@bp.get("/therapists/<uuid:therapist>")
@policy(anyone)
def show(therapist: uuid.UUID) -> str:
    at = now()
    shown = db.session.scalars(authorised(at).where(Therapist.public_id == therapist)).first()
    if shown is None:
        raise NotFound
    supervisor = [shown.supervisor_id] if shown.supervisor_id else []
    return render_template(
        "therapists/show.html",
        therapist=shown,
        evidence=licence_evidence([shown.id, *supervisor], at),
        places=authority_of([shown.id], at)[shown.id],
        facts=presenting.facts_of(shown, at),
        hours_are_fresh=shown.hours_are_fresh(at),
        takes_requests=shown.hours_are_fresh(at) and shown.open_places > 0,
        may_ask=not current_user.is_authenticated or current_user.has(Role.client),
        presenting=presenting,
    )


def _page_address(form: DirectoryForm, number: int) -> str:
    # Only names of our own: others would reach `url_for` as its options.
    names = [field.name for field in form if field.name in request.args]
    chosen: dict[str, Any] = {name: request.args[name] for name in names}
    return url_for("therapists.directory", **chosen, page=number)
