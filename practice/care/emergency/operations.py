"""Emergency openings from being asked for to the client being told. Every step is in the log."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.audit import AuditEntry
from core.errors import NotAllowed, Refusal, WrongState
from practice.accounts.models import Client, Role, User
from practice.accounts.two_people import require_two
from practice.care.emergency.mails import tell_client, tell_deciders, tell_leads, tell_reader
from practice.care.emergency.models import (
    EmergencyOpening,
    NoticeDelay,
    OpeningDecision,
    OpeningKind,
    OpeningReason,
    OpeningReview,
    Stage,
)
from practice.care.emergency.policy import MAY_ASK, MAY_DECIDE, asks
from practice.care.finding import client_under

MOST_MISSES = 5
LEAD = (Role.clinical_lead,)
MISSES_COUNT_FOR = timedelta(hours=24)


class NobodyFound(Refusal):
    message = "Nobody is found under exactly this address or number. Please check every letter."


class TooManyMisses(Refusal):
    message = "Too many searches found nobody. Please ask the clinical lead, or wait a day."


class YourOwnRecord(Refusal):
    message = "This is your own record: you see it on your own pages."


class NotTheirsToDelay(Refusal):
    message = "The notice can wait for 30 days after the opening at most, and not into the past."


class AlreadyDecided(WrongState):
    message = "Somebody has answered this meanwhile, or its day is over."


def ask(
    session: Session, text: str, reason: OpeningReason, words: str, actor: User, at: datetime
) -> EmergencyOpening:
    """Ask to open one client's record; a second person decides within a day.

    Asking again while it waits changes nothing. Raises NotAllowed, NobodyFound, TooManyMisses,
    YourOwnRecord.
    """
    if not asks(actor):
        raise NotAllowed
    client = _client(session, text, actor, at)
    if waiting := _waiting(session, client, actor, at):
        return waiting
    opening = _add(session, OpeningKind.ordinary, client, reason, words, actor, at)
    _record(session, opening, actor, at, "emergency.asked", reason=reason)
    tell_deciders(session, opening, at)
    return opening


def open_in_danger(
    session: Session, text: str, words: str, actor: User, at: datetime
) -> EmergencyOpening:
    """A duty clinician opens at once; the clinical lead reviews it within a day.

    Pressed twice it is one opening. Raises NotAllowed, NobodyFound, TooManyMisses, YourOwnRecord.
    """
    if not actor.has(Role.duty_clinician):
        raise NotAllowed
    client = _client(session, text, actor, at)
    if running := _running(session, client, actor, at):
        return running
    reason = OpeningReason.danger
    opening = _add(session, OpeningKind.danger, client, reason, words, actor, at)
    # Until the review nobody knows whether telling at once would put somebody in danger.
    opening.opened_at, opening.notice_due_at = at, opening.review_due_at
    session.flush()
    _record(session, opening, actor, at, "emergency.opened", reason=reason, kind=opening.kind)
    tell_leads(session, opening, at, "opened")
    return opening


def decide(
    session: Session,
    opening: EmergencyOpening,
    *,
    approved: bool,
    words: str,
    actor: User,
    at: datetime,
) -> None:
    """The second person's answer; with a yes the hour begins and the client is told.

    Raises NotAllowed for the asker and for the client; SecondPersonNeeded for somebody who counts
    as the asker; AlreadyDecided when it was answered or a day has passed.
    """
    _lock(session, opening)
    if not actor.has(*MAY_DECIDE) or actor.id in (opening.asked_by_id, opening.client.user_id):
        raise NotAllowed
    require_two(session, opening.asked_by, actor, at, asks_as=MAY_ASK, answers_as=MAY_DECIDE)
    if opening.is_danger or opening.stage(at) is not Stage.waiting:
        raise AlreadyDecided
    opening.decision = OpeningDecision(user=actor, at=at, approved=approved, words=words)
    _flush_first(session, "opening_decisions")
    _record(session, opening, actor, at, "emergency.approved" if approved else "emergency.refused")
    if approved:
        _begin(session, opening, at)
    tell_reader(session, opening, at)


def end_early(session: Session, opening: EmergencyOpening, actor: User, at: datetime) -> None:
    """The reader has seen enough; raises WrongState when it is not open."""
    _lock(session, opening)
    if opening.asked_by_id != actor.id or opening.stage(at) is not Stage.open:
        raise WrongState
    opening.ended_at = at
    session.flush()
    _record(session, opening, actor, at, "emergency.ended")


def review(
    session: Session,
    opening: EmergencyOpening,
    *,
    justified: bool,
    words: str,
    actor: User,
    at: datetime,
) -> None:
    """The clinical lead's word on an opening in danger; the client is told unless it is delayed.

    Raises NotAllowed for the one who opened it and for the client, SecondPersonNeeded for somebody
    who counts as the one who opened it, AlreadyDecided the second time.
    """
    _lock(session, opening)
    _require_lead(session, opening, actor, at)
    if not opening.wants_review:
        raise AlreadyDecided
    opening.review = OpeningReview(user=actor, at=at, justified=justified, words=words)
    _flush_first(session, "opening_reviews")
    _record(session, opening, actor, at, "emergency.reviewed", justified=justified)
    if not opening.delays:
        tell(session, opening, at)


def delay_notice(
    session: Session,
    opening: EmergencyOpening,
    *,
    until: datetime,
    words: str,
    actor: User,
    at: datetime,
) -> None:
    """Tell the client only at `until`, with a reason; the last word counts.

    Raises NotAllowed as `review`, WrongState when they have been told, and NotTheirsToDelay for a
    date that is past or more than thirty days after the opening.
    """
    _lock(session, opening)
    _require_lead(session, opening, actor, at)
    if opening.told_at is not None:
        raise WrongState
    if not at < until <= opening.latest_notice:
        raise NotTheirsToDelay
    opening.delays.append(NoticeDelay(user=actor, at=at, until=until, words=words))
    opening.notice_due_at = until
    session.flush()
    _record(session, opening, actor, at, "emergency.notice_delayed", until=until.isoformat())


def tell(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    """Tell the client, once: a neutral mail, and the entry on their own pages from now on.

    Nothing is written down of somebody whose account is closed: they have no page to be told on.
    """
    if opening.told_at is not None or opening.client.user.is_disabled:
        return
    _note_told(session, opening, at)
    tell_client(session, opening, at)


def tell_on_leaving(session: Session, client: Client, at: datetime) -> list[EmergencyOpening]:
    """What a client who is about to be erased is to be told with the goodbye, the oldest first.

    Those whose notice the clinical lead has put off beyond `at` are left out, and never told.
    """
    untold = sa.select(EmergencyOpening).where(
        EmergencyOpening.client_id == client.id,
        EmergencyOpening.opened_at.is_not(None),
        EmergencyOpening.told_at.is_(None),
    )
    in_order = untold.order_by(EmergencyOpening.opened_at, EmergencyOpening.id)
    locked = session.scalars(in_order.with_for_update(of=EmergencyOpening)).all()
    told = [opening for opening in locked if not opening.notice_is_put_off(at)]
    for opening in told:
        _note_told(session, opening, at)
    return told


def _note_told(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    opening.told_at = opening.notice_due_at = at
    session.flush()
    _record(session, opening, None, at, "emergency.told")


def _begin(session: Session, opening: EmergencyOpening, at: datetime) -> None:
    opening.opened_at = opening.notice_due_at = at
    session.flush()
    _record(session, opening, opening.asked_by, at, "emergency.opened", reason=opening.reason)
    tell(session, opening, at)


def _client(session: Session, text: str, actor: User, at: datetime) -> Client:
    """Whom it is about. Every search that finds nobody counts: this page must not be guessed at."""
    if _misses(session, actor, at) >= MOST_MISSES:
        raise TooManyMisses
    client = client_under(session, text)
    if client is None:
        raise NobodyFound
    if client.user_id == actor.id:
        raise YourOwnRecord
    return client


def note_miss(session: Session, actor: User, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action="emergency.not_found",
        subject_kind="user",
        subject_id=actor.public_id,
        actor_id=actor.public_id,
        actor_role=_role_of(actor),
    )


def _misses(session: Session, actor: User, at: datetime) -> int:
    counted = sa.select(sa.func.count()).where(
        AuditEntry.action == "emergency.not_found",
        AuditEntry.actor_id == actor.public_id,
        AuditEntry.at > at - MISSES_COUNT_FOR,
    )
    return session.scalar(counted) or 0


def _waiting(
    session: Session, client: Client, actor: User, at: datetime
) -> EmergencyOpening | None:
    return _latest_in(session, client, actor, at, OpeningKind.ordinary, Stage.waiting)


def _running(
    session: Session, client: Client, actor: User, at: datetime
) -> EmergencyOpening | None:
    return _latest_in(session, client, actor, at, OpeningKind.danger, Stage.open)


def _latest_in(
    session: Session, client: Client, actor: User, at: datetime, kind: OpeningKind, stage: Stage
) -> EmergencyOpening | None:
    theirs = sa.select(EmergencyOpening).where(
        EmergencyOpening.client_id == client.id,
        EmergencyOpening.asked_by_id == actor.id,
        EmergencyOpening.kind == kind,
    )
    latest = session.scalars(theirs.order_by(EmergencyOpening.id.desc()).limit(1)).first()
    return latest if latest is not None and latest.stage(at) is stage else None


def _add(
    session: Session,
    kind: OpeningKind,
    client: Client,
    reason: OpeningReason,
    words: str,
    actor: User,
    at: datetime,
) -> EmergencyOpening:
    opening = EmergencyOpening(
        kind=kind,
        client=client,
        asked_by=actor,
        asked_as=Role.duty_clinician if kind is OpeningKind.danger else _role_of(actor),
        asked_at=at,
        reason=reason,
        words=words,
    )
    session.add(opening)
    session.flush()
    return opening


def _require_lead(session: Session, opening: EmergencyOpening, actor: User, at: datetime) -> None:
    is_lead = actor.has(Role.clinical_lead)
    if not (opening.is_danger and is_lead):
        raise NotAllowed
    if actor.id in (opening.asked_by_id, opening.client.user_id):
        raise NotAllowed
    require_two(session, opening.asked_by, actor, at, asks_as=MAY_ASK, answers_as=LEAD)


def _lock(session: Session, opening: EmergencyOpening) -> None:
    session.refresh(opening, with_for_update={"of": EmergencyOpening})


def _flush_first(session: Session, table: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if table in str(error.orig):
            raise AlreadyDecided from error
        raise


def _role_of(actor: User) -> str:
    """In which role somebody asks: a clinical one before that of an administrator."""
    clinical_first = sorted(MAY_ASK, key=lambda role: role is Role.administrator)
    return next((role.value for role in clinical_first if actor.has(role)), "")


def _record(
    session: Session,
    opening: EmergencyOpening,
    actor: User | None,
    at: datetime,
    action: str,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="emergency_opening",
        subject_id=opening.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=_acting_as(opening, actor),
        client_id=opening.client.public_id,
        **details,
    )


def _acting_as(opening: EmergencyOpening, actor: User | None) -> str:
    if actor is None:
        return ""
    if actor.id == opening.asked_by_id:
        return opening.asked_as
    return Role.clinical_lead if actor.has(Role.clinical_lead) else Role.administrator
