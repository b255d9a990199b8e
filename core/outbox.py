"""Work that must happen because a transaction committed: at least once, each kind by its handler.

A row is written in the transaction; a worker leases it, carries it out and marks it done. A
failure waits longer each time and, after `MOST_ATTEMPTS`, is set aside for a person to look at.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from core.database import Base, Identified, db, unit_of_work
from core.encryption import Realm, sealed_json
from core.logs import log, where

LEASE = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
MOST_ATTEMPTS = 12
WITHDRAWN = "Withdrawn"

Handler = Callable[[dict[str, Any]], None]


class Elsewhere(Exception):
    """A handler says that another worker is at this very work and has outlived its lease.

    It is looked at again a lease later, and counts as no attempt.
    """


class OutboxMessage(Identified, Base):
    """One piece of work. `payload` holds ids and addresses, never clinical content.

    It is sealed, and forgotten when the work is done.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (sa.Index("ix_outbox_messages_waiting", "done_at", "dead_at", "due_at"),)

    kind: Mapped[str] = mapped_column(sa.String(60))
    dedupe_key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    posted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    lease: Mapped[uuid.UUID | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(sa.String(200), default="")

    payload = sealed_json(Realm.system, owner=None, empty=dict)


def post(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    dedupe_key: str,
    at: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Add work to the running transaction; a second post with the same key adds nothing.

    Says whether it was added.
    """
    session.flush()
    known = sa.select(OutboxMessage.id).where(OutboxMessage.dedupe_key == dedupe_key)
    if session.scalar(known) is not None:
        return False
    message = OutboxMessage(
        kind=kind, payload=payload, dedupe_key=dedupe_key, posted_at=at, due_at=due_at or at
    )
    # Somebody else may have posted it since: their row is as good as ours.
    with suppress(IntegrityError):
        with session.begin_nested():
            session.add(message)
        return True
    return False


def post_next(
    session: Session, kind: str, payload: dict[str, Any], *, after: int, at: datetime
) -> bool:
    """Add the one piece of work that follows number `after` of its kind; says whether it did.

    Whoever decides reads `newest` first and then whether anything is to be done. So of two who
    decide so at once only one adds it, whatever the database lets them see of each other.
    """
    return post(session, kind, payload, dedupe_key=f"{kind}:after:{after}", at=at)


def post_alone(session: Session, kind: str, payload: dict[str, Any], at: datetime) -> bool:
    """Add work of a kind of which one is open at a time; says whether it did."""
    after = newest(session, kind)
    return not is_open(session, kind) and post_next(session, kind, payload, after=after, at=at)


def newest(session: Session, kind: str) -> int:
    """The number of the newest work of this kind, 0 before the first."""
    numbers = sa.select(OutboxMessage.id).where(OutboxMessage.kind == kind)
    return session.scalars(numbers.order_by(OutboxMessage.id.desc()).limit(1)).first() or 0


def is_open(session: Session, kind: str) -> bool:
    """Whether work of this kind is asked for: neither done nor set aside."""
    asked_for = sa.select(OutboxMessage.id).where(
        OutboxMessage.kind == kind,
        OutboxMessage.done_at.is_(None),
        OutboxMessage.dead_at.is_(None),
    )
    return session.scalars(asked_for.limit(1)).first() is not None


def failed_at(session: Session, kind: str) -> datetime | None:
    """When the newest work of this kind was asked for that failed and was not done since.

    It waits to be tried again, or is set aside.
    """
    failed = sa.select(OutboxMessage.posted_at).where(
        OutboxMessage.kind == kind,
        OutboxMessage.done_at.is_(None),
        OutboxMessage.last_error != "",
    )
    return session.scalars(failed.order_by(OutboxMessage.id.desc()).limit(1)).first()


def was_given_up(session: Session, dedupe_key: str) -> bool:
    """Whether this work was tried too often and set aside, so that nobody does it any more."""
    dead = sa.select(OutboxMessage.id).where(
        OutboxMessage.dedupe_key == dedupe_key, OutboxMessage.dead_at.is_not(None)
    )
    return session.scalar(dead) is not None


def was_done_later(*kinds: str) -> sa.ColumnElement[bool]:
    """Of `OutboxMessage`: whether work that came after it has done the same.

    So it is with what comes round (`post_next`), and with `kinds`; of other kinds each is itself.
    """
    later = aliased(OutboxMessage)
    comes_round = OutboxMessage.dedupe_key.startswith(OutboxMessage.kind + ":after:")
    was_done = sa.exists().where(
        later.kind == OutboxMessage.kind,
        later.id > OutboxMessage.id,
        later.done_at.is_not(None),
        later.last_error != WITHDRAWN,
    )
    return sa.and_(sa.or_(comes_round, OutboxMessage.kind.in_(kinds)), was_done)


def withdraw(session: Session, dedupe_key: str, at: datetime) -> bool:
    """Take work back that has not been begun; says whether there was any."""
    waits = sa.and_(
        OutboxMessage.done_at.is_(None),
        sa.or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= at),
    )
    taken = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.dedupe_key == dedupe_key, waits)
        .values(done_at=at, last_error=WITHDRAWN, payload_sealed=None)
    )
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def handle(app: Flask, kind: str, handler: Handler) -> None:
    """Register the one handler of a kind; done on the roof."""
    handlers = app.extensions.setdefault("outbox_handlers", {})
    if kind in handlers:
        raise ValueError(f"{kind} has a handler already")
    handlers[kind] = handler


def drain(app: Flask, at: datetime, most: int = 100) -> int:
    """Carry out what is due, at most `most`; returns how many were tried.

    Every lease counts from `at`, so a worker whose work takes time takes one at a time.
    """
    tried = 0
    with app.app_context():
        while tried < most and (message := _lease_next(at)) is not None:
            _carry_out(app, message, at)
            tried += 1
    return tried


def _lease_next(at: datetime) -> OutboxMessage | None:
    with unit_of_work() as session:
        message = session.scalars(_next_due(at)).first()
        if message is None:
            return None
        message.lease = uuid.uuid4()
        message.leased_until = at + LEASE
        message.attempts += 1
        session.flush()
        # Opened while there is a session to open it in.
        _ = message.payload
        session.expunge(message)
        return message


def _next_due(at: datetime) -> sa.Select[OutboxMessage]:
    free = sa.or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= at)
    return (
        sa.select(OutboxMessage)
        .where(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))
        .where(OutboxMessage.due_at <= at, free)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _carry_out(app: Flask, message: OutboxMessage, at: datetime) -> None:
    if message.attempts > MOST_ATTEMPTS:
        # No attempt failed: each ended with its worker, so the next would be no different.
        _settle(message, dead_at=at, leased_until=None, last_error="WorkerEnded")
        return
    try:
        app.extensions["outbox_handlers"][message.kind](message.payload)
    except Elsewhere:
        db.session.rollback()
        unspent = message.attempts - 1
        _settle(message, attempts=unspent, due_at=at + LEASE, leased_until=None)
    except Exception as error:
        db.session.rollback()
        log(
            "outbox.failed",
            kind=message.kind,
            attempts=message.attempts,
            error=type(error),
            where=where(error),
        )
        _settle(message, **_after_failure(message, error, at))
    else:
        _settle(message, done_at=at, leased_until=None, payload_sealed=None)


def _settle(message: OutboxMessage, **values: Any) -> None:
    """Write the outcome, unless the lease ran out and another worker has the row."""
    mine = sa.and_(OutboxMessage.id == message.id, OutboxMessage.lease == message.lease)
    with unit_of_work() as session:
        session.execute(sa.update(OutboxMessage).where(mine).values(**values))


def _after_failure(message: OutboxMessage, error: Exception, at: datetime) -> dict[str, Any]:
    # Only the class: an error's text may quote what it failed on.
    outcome: dict[str, Any] = {"last_error": type(error).__name__, "leased_until": None}
    if message.attempts >= MOST_ATTEMPTS:
        return outcome | {"dead_at": at}
    wait = min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
    return outcome | {"due_at": at + wait}
