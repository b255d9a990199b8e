"""Pages of risk flags, for duty clinicians and the clinical lead."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.readings import viewed
from practice.intake import duty, queries
from practice.intake.blueprint import bp
from practice.intake.flags import operations as flag_operations
from practice.intake.flags.forms import ContactForm, OutcomeForm
from practice.intake.models import ContactManner, FlagResult, RiskFlag
from practice.intake.policy import flags_visible_to, reads_flags
from practice.intake.presenting import FlagView, source_words, waited_words

EXPECTED = (
    flag_operations.FlagClosed,
    flag_operations.NotReadYet,
    flag_operations.NoContactYet,
    flag_operations.NotReachedYet,
)
Answer = str | Response | tuple[str, int]


@bp.get("/flags")
@policy(reads_flags)
def flags() -> Answer:
    """Without names; that the list was read is written down all the same."""
    user, at = current_user.user, now()
    with unit_of_work() as session:
        waiting = queries.open_flags(user)
        handled = queries.handled_flags(user, request.args.get("page", 1, type=int))
        shown = [flag.client for flag in (*waiting, *handled.flags)]
        role = flag_operations.role_of(user)
        viewed(session, "flags.viewed", "user", user.public_id, shown, role)
    return render_template(
        "intake/flags.html",
        waiting=waiting,
        handled=handled,
        handled_address=lambda number: url_for("intake.flags", page=number),
        shifts=duty.shifts_at(at),
        coming=duty.next_shift(at),
        source_words=source_words,
        waited=lambda since: waited_words(at - since),
        zone=_zone(),
    )


@bp.get("/flags/<uuid:flag>")
@policy(reads_flags)
def flag(flag: uuid.UUID) -> Answer:
    """Opening a flag is a reading of it: no row, no page."""
    return _flag_page(flag, ContactForm(formdata=None), OutcomeForm(formdata=None))


@bp.post("/flags/<uuid:flag>/contacts")
@policy(reads_flags)
def contact(flag: uuid.UUID) -> Answer:
    form = ContactForm()
    if not (form.validate() and _logs(flag, form)):
        return _flag_page(flag, form, OutcomeForm(formdata=None)), 422
    flash("The contact is logged.", "leaf")
    return redirect(url_for("intake.flag", flag=flag), 303)


def _logs(flag: uuid.UUID, form: ContactForm) -> bool:
    try:
        with unit_of_work() as session:
            flag_operations.log_contact(
                session,
                _flag(session, flag),
                current_user.user,
                manner=ContactManner(form.manner.data),
                reached=form.reached.data == "yes",
                words=form.words.data or "",
                at=now(),
            )
    except flag_operations.FlagClosed as refusal:
        form.words.errors = [*form.words.errors, refusal.message]
        return False
    return True


@bp.post("/flags/<uuid:flag>/outcome")
@policy(reads_flags)
def outcome(flag: uuid.UUID) -> Answer:
    form = OutcomeForm()
    if not (form.validate() and _closes(flag, form)):
        return _flag_page(flag, ContactForm(formdata=None), form), 422
    flash("The flag is closed, with your reason.", "leaf")
    return redirect(url_for("intake.flags"), 303)


def _closes(flag: uuid.UUID, form: OutcomeForm) -> bool:
    """Close the flag; a refusal is said beside the outcome, so that nothing typed is lost."""
    try:
        with unit_of_work() as session:
            flag_operations.close_flag(
                session,
                _flag(session, flag),
                current_user.user,
                result=FlagResult(form.result.data),
                reason=form.reason.data or "",
                at=now(),
            )
    except EXPECTED as refusal:
        form.result.errors = [*form.result.errors, refusal.message]
        return False
    return True


def _flag_page(flag: uuid.UUID, contact_form: ContactForm, outcome_form: OutcomeForm) -> str:
    with unit_of_work() as session:
        found = _flag(session, flag)
        flag_operations.read_flag(session, found, current_user.user, now())
    return render_template(
        "intake/flag.html",
        flag=found,
        view=FlagView(found, now()),
        zone=_zone(),
        contact_form=contact_form,
        outcome_form=outcome_form,
    )


def _zone() -> str:
    """Staff read times on the organisation's clock."""
    return current_settings().zone


def _flag(session: Session, public_id: uuid.UUID) -> RiskFlag:
    """The flag, locked for what follows, if this person may see it; raises NotFound."""
    visible = flags_visible_to(current_user.user).where(RiskFlag.public_id == public_id)
    found = session.scalars(visible.with_for_update(of=RiskFlag)).first()
    if found is None:
        raise NotFound
    return found
