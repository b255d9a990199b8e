"""The page of the clinic's switch, and a therapist's page about their own record."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts import two_people
from practice.accounts.models import Role, User
from practice.accounts.policy import step_up
from practice.asking import ask_for
from practice.matches.market import track_record as tables
from practice.outcomes import counting, operations, queries, words
from practice.outcomes.forms import ProposeForm, TurnOffForm
from practice.outcomes.gate import obstacles
from practice.outcomes.policy import is_administrator, is_lead, may_decide
from practice.therapists.models import Therapist
from practice.therapists.policy import is_therapist
from practice.therapists.queries import therapist_of

bp = Blueprint("outcomes", __name__)

Answer = str | Response | tuple[str, int]


@bp.get("/oversight/track-record")
@policy(may_decide)
def track_record() -> Answer:
    return _switch_page(ProposeForm(formdata=None), TurnOffForm(formdata=None))


@bp.post("/oversight/track-record/count")
@policy(is_lead)
def count_outcomes() -> Answer:
    return ask_for(counting.COUNT, "outcomes.track_record")


@bp.post("/oversight/track-record/proposal")
@policy(is_lead)
def propose_track_record() -> Answer:
    form = ProposeForm()
    if not form.validate():
        return _switch_page(form, TurnOffForm(formdata=None)), 422
    return _done(
        lambda session, actor: operations.propose(session, form.reason.data or "", actor, now()),
        "It is proposed, and the administrators have a mail. Nothing changes until one agrees.",
    )


@bp.post("/oversight/track-record/agreement")
@policy(is_administrator)
@step_up
def agree_to_track_record() -> Answer:
    return _done(
        lambda session, actor: operations.agree(session, actor, now()),
        "You both agree. Track record counts from the next page on.",
    )


@bp.post("/oversight/track-record/refusal")
@policy(may_decide)
def refuse_track_record() -> Answer:
    return _done(
        lambda session, actor: operations.refuse(session, actor, now()),
        "Noted. Nothing changes.",
    )


@bp.post("/oversight/track-record/end")
@policy(may_decide)
def end_track_record() -> Answer:
    form = TurnOffForm()
    if not form.validate():
        return _switch_page(ProposeForm(formdata=None), form), 422
    return _done(
        lambda session, actor: operations.turn_off(session, form.reason.data or "", actor, now()),
        "Track record is off. It counts for nobody from the next page on.",
    )


@bp.get("/profile/track-record")
@policy(is_therapist)
def own_track_record() -> Answer:
    """Their own and nobody else's: the page is asked for by no id."""
    session, therapist = db.session(), _own_profile()
    row = queries.own_record(session, therapist)
    figures = tables.figures_of(row) if row else None
    return render_template(
        "outcomes/own.html",
        agreement=operations.standing_agreement(session, therapist),
        is_on=tables.is_on(session),
        counts=tables.report_that_counts(session, now()) is not None,
        row=row,
        is_damaged=row is not None and figures is None,
        own=words.own(figures) if figures else None,
        fewest=words.FEWEST,
        zone=therapist.zone,
    )


@bp.post("/profile/track-record/agreement")
@policy(is_therapist)
def agree_to_own_record() -> Answer:
    with unit_of_work() as session:
        operations.consent(session, _own_profile(), current_user.user, now())
    flash("Thank you. Your record is worked out with the next daily count.", "leaf")
    return redirect(url_for("outcomes.own_track_record"), 303)


@bp.post("/profile/track-record/agreement/end")
@policy(is_therapist)
def take_back_own_record() -> Answer:
    with unit_of_work() as session:
        operations.take_back(session, _own_profile(), current_user.user, now())
    flash("You have taken it back. Nothing of yours counts, and your record is deleted.", "leaf")
    return redirect(url_for("outcomes.own_track_record"), 303)


def _switch_page(proposing: ProposeForm, ending: TurnOffForm) -> str:
    session, at = db.session(), now()
    newest, report = tables.newest_decision(session), tables.newest_report(session)
    is_proposed = operations.is_proposed(newest, at)
    return render_template(
        "outcomes/switch.html",
        newest=newest,
        is_on=tables.is_on(session),
        counts=tables.report_that_counts(session, at) is not None,
        is_proposed=is_proposed,
        why_not=_why_not(newest, current_user.user) if newest and is_proposed else "",
        report=report,
        counted=words.counted(report) if report else None,
        against=obstacles(report, at),
        round=counting.COUNT.standing(session, at),
        history=queries.history(session),
        proposing=proposing,
        ending=ending,
        good_for=operations.GOOD_FOR,
        is_lead=current_user.has(Role.clinical_lead),
        is_administrator=current_user.has(Role.administrator),
        zone=current_settings().zone,
    )


def _why_not(proposal: tables.TrackRecordDecision, me: User) -> str:
    """Why this administrator cannot agree; "" when they can, or are none."""
    if proposal.decided_by is None or not me.has(Role.administrator):
        return ""
    asks_as = (Role.clinical_lead,)
    return two_people.why_not(db.session(), proposal.decided_by, me, now(), asks_as=asks_as)


def _done(act: Callable[[Session, User], object], said: str) -> Response:
    try:
        with unit_of_work() as session:
            act(session, current_user.user)
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back(said)


def _back(said: str, kind: str = "leaf") -> Response:
    flash(said, kind)
    return redirect(url_for("outcomes.track_record"), 303)


def _own_profile() -> Therapist:
    therapist = therapist_of(current_user.user)
    if therapist is None:
        raise NotFound
    return therapist
