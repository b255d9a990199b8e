"""A leader's own groups: announce, change, see who comes, answer who asks, call off."""

import uuid
from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts.models import Role, User
from practice.accounts.policy import has_role
from practice.accounts.readings import viewed
from practice.forms import EmptyForm
from practice.groups import leading, queries
from practice.groups.forms import GroupForm, ScreeningForm, WordsForm
from practice.groups.models import EnrolmentState, Group
from practice.groups.queries import RosterLine
from practice.groups.refusals import InThePast, NobodyMayLead, TermsAreFixed
from practice.groups.views.blueprint import bp
from practice.therapists.models import Therapist
from practice.therapists.queries import authorised, therapist_of

is_leader = has_role(Role.therapist)


@bp.get("/led-groups")
@policy(is_leader)
def led() -> str:
    return render_template("groups/led.html", led=queries.led_by(_user(), now()))


@bp.route("/led-groups/new", methods=["GET", "POST"])
@policy(is_leader)
def new() -> ResponseReturnValue:
    leader, colleagues = _leader(), _colleagues()
    form = GroupForm(data={"zone": leader.zone}).offer(colleagues)
    if not form.validate_on_submit():
        return _edit_page(form, None)
    try:
        with unit_of_work() as session:
            terms = form.terms(leader, colleagues)
            group = leading.create_group(session, form.words(), terms, _user(), now())
    except InThePast as refusal:
        form.first_day.errors = [refusal.message]
        return _edit_page(form, None)
    return _to_roster(group)


@bp.route("/led-groups/<uuid:group>/details", methods=["GET", "POST"])
@policy(is_leader)
def edit(group: uuid.UUID) -> ResponseReturnValue:
    found = _led(group)
    colleagues = _colleagues(found)
    form = _edit_form(found, colleagues)
    if not form.validate_on_submit():
        return _edit_page(form, found)
    try:
        _change(found, form, colleagues)
    except InThePast as refusal:
        form.first_day.errors = [refusal.message]
        return _edit_page(form, found)
    except NobodyMayLead as refusal:
        form.leads_it.errors = [refusal.message]
        return _edit_page(form, found)
    except TermsAreFixed as refusal:
        flash(refusal.message, "sun")
        return redirect(url_for("groups.edit", group=group), 303)
    flash("Saved.", "leaf")
    return _to_roster(found)


@bp.get("/led-groups/<uuid:group>")
@policy(is_leader)
def roster(group: uuid.UUID) -> ResponseReturnValue:
    return _roster_page(group)


@bp.post("/led-groups/<uuid:group>/screenings/<uuid:enrolment>")
@policy(is_leader)
def screening(group: uuid.UUID, enrolment: uuid.UUID) -> ResponseReturnValue:
    form = _screening_form(enrolment)
    if not form.validate_on_submit():
        return _roster_page(group, answered=enrolment, form=form), 422
    return _act(
        group,
        lambda session: leading.decide_screening(
            session,
            group,
            enrolment,
            invited=form.answer.data == "invite",
            reason=form.reason.data,
            actor=_user(),
            at=now(),
        ),
        "Your answer is kept, and they are told that something waits for them.",
    )


@bp.post("/led-groups/<uuid:group>/publication")
@policy(is_leader)
def publish(group: uuid.UUID) -> ResponseReturnValue:
    return _act(
        group,
        lambda session: leading.publish_group(session, group, _user(), now()),
        "The group is in the catalogue now.",
    )


@bp.route("/led-groups/<uuid:group>/cancellation", methods=["GET", "POST"])
@policy(is_leader)
def cancel(group: uuid.UUID) -> ResponseReturnValue:
    found = _led(group)
    if not EmptyForm().validate_on_submit():
        people = leading.has_people(db.session(), found)
        return render_template("groups/cancel.html", group=found, has_people=people)
    return _act(
        group,
        lambda session: leading.cancel_group(session, group, _user(), now()),
        "The group is called off. Everybody is told, and everything that was paid goes back.",
    )


def _act(group: uuid.UUID, act: Callable[[Session], object], done: str) -> ResponseReturnValue:
    """Carry one act out and come back to the roster, with its refusal in words if there is one."""
    try:
        with unit_of_work() as session:
            act(session)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "clay" if isinstance(refusal, NobodyMayLead) else "sun")
    else:
        flash(done, "leaf")
    return redirect(url_for("groups.roster", group=group), 303)


def _roster_page(
    group: uuid.UUID, *, answered: uuid.UUID | None = None, form: ScreeningForm | None = None
) -> str:
    with unit_of_work() as session:
        found = _led(group)
        lines = queries.roster(found)
        _note_the_reading(session, found, lines)
        screens = leading.may_screen(found, _user(), now())
    asking = _in(lines, EnrolmentState.screening)
    forms = {line.enrolment.public_id: _screening_form(line.enrolment.public_id) for line in asking}
    if answered is not None and form is not None:
        forms[answered] = form
    return render_template(
        "groups/roster.html",
        group=found,
        asking=asking,
        screens=screens,
        seated=_in(lines, EnrolmentState.seated, EnrolmentState.held),
        invited=_in(lines, EnrolmentState.invited),
        gone=_in(lines, EnrolmentState.left, EnrolmentState.declined, EnrolmentState.expired),
        forms=forms,
    )


def _in(lines: list[RosterLine], *states: EnrolmentState) -> list[RosterLine]:
    return [line for line in lines if line.enrolment.state in states]


def _note_the_reading(session: Session, group: Group, lines: list[RosterLine]) -> None:
    """Who is in a group, and why they asked, is clinical: no row, no page."""
    shown = [line.enrolment.client for line in lines]
    viewed(session, "roster.viewed", "group", group.public_id, shown, Role.therapist)


def _screening_form(enrolment: uuid.UUID) -> ScreeningForm:
    # Several stand on one page: each has field names and ids of its own.
    return ScreeningForm(prefix=f"{enrolment.hex[:8]}-")


def _edit_form(group: Group, colleagues: list[Therapist]) -> GroupForm | WordsForm:
    if leading.has_people(db.session(), group):
        return WordsForm.of(group)
    return GroupForm.of_led(group, _leader()).offer(colleagues)


def _change(group: Group, form: GroupForm | WordsForm, colleagues: list[Therapist]) -> None:
    with unit_of_work() as session:
        terms = form.terms(_leader(), colleagues) if isinstance(form, GroupForm) else None
        leading.change_group(session, group.public_id, form.words(), terms, _user(), now())


def _edit_page(form: GroupForm | WordsForm, group: Group | None) -> ResponseReturnValue:
    page = render_template(
        "groups/edit.html", form=form, group=group, whole=isinstance(form, GroupForm)
    )
    return page, 422 if form.errors else 200


def _led(group: uuid.UUID) -> Group:
    found = queries.led_group(group, _user())
    if found is None:
        raise NotFound
    return found


def _leader() -> Therapist:
    """The profile that leads; somebody without one sets no group up."""
    therapist = therapist_of(_user())
    if therapist is None:
        raise NotFound
    return therapist


def _colleagues(group: Group | None = None) -> list[Therapist]:
    """Who can be named as a co-lead; whoever leads the group already stays, licence or not."""
    others = authorised(now()).where(Therapist.user_id != _user().id)
    found = list(db.session.scalars(others.order_by(Therapist.name, Therapist.id)))
    present = group.professionals if group is not None else []
    stay = [one for one in present if one not in found and one.user_id != _user().id]
    return found + stay


def _user() -> User:
    user: User = current_user.user
    return user


def _to_roster(group: Group) -> ResponseReturnValue:
    return redirect(url_for("groups.roster", group=group.public_id), 303)
