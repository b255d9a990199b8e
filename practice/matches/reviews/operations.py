"""Asking a person to look at the match again, taking that back, and answering it.

Each takes the actor and the instant, records the act and flushes; the caller commits.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.config import current_settings
from core.errors import NotAllowed, Refusal
from practice.accounts.models import Client, Role, User, UserRole
from practice.accounts.neutral_mail import say_something_waits
from practice.consent.operations import lock_consents_of
from practice.matches.queries import footing_of
from practice.matches.reviews.models import MatchReview, MatchReviewSuggestion, ReviewState
from practice.therapists.models import Therapist
from practice.therapists.queries import listable
from practice.working_days import after_working_days

DAYS_TO_LOOK = 3


class AlreadyAsked(Refusal):
    message = "Somebody has been asked to look already."


class NotListed(Refusal):
    message = "Only somebody who is listed and licensed where they are can be suggested."


class NoNotice(Refusal):
    message = "Please agree to the privacy notice first; the person who looks rests on it."


def ask(session: Session, client: Client, words: str, at: datetime) -> MatchReview:
    """Put it on the clinical lead's list. Raises NoNotice and AlreadyAsked."""
    lock_consents_of(session, client)
    if not footing_of(client).has_notice:
        raise NoNotice
    due_at = after_working_days(at, DAYS_TO_LOOK, current_settings().zone)
    review = MatchReview(client=client, words=words, asked_at=at, due_at=due_at)
    session.add(review)
    _flush_as_the_only_one(session)
    _record(session, review, "review.asked", client.user, Role.client, at)
    _tell_holders(session, review, Role.clinical_lead, at, "asked", "/reviews")
    return review


def withdraw(session: Session, review: MatchReview, at: datetime) -> None:
    """Take it back: nobody reads it any more. Raises WrongState."""
    _lock(session, review)
    review.end(ReviewState.withdrawn, at)
    session.flush()
    _record(session, review, "review.withdrawn", review.client.user, Role.client, at)


def answer(
    session: Session,
    review: MatchReview,
    words: str,
    suggested: Collection[Therapist],
    actor: User,
    at: datetime,
) -> None:
    """Raises NotAllowed, WrongState, and NotListed for a suggestion that cannot be offered now."""
    if not actor.has(Role.clinical_lead) or actor.id == review.client.user_id:
        raise NotAllowed
    _lock(session, review)
    _require_listed(session, review.client, suggested, at)
    review.end(ReviewState.answered, at)
    review.answer, review.answered_by = words, actor
    review.suggestions = [MatchReviewSuggestion(therapist=each) for each in suggested]
    session.flush()
    _record(
        session, review, "review.answered", actor, Role.clinical_lead, at, suggested=len(suggested)
    )
    _tell(session, review, review.client.user, at, "answered", "/matches/review")


def say_it_is_late(session: Session, review: MatchReview, at: datetime) -> bool:
    """The promise has passed: once, the leads are told again, and those who appoint leads.

    An administrator sees how many wait beyond their promise, never whose or what.
    """
    _lock(session, review)
    if not review.is_overdue(at) or review.told_late_at is not None:
        return False
    review.told_late_at = at
    _tell_holders(session, review, Role.clinical_lead, at, "late", "/reviews")
    _tell_holders(session, review, Role.administrator, at, "late", "/oversight/staff")
    _record(session, review, "review.late", None, "", at)
    return True


def withdraw_all(session: Session, client: Client, at: datetime) -> None:
    """What is open ends with the consent that it rests on."""
    theirs = sa.select(MatchReview).where(
        MatchReview.client_id == client.id, MatchReview.state == ReviewState.asked
    )
    for review in session.scalars(theirs).all():
        withdraw(session, review, at)


def _lock(session: Session, review: MatchReview) -> None:
    session.refresh(review, with_for_update={"of": MatchReview})


def _flush_as_the_only_one(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "match_reviews" in str(error.orig):
            raise AlreadyAsked from error
        raise


def _require_listed(
    session: Session, client: Client, suggested: Iterable[Therapist], at: datetime
) -> None:
    wanted = {one.id for one in suggested}
    able = listable(at, client.place).where(Therapist.id.in_(wanted))
    if set(session.scalars(able.with_only_columns(Therapist.id))) != wanted:
        raise NotListed


def _tell_holders(
    session: Session, review: MatchReview, role: Role, at: datetime, what: str, path: str
) -> None:
    """Everybody who holds the role and can sign in, save the client themselves."""
    holds = sa.select(UserRole.id).where(UserRole.user_id == User.id, UserRole.role == role)
    able = sa.select(User).where(
        holds.exists(),
        User.id != review.client.user_id,
        User.disabled_at.is_(None),
        User.email_confirmed_at.is_not(None),
    )
    for user in session.scalars(able.order_by(User.id)).all():
        _tell(session, review, user, at, what, path)


def _tell(
    session: Session, review: MatchReview, user: User, at: datetime, what: str, path: str
) -> None:
    about = f"review {what} {path}:{review.public_id}"
    say_something_waits(session, user, at, path=path, about=about)


def _record(
    session: Session,
    review: MatchReview,
    action: str,
    actor: User | None,
    role: Role | str,
    at: datetime,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="match_review",
        subject_id=review.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=role,
        client_id=review.client.public_id,
        **details,
    )
