"""How each therapist was found lately: counted in the background every four weeks, kept as figures.

Counting reads the answers of many people at once and shows nobody's. What is kept of it has noise
in it and is rounded; each search counts in one count and no other.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.audit import last_act, record
from core.database import Base, Json, Key, db, unit_of_work
from core.rounds import Round
from practice.matches.reach.counting import PERIOD, Counted, Period, counted
from practice.therapists.models import Therapist
from practice.therapists.queries import authorised

COUNTED = "reach.weeks_counted"
# A week for a count that is late. What is older says too little, and may hold who left since.
GOOD_FOR = PERIOD + timedelta(weeks=1)


class ReachReport(Base):
    """What one therapist may read, as `reach_counting.Counted` shapes it: figures in tens."""

    __tablename__ = "reach_reports"

    id: Mapped[Key]
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), unique=True)
    made_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)

    @property
    def period(self) -> Period:
        return Period.at(self.made_at)


def report_of(therapist: Therapist, at: datetime) -> ReachReport | None:
    """Their own, unless it is too old to be shown."""
    own = sa.select(ReachReport).where(
        ReachReport.therapist_id == therapist.id, ReachReport.made_at > at - GOOD_FOR
    )
    return db.session.scalars(own).first()


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


def _rows(found: Counted, at: datetime) -> Iterator[dict[str, Any]]:
    for therapist_id, figures in found.therapists.items():
        yield {"therapist_id": therapist_id, "made_at": at, "figures": figures}


def _record_count(session: Session, found: Counted, at: datetime) -> None:
    record(
        session,
        at=at,
        action=COUNTED,
        subject_kind="reach_report",
        subject_id=None,
        actor_id=None,
        # As it is told: who reads the log learns no more of it than who reads the page.
        people=found.searches,
        number=len(found.therapists),
    )


def _last_done(session: Session) -> datetime | None:
    last = last_act(session, COUNTED)
    return last.at if last else None


def _is_of_an_older_period(done: datetime, at: datetime) -> bool:
    return Period.at(done) != Period.at(at)


def _is_anybody(session: Session, at: datetime) -> bool:
    """As soon as there is somebody who can be found."""
    somebody = authorised(at).with_only_columns(Therapist.id).limit(1)
    return session.scalar(somebody) is not None


# Nobody can ask for one: counted twice, the same searches would be told twice.
COUNT = Round("matches.reach_count", count, _last_done, _is_anybody, _is_of_an_older_period)
