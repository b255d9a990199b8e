"""Work that comes round: by itself when what was done last is too old, and when somebody asks.

Of two processes that find it wanted at once one posts it. One at a time is at it and nobody does
it twice: whoever takes it over finds it done. A failure is tried again by the outbox; what it gave
up on, a day after it was asked for.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from core.alone import alone_or_elsewhere
from core.audit import last_act, record
from core.clock import now
from core.database import db, unit_of_work
from core.errors import Refusal
from core.outbox import failed_at, handle, is_open, newest, post_next

A_DAY = timedelta(days=1)


class AskedLately(Refusal):
    message = "Somebody asked for this a short while ago. The page says when it can be asked again."


@dataclass(frozen=True)
class Asking:
    """How somebody asks for it: the act's name and what it is about, and once in how long.

    What gave up in between does not count, so that a failure can be tried again.
    """

    act: str
    about: str
    once_in: timedelta = A_DAY


@dataclass(frozen=True)
class RoundStanding:
    """What a page says of it. `free_from`: when it can be asked for again, None for at once."""

    is_under_way: bool
    has_failed: bool
    free_from: datetime | None


def is_a_day_old(done: datetime, at: datetime) -> bool:
    return done <= at - A_DAY


@dataclass(frozen=True)
class Round:
    """`work(at)` leaves behind what `last_done` reads, an instant not before `at`.

    `is_wanted` says whether there is anything to do; it is asked only once `is_old(done, at)`.
    Neither it nor `last_done` writes. Without `asking` nobody can ask for it.
    """

    kind: str
    work: Callable[[datetime], object]
    last_done: Callable[[Session], datetime | None]
    is_wanted: Callable[[Session, datetime], bool]
    is_old: Callable[[datetime, datetime], bool] = is_a_day_old
    asking: Asking | None = None

    def connect(self, app: Flask) -> None:
        """Done on the roof: the outbox carries it out, a sweep sees when it is due."""
        handle(app, self.kind, self.carry_out)
        app.extensions["sweeps"].append(self.post_when_due)

    def standing(self, session: Session, at: datetime) -> RoundStanding:
        return RoundStanding(
            is_under_way=is_open(session, self.kind),
            has_failed=self._failed_at(session) is not None,
            free_from=self._free_from(session, at),
        )

    def ask(self, session: Session, at: datetime, actor_id: uuid.UUID, actor_role: str) -> None:
        """Let the worker do it; while it does there is nothing to add. Raises AskedLately."""
        if self.asking is None:
            return
        after = newest(session, self.kind)
        if is_open(session, self.kind):
            return
        if self._free_from(session, at) is not None:
            raise AskedLately
        if self._post(session, at, after):
            record(
                session,
                at=at,
                action=self.asking.act,
                subject_kind=self.asking.about,
                subject_id=None,
                actor_id=actor_id,
                actor_role=actor_role,
            )

    def asked_by(self, session: Session) -> uuid.UUID | None:
        """Who asked for what is to be done now; None where it came round by itself."""
        asked = last_act(session, self.asking.act) if self.asking else None
        last = self.last_done(session)
        return asked.actor_id if asked and (last is None or last < asked.at) else None

    def post_when_due(self, at: datetime) -> None:
        """The sweep."""
        try:
            after = self._due_after(db.session(), at)
        finally:
            db.session.rollback()
        if after is not None:
            with unit_of_work() as session:
                self._post(session, at, after)

    def carry_out(self, payload: dict[str, Any]) -> None:
        """The outbox handler. It may take longer than a lease, so one runs at a time."""
        with alone_or_elsewhere(self.kind):
            if not self._was_done_since(datetime.fromisoformat(payload["asked_at"])):
                self.work(now())

    def _due_after(self, session: Session, at: datetime) -> int | None:
        """After which one the next is due; None while none is."""
        if not self._is_due(session, at):
            return None
        after = newest(session, self.kind)
        # Asked once more: what somebody has posted since would be the one that it follows.
        return after if self._is_due(session, at) else None

    def _is_due(self, session: Session, at: datetime) -> bool:
        last = self.last_done(session)
        if last is not None and not self.is_old(last, at):
            return False
        failed = self._failed_at(session)
        rests = failed is not None and failed > at - A_DAY
        return not rests and not is_open(session, self.kind) and self.is_wanted(session, at)

    def _free_from(self, session: Session, at: datetime) -> datetime | None:
        if self.asking is None or self._failed_at(session) is not None:
            return None
        asked = last_act(session, self.asking.act)
        free_from = asked.at + self.asking.once_in if asked else at
        return free_from if free_from > at else None

    def _failed_at(self, session: Session) -> datetime | None:
        """When the work was asked for that failed; None where it was done since."""
        failed, last = failed_at(session, self.kind), self.last_done(session)
        return None if failed is None or (last is not None and last >= failed) else failed

    def _was_done_since(self, asked_at: datetime) -> bool:
        last = self.last_done(db.session())
        db.session.rollback()
        return last is not None and last >= asked_at

    def _post(self, session: Session, at: datetime, after: int) -> bool:
        return post_next(session, self.kind, {"asked_at": at.isoformat()}, after=after, at=at)
