"""New keys for everybody, as the console and the command line start them.

Both do the same work (`core.rotation`), which goes on after any interruption; whoever comes second
joins in. The console has it done by the worker, a part at a time.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import rotation
from core.audit import record
from core.clock import now
from core.database import db, unit_of_work
from core.keeping import current_keeper
from core.keys import DataKey, KeyRotation
from core.outbox import is_open, post, post_alone
from core.rotation import Progress
from practice.accounts.models import User

ROTATE = "oversight.key_rotation"
ASKED, STARTED, FINISHED = "keys.rotation_asked", "keys.rotation_started", "keys.rotated"
# Well within the time after which another worker would take the work over.
A_PART = 20.0


@dataclass(frozen=True)
class Standing:
    """How the keys stand. `since` is when the first data key was wrapped by the current one."""

    current: str
    since: datetime | None
    in_use: int
    oldest: datetime | None
    wrapped_by_others: int
    running: KeyRotation | None
    last: KeyRotation | None
    left: int
    waits: bool


def standing() -> Standing:
    session, current = db.session(), current_keeper().current()
    running, last = rotation.open_rotation(session), rotation.last_rotation(session)
    by_current = DataKey.kek == current
    has_old_rows = running is not None or bool(last and last.unreadable)
    return Standing(
        current=current,
        since=session.scalar(sa.select(sa.func.min(DataKey.created_at)).where(by_current)),
        in_use=session.scalar(_count(DataKey.retired_at.is_(None))) or 0,
        oldest=session.scalar(sa.select(sa.func.min(DataKey.created_at))),
        wrapped_by_others=session.scalar(_count(~by_current)) or 0,
        running=running,
        last=last,
        left=rotation.rows_on_old_keys(session) if has_old_rows else 0,
        waits=is_open(session, ROTATE),
    )


def ask_for_rotation(session: Session, actor: User, at: datetime, *, new_kek: bool) -> None:
    """Let the worker do it; while one is asked for or running there is nothing to add."""
    # Tried again, it must not make one more: it does so only while this one is still current.
    before = current_keeper().current() if new_kek else ""
    if not post_alone(session, ROTATE, {"instead_of": before, "part": 0}, at):
        return
    record(
        session, at=at, action=ASKED, subject_kind="keys", subject_id=None,
        actor_id=actor.public_id, actor_role=actor.main_role, new_kek=new_kek,
    )  # fmt: skip


def rotate_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler: a part of it, and a next piece of work for what is left."""
    if payload["instead_of"] == current_keeper().current():
        current_keeper().add()
    until = time.monotonic() + A_PART
    for _ in rotate(begin=payload["part"] == 0):
        if time.monotonic() > until:
            _post_next_part(payload)
            return


def rotate(*, begin: bool = True) -> Iterator[Progress]:
    """Begin a rotation [unless one is to be finished] and do it, a short transaction at a time."""
    with unit_of_work() as session:
        running = rotation.open_rotation(session)
        if running is None and begin:
            running = rotation.begin(session, now())
            _record(session, STARTED, running)
        number = running.id if running else None
    if number is None:
        return
    yield from rotation.carry_on()
    with unit_of_work() as session:
        done = session.get_one(KeyRotation, number)
        _record(session, FINISHED, done, sealed=done.sealed, unreadable=done.unreadable)


def can_make_keys() -> bool:
    """Whether new wrapping keys are made here; those handed in by a setting are added there."""
    return current_keeper().makes_keys


def add_wrapping_key() -> str:
    """Make a new one current; raises KeptElsewhere."""
    return current_keeper().add()


def _post_next_part(payload: dict[str, Any]) -> None:
    with unit_of_work() as session:
        running = rotation.open_rotation(session)
        if running is not None:
            part = payload["part"] + 1
            key = f"{ROTATE}:{running.public_id}:{part}"
            post(session, ROTATE, payload | {"part": part}, dedupe_key=key, at=now())


def _record(session: Session, action: str, done: KeyRotation, **details: Any) -> None:
    record(
        session, at=now(), action=action, subject_kind="keys", subject_id=done.public_id,
        actor_id=None, **details,
    )  # fmt: skip


def _count(which: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.count()).select_from(DataKey).where(which)
