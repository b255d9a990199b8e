"""What outcomes say of therapists: whether the clinic lets it count, who agreed, and the figures.

It counts only while the newest decision has turned it on and the last count is not too old, and
only for therapists whose agreement stands. Everybody else is unknown, whatever the reason: the
same figures for who has not agreed, who has too few cases and who is new, so that nothing on a
client's page tells them apart.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

import matching
from core.database import Base, Identified, Json, db, enum_column
from core.encryption import Erased, Realm, Unreadable, sealed_json
from core.logs import log
from practice.accounts.models import User
from practice.matches.market.domains import DOMAINS
from practice.matches.record_figures import check, check_count, counting_of
from practice.therapists.models import Therapist

ByDomain = Mapping[str, matching.Record]
# The worker counts once a day; an older count says that it does not, and may hold who left since.
COUNT_IS_GOOD_FOR = timedelta(days=3)


class TrackRecordStep(enum.StrEnum):
    """`proposed` waits for a second person; a `turned_off` by nobody was done by the count."""

    proposed = "proposed"
    turned_on = "turned_on"
    refused = "refused"
    turned_off = "turned_off"

    @property
    def label(self) -> str:
        return STEP_LABELS[self]


STEP_LABELS = {
    TrackRecordStep.proposed: "Proposed to turn it on",
    TrackRecordStep.turned_on: "Turned on",
    TrackRecordStep.refused: "Not turned on",
    TrackRecordStep.turned_off: "Turned off",
}


class TrackRecordReport(Identified, Base):
    """One count of how cases went. `figures` are sums over all therapists, nobody's own.

    Shape: the fields of `matching.learning.calibrating.Calibration` and its verdict, `slope`,
    `between`, `therapists` with cases, and `bonus`, what somebody unknown is given, in thousandths.
    """

    __tablename__ = "track_record_reports"

    made_at: Mapped[datetime] = mapped_column(index=True)
    since: Mapped[datetime]
    cases: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)


class TrackRecordDecision(Identified, Base):
    """A step of the clinic's switch. The newest says how it stands; rows are only added."""

    __tablename__ = "track_record_decisions"

    step: Mapped[TrackRecordStep] = enum_column(TrackRecordStep)
    reason: Mapped[str] = mapped_column(sa.Text)
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("track_record_reports.id"))
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    report: Mapped[TrackRecordReport | None] = relationship()
    decided_by: Mapped[User | None] = relationship(lazy="joined")


class TrackRecordAgreement(Identified, Base):
    """A therapist's own agreement, from when until when; one stands at most."""

    __tablename__ = "track_record_agreements"
    __table_args__ = (
        sa.Index(
            "uq_track_record_agreements_standing",
            "therapist_id",
            unique=True,
            sqlite_where=sa.text("taken_back_at IS NULL"),
            postgresql_where=sa.text("taken_back_at IS NULL"),
        ),
    )

    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"))
    agreed_at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]


class TrackRecord(Identified, Base):
    """What the last count says of one therapist who agreed. `figures`: `outcomes.learning`."""

    __tablename__ = "track_records"

    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), unique=True)
    made_at: Mapped[datetime]

    figures = sealed_json(Realm.account, owner="therapist.user")

    therapist: Mapped[Therapist] = relationship()


def newest_decision(session: Session) -> TrackRecordDecision | None:
    newest = sa.select(TrackRecordDecision).order_by(TrackRecordDecision.id.desc()).limit(1)
    return session.scalars(newest).first()


def newest_report(session: Session) -> TrackRecordReport | None:
    newest = sa.select(TrackRecordReport).order_by(TrackRecordReport.id.desc()).limit(1)
    return session.scalars(newest).first()


def is_on(session: Session) -> bool:
    newest = sa.select(TrackRecordDecision.step).order_by(TrackRecordDecision.id.desc()).limit(1)
    return session.scalar(newest) is TrackRecordStep.turned_on


def report_that_counts(session: Session, at: datetime) -> TrackRecordReport | None:
    """The last count, where outcomes count as it stands at `at`; else None.

    A count that is too old, or damaged, counts for nobody, whatever was decided, until there is a
    new one.
    """
    report = newest_report(session) if is_on(session) else None
    if report is None or is_too_old(report, at) or is_damaged(report):
        return None
    return report


def is_damaged(report: TrackRecordReport) -> bool:
    """It is logged: of what cannot be right nothing is believed."""
    try:
        check_count(report.figures)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log("outcomes.report_damaged", error=type(error))
        return True
    return False


def is_too_old(report: TrackRecordReport, at: datetime) -> bool:
    return at >= report.made_at + COUNT_IS_GOOD_FOR


def agrees() -> sa.ColumnElement[bool]:
    """Of `Therapist`: their own agreement stands."""
    return sa.exists().where(
        TrackRecordAgreement.therapist_id == Therapist.id,
        TrackRecordAgreement.taken_back_at.is_(None),
    )


@dataclass(frozen=True)
class Records:
    """By row id, for the engine; `until` (excluded) they are good, None where time changes none."""

    known: Mapping[int, ByDomain]
    unknown: ByDomain
    until: datetime | None

    def of(self, therapist_id: int) -> ByDomain:
        return self.known.get(therapist_id, self.unknown)


OFF = Records({}, {}, None)


def records_among(therapist_ids: sa.Select[int], at: datetime) -> Records:
    """One query while it is off, and nobody has any; else four."""
    session = db.session()
    report = report_that_counts(session, at)
    if report is None:
        return OFF
    unknown = unknown_record(report.figures["bonus"])
    wanted = sa.select(TrackRecord).join(TrackRecord.therapist).where(agrees())
    rows = session.scalars(wanted.where(TrackRecord.therapist_id.in_(therapist_ids))).all()
    opened = ((row.therapist_id, figures_of(row)) for row in rows)
    known = {row_id: {**unknown, **counting_of(each)} for row_id, each in opened if each}
    return Records(known, unknown, report.made_at + COUNT_IS_GOOD_FOR)


def unknown_record(bonus: int) -> dict[str, matching.Record]:
    """Of somebody of whom nothing may count: as all others, and worth getting to know."""
    return dict.fromkeys(DOMAINS, matching.Record(bonus=bonus))


def figures_of(row: TrackRecord) -> Mapping[str, Any] | None:
    """None for a damaged row, which is logged: one must not take everybody's matches away."""
    try:
        figures: Mapping[str, Any] = row.figures
        check(figures)
    except (Erased, Unreadable, AttributeError, KeyError, TypeError, ValueError) as error:
        log("outcomes.record_damaged", error=type(error))
        return None
    return figures
