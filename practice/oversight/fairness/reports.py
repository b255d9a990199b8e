"""The audit of fairness: asked for or due once a day, counted in the background, kept as figures.

Counting reads the answers of many people at once and shows nobody's. It is an act in the log each
time, with how many were counted.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import record
from core.database import db, unit_of_work
from core.rounds import Asking, Round
from matching.auditing import FEWEST_PEOPLE, Audit, Comparison, Verdict, audit
from practice.intake.models import Intake
from practice.oversight.fairness.people import Period, placements
from practice.oversight.models import FairnessReport
from practice.oversight.policy import intakes_audited

# One number for everybody, so that a count of the same people gives the same figures.
SEED = 1


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


def _has_enough(session: Session, at: datetime) -> bool:
    period = Period.at(at)
    some = intakes_audited(period.since, period.until).with_only_columns(Intake.id)
    return len(session.scalars(some.limit(FEWEST_PEOPLE)).all()) == FEWEST_PEOPLE


def _last_done(session: Session) -> datetime | None:
    last = last_report(session)
    return last.made_at if last else None


# From when there are people enough to say anything about a group.
COUNT = Round(
    "oversight.fairness_count",
    count,
    _last_done,
    _has_enough,
    asking=Asking("fairness.count_asked", "fairness_report"),
)
