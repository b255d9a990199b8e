"""The audit of fairness: asked for or due once a day, counted in the background, kept as figures.

Counting reads the answers of many people at once and shows nobody's. It is an act in the log each
time, with how many were counted.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.alone import alone_at
from core.audit import record
from core.clock import now
from core.database import db, unit_of_work
from core.outbox import Elsewhere, is_open, post
from matching.auditing import FEWEST_PEOPLE, Audit, Comparison, Verdict, audit
from practice.accounts.models import User
from practice.intake.models import Intake
from practice.oversight.fairness_people import Period, placements
from practice.oversight.models import FairnessReport
from practice.oversight.policy import intakes_audited

COUNT = "oversight.fairness_count"
COUNT_EVERY = timedelta(days=1)
# One number for everybody, so that a count of the same people gives the same figures.
SEED = 1


@dataclass(frozen=True)
class Standing:
    """The last report, if any, and whether one is being counted."""

    report: FairnessReport | None
    is_being_counted: bool


def standing() -> Standing:
    session = db.session()
    return Standing(last_report(session), is_open(session, COUNT))


def ask_for_count(session: Session, actor: User, at: datetime) -> None:
    """Let the worker count; while it does there is nothing to add."""
    if is_open(session, COUNT):
        return
    _post(session, at)
    record(
        session,
        at=at,
        action="fairness.count_asked",
        subject_kind="fairness_report",
        subject_id=None,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
    )


def count_daily(at: datetime) -> None:
    """A sweep: once a day, from when there are people enough to say anything about a group."""
    try:
        is_due = _is_due(db.session(), at)
    finally:
        db.session.rollback()
    if is_due:
        with unit_of_work() as session:
            _post(session, at)


def count_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. A count may take longer than a lease, so one runs at a time."""
    with alone_at(COUNT) as is_alone:
        if not is_alone:
            raise Elsewhere
        if not _was_done_since(datetime.fromisoformat(payload["asked_at"])):
            count(now())


def count(at: datetime) -> None:
    """Count, and keep the figures; the act says how many people and how many alarms."""
    try:
        audited = audit(placements(Period.at(at), at), SEED)
    finally:
        db.session.rollback()
    with unit_of_work() as session:
        report = report_of(audited, at)
        session.add(report)
        session.flush()
        _record_count(session, report, len(audited.alarms), at)


def report_of(audited: Audit, at: datetime) -> FairnessReport:
    """What is kept of an audit: of a group that is kept back no figure at all."""
    period = Period.at(at)
    return FairnessReport(
        made_at=at,
        since=period.since,
        until=period.until,
        people=audited.people,
        figures={
            "tested": audited.tested,
            "comparisons": [_figures(each) for each in audited.comparisons],
        },
    )


def _record_count(session: Session, report: FairnessReport, alarms: int, at: datetime) -> None:
    record(
        session,
        at=at,
        action="fairness.counted",
        subject_kind="fairness_report",
        subject_id=report.public_id,
        actor_id=None,
        people=report.people,
        number=alarms,
    )


def last_report(session: Session) -> FairnessReport | None:
    newest = sa.select(FairnessReport).order_by(FairnessReport.id.desc()).limit(1)
    return session.scalars(newest).first()


def comparisons_of(report: FairnessReport) -> list[Comparison]:
    return [
        Comparison(**each | {"verdict": Verdict(each["verdict"])})
        for each in report.figures["comparisons"]
    ]


def _figures(one: Comparison) -> dict[str, Any]:
    """What is not known is left out."""
    return {name: value for name, value in asdict(one).items() if value is not None}


def _was_done_since(asked_at: datetime) -> bool:
    last = last_report(db.session())
    db.session.rollback()
    return last is not None and last.made_at >= asked_at


def _is_due(session: Session, at: datetime) -> bool:
    last = last_report(session)
    if last is not None and last.made_at > at - COUNT_EVERY:
        return False
    return _has_enough(session, at) and not is_open(session, COUNT)


def _has_enough(session: Session, at: datetime) -> bool:
    period = Period.at(at)
    some = intakes_audited(period.since, period.until).with_only_columns(Intake.id)
    return len(session.scalars(some.limit(FEWEST_PEOPLE)).all()) == FEWEST_PEOPLE


def _post(session: Session, at: datetime) -> None:
    asked_at = at.isoformat()
    post(session, COUNT, {"asked_at": asked_at}, dedupe_key=f"{COUNT}:{asked_at}", at=at)
