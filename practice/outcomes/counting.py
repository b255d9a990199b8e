"""The daily count: read in the background, kept as figures of all, and of those who agreed.

Counting reads the scores of many people at once and shows nobody's. It is an act in the log each
time, with how many cases there were. Each count begins anew, so whoever took their consent back or
was forgotten is gone with the next one. A count that is not good enough turns the record off.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import record
from core.database import db, unit_of_work
from core.rounds import Asking, Round
from practice.accounts.models import Role, UserRole
from practice.matches.market.changes import change_everybody
from practice.matches.market.track_record import (
    TrackRecord,
    TrackRecordReport,
    agrees,
    is_on,
    newest_report,
)
from practice.outcomes.courses import Period, courses, has_any
from practice.outcomes.gate import obstacles
from practice.outcomes.learning import Learned
from practice.outcomes.operations import one_at_a_time, turn_itself_off
from practice.therapists.models import Therapist


def count(at: datetime) -> None:
    """Count, and keep the figures."""
    period = Period.at(at)
    try:
        learned = Learned.of(list(courses(period)))
    finally:
        db.session.rollback()
    with unit_of_work() as session:
        _keep(session, learned, period, at)


def _keep(session: Session, learned: Learned, period: Period, at: datetime) -> None:
    one_at_a_time(session)
    report = TrackRecordReport(
        made_at=at, since=period.since, cases=len(learned.cases), figures=learned.figures
    )
    session.add(report)
    _keep_of_therapists(session, learned, at)
    session.flush()
    if is_on(session):
        # What somebody unknown is given has changed as well.
        change_everybody(session)
        if against := obstacles(report, at):
            turn_itself_off(session, report, against, at)
    _record_count(session, report, at)


def _keep_of_therapists(session: Session, learned: Learned, at: datetime) -> None:
    """Only of those who agreed and still are therapists; what was kept of anybody else goes."""
    wanted = sa.select(Therapist).where(agrees(), Therapist.id.in_(learned.therapists))
    is_one = sa.exists().where(
        UserRole.user_id == Therapist.user_id, UserRole.role == Role.therapist
    )
    agreed = {therapist.id: therapist for therapist in session.scalars(wanted.where(is_one))}
    kept = {row.therapist_id: row for row in session.scalars(sa.select(TrackRecord))}
    for therapist_id in kept.keys() - agreed.keys():
        session.delete(kept[therapist_id])
    for therapist_id, therapist in agreed.items():
        row = kept.get(therapist_id) or TrackRecord(therapist=therapist)
        row.made_at, row.figures = at, learned.of_therapist(therapist_id)
        session.add(row)


def _record_count(session: Session, report: TrackRecordReport, at: datetime) -> None:
    record(
        session,
        at=at,
        action="track_record.counted",
        subject_kind="track_record_report",
        subject_id=report.public_id,
        actor_id=None,
        number=report.cases,
    )


def _last_done(session: Session) -> datetime | None:
    last = newest_report(session)
    return last.made_at if last else None


def _is_anything(session: Session, at: datetime) -> bool:
    """From when there is anything to count until nothing is left of it."""
    last = newest_report(session)
    return has_any(Period.at(at)) or (last is not None and last.cases > 0)


COUNT = Round(
    "outcomes.count",
    count,
    _last_done,
    _is_anything,
    asking=Asking("track_record.count_asked", "track_record_report"),
)
