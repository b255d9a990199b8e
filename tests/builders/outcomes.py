"""Courses of care for tests, in the real tables: sheets before and within an episode."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from practice.accounts.models import Client, User
from practice.care.models import Episode
from practice.consent.models import Purpose
from practice.intake.models import Assessment, Intake, IntakeAnswer
from practice.matches.market.track_record import (
    TrackRecord,
    TrackRecordAgreement,
    TrackRecordDecision,
    TrackRecordReport,
    TrackRecordStep,
)
from practice.therapists.models import Therapist
from tests.builders.accounts import make_client
from tests.builders.consent import make_signature
from tests.builders.kept import kept
from tests.conftest import NOW

BEGAN = NOW - timedelta(weeks=20)
HONEST = {
    "therapists": 40,
    "verdict": "honest",
    "chosen": 200,
    "predicted": 0.21,
    "actual": 0.2,
    "ratio": 1.05,
    "low": 0.8,
    "high": 1.5,
    "slope": -0.5,
    "between": 0.06,
    "bonus": 120,
}


@kept
def make_course(
    session: Session,
    therapist: Therapist,
    *,
    first: Mapping[str, int],
    last: Mapping[str, int],
    concerns: Mapping[str, int] | None = None,
    agrees: bool = True,
    client: Client | None = None,
    at: datetime = BEGAN,
) -> Episode:
    """Totals by instrument a day before the care began and twelve weeks later."""
    client = client or make_client(session, at=at)
    if agrees:
        make_signature(session, client, Purpose.learning, at=at)
    make_answers(session, client, concerns or {"panic": 3}, at=at - timedelta(days=1))
    make_sheets(session, client, first, at=at - timedelta(days=1))
    make_sheets(session, client, last, at=at + timedelta(weeks=12))
    episode = Episode(
        client=client,
        therapist=therapist,
        service="individual",
        place=client.place,
        opened_at=at,
    )
    session.add(episode)
    session.flush()
    return episode


@kept
def make_answers(
    session: Session, client: Client, concerns: Mapping[str, int], *, at: datetime
) -> Intake:
    intake = Intake(client=client, started_at=at, submitted_at=at)
    pages: dict[str, Any] = {"concerns": list(concerns), "concern-weights": dict(concerns)}
    intake.answers = [
        IntakeAnswer(page=page, value=value, answered_at=at) for page, value in pages.items()
    ]
    session.add(intake)
    session.flush()
    return intake


@kept
def make_sheets(
    session: Session, client: Client, totals: Mapping[str, int | None], *, at: datetime
) -> None:
    """One scored sheet an instrument; None is a sheet that is not complete."""
    for name, total in totals.items():
        status = "incomplete" if total is None else "complete"
        result = {"total": total, "band": None, "status": status, "risk": False}
        sheet = Assessment(
            client=client,
            instrument=name,
            instrument_version="1",
            taken_at=at,
            responses=[],
            result=result,
        )
        session.add(sheet)
    session.flush()


@kept
def make_report(
    session: Session, *, cases: int = 900, at: datetime = NOW, **figures: Any
) -> TrackRecordReport:
    """A count that is good enough, unless the test says otherwise."""
    report = TrackRecordReport(
        made_at=at, since=at - timedelta(days=1000), cases=cases, figures=HONEST | figures
    )
    session.add(report)
    session.flush()
    return report


@kept
def turn_on(session: Session, actor: User | None = None, *, at: datetime = NOW) -> None:
    """As two people have decided it, on a count that is good enough."""
    session.add(
        TrackRecordDecision(
            step=TrackRecordStep.turned_on,
            reason="We want to learn.",
            report=make_report(session, at=at),
            decided_by=actor,
            decided_at=at,
        )
    )
    session.flush()


@kept
def make_agreement(
    session: Session, therapist: Therapist, *, at: datetime = NOW
) -> TrackRecordAgreement:
    agreement = TrackRecordAgreement(therapist_id=therapist.id, agreed_at=at)
    session.add(agreement)
    session.flush()
    return agreement


@kept
def make_record(
    session: Session,
    therapist: Therapist,
    *,
    counting: Mapping[str, list[int]] | None = None,
    at: datetime = NOW,
    **figures: Any,
) -> TrackRecord:
    """What a count found of one therapist; `counting`: heading → score and bonus."""
    found = {
        "cases": 40,
        "severity": 0.62,
        "adjustment": 0.31,
        "overall": [0.18, 0.02, 0.34],
        "domains": {"worry": {"cases": 22, "effect": [0.2, -0.02, 0.42]}},
        "counting": counting or {"worry": [700, 60]},
    }
    row = TrackRecord(therapist=therapist, made_at=at, figures=found | figures)
    session.add(row)
    session.flush()
    return row
