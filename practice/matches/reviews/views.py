"""Pages of a person's look at a match: the client's, and the clinical lead's."""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.models import Role
from practice.accounts.policy import has_role, is_client, the_client
from practice.accounts.readings import viewed
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import page
from practice.matches.blueprint import bp
from practice.matches.forms import ReviewAnswerForm, ReviewForm
from practice.matches.policy import reviews_for, reviews_of
from practice.matches.reviews import operations as review_operations
from practice.matches.reviews.cases import Suggested, case_of, ended_for, listed_of, suggested_by
from practice.matches.reviews.models import MatchReview
from practice.matches.reviews.operations import NotListed
from practice.when import deadline_words

leads = has_role(Role.clinical_lead)


@bp.get("/matches/review")
@policy(is_client)
@page.after_intake
def review() -> page.Answer:
    """Ask a person to look, see where that stands, or read the answer."""
    return _review_page(ReviewForm())


@bp.post("/matches/review")
@policy(is_client)
@page.after_intake
def ask_review() -> page.Answer:
    form = ReviewForm()
    if not form.validate():
        return _review_page(form), 422
    try:
        with unit_of_work() as session:
            review_operations.ask(session, the_client(), form.words.data or "", now())
    except Refusal as refusal:
        return _refused(refusal)
    flash("Somebody will look at your matches.", "leaf")
    return redirect(url_for("matches.review"), 303)


@bp.post("/matches/reviews/<uuid:match_review>/withdrawal")
@policy(is_client)
def withdraw_review(match_review: uuid.UUID) -> page.Answer:
    try:
        with unit_of_work() as session:
            own = _one(reviews_of(the_client()), match_review)
            review_operations.withdraw(session, own, now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(refusal)
    flash("It is taken back. Nobody reads what you wrote any more.", "leaf")
    return redirect(url_for("matches.review"), 303)


@bp.get("/reviews")
@policy(leads)
def reviews() -> str:
    """What waits for a look, the earliest promise first; nothing of what was written."""
    with unit_of_work() as session:
        waiting = _waiting()
        clients = [one.client for one in waiting]
        viewed(
            session, "reviews.viewed", "user", current_user.public_id, clients, Role.clinical_lead
        )
    return render_template("matches/reviews.html", reviews=waiting, zone=_zone(), at=now())


@bp.get("/reviews/<uuid:match_review>")
@policy(leads)
def review_case(match_review: uuid.UUID) -> page.Answer:
    return _case_page(match_review, ReviewAnswerForm())


@bp.post("/reviews/<uuid:match_review>/answer")
@policy(leads)
def answer_review(match_review: uuid.UUID) -> page.Answer:
    form = ReviewAnswerForm()
    try:
        found = _suggested(form, match_review)
        if not form.validate() or not _are_all_found(form, found):
            return _case_page(match_review, form), 422
        with unit_of_work() as session:
            asked = _one(reviews_for(current_user.user), match_review)
            words = form.answer.data or ""
            listed = _suggested(form, match_review).therapists
            review_operations.answer(session, asked, words, listed, current_user.user, now())
    except NotListed as refusal:
        form.names.errors = [*form.names.errors, refusal.message]
        return _case_page(match_review, form), 422
    except (NotFound, WrongState):
        return _over(match_review, form)
    flash("Your answer is with them.", "leaf")
    return redirect(url_for("matches.reviews"), 303)


def _suggested(form: ReviewAnswerForm, match_review: uuid.UUID) -> Suggested:
    asked = _one(reviews_for(current_user.user), match_review)
    return listed_of(form.suggested, asked.client.place, now())


def _over(match_review: uuid.UUID, form: ReviewAnswerForm) -> page.Answer:
    """Answered by a colleague, taken back or erased meanwhile: their own words are not lost.

    What was never there and what is gone are not told apart.
    """
    ended = ended_for(current_user.user, match_review)
    wrote = ("", form.answer.data), ("You would have suggested", form.names.data)
    typed = [(heading, words) for heading, words in wrote if words]
    if ended is None and not typed:
        raise NotFound
    page = render_template("matches/review_over.html", ended=ended, typed=typed, zone=_zone())
    return page, 409 if ended else 404


def _are_all_found(form: ReviewAnswerForm, found: Suggested) -> bool:
    if found.unknown:
        names = ", ".join(found.unknown)
        form.names.errors = [
            *form.names.errors,
            f"Nobody listed and licensed where they are has exactly this name: {names}.",
        ]
    return not found.unknown


def _review_page(form: ReviewForm) -> str:
    newest = db.session.scalars(reviews_of(the_client()).order_by(MatchReview.id.desc())).first()
    return render_template(
        "matches/review.html",
        form=form,
        review=newest,
        due=deadline_words(newest.due_at, _zone()) if newest else "",
        is_overdue=newest is not None and newest.is_overdue(now()),
        suggested=suggested_by(newest, now()) if newest else [],
        zone=_zone(),
    )


def _case_page(match_review: uuid.UUID, form: ReviewAnswerForm) -> str:
    """No row in the log, no page."""
    with unit_of_work() as session:
        asked = _one(reviews_for(current_user.user), match_review)
        viewed(
            session,
            "review.viewed",
            "match_review",
            asked.public_id,
            [asked.client],
            Role.clinical_lead,
        )
    answers = answers_of(latest_submitted(asked.client))
    return render_template(
        "matches/review_case.html",
        review=asked,
        case=case_of(asked.client, answers, now()),
        form=form,
        due=deadline_words(asked.due_at, _zone()),
        is_overdue=asked.is_overdue(now()),
        zone=_zone(),
    )


def _waiting() -> Sequence[MatchReview]:
    waiting = reviews_for(current_user.user).order_by(MatchReview.due_at, MatchReview.id)
    return db.session.scalars(waiting).all()


def _one(wanted: sa.Select[MatchReview], public_id: uuid.UUID) -> MatchReview:
    found = db.session.scalars(wanted.where(MatchReview.public_id == public_id)).first()
    if found is None:
        raise NotFound
    return found


def _refused(refusal: Refusal) -> Response:
    flash(refusal.message, "sun")
    return redirect(url_for("matches.review"), 303)


def _zone() -> str:
    """The clinic's clock: its working days are what is promised."""
    return current_settings().zone
