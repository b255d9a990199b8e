"""Pages of oversight."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts import operations as accounts
from practice.accounts import proposals, two_people
from practice.accounts.models import Role, RoleProposal, User
from practice.accounts.policy import step_up
from practice.care.queries import emergencies_waiting, reviews_overdue
from practice.consent import operations as consent
from practice.consent.differences import differences
from practice.consent.models import Purpose
from practice.consent.purposes import PURPOSES
from practice.consent.queries import current_document
from practice.consent.renewing import how_many_are_asked
from practice.forms import EmptyForm, Form
from practice.oversight import factor_reset_views, operations, proposal_views, queries, replay_views
from practice.oversight.backups import views as backup_views
from practice.oversight.blueprint import Page, bp
from practice.oversight.fairness import views as fairness_views
from practice.oversight.forms import (
    DocumentForm,
    InvitationForm,
    LogForm,
    RolesForm,
    ShiftForm,
    StaffFilterForm,
)
from practice.oversight.keys import views as key_views
from practice.oversight.ledger import views as ledger_views
from practice.oversight.mails import pieces
from practice.oversight.policy import is_administrator, only_in_demo
from practice.oversight.rota import hours
from practice.oversight.weights import views as weights_views
from practice.paging import page_number

__all__ = [
    "backup_views",
    "bp",
    "factor_reset_views",
    "fairness_views",
    "key_views",
    "ledger_views",
    "proposal_views",
    "replay_views",
    "weights_views",
]

FILTERS = ("role", "action", "person")
PROPOSED = (
    "It is proposed, and the other administrators have a mail. Nothing changes until one agrees."
)


@bp.context_processor
def _times() -> dict[str, str]:
    """The console tells times in the organisation's zone."""
    return {"zone": _zone()}


@bp.get("/oversight")
@policy(is_administrator)
def index() -> Page:
    return render_template(
        "oversight/index.html",
        hours_alone=_hours_alone(),
        set_aside=queries.set_aside(),
        emergencies=emergencies_waiting(current_user.user, now()),
        reviews_overdue=reviews_overdue(now()),
        proposed=len(proposals.waiting(db.session(), now())),
    )


@bp.get("/oversight/staff")
@policy(is_administrator)
def staff() -> Page:
    form = StaffFilterForm(request.args)
    role = Role(form.role.data) if form.role.data and form.validate() else None
    leaf = queries.staff(role, page_number())
    proposed = len(proposals.waiting(db.session(), now()))
    return render_template(
        "oversight/staff.html", form=form, leaf=leaf, address=_address, proposed=proposed
    )


@bp.route("/oversight/staff/invitation", methods=["GET", "POST"])
@policy(is_administrator)
@step_up
def invite() -> Page:
    form = InvitationForm()
    if form.validate_on_submit():
        with _refusals_on(form), unit_of_work() as session:
            proposal = proposals.invite(
                session, form.email.data, form.name.data, form.chosen, current_user.user, now()
            )
        if not form.form_errors:
            return _done_or_proposed(proposal, "oversight.staff", _invited(form))
    return _page("oversight/invite.html", form, alone=_is_alone())


@bp.get("/oversight/staff/<uuid:person>")
@policy(is_administrator)
def person(person: uuid.UUID) -> Page:
    colleague = _colleague(person)
    form = RolesForm(roles=[role.value for role in colleague.roles])
    return _person_page(colleague, form)


@bp.post("/oversight/staff/<uuid:person>/roles")
@policy(is_administrator)
@step_up
def roles(person: uuid.UUID) -> Page:
    form = RolesForm()
    if not form.validate():
        return _person_page(_colleague(person), form)
    if form.confirmed.data != "yes":
        return _second_look(_colleague(person), form)
    with _refusals_on(form), unit_of_work() as session:
        colleague, actor = _colleague(person), current_user.user
        proposal = proposals.change_roles(session, colleague, form.chosen, actor, now())
    if form.form_errors:
        return _person_page(_colleague(person), form)
    return _done_or_proposed(proposal, "oversight.person", "The roles are changed.", person=person)


@bp.route("/oversight/staff/<uuid:person>/closure", methods=["GET", "POST"])
@policy(is_administrator)
@step_up
def disable(person: uuid.UUID) -> Page:
    form = EmptyForm()
    if form.validate_on_submit():
        with _refusals_on(form), unit_of_work() as session:
            accounts.disable(session, _colleague(person), current_user.user, now())
        if not form.form_errors:
            return _done("oversight.person", "The account is closed.", person=person)
    return _page("oversight/disable.html", form, person=_colleague(person))


@bp.post("/oversight/staff/<uuid:person>/reopening")
@policy(is_administrator)
@step_up
def enable(person: uuid.UUID) -> Page:
    form, done = EmptyForm(), "The account is open again."
    with _refusals_on(form), unit_of_work() as session:
        proposal = proposals.enable(session, _colleague(person), current_user.user, now())
    if form.form_errors:
        return _done("oversight.person", form.form_errors[0], person=person)
    return _done_or_proposed(proposal, "oversight.person", done, person=person)


@bp.post("/oversight/staff/<uuid:person>/invitation")
@policy(is_administrator)
@step_up
def invite_again(person: uuid.UUID) -> Page:
    with unit_of_work() as session:
        accounts.invite_again(session, _colleague(person), current_user.user, now())
    return _done("oversight.person", "We have sent the invitation again.", person=person)


@bp.route("/oversight/rota", methods=["GET", "POST"])
@policy(is_administrator)
def rota() -> Page:
    form = _shift_form()
    if form.validate_on_submit():
        with _refusals_on(form), unit_of_work() as session:
            _add_shifts(session, form)
        if not form.form_errors:
            return _done("oversight.rota", "The rota is changed.")
    days = queries.rota(now(), _zone())
    return _page(
        "oversight/rota.html",
        form,
        days=days,
        hours_alone=_hours_in(days),
        counts=queries.counts_as_cover,
    )


@bp.route("/oversight/rota/<uuid:shift>/removal", methods=["POST"])
@policy(is_administrator)
def remove_shift(shift: uuid.UUID) -> Page:
    with unit_of_work() as session:
        operations.remove_shift(session, shift, current_user.user, now())
    return _done("oversight.rota", "The shift is off the rota.")


@bp.get("/oversight/documents")
@policy(is_administrator)
def documents() -> Page:
    return render_template(
        "oversight/documents.html", published=queries.published(), purposes=PURPOSES
    )


@bp.route("/oversight/documents/<string:purpose>/new", methods=["GET", "POST"])
@policy(is_administrator)
def new_version(purpose: str) -> Page:
    """Looked at before it is published: exactly the words that were previewed go out."""
    current = current_document(_purpose(purpose))
    form = DocumentForm(
        title=current.title,
        body=current.body,
        material_change=True,
        after_version=str(current.version),
    )
    previewed = form.validate_on_submit()
    if previewed and form.is_as_previewed and _published(form, current.purpose):
        return _done("oversight.documents", "The new version is published.")
    changes = differences(current.body, form.text) if previewed else []
    form.previewed.data = form.fingerprint if previewed else ""
    return _page(
        "oversight/new_version.html",
        form,
        current=current,
        terms=PURPOSES[current.purpose],
        changes=changes,
        previewed=previewed,
        concerned=how_many_are_asked(db.session(), current.purpose, current.version + 1),
    )


@bp.get("/oversight/log")
@policy(is_administrator)
def log() -> Page:
    form = LogForm(request.args)
    form.action.choices = [("", "Everything"), *_action_choices()]
    form.person.choices = [("", "Everybody"), *_people_choices(queries.colleagues())]
    leaf = queries.log(form.action.data or "", _uuid(form.person.data), page_number())
    return render_template("oversight/log.html", form=form, leaf=leaf, address=_address)


@bp.get("/demo/mails")
@policy(only_in_demo)
def mails() -> Page:
    leaf = queries.mails(page_number())
    return render_template("oversight/mails.html", leaf=leaf, address=_address)


@bp.get("/demo/mails/<uuid:mail>")
@policy(only_in_demo)
def mail(mail: uuid.UUID) -> Page:
    found = queries.mail(mail)
    if found is None:
        raise NotFound
    return render_template("oversight/mail.html", mail=found, pieces=pieces(found.body))


def _colleague(public_id: uuid.UUID) -> User:
    found = queries.staff_member(public_id)
    if found is None:
        raise NotFound
    return found


def _person_page(colleague: User, form: RolesForm) -> Page:
    return _page(
        "oversight/person.html",
        form,
        person=colleague,
        alone=[row for row in colleague.role_rows if two_people.given_alone(row, now())],
        names={user.id: user.name or user.email for user in queries.colleagues()},
        new_for=two_people.NEW_FOR,
    )


def _second_look(colleague: User, form: RolesForm) -> Page:
    new = form.chosen - colleague.roles
    return _page(
        "oversight/roles.html",
        form,
        person=colleague,
        takes_two=two_people.needs_two(db.session(), current_user.user, colleague, new),
        alone=bool(new & two_people.GIVEN_BY_TWO),
    )


def _is_alone() -> bool:
    """Whether there is no other administrator who could agree."""
    return not two_people.needs_two(db.session(), current_user.user, None, [Role.administrator])


def _invited(form: InvitationForm) -> str:
    return f"We have invited {form.name.data} by mail."


def _done_or_proposed(
    proposal: RoleProposal | None, endpoint: str, words: str, **values: uuid.UUID
) -> Response:
    if proposal is None:
        return _done(endpoint, words, **values)
    return _done("oversight.role_proposals", PROPOSED)


def _shift_form() -> ShiftForm:
    form = ShiftForm()
    today = now().astimezone(ZoneInfo(_zone())).date()
    form.offer(_people_choices(queries.duty_people()), today)
    return form


def _add_shifts(session: Session, form: ShiftForm) -> None:
    operations.add_shifts(
        session,
        _colleague(uuid.UUID(form.person.data)),
        *form.span,
        form.weeks.data,
        _zone(),
        current_user.user,
        now(),
    )


def _published(form: DocumentForm, purpose: Purpose) -> bool:
    with _refusals_on(form), unit_of_work() as session:
        consent.publish(
            session,
            purpose,
            form.title.data,
            form.text,
            current_user.user,
            now(),
            material_change=form.material_change.data,
            after_version=form.after_version.data,
        )
    return not form.form_errors


def _purpose(name: str) -> Purpose:
    try:
        return Purpose(name)
    except ValueError:
        raise NotFound from None


def _hours_alone() -> int:
    return _hours_in(queries.rota(now(), _zone()))


def _hours_in(days: list[queries.RotaDay]) -> int:
    """In how many of the coming hours nobody is on duty."""
    return hours(gap for day in days for gap in day.gaps)


def _action_choices() -> list[tuple[str, str]]:
    return [(action, queries.action_words(action)) for action in queries.actions()]


def _people_choices(people: Iterable[User]) -> list[tuple[str, str]]:
    return [(str(user.public_id), user.name or user.email) for user in people]


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _address(number: int) -> str:
    """This page with its filters, at another page number."""
    chosen = {name: request.args[name] for name in FILTERS if name in request.args}
    return url_for(request.endpoint or "", page=number, **chosen)


def _zone() -> str:
    return current_settings().zone


@contextmanager
def _refusals_on(form: Form) -> Iterator[None]:
    """An expected refusal is said on top of its form."""
    try:
        yield
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)


def _done(endpoint: str, words: str, **values: uuid.UUID) -> Response:
    flash(words, "leaf")
    return redirect(url_for(endpoint, **values), 303)


def _page(template: str, form: Form, **values: object) -> Page:
    return render_template(template, form=form, **values), 422 if form.errors else 200
