"""The clinic's switch and a therapist's own agreement.

Each takes the actor and the instant, records the act and flushes; the caller commits. The market
notices by itself (`matches.changes`), so both count in every process with the next page.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import Refusal, WrongState
from practice.accounts.models import Role, User
from practice.accounts.neutral_mail import say_something_waits
from practice.accounts.two_people import able_holders, require_two
from practice.matches.market.track_record import (
    TrackRecord,
    TrackRecordAgreement,
    TrackRecordDecision,
    TrackRecordReport,
    TrackRecordStep,
    newest_decision,
    newest_report,
)
from practice.outcomes.gate import obstacles
from practice.therapists.models import Therapist

GOOD_FOR = timedelta(days=7)
PAGE = "/oversight/track-record"


class NotGoodEnough(Refusal):
    message = "The last count is not good enough for that. What stands against it is on this page."


class NothingProposed(WrongState):
    message = "Nothing waits for an answer any more. Please look at how it stands now."


class AlreadyProposed(WrongState):
    message = "It is on already, or proposed already. Please look at how it stands now."


class NotOn(WrongState):
    message = "Track record is off already."


def is_proposed(decision: TrackRecordDecision | None, at: datetime) -> bool:
    """Whether it waits for a second person; a proposal lapses after a week."""
    if decision is None or decision.step is not TrackRecordStep.proposed:
        return False
    return at - decision.decided_at < GOOD_FOR


def propose(session: Session, reason: str, actor: User, at: datetime) -> TrackRecordDecision:
    """The clinical lead asks to turn it on. Raises NotGoodEnough or AlreadyProposed."""
    one_at_a_time(session)
    newest = newest_decision(session)
    if is_proposed(newest, at) or (newest and newest.step is TrackRecordStep.turned_on):
        raise AlreadyProposed
    report = _good_report(session, at)
    decision = _decide(session, TrackRecordStep.proposed, reason, report, actor, at)
    _tell(session, Role.administrator, decision, at)
    return decision


def agree(session: Session, actor: User, at: datetime) -> TrackRecordDecision:
    """An administrator, the second person, turns it on.

    Raises NothingProposed, NotGoodEnough, and SecondPersonNeeded for one hand in two roles.
    """
    proposal = _proposal(session, at)
    assert proposal.decided_by is not None
    require_two(session, proposal.decided_by, actor, at, asks_as=(Role.clinical_lead,))
    report = _good_report(session, at)
    return _decide(session, TrackRecordStep.turned_on, proposal.reason, report, actor, at)


def refuse(session: Session, actor: User, at: datetime) -> TrackRecordDecision:
    """An administrator does not agree, or the lead takes it back. Raises NothingProposed."""
    proposal = _proposal(session, at)
    return _decide(session, TrackRecordStep.refused, proposal.reason, proposal.report, actor, at)


def turn_off(session: Session, reason: str, actor: User, at: datetime) -> TrackRecordDecision:
    """One person is enough. Raises NotOn."""
    one_at_a_time(session)
    newest = newest_decision(session)
    if newest is None or newest.step is not TrackRecordStep.turned_on:
        raise NotOn
    return _decide(session, TrackRecordStep.turned_off, reason, newest.report, actor, at)


def turn_itself_off(
    session: Session, report: TrackRecordReport, against: Iterable[str], at: datetime
) -> None:
    """A count that is not good enough must not decide anything meanwhile."""
    reason = " ".join(against)
    decision = _decide(session, TrackRecordStep.turned_off, reason, report, None, at)
    _tell(session, Role.clinical_lead, decision, at)


def consent(session: Session, therapist: Therapist, actor: User, at: datetime) -> None:
    """A therapist agrees, for themselves; what is known is worked out with the next count.

    Of two at once, the second finds that it is done.
    """
    if standing_agreement(session, therapist) is not None:
        return
    try:
        with session.begin_nested():
            session.add(TrackRecordAgreement(therapist_id=therapist.id, agreed_at=at))
    except IntegrityError:
        return
    _record_agreement(session, "track_record.agreed", therapist, actor, at)


def take_back(session: Session, therapist: Therapist, actor: User, at: datetime) -> None:
    """From the next page on nothing of theirs counts, and what was worked out is deleted.

    A count that is keeping its figures is waited for, so that none is left behind.
    """
    one_at_a_time(session)
    agreement = standing_agreement(session, therapist)
    if agreement is None:
        return
    agreement.taken_back_at = at
    known = sa.select(TrackRecord).where(TrackRecord.therapist_id == therapist.id)
    for row in session.scalars(known):
        session.delete(row)
    _record_agreement(session, "track_record.taken_back", therapist, actor, at)


def standing_agreement(session: Session, therapist: Therapist) -> TrackRecordAgreement | None:
    return session.scalars(
        sa.select(TrackRecordAgreement).where(
            TrackRecordAgreement.therapist_id == therapist.id,
            TrackRecordAgreement.taken_back_at.is_(None),
        )
    ).first()


def _good_report(session: Session, at: datetime) -> TrackRecordReport:
    report = newest_report(session)
    if report is None or obstacles(report, at):
        raise NotGoodEnough
    return report


def _proposal(session: Session, at: datetime) -> TrackRecordDecision:
    one_at_a_time(session)
    newest = newest_decision(session)
    if newest is None or not is_proposed(newest, at):
        raise NothingProposed
    return newest


def one_at_a_time(session: Session) -> None:
    """The newest row says how it stands, so nobody may add one unseen meanwhile.

    A count holds it as well while it keeps its figures: nobody turns it on by the count before, and
    nobody takes their agreement back between its look at it and the figures.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("track record"))))


def _decide(
    session: Session,
    step: TrackRecordStep,
    reason: str,
    report: TrackRecordReport | None,
    actor: User | None,
    at: datetime,
) -> TrackRecordDecision:
    decision = TrackRecordDecision(
        step=step, reason=reason, report=report, decided_by=actor, decided_at=at
    )
    session.add(decision)
    session.flush()
    audit.record(
        session,
        at=at,
        action=f"track_record.{step}",
        subject_kind="track_record_decision",
        subject_id=decision.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=actor.main_role if actor else "",
    )
    return decision


def _tell(session: Session, role: Role, decision: TrackRecordDecision, at: datetime) -> None:
    for person in session.scalars(able_holders(role)).all():
        if person.id != decision.decided_by_id:
            about = f"track record:{decision.public_id}"
            say_something_waits(session, person, at, path=PAGE, about=about)


def _record_agreement(
    session: Session, action: str, therapist: Therapist, actor: User, at: datetime
) -> None:
    session.flush()
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="therapist",
        subject_id=therapist.public_id,
        actor_id=actor.public_id,
        actor_role=Role.therapist,
    )
