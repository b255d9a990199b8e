"""How each therapist was found lately: counted in the background once a day, kept as figures.

Counting reads the answers of many people at once and shows nobody's. What is kept of it is rounded
down to tens, and of fewer than ten nothing is.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.alone import alone_at
from core.audit import record
from core.clock import now
from core.database import Base, Json, Key, db, unit_of_work
from core.outbox import Elsewhere, is_open, post
from practice.matches.reach_counting import Counted, counted
from practice.therapists.models import Therapist
from practice.therapists.queries import authorised

COUNT = "matches.reach_count"
COUNT_EVERY = timedelta(days=1)
# What is older says too little, and may still hold somebody who has left since.
GOOD_FOR = timedelta(days=3)


class ReachReport(Base):
    """What one therapist may read, as `reach_counting.Counted` shapes it: figures in tens."""

    __tablename__ = "reach_reports"

    id: Mapped[Key]
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), unique=True)
    made_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)


def report_of(therapist: Therapist, at: datetime) -> ReachReport | None:
    """Their own, unless it is too old to be shown."""
    own = sa.select(ReachReport).where(
        ReachReport.therapist_id == therapist.id, ReachReport.made_at > at - GOOD_FOR
    )
    return db.session.scalars(own).first()


def count_daily(at: datetime) -> None:
    """A sweep: once a day, as soon as there is somebody who can be found."""
    try:
        is_due = _is_due(db.session(), at)
    finally:
        db.session.rollback()
    if is_due:
        with unit_of_work() as session:
            asked_at = at.isoformat()
            post(session, COUNT, {"asked_at": asked_at}, dedupe_key=f"{COUNT}:{asked_at}", at=at)


def count_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. A count may take longer than a lease, so one runs at a time."""
    with alone_at(COUNT) as is_alone:
        if not is_alone:
            raise Elsewhere
        if not _was_done_since(datetime.fromisoformat(payload["asked_at"])):
            count(now())


def count(at: datetime) -> None:
    """Count, and put the figures of everybody in the place of those before."""
    try:
        found = counted(at)
    finally:
        db.session.rollback()
    with unit_of_work() as session:
        session.execute(sa.delete(ReachReport))
        if found.therapists:
            session.execute(sa.insert(ReachReport), [*_rows(found, at)])
        _record_count(session, found, at)


def _rows(found: Counted, at: datetime) -> Any:
    for therapist_id, figures in found.therapists.items():
        yield {"therapist_id": therapist_id, "made_at": at, "figures": figures}


def _record_count(session: Session, found: Counted, at: datetime) -> None:
    record(
        session,
        at=at,
        action="reach.counted",
        subject_kind="reach_report",
        subject_id=None,
        actor_id=None,
        people=found.people,
        number=len(found.therapists),
    )


def _was_done_since(asked_at: datetime) -> bool:
    last = _last_count(db.session())
    db.session.rollback()
    return last is not None and last >= asked_at


def _is_due(session: Session, at: datetime) -> bool:
    last = _last_count(session)
    if last is not None and last > at - COUNT_EVERY:
        return False
    somebody = authorised(at).with_only_columns(Therapist.id).limit(1)
    return session.scalar(somebody) is not None and not is_open(session, COUNT)


def _last_count(session: Session) -> datetime | None:
    newest = sa.select(ReachReport.made_at).order_by(ReachReport.made_at.desc()).limit(1)
    return session.scalar(newest)
