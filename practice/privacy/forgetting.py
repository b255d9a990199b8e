"""The part of being forgotten that can be repeated: delete what may go, restrict what stays."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.erasures import erase
from core.keys import Realm
from practice.accounts.models import Client
from practice.privacy.deleting import (
    blank_traces,
    close_account,
    delete_the_person,
    delete_what_may_go,
)
from practice.privacy.keeping import Stays, is_held, stays_of
from practice.privacy.models import Because, ErasureRequest, Restriction

# What is sealed as part of the record, and its rows: while one of them stays, so does the key.
IN_THE_RECORD = frozenset(
    {"person", "scores", "flags", "requests", "care", "groups", "consents", "openings"}
)


def forget(session: Session, client: Client, request: ErasureRequest, at: datetime) -> bool:
    """Let go of all that need not stay at `at`; returns whether everything has gone."""
    stays = stays_of(session, client, at)
    close_account(session, client.user, at)
    if not is_held(session, client):
        delete_what_may_go(session, client, stays)
        _destroy_keys(session, client, stays, at)
    _restrict(session, client, stays, at)
    if not stays:
        request.complete_at = request.complete_at or at
        # Whoever kept the closed record has left lines in the log meanwhile.
        blank_traces(session, client, at)
        delete_the_person(session, client)
    session.flush()
    session.expire_all()
    return not stays


def _destroy_keys(session: Session, client: Client, stays: Stays, at: datetime) -> None:
    erase(session, client.public_id, Realm.personal, at)
    if not stays.keys("account"):
        erase(session, client.user.public_id, Realm.account, at)
    if not any(stays.keys(holding) for holding in IN_THE_RECORD):
        erase(session, client.public_id, Realm.record, at)


def _restrict(session: Session, client: Client, stays: Stays, at: datetime) -> None:
    """Write down what stays, once for each holding and reason, with its latest day."""
    theirs = sa.select(Restriction).where(Restriction.client_id == client.id)
    earlier = {(row.holding, row.because): row for row in session.scalars(theirs)}
    wanted = latest_days(stays)
    for key, row in earlier.items():
        if key not in wanted:
            session.delete(row)
    for (holding, because), until in wanted.items():
        row = earlier.get((holding, because))
        if row is None:
            row = Restriction(client_id=client.id, holding=holding, because=because, since=at)
            session.add(row)
        row.until = until
    session.flush()


def latest_days(stays: Stays) -> dict[tuple[str, Because], datetime | None]:
    """{(holding, why): the last day of any of its rows}; None while an event is waited for."""
    latest: dict[tuple[str, Because], datetime | None] = {}
    for holding, stay in stays.all():
        key = (holding, stay.because)
        known = latest.get(key, stay.until)
        both = known is not None and stay.until is not None
        latest[key] = max(known, stay.until) if both else None  # type: ignore[type-var]
    return latest
