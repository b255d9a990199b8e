"""People on the waiting list, and proposals for them, made by the operations that people use."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client, Role, User
from practice.waiting import operations, runs
from practice.waiting.models import Placement, WaitingEntry, WaitingRun
from tests.builders.accounts import make_user
from tests.builders.kept import kept
from tests.builders.matches import make_seeker
from tests.conftest import NOW


@kept
def make_waiting(
    session: Session, name: str = "Sam", *, days: int = 10, at: datetime = NOW, **answers: Any
) -> Client:
    """A client in Washington who has waited for so many days; answers as `make_seeker`."""
    joined = at - timedelta(days=days)
    client = make_seeker(session, at=joined, **answers)
    client.preferred_name = name
    session.flush()
    operations.join(session, client, joined)
    return client


@kept
def make_lead(session: Session, name: str = "Constance Whitfield") -> User:
    return make_user(session, name=name, roles=(Role.clinical_lead,))


def make_run(session: Session, lead: User, at: datetime = NOW) -> WaitingRun:
    """A proposal that has been worked out; commits what the test has built."""
    run = runs.ask(session, lead, at)
    session.commit()
    runs.make(run.public_id, at)
    session.expire_all()
    return run


def entry_of(session: Session, client: Client) -> WaitingEntry:
    wanted = sa.select(WaitingEntry).where(WaitingEntry.client_id == client.id)
    return session.scalars(wanted.order_by(WaitingEntry.id.desc())).first()


def placement_of(session: Session, client: Client) -> Placement:
    wanted = sa.select(Placement).where(Placement.client_id == client.id)
    return session.scalars(wanted.order_by(Placement.id.desc())).first()
