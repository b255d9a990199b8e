"""The ledger as the console shows it: how it stands, and checks that are asked for and done.

The outcome of a check is an act of its own, so it is sealed like everything else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import checking
from core.audit import AuditEntry, last_act, record
from core.canonical import instant
from core.checking import Report
from core.clock import now
from core.database import db, unit_of_work
from core.ledger import LedgerCheckpoint, Waiting, newest_checkpoint, seal_now, waiting_acts
from core.rounds import A_DAY, Asking, Round, RoundStanding
from core.signing import LedgerKey, published_keys
from core.verifying import Checkpoint
from practice.accounts.models import User
from practice.consent.holding import differences_from_ledger

CHECKED = "ledger.checked"
SHOWN_FINDINGS = 20
# The sealer comes by every few seconds; what waits this long has been given up on.
LATE = timedelta(minutes=2)


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
    round: RoundStanding
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
        round=CHECK.standing(session, now()),
        kinds=_kinds(session),
    )


def check(session: Session, since: Checkpoint | None = None) -> Report:
    """Hold the log and the consents against the ledger, on a session of its own."""
    with Session(session.get_bind()) as own:
        return checking.check(own, since, differences_from_ledger(own))


def check_and_record(at: datetime) -> None:
    """The outcome is an act; what waits is sealed first."""
    seal_now(at)
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
    entry = last_act(session, CHECKED)
    if entry is None:
        return None
    said = entry.details
    return Checked(entry.at, said["size"], said["number"], said["findings"])


def _last_done(session: Session) -> datetime | None:
    last = last_check(session)
    return last.at if last else None


def _was_sealed_a_day_ago(session: Session, at: datetime) -> bool:
    """The first check is a day after the first sealing."""
    first = session.scalar(sa.select(sa.func.min(LedgerCheckpoint.at)))
    return first is not None and first <= instant(at - A_DAY)


def _kinds(session: Session) -> list[tuple[str, int]]:
    """The commonest first."""
    number = sa.func.count().label("number")
    kinds = sa.select(AuditEntry.action, number).group_by(AuditEntry.action)
    rows = session.execute(kinds.order_by(number.desc(), AuditEntry.action))
    return [(row.action, row.number) for row in rows]


# A check tells nothing of anybody. Once something was put right, nobody waits a day for the next.
CHECK = Round(
    "oversight.ledger_check",
    check_and_record,
    _last_done,
    _was_sealed_a_day_ago,
    asking=Asking("ledger.check_asked", "ledger", once_in=timedelta(minutes=15)),
)
