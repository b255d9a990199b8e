"""What the clients of an invented clinic were shown, and the weights it was shown by."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

import matching
from core.database import db, unit_of_work
from practice.accounts.models import Client, User
from practice.intake.models import Intake
from practice.intake.queries import answers_of
from practice.matches.market import weighing
from practice.matches.market.index import client_values, market_at
from practice.matches.models import WeightsVersion
from practice.matches.operations import ensure_weights, keep_proposal
from practice.matches.search import SHOWN

BEGAN = timedelta(days=400)
CHANGED = timedelta(days=120)
REASON = (
    "In the spring survey most people who stopped looking said that no time suited them. Hours "
    "count more, and the way of working a little less."
)
SECOND = {**matching.DEFAULT_WEIGHTS.by_factor, "hours": 180, "style": 50}
MINUTES_TO_THE_LIST = timedelta(minutes=3)


def decide_weights(session: Session, administrator: User, at: datetime) -> None:
    """Two versions: the one that the clinic began with, and one that an administrator decided."""
    ensure_weights(session, at - BEGAN)
    weighing.publish(session, SECOND, REASON, administrator, at - CHANGED, after=1)


def show_lists(at: datetime) -> None:
    """To each client who has finished the questions, by the weights of that day."""
    with unit_of_work() as session:
        weights = list(_weights())
        for client, intake in _finished(session):
            shown_at = intake.submitted_at + MINUTES_TO_THE_LIST
            then = next(one for since, one in weights if since <= shown_at)
            _show(session, client, intake, then, shown_at, at)


def _weights() -> Iterator[tuple[datetime, matching.Weights]]:
    """The newest first, with the instant from which they counted."""
    newest_first = sa.select(WeightsVersion).order_by(WeightsVersion.version.desc())
    for row in db.session.scalars(newest_first):
        yield row.decided_at, matching.Weights.from_mapping(row.version, row.weights)


def _finished(session: Session) -> Iterator[tuple[Client, Intake]]:
    submitted = sa.select(Intake).where(Intake.submitted_at.is_not(None)).order_by(Intake.id)
    loaded = submitted.options(joinedload(Intake.client), joinedload(Intake.answers))
    for intake in session.scalars(loaded).unique():
        yield intake.client, intake


def _show(
    session: Session,
    client: Client,
    intake: Intake,
    weights: matching.Weights,
    shown_at: datetime,
    at: datetime,
) -> None:
    values = client_values(client, answers_of(intake), shown_at)
    with market_at(at, client.place).held() as index:
        found = index.rank(values, weights, SHOWN).results
        shown = [index.therapist(match.id) for match in found]
    if shown:
        keep_proposal(session, client, values, shown, weights, shown_at)
