"""Processes that die where they are told to: at a statement, at a commit, once they have answered.

A process is forked from one that has everything loaded, so that a death costs no start of Python.
It dies by `kill -9` of itself: nothing is closed, rolled back or said good-bye to.
"""

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask

from core.database import Base, db, is_sqlite
from tests.conftest import empty_database, filled_tables

ANSWERS_WITHIN = 120.0
WRITES = ("INSERT", "UPDATE", "DELETE")

Contents = dict[str, list[tuple[Any, ...]]]


@dataclass
class Ending:
    """How a process ended: what it had answered, if anything, and what it went past."""

    was_killed: bool = False
    answer: int | None = None
    points: list[str] = field(default_factory=list)
    committed: list[dict[str, int]] = field(default_factory=list)


def in_a_process(app: Flask, act: Callable[[], int], dies_at: int = 0) -> Ending:
    """Do this in a process of its own, which dies at its `dies_at`-th point if it gets there.

    `act` returns the status it was answered with. Raises when it failed by itself.
    """
    with app.app_context():
        # Two processes must not speak over one connection.
        db.session.remove()
        db.engine.dispose()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(app, act, dies_at, writing)
    os.close(writing)
    said = _heard(reading, child)
    _, status = os.waitpid(child, 0)
    return _ending(said, status)


def _live(app: Flask, act: Callable[[], int], dies_at: int, writing: int) -> None:
    """The whole life of the process; it never returns."""
    try:
        points = _Points(app, dies_at)
        answer = act()
        _say(writing, {"answer": answer})
        points.reach("answered")
        _say(writing, {"points": points.passed, "committed": points.committed})
    except BaseException:
        _say(writing, {"failed": traceback.format_exc()})
    os._exit(0)


class _Points:
    """Counts before each statement, before each commit and after it, wherever they come from."""

    def __init__(self, app: Flask, dies_at: int) -> None:
        self.app, self.dies_at = app, dies_at
        self.passed: list[str] = []
        self.committed: list[dict[str, int]] = []
        self._looking = False
        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", self._before_statement)
        sa.event.listen(engine, "commit", self._before_commit)
        sa.event.listen(sa.orm.Session, "after_commit", self._after_commit)

    def reach(self, point: str) -> None:
        self.passed.append(point)
        if len(self.passed) == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _before_statement(
        self, _connection: sa.Connection, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        if not self._looking:
            self.reach("write" if statement.startswith(WRITES) else "statement")

    def _before_commit(self, _connection: sa.Connection) -> None:
        if not self._looking:
            self.reach("commit")

    def _after_commit(self, _session: sa.orm.Session) -> None:
        self.reach("committed")
        if not self.dies_at:
            self._look()

    def _look(self) -> None:
        self._looking = True
        self.committed.append(counts(contents(self.app)))
        self._looking = False


def _say(writing: int, said: dict[str, Any]) -> None:
    os.write(writing, (json.dumps(said) + "\n").encode())


def _heard(reading: int, child: int) -> dict[str, Any]:
    """Everything it says until it ends. One that hangs is ended, and that is an error."""
    said, until = b"", time.monotonic() + ANSWERS_WITHIN
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            more = pipe.read(65536)
            if not more:
                return {key: v for line in said.splitlines() for key, v in json.loads(line).items()}
            said += more
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError(f"it hangs; it said {said!r}")


def _ending(said: dict[str, Any], status: int) -> Ending:
    assert "failed" not in said, said["failed"]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return Ending(was_killed=True, answer=said.get("answer"))
    return Ending(answer=said["answer"], points=said["points"], committed=said["committed"])


def contents(app: Flask) -> Contents:
    """Every row there is, by table and in the order of its key."""
    with app.app_context(), db.engine.connect() as connection:
        filled = filled_tables(connection)
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
            if table.name in filled
        }


def counts(found: Contents) -> dict[str, int]:
    return {name: len(rows) for name, rows in found.items()}


def put_back(app: Flask, wanted: Contents) -> None:
    """Make the database hold exactly these rows again."""
    with app.app_context():
        empty_database(db.engine)
        with db.engine.begin() as connection:
            for name, rows in wanted.items():
                table = Base.metadata.tables[name]
                names = [column.name for column in table.columns]
                connection.execute(
                    sa.insert(table), [dict(zip(names, row, strict=True)) for row in rows]
                )


def damage(app: Flask) -> list[Any]:
    """What SQLite finds broken in its file; PostgreSQL answers for its own."""
    with app.app_context(), db.engine.connect() as connection:
        if not is_sqlite(connection):
            return []
        found = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        broken = list(connection.exec_driver_sql("PRAGMA foreign_key_check"))
        return [one for one in found if one != "ok"] + broken
