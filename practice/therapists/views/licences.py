"""The licences that a therapist declares."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.forms import EmptyForm
from practice.therapists import operations, presenting
from practice.therapists.forms.application import LicenceForm
from practice.therapists.models import Licence, Therapist
from practice.therapists.policy import is_therapist, licences_of
from practice.therapists.views.blueprint import bp, own_profile


@bp.get("/profile/licences")
@policy(is_therapist)
def licences() -> str:
    return render_template(
        "therapists/licences.html",
        therapist=own_profile(),
        editable=operations.EDITABLE,
        presenting=presenting,
    )


@bp.route("/profile/licences/new", methods=["GET", "POST"])
@policy(is_therapist)
def add_licence() -> ResponseReturnValue:
    therapist = own_profile()
    form = LicenceForm.of(therapist)
    if form.validate_on_submit() and _saved(form, None):
        return _back("Your licence is on your profile.")
    return _form_page(therapist, form)


@bp.route("/profile/licences/<uuid:licence>", methods=["GET", "POST"])
@policy(is_therapist)
def change_licence(licence: uuid.UUID) -> ResponseReturnValue:
    therapist, found = own_profile(), _own(licence)
    form = LicenceForm.of(therapist, found)
    if form.validate_on_submit() and _saved(form, licence):
        return _back("Saved.")
    return _form_page(therapist, form, _own(licence))


@bp.route("/profile/licences/<uuid:licence>/withdrawal", methods=["GET", "POST"])
@policy(is_therapist)
def withdraw_licence(licence: uuid.UUID) -> ResponseReturnValue:
    form = EmptyForm()
    if not form.validate_on_submit():
        return render_template(
            "therapists/withdrawal.html", licence=_own(licence), presenting=presenting
        )
    with unit_of_work() as session:
        own_profile(lock=True)
        operations.withdraw_licence(session, _own(licence), actor=current_user.user, at=now())
    return _back("The licence is off your profile.")


def _own(licence: uuid.UUID) -> Licence:
    query = licences_of(current_user.user).where(Licence.public_id == licence)
    found = db.session.scalars(query).first()
    if found is None:
        raise NotFound
    return found


def _saved(form: LicenceForm, licence: uuid.UUID | None) -> bool:
    """Write the licence; a refusal goes beside the number, where it belongs."""
    try:
        with unit_of_work() as session:
            _write(session, form, licence)
    except (operations.LicenceKnown, operations.LicenceFixed) as refusal:
        form.number.errors = [refusal.message]
        return False
    return True


def _write(session: Session, form: LicenceForm, licence: uuid.UUID | None) -> None:
    actor, at, therapist = current_user.user, now(), own_profile(lock=True)
    if licence is None:
        operations.add_licence(session, therapist, form.details(), actor=actor, at=at)
    else:
        operations.change_licence(session, _own(licence), form.details(), actor=actor, at=at)


def _form_page(
    therapist: Therapist, form: LicenceForm, licence: Licence | None = None
) -> ResponseReturnValue:
    page = render_template(
        "therapists/licence.html",
        therapist=therapist,
        form=form,
        licence=licence,
        presenting=presenting,
    )
    return page, 422 if form.is_submitted() else 200


def _back(said: str) -> ResponseReturnValue:
    flash(said, "leaf")
    return redirect(url_for("therapists.licences"), 303)
