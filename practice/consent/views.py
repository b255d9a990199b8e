"""Pages of consent."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound, WrongState
from practice.accounts.policy import anyone, is_client, the_client
from practice.consent import operations
from practice.consent.copying import copy_page
from practice.consent.differences import differences
from practice.consent.forms import BeginForm, SignForm
from practice.consent.models import ConsentDocument, Purpose, Signature
from practice.consent.policy import (
    BEFORE_INTAKE,
    may_begin_intake,
    needs_signing,
    signatures_of,
)
from practice.consent.purposes import PURPOSES
from practice.consent.queries import (
    current_document,
    has_ended,
    newest_document,
    signed_consents,
)
from practice.consent.rendering import rendered
from practice.consent.texts import shipped
from practice.forms import EmptyForm

bp = Blueprint("consent", __name__)
bp.add_app_template_filter(rendered, "consent_text")

Page = AnyResponse | str | tuple[str, int]


@bp.route("/consents/before-you-begin", methods=["GET", "POST"])
@policy(is_client)
def begin() -> Page:
    form = BeginForm()
    if form.validate_on_submit() and _signed_before_intake(form):
        return redirect(url_for("intake.index"), 303)
    documents = {purpose: current_document(purpose) for purpose in BEFORE_INTAKE}
    done = may_begin_intake(the_client())
    page = render_template(
        "consent/begin.html", form=form, documents=documents, purposes=PURPOSES, done=done
    )
    return page, 422 if form.errors else 200


@bp.get("/consents")
@policy(is_client)
def index() -> Page:
    consents = signed_consents(signatures_of(the_client()))
    may_begin = may_begin_intake(the_client())
    return render_template(
        "consent/index.html",
        consents=consents,
        may_begin=may_begin,
        may_learn=may_begin and _may_be_asked_to_learn(),
        zone=the_client().zone,
    )


@bp.route("/consents/learning", methods=["GET", "POST"])
@policy(is_client)
def learning() -> Page:
    """The one agreement that nothing depends on: offered here, and asked for nowhere."""
    form = SignForm()
    if not may_begin_intake(the_client()):
        return redirect(url_for("consent.begin"), 303)
    if form.validate_on_submit() and _signed_learning(form):
        flash("Thank you. You can take it back here at any time.", "leaf")
        return redirect(url_for("consent.index"), 303)
    page = render_template(
        "consent/learning.html",
        form=form,
        document=current_document(Purpose.learning),
        terms=PURPOSES[Purpose.learning],
        done=not needs_signing(Purpose.learning, the_client()),
    )
    return page, 422 if form.errors else 200


@bp.get("/consents/<uuid:signature>")
@policy(is_client)
def signature(signature: uuid.UUID) -> Page:
    signed = _mine(signature)
    return _signature_page("consent/signature.html", signed, has_ended=has_ended(signed))


@bp.get("/consents/<uuid:signature>/copy")
@policy(is_client)
def copy(signature: uuid.UUID) -> Page:
    signed = _mine(signature)
    response = Response(copy_page(db.session(), signed, now()), mimetype="text/html")
    name = f"consent-{signed.signed_at:%Y-%m-%d}-{str(signed.public_id)[:8]}.html"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.route("/consents/<uuid:signature>/revocation", methods=["GET", "POST"])
@policy(is_client)
def revocation(signature: uuid.UUID) -> Page:
    form = EmptyForm()
    if form.validate_on_submit():
        # Taken back a moment ago, by a second click: what was wanted has happened.
        with suppress(WrongState), unit_of_work() as session:
            operations.revoke(session, _mine(signature), current_user.user, now())
        flash("You have taken this consent back. It stopped at once.", "leaf")
        return redirect(url_for("consent.signature", signature=signature), 303)
    signed = _mine(signature)
    if signed.revocation is not None:
        return redirect(url_for("consent.signature", signature=signature), 303)
    return _signature_page("consent/revocation.html", signed, form=form)


@bp.route("/consents/<uuid:signature>/renewal", methods=["GET", "POST"])
@policy(is_client)
def renewal(signature: uuid.UUID) -> Page:
    form = SignForm()
    if has_ended(_mine(signature)):
        flash("What this was for has ended, so there is nothing to agree to.", "leaf")
        return redirect(url_for("consent.signature", signature=signature), 303)
    if form.validate_on_submit():
        with _changed_words_on(form), unit_of_work() as session:
            renewed = _renewed(session, _mine(signature), form)
        if not form.form_errors:
            flash("Thank you. You have agreed to the newer text.", "leaf")
            return redirect(url_for("consent.signature", signature=renewed.public_id), 303)
    signed = _mine(signature)
    document = current_document(signed.purpose)
    changes = differences(signed.document.body, document.body)
    page = _signature_page(
        "consent/renewal.html", signed, form=form, document=document, changes=changes
    )
    return page, 422 if form.errors else 200


@bp.get("/documents/<uuid:document>")
@policy(anyone)
def document(document: uuid.UUID) -> Page:
    """Texts are public: whoever signs one may send the address to somebody they trust."""
    published = db.session.scalars(
        sa.select(ConsentDocument).where(ConsentDocument.public_id == document)
    ).first()
    if published is None:
        raise NotFound
    return render_template("consent/document.html", document=published, zone=_clinic_zone())


@bp.get("/privacy")
@policy(anyone)
def privacy() -> Page:
    document = newest_document(db.session(), Purpose.privacy_notice)
    title, body = (document.title, document.body) if document else shipped(Purpose.privacy_notice)
    return render_template(
        "consent/privacy.html", document=document, title=title, body=body, zone=_clinic_zone()
    )


def _signed_before_intake(form: BeginForm) -> bool:
    with _changed_words_on(form), unit_of_work() as session:
        for purpose in BEFORE_INTAKE:
            operations.sign(
                session, purpose, the_client(), current_user.user, now(), evidence=form.evidence
            )
    return not form.form_errors


def _signed_learning(form: SignForm) -> bool:
    with _changed_words_on(form), unit_of_work() as session:
        operations.sign(
            session,
            Purpose.learning,
            the_client(),
            current_user.user,
            now(),
            evidence=form.evidence,
        )
    return not form.form_errors


def _may_be_asked_to_learn() -> bool:
    """Whether there is such a text, and they have not agreed to it as it stands."""
    is_published = newest_document(db.session(), Purpose.learning) is not None
    return is_published and needs_signing(Purpose.learning, the_client())


@contextmanager
def _changed_words_on(form: SignForm) -> Iterator[None]:
    """A text that was published meanwhile is shown with what was typed, to be read first."""
    try:
        yield
    except operations.WordsChanged as refusal:
        form.form_errors.append(refusal.message)


def _mine(signature: uuid.UUID) -> Signature:
    """The client's own signature; anybody else's is not found."""
    found = db.session.scalars(
        signatures_of(the_client()).where(Signature.public_id == signature)
    ).first()
    if found is None:
        raise NotFound
    return found


def _signature_page(template: str, signed: Signature, **values: object) -> str:
    terms, zone = PURPOSES[signed.purpose], the_client().zone
    return render_template(template, signature=signed, terms=terms, zone=zone, **values)


def _clinic_zone() -> str:
    return current_settings().zone


def _renewed(session: Session, signed: Signature, form: SignForm) -> Signature:
    """Sign the current text with the same people; one that was taken back is not revived here."""
    if signed.revocation is not None:
        raise WrongState
    return operations.sign(
        session,
        signed.purpose,
        signed.client,
        current_user.user,
        now(),
        signed.scope,
        signed.scope_label,
        evidence=form.evidence,
    )
