"""The ledger as the console shows it: how it stands, and checks that are asked for and done.

The outcome of a check is an act of its own, so it is sealed like everything else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import checking
from core.alone import alone_at
from core.audit import AuditEntry, record
from core.canonical import instant
from core.checking import Report
from core.clock import now
from core.database import db, unit_of_work
from core.ledger import LedgerCheckpoint, Waiting, newest_checkpoint, seal_now, waiting_acts
from core.outbox import Elsewhere, is_open, post
from core.signing import LedgerKey, published_keys
from core.verifying import Checkpoint
from practice.accounts.models import User
from practice.consent.holding import differences_from_ledger

CHECK = "oversight.ledger_check"
CHECKED = "ledger.checked"
SHOWN_FINDINGS = 20
# The sealer comes by every few seconds; what waits this long has been given up on.
LATE = timedelta(minutes=2)
CHECK_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Checked:
    """The outcome of the last check."""

    at: datetime
    size: int
    number: int
    findings: list[str]

    @property
    def holds(self) -> bool:
        return self.number == 0


@dataclass(frozen=True)
class Standing:
    """How the ledger stands. `kinds` counts acts by their name."""

    newest: LedgerCheckpoint | None
    keys: list[LedgerKey]
    waiting: Waiting
    checked: Checked | None
    is_being_checked: bool
    kinds: list[tuple[str, int]]

    def is_late(self, at: datetime) -> bool:
        return self.waiting.since is not None and self.waiting.since < at - LATE


def standing() -> Standing:
    session = db.session()
    return Standing(
        newest=newest_checkpoint(session),
        keys=list(published_keys(session)),
        waiting=waiting_acts(session),
        checked=last_check(session),
        is_being_checked=is_open(session, CHECK),
        kinds=_kinds(session),
    )


def check(session: Session, since: Checkpoint | None = None) -> Report:
    """Hold the log and the consents against the ledger, on a session of its own."""
    with Session(session.get_bind()) as own:
        return checking.check(own, since, differences_from_ledger(own))


def ask_for_check(session: Session, actor: User, at: datetime) -> None:
    """Let the worker check; while one is asked for already there is nothing to add."""
    if is_open(session, CHECK):
        return
    _post_check(session, at)
    record(
        session,
        at=at,
        action="ledger.check_asked",
        subject_kind="ledger",
        subject_id=None,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
    )


def check_daily(at: datetime) -> None:
    """A sweep: nobody has to remember it. The first time is a day after the first sealing."""
    try:
        is_due = _is_due(db.session(), at - CHECK_EVERY)
    finally:
        db.session.rollback()
    if is_due:
        with unit_of_work() as session:
            _post_check(session, at)


def check_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. A check may take longer than a lease, so one runs at a time."""
    with alone_at(CHECK) as is_alone:
        if not is_alone:
            raise Elsewhere
        if not _was_done_since(payload.get("asked_at")):
            _check_and_record()


def _was_done_since(asked_at: str | None) -> bool:
    """Whoever took the work over meanwhile finds it done."""
    last = last_check(db.session())
    db.session.rollback()
    return bool(asked_at and last and last.at >= datetime.fromisoformat(asked_at))


def _check_and_record() -> None:
    seal_now(now())
    report = check(db.session())
    with unit_of_work() as session:
        record(
            session,
            at=now(),
            action=CHECKED,
            subject_kind="ledger",
            subject_id=None,
            actor_id=None,
            size=report.size,
            number=report.number,
            findings=report.findings[:SHOWN_FINDINGS],
        )


def record_export(session: Session, checkpoint: Checkpoint, actor: User, at: datetime) -> None:
    record(
        session,
        at=at,
        action="ledger.exported",
        subject_kind="ledger",
        subject_id=None,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
        size=checkpoint.size,
    )


def last_check(session: Session) -> Checked | None:
    last = sa.select(AuditEntry).where(AuditEntry.action == CHECKED)
    entry = session.scalars(last.order_by(AuditEntry.id.desc()).limit(1)).first()
    if entry is None:
        return None
    said = entry.details
    return Checked(entry.at, said["size"], said["number"], said["findings"])


def _post_check(session: Session, at: datetime) -> None:
    asked_at = at.isoformat()
    post(session, CHECK, {"asked_at": asked_at}, dedupe_key=f"{CHECK}:{asked_at}", at=at)


def _is_due(session: Session, before: datetime) -> bool:
    first = session.scalar(sa.select(sa.func.min(LedgerCheckpoint.at)))
    if first is None or first > instant(before) or is_open(session, CHECK):
        return False
    last = last_check(session)
    return last is None or last.at <= before


def _kinds(session: Session) -> list[tuple[str, int]]:
    """The commonest first."""
    number = sa.func.count().label("number")
    kinds = sa.select(AuditEntry.action, number).group_by(AuditEntry.action)
    rows = session.execute(kinds.order_by(number.desc(), AuditEntry.action))
    return [(row.action, row.number) for row in rows]
