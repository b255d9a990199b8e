"""Pages of credentials: the queue, one application, one licence, and what is decided there."""

import uuid
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts import two_people
from practice.credentials import operations
from practice.credentials.comparing import compare_licence, compare_npi, faults_of_licence
from practice.credentials.deciding import Subject, can_take_up, open_choices, takes_two
from practice.credentials.forms import (
    DecisionForm,
    FindForm,
    LicenceCheckForm,
    NpiCheckForm,
    zone_here,
)
from practice.credentials.models import Reversal
from practice.credentials.policy import (
    applications_open_to,
    is_administrator,
    licences_open_to,
    reversals_open_to,
)
from practice.credentials.queries import (
    checks_of,
    decisions_about,
    declared_elsewhere,
    faults_of_application,
    newest_checks,
    newest_npi_check,
    open_reversal,
    others,
)
from practice.credentials.queries import (
    queue as waiting_queue,
)
from practice.paging import page_number
from practice.therapists import presenting
from practice.therapists.models import Application, Licence, LicenceState

bp = Blueprint("credentials", __name__)

Found = TypeVar("Found", Application, Licence, Reversal)


@bp.get("/credentials")
@policy(is_administrator)
def queue() -> str:
    form = FindForm(request.args)
    name = form.name.data or ""
    return render_template(
        "credentials/queue.html",
        waiting=waiting_queue(current_user.user),
        others=others(current_user.user, name, page_number()),
        form=form,
        page_address=lambda number: url_for("credentials.queue", name=name, page=number),
        presenting=presenting,
    )


@bp.get("/credentials/<uuid:application>")
@policy(is_administrator)
def application(application: uuid.UUID) -> str:
    return _application_page(_application(application))


@bp.get("/credentials/licences/<uuid:licence>")
@policy(is_administrator)
def licence(licence: uuid.UUID) -> str:
    return _licence_page(_licence(licence))


@bp.post("/credentials/<uuid:application>/review")
@policy(is_administrator)
def review(application: uuid.UUID) -> ResponseReturnValue:
    with unit_of_work() as session:
        found = _application(application, lock=True)
        operations.take_up(session, found, actor=current_user.user, at=now())
    flash("It is with you now.", "leaf")
    return _to_application(application)


@bp.post("/credentials/<uuid:application>/npi-check")
@policy(is_administrator)
def npi_check(application: uuid.UUID) -> ResponseReturnValue:
    form = NpiCheckForm()
    if not form.validate_on_submit():
        return _application_page(_application(application), npi_form=form), 422
    with unit_of_work() as session:
        therapist = _application(application).therapist
        session.refresh(therapist, with_for_update={"key_share": True})
        operations.record_npi_check(
            session, therapist, form.finding(), actor=current_user.user, at=now()
        )
    flash("Recorded.", "leaf")
    return _to_application(application)


@bp.post("/credentials/licences/<uuid:licence>/checks")
@policy(is_administrator)
def record_check(licence: uuid.UUID) -> ResponseReturnValue:
    form = LicenceCheckForm()
    if not (form.validate_on_submit() and _recorded(form, licence)):
        return _licence_page(_licence(licence), check_form=form), 422
    flash("Recorded.", "leaf")
    return _to_licence(licence)


def _recorded(form: LicenceCheckForm, licence: uuid.UUID) -> bool:
    try:
        with unit_of_work() as session:
            operations.record_licence_check(
                session,
                _licence(licence, lock=True),
                form.finding(),
                actor=current_user.user,
                at=now(),
                declared_at=form.looked_up(),
            )
    except operations.ChangedMeanwhile as refusal:
        form.found_number.errors = [refusal.message]
        form.show(_licence(licence))
        return False
    return True


@bp.post("/credentials/<uuid:application>/decision")
@policy(is_administrator)
def decide_application(application: uuid.UUID) -> ResponseReturnValue:
    form = _decision_form(_application(application))
    if form.validate_on_submit() and _decided(form, lambda: _application(application, lock=True)):
        return _to_application(application)
    return _application_page(_application(application), decision_form=form), 422


@bp.post("/credentials/licences/<uuid:licence>/decision")
@policy(is_administrator)
def decide_licence(licence: uuid.UUID) -> ResponseReturnValue:
    form = _decision_form(_licence(licence))
    if form.validate_on_submit() and _decided(form, lambda: _licence(licence, lock=True)):
        return _to_licence(licence)
    return _licence_page(_licence(licence), decision_form=form), 422


@bp.post("/credentials/reversals/<uuid:reversal>/confirmation")
@policy(is_administrator)
def confirm_reversal(reversal: uuid.UUID) -> ResponseReturnValue:
    return _answer(reversal, confirms=True, said="Confirmed by you both. It is done.")


@bp.post("/credentials/reversals/<uuid:reversal>/refusal")
@policy(is_administrator)
def decline_reversal(reversal: uuid.UUID) -> ResponseReturnValue:
    return _answer(reversal, confirms=False, said="Noted. Everything stays as it was.")


def _application_page(
    found: Application,
    npi_form: NpiCheckForm | None = None,
    decision_form: DecisionForm | None = None,
) -> str:
    at, therapist = now(), found.therapist
    npi = newest_npi_check(therapist)
    sent = [one for one in therapist.declared_licences if one.state is not LicenceState.draft]
    checks = newest_checks([one.id for one in sent])
    return render_template(
        "credentials/application.html",
        application=found,
        therapist=therapist,
        rows=compare_npi(therapist, npi),
        npi=npi,
        licences=[
            (one, checks.get(one.id), faults_of_licence(one, checks.get(one.id), at))
            for one in sent
        ],
        faults=faults_of_application(found, at),
        decisions=decisions_about(
            [found.public_id, *(one.public_id for one in therapist.licences)]
        ),
        **_reversal_of(found),
        npi_form=npi_form or NpiCheckForm.about(therapist),
        decision_form=decision_form or _decision_form(found),
        can_take_up=can_take_up(found),
        zone=zone_here().key,
        presenting=presenting,
    )


def _licence_page(
    found: Licence,
    check_form: LicenceCheckForm | None = None,
    decision_form: DecisionForm | None = None,
) -> str:
    at, checks = now(), checks_of(found)
    newest = checks[0] if checks else None
    return render_template(
        "credentials/licence.html",
        licence=found,
        therapist=found.therapist,
        application=found.therapist.application,
        rows=compare_licence(found, newest),
        checks=checks,
        faults=faults_of_licence(found, newest, at),
        elsewhere=declared_elsewhere(found),
        decisions=decisions_about([found.public_id]),
        **_reversal_of(found),
        check_form=check_form or LicenceCheckForm.about(found),
        decision_form=decision_form or _decision_form(found),
        zone=zone_here().key,
        presenting=presenting,
    )


def _reversal_of(subject: Subject) -> dict[str, object]:
    """What waits for a second administrator, and why this one cannot be it, if they cannot."""
    reversal = open_reversal(subject.public_id)
    if reversal is None:
        return {"reversal": None, "why_not": ""}
    me = current_user.user
    why_not = two_people.why_not(db.session(), reversal.proposed_by, me, now())
    return {"reversal": reversal, "why_not": why_not}


def _decision_form(subject: Subject) -> DecisionForm:
    """What can be decided now: while a second opinion is awaited, only what takes one person."""
    waits = open_reversal(subject.public_id) is not None
    choices = [one for one in open_choices(subject) if not (waits and one.takes_two)]
    return DecisionForm.offering(choices)


def _decided(form: DecisionForm, load: Callable[[], Subject]) -> bool:
    """Take the decision, or ask a second person; a refusal goes beside the choice."""
    try:
        with unit_of_work() as session:
            said = _decide(session, load(), form)
    except WrongState:
        raise
    except Refusal as refusal:
        form.to.errors = [refusal.message]
        return False
    flash(said, "leaf")
    return True


def _decide(session: Session, subject: Subject, form: DecisionForm) -> str:
    to, reason, actor = form.to.data, form.reason.data, current_user.user
    if takes_two(to):
        operations.propose_reversal(session, subject, to, reason=reason, actor=actor, at=now())
        return "A second administrator is asked to confirm it. Until then nothing changes."
    missing = form.missing.data or ""
    operations.decide(session, subject, to, reason=reason, missing=missing, actor=actor, at=now())
    return "Decided, and the therapist is told that something waits."


def _answer(reversal: uuid.UUID, *, confirms: bool, said: str) -> ResponseReturnValue:
    back = _address_of(_subject_of(_reversal(reversal)))
    try:
        with unit_of_work() as session:
            found = _reversal(reversal, lock=True)
            operations.answer_reversal(
                session,
                found,
                _subject_of(found, lock=True),
                confirms=confirms,
                actor=current_user.user,
                at=now(),
            )
    except two_people.SecondPersonNeeded as refusal:
        flash(refusal.message, "sun")
    else:
        flash(said, "leaf")
    return redirect(back, 303)


def _application(public_id: uuid.UUID, *, lock: bool = False) -> Application:
    query = applications_open_to(current_user.user).where(Application.public_id == public_id)
    return _one(query.with_for_update(of=Application) if lock else query)


def _licence(public_id: uuid.UUID, *, lock: bool = False) -> Licence:
    query = licences_open_to(current_user.user).where(Licence.public_id == public_id)
    return _one(query.with_for_update(of=Licence) if lock else query)


def _reversal(public_id: uuid.UUID, *, lock: bool = False) -> Reversal:
    query = reversals_open_to(current_user.user).where(Reversal.public_id == public_id)
    return _one(query.with_for_update(of=Reversal) if lock else query)


def _subject_of(reversal: Reversal, *, lock: bool = False) -> Subject:
    find = _licence if reversal.subject_kind == "licence" else _application
    return find(reversal.subject_id, lock=lock)


def _one(query: sa.Select[Found]) -> Found:
    found = db.session.scalars(query).first()
    if found is None:
        raise NotFound
    return found


def _address_of(subject: Subject) -> str:
    if isinstance(subject, Licence):
        return url_for("credentials.licence", licence=subject.public_id)
    return url_for("credentials.application", application=subject.public_id)


def _to_application(application: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("credentials.application", application=application), 303)


def _to_licence(licence: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("credentials.licence", licence=licence), 303)
