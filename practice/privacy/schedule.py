"""Keeping the schedule: what is over by each rule, how much goes when, and letting it go.

Nothing of a client under a legal hold goes. Clients who were forgotten have a schedule of their
own (`operations.finish`); here it is about everybody else, and about what belongs to nobody.

It comes round once a day and when an administrator asks. Each duty has transactions of its own. One
that fails is logged by the error's class and place, noted on the run and tried again with the next;
the others go on.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import db, unit_of_work
from core.erasures import write_down_what_is_missing
from core.logs import log, where
from core.rounds import Asking, Round
from practice.accounts.models import User
from practice.one_by_one import whatever_happens
from practice.privacy import operations, queries
from practice.privacy.duties import DUTIES, Duty
from practice.privacy.models import RetentionRun
from practice.privacy.retention import Rule

SOON = timedelta(days=30)
THIS_YEAR = timedelta(days=365)
MOST_AT_ONCE = 500
REGISTER = "register"
"""Stands for the register of erasures among the duties of a run."""


class NothingWent(RuntimeError):
    """A duty was given rows to let go of, and they are still there."""


@dataclass(frozen=True)
class Preview:
    """How many things go by one rule, and when; only numbers, never whose."""

    rule: Rule
    now: int
    soon: int
    this_year: int
    later: int

    @property
    def is_counted(self) -> bool:
        """Whether something goes by this rule on a day of its own."""
        return any(duty.rule is self.rule for duty in DUTIES)


def preview(session: Session, at: datetime) -> list[Preview]:
    """What goes now, within 30 days, within a year, and later, in the order of the schedule."""
    counted = dict.fromkeys(Rule, (0, 0, 0, 0))
    for duty in DUTIES:
        now, soon, this_year, all_ = duty.count(session, (at, at + SOON, at + THIS_YEAR))
        parts = (now, soon - now, this_year - soon, all_ - this_year)
        counted[duty.rule] = tuple(map(sum, zip(counted[duty.rule], parts, strict=True)))  # type: ignore[assignment]
    return [Preview(rule, *found) for rule, found in counted.items()]


def keep_schedule(at: datetime) -> RetentionRun:
    """Let go of everything that is over, a few hundred rows a transaction; returns what went."""
    gone: Counter[str] = Counter()
    failed: list[str] = []
    for duty in DUTIES:
        with _noting_failure(duty.rule, failed):
            _let_go(duty, at, gone)
    with _noting_failure(REGISTER, failed):
        write_down_what_is_missing()
    forgotten = _keep_promises(at)
    with unit_of_work() as session:
        run = RetentionRun(at=at, by=_who_asked(session))
        run.gone = {rule: count for rule, count in {**gone, **forgotten}.items() if count}
        run.failed = sorted(set(failed))
        session.add(run)
        session.flush()
        operations.record_run(session, run, at)
    return run


def erase_what_is_due(at: datetime) -> int:
    """Sweep: forget those whose seven days are over, each by themselves; returns how many."""
    erased = 0
    for reference in [one.public_id for one in queries.erasures_due(db.session(), at)]:
        with whatever_happens(), unit_of_work() as session:
            client = queries.client_of_waiting(session, reference)
            if client is not None:
                operations.erase(session, client, None, at)
                erased += 1
    return erased


@contextmanager
def _noting_failure(name: str, failed: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        db.session.rollback()
        log("retention.failed", kind=str(name), error=type(error), where=where(error))
        failed.append(str(name))


def _who_asked(session: Session) -> User | None:
    wanted = sa.select(User).where(User.public_id == KEEPING.asked_by(session))
    return session.scalars(wanted).first()


def _let_go(duty: Duty, at: datetime, gone: Counter[str]) -> None:
    """Counts what went as it goes: of a duty that fails half-way the first half is gone."""
    before: set[int] = set()
    while keys := _over(duty, at):
        if before.intersection(keys):
            raise NothingWent
        with unit_of_work() as session:
            duty.let_go(session, keys)
        gone[duty.rule] += len(keys)
        before.update(keys)


def _over(duty: Duty, at: datetime) -> list[int]:
    found = duty.due(db.session(), at)
    return [key for key, due_at in found if due_at <= at][:MOST_AT_ONCE]


def _keep_promises(at: datetime) -> dict[str, int]:
    """Go on with those who were forgotten and of whom something had to stay."""
    finished = 0
    for request in [one.client_ref for one in queries.unfinished_erasures(db.session())]:
        with whatever_happens(), unit_of_work() as session:
            client = queries.client_with(session, request)
            if client is not None:
                finished += operations.finish(session, client, at)
    return {"forgotten": finished}


def _last_kept(session: Session) -> datetime | None:
    newest = queries.last_runs(session, most=1)
    return newest[0].at if newest else None


def _always(_session: Session, _at: datetime) -> bool:
    """A run that lets nothing go is one that somebody can read of."""
    return True


# An administrator may ask as often as they like: what is over may go at any time.
KEEPING = Round(
    "privacy.schedule",
    keep_schedule,
    _last_kept,
    _always,
    asking=Asking("retention.asked", "retention_run", once_in=timedelta(0)),
)
