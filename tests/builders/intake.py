"""Intakes, duty shifts and risk flags for tests, made as the operations make them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client, Role, User
from practice.intake import operations
from practice.intake.models import DutyShift, Intake, IntakeAnswer, RiskFlag
from tests.builders.accounts import make_client, make_user
from tests.builders.kept import kept
from tests.conftest import NOW

STORY = "I lie awake and cannot stop going over the same thing."

# A moderate sheet (10 and 7) without anything risky; every page answered.
ANSWERS: Mapping[str, Any] = {
    "story": STORY,
    "concerns": ["panic", "grief"],
    "concern-weights": {"panic": 3, "grief": 1},
    **{f"phq-9-{item}": answer for item, answer in enumerate((2, 2, 2, 1, 1, 1, 1, 0, 0), 1)},
    **{f"gad-7-{item}": 1 for item in range(1, 8)},
    "place": "US-WA",
    "birth-year": 1990,
    "languages": ["en"],
    "service": "individual",
    "format": ["online"],
    "payment": {"kind": "self-pay", "insurer": None, "budget": 20000, "currency": "USD"},
    "hours": {
        "zone": "America/Los_Angeles",
        "windows": ["tue 08:00-21:00", "thu 17:00-21:00"],
    },
    "wishes": {"gender": {"want": ["woman"], "strength": "would_like"}},
    "style": {"directive": 1, "warm": 2},
    "about-you": {"gender": ["woman"], "faith": ["none"]},
}

# Answers that do more than stand in the intake.
HEARD_ELSEWHERE = {"birth-year", "place", "hours", "phq-9-9"}


@kept
def make_intake(
    session: Session,
    client: Client | None = None,
    *,
    answers: Mapping[str, Any] = ANSWERS,
    submitted: bool = True,
    at: datetime = NOW,
    **pages: Any,
) -> Intake:
    """A client's intake with these answers; single pages by name, "_" for "-": `phq_9_9=2`."""
    client = client or make_client(session, at=at)
    named = {page.replace("_", "-"): value for page, value in pages.items()}
    intake = operations.begin(session, client, at)
    for page, value in {**answers, **named}.items():
        _answer(session, intake, page, value, at)
    session.flush()
    return operations.submit(session, client, at) if submitted else intake


def _answer(session: Session, intake: Intake, page: str, value: Any, at: datetime) -> None:
    """Write most answers down at once: the operation writes each by itself, which takes long."""
    earlier = [answer for answer in intake.answers if answer.page == page]
    if earlier or page in HEARD_ELSEWHERE:
        kept = operations.give(session, intake.client, page, value, at)
        assert kept is not None, "an intake of somebody younger than 18 is not kept"
    else:
        intake.answers.append(IntakeAnswer(page=page, value=value, answered_at=at))


@kept
def make_flag(
    session: Session, client: Client | None = None, *, answer: int = 2, at: datetime = NOW
) -> RiskFlag:
    """A flag raised by an otherwise empty, open intake."""
    intake = make_intake(session, client, answers={"phq-9-9": answer}, submitted=False, at=at)
    return session.scalars(sa.select(RiskFlag).where(RiskFlag.intake_id == intake.id)).one()


@kept
def make_duty_clinician(session: Session, **columns: Any) -> User:
    return make_user(session, **{"name": "Noor Haddad", "roles": (Role.duty_clinician,)} | columns)


@kept
def make_shift(
    session: Session,
    user: User | None = None,
    *,
    starts_at: datetime = NOW - timedelta(hours=1),
    ends_at: datetime = NOW + timedelta(hours=7),
    at: datetime = NOW,
) -> DutyShift:
    """A flushed shift around `NOW` unless given, of a duty clinician unless given."""
    shift = DutyShift(
        user=user or make_duty_clinician(session),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=at,
    )
    session.add(shift)
    session.flush()
    return shift
