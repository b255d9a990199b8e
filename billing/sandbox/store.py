"""The sandbox's own state: one SQLite file, every change committed before it is answered."""

import json
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from billing.sandbox.errors import ApiError, Json, ResourceMissing

ALPHABET = string.ascii_letters + string.digits

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent
    ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS items_by_session ON objects (kind, json_extract(body, '$._session'));
CREATE INDEX IF NOT EXISTS open_sessions ON objects (json_extract(body, '$.expires_at'))
    WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open';
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request_id TEXT NOT NULL, kept_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, type TEXT NOT NULL,
    due_at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0, answered INTEGER);
CREATE INDEX IF NOT EXISTS pending_deliveries ON deliveries (seq) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS faults (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, applied INTEGER NOT NULL,
    path TEXT NOT NULL, seconds REAL NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """One connection, one writer at a time; other processes wait on BEGIN IMMEDIATE."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=30
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator["Books"]:
        """Leaving normally commits; an exception leaves nothing behind."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield Books(self._db)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._db.close()


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first. `where` maps field names known to the code to values."""

    where: Mapping[str, str] = field(default_factory=dict)
    created: Mapping[str, int] = field(default_factory=dict)
    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None


class Books:
    """Objects as they stand inside one transaction. Keys that begin with `_` never leave."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that an error takes back alone, unless the error says that it stands."""
        self.db.execute("SAVEPOINT attempt")
        try:
            yield
        except ApiError as error:
            if not error.keeps_effects:
                self.db.execute("ROLLBACK TO attempt")
            raise
        finally:
            self.db.execute("RELEASE attempt")

    def add(self, body: Json) -> Json:
        self.db.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)",
            (body["id"], body["object"], json.dumps(body)),
        )
        return body

    def save(self, body: Json) -> Json:
        self.db.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return body

    def find(self, id_: str) -> Json | None:
        row = self.db.execute("SELECT body FROM objects WHERE id = ?", (id_,)).fetchone()
        return None if row is None else _read(row[0])

    def get(self, kind: str, id_: str, *, param: str = "id") -> Json:
        """Raises ResourceMissing when nothing of that kind has the id."""
        body = self.find(id_)
        if body is None or body["object"] != kind:
            raise ResourceMissing(kind, id_, param=param)
        return body

    def all(self, kind: str, **where: str) -> list[Json]:
        """Every object of a kind, oldest first."""
        clause, values = _conditions(where)
        rows = self.db.execute(
            f"SELECT body FROM objects WHERE kind = ?{clause} ORDER BY seq", (kind, *values)
        )
        return [_read(row[0]) for row in rows]

    def sessions_due(self, now: int) -> list[Json]:
        # Asked before every act, and the planner would rather walk over every session.
        rows = self.db.execute(
            "SELECT body FROM objects INDEXED BY open_sessions WHERE kind = 'checkout.session'"
            " AND json_extract(body, '$.status') = 'open'"
            " AND json_extract(body, '$.expires_at') <= ?",
            (now,),
        )
        return [_read(row[0]) for row in rows]

    def page(self, kind: str, page: Page) -> tuple[list[Json], bool]:
        """A page, newest first, and whether more lie beyond it."""
        clause, values = _conditions(page.where)
        clause, values = self._window(kind, page, clause, values)
        order = "ASC" if page.ending_before else "DESC"
        rows = self.db.execute(
            f"SELECT body FROM objects WHERE kind = ?{clause} ORDER BY seq {order} LIMIT ?",
            (kind, *values, page.limit + 1),
        ).fetchall()
        found = [_read(row[0]) for row in rows[: page.limit]]
        return (found[::-1] if page.ending_before else found), len(rows) > page.limit

    def setting(self, name: str, default: str) -> str:
        row = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value)
        )

    def _window(
        self, kind: str, page: Page, clause: str, values: list[str | int]
    ) -> tuple[str, list[str | int]]:
        for sign, at in page.created.items():
            clause += f" AND json_extract(body, '$.created') {sign} ?"
            values = [*values, at]
        for sign, id_, param in (
            ("<", page.starting_after, "starting_after"),
            (">", page.ending_before, "ending_before"),
        ):
            if id_ is not None:
                clause += f" AND seq {sign} ?"
                values = [*values, self._place(kind, id_, param)]
        return clause, values

    def _place(self, kind: str, id_: str, param: str) -> int:
        row = self.db.execute(
            "SELECT seq FROM objects WHERE id = ? AND kind = ?", (id_, kind)
        ).fetchone()
        if row is None:
            raise ResourceMissing(kind, id_, param=param)
        return int(row[0])


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def visible(value: object) -> object:
    """The same without the keys that stay inside the sandbox."""
    if isinstance(value, dict):
        return {key: visible(inner) for key, inner in value.items() if not key.startswith("_")}
    return [visible(inner) for inner in value] if isinstance(value, list) else value


def _conditions(where: Mapping[str, str]) -> tuple[str, list[str | int]]:
    clause = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in where)
    return clause, list(where.values())


def _read(body: str) -> Json:
    read: Json = json.loads(body)
    return read
