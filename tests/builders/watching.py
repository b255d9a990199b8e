"""What is written while tests run, in any database, and what is patched: as it happens.

Every statement and commit of this process is seen. So whoever knows the rows of a database at one
moment can tell later whether they are still those.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

WRITES = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
READS = re.compile(r"\s*(?:SELECT|PRAGMA|BEGIN|COMMIT|SAVEPOINT|RELEASE|SHOW|SET)\b", re.IGNORECASE)


@dataclass
class Written:
    """How often, and into which tables since `begin_anew`; `everywhere` where nobody can say."""

    writes: int = 0
    commits: int = 0
    committed_writes: int = 0
    tables: set[str] = field(default_factory=set)
    everywhere: bool = False

    def begin_anew(self) -> None:
        self.tables, self.everywhere = set(), False

    def note(self, statement: str) -> None:
        if READS.match(statement):
            return
        self.writes += 1
        if into := WRITES.match(statement):
            self.tables.add(into[1])
        # What is deleted may take rows of other tables with it.
        self.everywhere |= not into or statement.lstrip()[:6].upper() == "DELETE"

    def note_commit(self) -> None:
        self.commits += 1
        self.committed_writes = self.writes

    def note_rollback(self) -> None:
        # The end of a session that has only read takes nothing back.
        if self.writes > self.committed_writes:
            self.writes += 1


written = Written()


@dataclass(frozen=True)
class Moment:
    """A database as it was then, for `session`; for everybody where that is None."""

    engine: Any
    session: Session | None
    writes: int
    commits: int

    @classmethod
    def now(cls, engine: Any, session: Session | None) -> "Moment":
        return cls(engine, session, written.writes, written.commits)

    def lasts_for(self, session: Session) -> bool:
        """Whether this session sees the database as it was, and nobody has written since."""
        sees_it = self.session in (None, session) or self.is_committed
        is_clean = not (session.new or session.dirty or session.deleted)
        same = session.get_bind() is self.engine and written.writes == self.writes
        return same and sees_it and is_clean

    @property
    def is_committed(self) -> bool:
        """Whether anything was committed since."""
        return written.commits > self.commits


@sa.event.listens_for(Engine, "before_cursor_execute")
def _notice_writing(
    _connection: sa.Connection, _cursor: Any, statement: str, *_others: Any
) -> None:
    written.note(statement)


@sa.event.listens_for(Engine, "commit")
def _notice_commit(_connection: sa.Connection) -> None:
    written.note_commit()


@sa.event.listens_for(Engine, "rollback")
@sa.event.listens_for(Engine, "rollback_savepoint")
def _notice_rollback(*_what: Any) -> None:
    written.note_rollback()


_patching: set[pytest.MonkeyPatch] = set()


def is_anything_patched() -> bool:
    return bool(_patching)


def notice_patches() -> None:
    """Have every MonkeyPatch stand in `_patching` from its first patch until all are undone.

    Called once, when pytest has made those of its own.
    """

    def noted(act: Callable[..., Any], note: Callable[[pytest.MonkeyPatch], None]) -> Any:
        @functools.wraps(act)
        def noting(patch: pytest.MonkeyPatch, *args: Any, **kwargs: Any) -> Any:
            note(patch)
            return act(patch, *args, **kwargs)

        return noting

    for name in ("setattr", "delattr", "setitem", "delitem"):
        setattr(pytest.MonkeyPatch, name, noted(getattr(pytest.MonkeyPatch, name), _patching.add))
    pytest.MonkeyPatch.undo = noted(pytest.MonkeyPatch.undo, _patching.discard)
