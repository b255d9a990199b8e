"""Pages of a request: the therapist's inbox, and one request as each side sees it."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts.models import Role
from practice.accounts.policy import has_role, is_client, the_client
from practice.accounts.readings import viewed
from practice.matches import operations, queries
from practice.matches.blueprint import bp
from practice.matches.deadlines import answer_due_words, time_due_words
from practice.matches.forms import DeclineForm
from practice.matches.models import MatchRequest, RequestState
from practice.matches.sharing import in_lines
from practice.therapists.policy import is_therapist

Answer = str | Response | tuple[str, int]


@bp.get("/requests")
@policy(is_therapist)
def inbox() -> str:
    """What waits for an answer, the longest first. Of what was shared only the name stands here."""
    with unit_of_work() as session:
        found = queries.inbox_of(current_user.user)
        named = [one.client for one in (*found.waiting, *found.accepted)]
        viewed(session, "inbox.viewed", "user", current_user.public_id, named, Role.therapist)
    return render_template(
        "matches/inbox.html",
        inbox=found,
        answer_due_words=answer_due_words,
        time_due_words=time_due_words,
        at=now(),
    )


@bp.get("/requests/<uuid:match_request>")
@policy(has_role(Role.client, Role.therapist))
def request_page(match_request: uuid.UUID) -> Answer:
    """The request as its client sees it, or as the therapist who was asked does."""
    if current_user.has(Role.client):
        own = queries.request_of(the_client(), match_request)
        if own is not None:
            return _client_page(own)
    return _therapist_page(match_request, DeclineForm())


@bp.post("/requests/<uuid:match_request>/acceptance")
@policy(is_therapist)
def accept(match_request: uuid.UUID) -> Answer:
    try:
        with unit_of_work() as session:
            asked = _asked_of_me(match_request)
            if asked.state is not RequestState.accepted:
                operations.accept(session, asked, current_user.user, now())
    except Refusal as refusal:
        return _refused(refusal, match_request)
    flash("You said yes. They can now choose a time from your hours.", "leaf")
    return _to(match_request)


@bp.post("/requests/<uuid:match_request>/refusal")
@policy(is_therapist)
def decline(match_request: uuid.UUID) -> Answer:
    form = DeclineForm()
    if not form.validate():
        return _therapist_page(match_request, form), 422
    try:
        with unit_of_work() as session:
            asked = _asked_of_me(match_request)
            operations.decline(session, asked, current_user.user, now(), form.reply.data or "")
    except WrongState as refusal:
        return _refused(refusal, match_request)
    flash("You said no. They are told kindly and offered somebody else.", "leaf")
    return redirect(url_for("matches.inbox"), 303)


@bp.post("/requests/<uuid:match_request>/withdrawal")
@policy(is_client)
def withdraw(match_request: uuid.UUID) -> Answer:
    try:
        with unit_of_work() as session:
            own = queries.request_of(the_client(), match_request)
            if own is None:
                raise NotFound
            operations.withdraw(session, own, current_user.user, now())
    except WrongState as refusal:
        return _refused(refusal, match_request)
    flash("Your request is withdrawn. What you had shared is no longer shown to them.", "leaf")
    return redirect(url_for("matches.index"), 303)


def _client_page(own: MatchRequest) -> str:
    return render_template(
        "matches/request_client.html",
        request=own,
        shared=in_lines(own.shared),
        zone=own.client.zone,
        answer_due=answer_due_words(own, own.client.zone),
        time_due=time_due_words(own, own.client.zone),
        is_overdue=own.is_overdue(now()),
    )


def _therapist_page(public_id: uuid.UUID, form: DeclineForm) -> str:
    """What was shared, while the request is out. No row in the log, no page."""
    with unit_of_work() as session:
        asked = _asked_of_me(public_id)
        is_out = asked.is_waiting and not asked.is_overdue(now())
        if is_out:
            _write_down_the_view(session, asked)
    return render_template(
        "matches/request_therapist.html",
        request=asked,
        shared=in_lines(asked.shared) if is_out else None,
        zone=asked.therapist.zone,
        answer_due=answer_due_words(asked, asked.therapist.zone),
        time_due=time_due_words(asked, asked.therapist.zone),
        is_out=is_out,
        form=form,
    )


def _write_down_the_view(session: Session, asked: MatchRequest) -> None:
    viewed(
        session,
        "request.viewed",
        "match_request",
        asked.public_id,
        [asked.client],
        Role.therapist,
        shared=sorted(asked.shared),
    )


def _asked_of_me(public_id: uuid.UUID) -> MatchRequest:
    asked = queries.request_to(current_user.user, public_id)
    if asked is None:
        raise NotFound
    return asked


def _refused(refusal: Refusal, public_id: uuid.UUID) -> Response:
    if isinstance(refusal, NotFound):
        raise refusal
    flash(refusal.message, "sun")
    return _to(public_id)


def _to(public_id: uuid.UUID) -> Response:
    return redirect(url_for("matches.request_page", match_request=public_id), 303)
