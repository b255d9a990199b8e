"""Reads of intakes, assessments and flags, shaped for pages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core.database import db
from practice.accounts.models import Client, User
from practice.intake.models import Assessment, FlagOutcome, Intake, IntakeAnswer, RiskFlag
from practice.intake.pages import BY_KEY
from practice.intake.policy import flags_visible_to, intakes_of, is_waiting

PAGE_SIZE = 20
# The questionnaires ask about two weeks, so an item's answer is carried over only that long.
RECALL = timedelta(weeks=2)


def open_intake(client: Client) -> Intake | None:
    """The run that is not submitted yet; a client has at most one."""
    return db.session.scalars(intakes_of(client).where(Intake.submitted_at.is_(None))).first()


def latest_submitted(client: Client) -> Intake | None:
    newest = intakes_of(client).where(Intake.submitted_at.is_not(None))
    return db.session.scalars(
        newest.order_by(Intake.submitted_at.desc(), Intake.id.desc()).limit(1)
    ).first()


def latest_submitted_of(client_ids: Collection[int]) -> dict[int, Intake]:
    """By client, with the answers: two queries for all of them."""
    theirs = sa.select(Intake).where(
        Intake.client_id.in_(client_ids), Intake.submitted_at.is_not(None)
    )
    newest_last = theirs.order_by(Intake.submitted_at, Intake.id)
    found = db.session.scalars(newest_last.options(selectinload(Intake.answers)))
    return {intake.client_id: intake for intake in found}


def submitted_before(intake: Intake) -> Intake | None:
    """The finished run that this finished one took the place of."""
    earlier = intakes_of(intake.client).where(
        sa.tuple_(Intake.submitted_at, Intake.id) < sa.tuple_(intake.submitted_at, intake.id)
    )
    return db.session.scalars(
        earlier.order_by(Intake.submitted_at.desc(), Intake.id.desc()).limit(1)
    ).first()


def answers_of(intake: Intake | None) -> dict[str, Any]:
    """{page key: value}; a skipped page has None, one not reached is missing. Shapes: `pages`."""
    return {answer.page: answer.value for answer in intake.answers} if intake else {}


def answers_to_show(client: Client, at: datetime) -> dict[str, Any]:
    """The answers of the open run, or those that a new one would start from."""
    if intake := open_intake(client):
        return answers_of(intake)
    return {answer.page: answer.value for answer in answers_that_still_hold(client, at)}


def answers_that_still_hold(client: Client, at: datetime) -> list[IntakeAnswer]:
    """What was said last time, save items about a fortnight that has passed since."""
    earlier = latest_submitted(client)
    return [answer for answer in earlier.answers if _still_holds(answer, at)] if earlier else []


def _still_holds(answer: IntakeAnswer, at: datetime) -> bool:
    page = BY_KEY.get(answer.page)
    return page is not None and (not page.instrument or at - answer.answered_at < RECALL)


def latest_assessments(client_ids: Collection[int]) -> dict[int, dict[str, Assessment]]:
    """{client id: {instrument code: the newest assessment}} in one query; every id is a key."""
    latest: dict[int, dict[str, Assessment]] = {client_id: {} for client_id in client_ids}
    for assessment in db.session.scalars(_newest_of_each(client_ids)):
        latest[assessment.client_id][assessment.instrument] = assessment
    return latest


def _newest_of_each(client_ids: Collection[int]) -> sa.Select[Assessment]:
    rank = (
        sa.func.row_number()
        .over(
            partition_by=(Assessment.client_id, Assessment.instrument),
            order_by=(Assessment.taken_at.desc(), Assessment.id.desc()),
        )
        .label("rank")
    )
    ranked = sa.select(Assessment.id, rank).where(Assessment.client_id.in_(client_ids)).subquery()
    return (
        sa.select(Assessment).join(ranked, ranked.c.id == Assessment.id).where(ranked.c.rank == 1)
    )


def newest_flag_of(intake: Intake) -> RiskFlag | None:
    raised = sa.select(RiskFlag).where(RiskFlag.intake_id == intake.id)
    newest = raised.order_by(RiskFlag.raised_at.desc(), RiskFlag.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def open_flag_of(client: Client) -> RiskFlag | None:
    """The newest flag about this client that nobody has closed."""
    theirs = sa.select(RiskFlag).where(RiskFlag.client_id == client.id, is_waiting())
    return db.session.scalars(theirs.order_by(RiskFlag.raised_at.desc()).limit(1)).first()


def open_flags(user: User) -> list[RiskFlag]:
    """Those that wait, the oldest first."""
    waiting = flags_visible_to(user).where(is_waiting())
    return list(db.session.scalars(waiting.order_by(RiskFlag.raised_at, RiskFlag.id)))


def open_flag_count(user: User) -> int:
    waiting = flags_visible_to(user).where(is_waiting()).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting)) or 0


@dataclass(frozen=True)
class HandledFlags:
    """One page of closed flags, the last closed first; `number` counts pages from 1."""

    flags: list[RiskFlag]
    number: int
    pages: int


def handled_flags(user: User, number: int) -> HandledFlags:
    closed = flags_visible_to(user).join(FlagOutcome, FlagOutcome.flag_id == RiskFlag.id)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(closed.subquery())) or 0
    pages = max(1, -(-count // PAGE_SIZE))
    number = min(max(1, number), pages)
    rows = closed.order_by(FlagOutcome.at.desc(), RiskFlag.id.desc())
    flags = db.session.scalars(rows.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return HandledFlags(list(flags), number, pages)
