"""The register of what was erased for good: a table, and a file that outlives any backup.

Erasing destroys a data key, and a backup taken the day before still has it. So each erasure is
written down twice: as a row in the erasing transaction, and by the outbox as a line of
`DATA_DIR/erasures.jsonl`, which is only ever added to and belongs to no backup. Whoever restores a
backup replays the lines. A line holds an owner's public id, a realm and an instant, nothing else.

What others call: `erase`, `replay`, `register_of`, `write_down_what_is_missing`, the signal
`replayed`.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from blinker import Signal
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import keys
from core.clock import now
from core.config import Settings, current_settings
from core.database import Base, Key, db
from core.disk import remember_names
from core.outbox import post
from core.overwriting import ask_to_overwrite

WRITE_DOWN = "erasures.write_down"
FILE = "erasures.jsonl"

# Sent with `session` and `at` for each owner (sender: their public id) whose erasure was replayed.
replayed = Signal()


class UnreadableRegister(ValueError):
    """A line of the register that is no erasure; carries its number, counted from 1."""


class Erasure(Base):
    """One realm of one owner, gone for good."""

    __tablename__ = "erasures"
    __table_args__ = (sa.UniqueConstraint("owner", "realm"),)

    id: Mapped[Key]
    owner: Mapped[uuid.UUID]
    realm: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Line:
    """A line of the register, as JSON with sorted keys."""

    at: datetime
    owner: uuid.UUID
    realm: str

    @property
    def text(self) -> str:
        values = {"at": self.at.isoformat(), "owner": str(self.owner), "realm": self.realm}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def read(cls, text: str, number: int) -> "Line":
        """Raises UnreadableRegister."""
        try:
            values = json.loads(text)
            at = datetime.fromisoformat(values["at"])
            if at.tzinfo is None:
                raise ValueError
            return cls(at, uuid.UUID(values["owner"]), str(values["realm"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnreadableRegister(f"line {number} of the register is no erasure") from None


def erase(session: Session, owner: uuid.UUID, realm: str, at: datetime) -> int:
    """Destroy the data keys of this owner and realm, and register it; returns how many there were.

    The line reaches the file after the commit, at least once, and then nothing of the keys is left
    in the database's files. Erasing again destroys keys that were made since and keeps the first
    instant.
    """
    destroyed = keys.destroy(session, owner, realm)
    _add_row(session, Line(at, owner, realm))
    ask_to_write_down(session, f"{owner}:{realm}", at)
    if destroyed:
        ask_to_overwrite(session, str(owner), at)
    return destroyed


def ask_to_write_down(session: Session, key: str, at: datetime) -> None:
    """Bring the file up to the table once this transaction has committed."""
    post(session, WRITE_DOWN, {}, dedupe_key=f"erasure:{key}", at=at)


def write_down(_payload: dict[str, Any]) -> None:
    """The outbox handler."""
    write_down_what_is_missing()


def write_down_what_is_missing() -> int:
    """Add to the file what stands in the table alone; returns how many lines that were.

    Whatever was lost on the way (work that was set aside, a file that went missing) is there again
    after the next erasure, or the next keeping of the schedule.
    """
    path = register_of(current_settings())
    written = set(lines_of(path))
    missing = [line.text for line in _registered() if line.text not in written]
    if missing or written:
        # Also where nothing is missing: what was written may not have reached the disk.
        _add_lines(path, missing)
    return len(missing)


def _registered() -> list[Line]:
    with Session(db.engine) as own:
        rows = own.scalars(sa.select(Erasure).order_by(Erasure.id))
        return [Line(row.at, row.owner, row.realm) for row in rows]


def _add_lines(path: Path, lines: list[str]) -> None:
    """At the end of the file, and on the disk."""
    # A line that a crash left half written must not swallow the next one.
    separator = b"\n" if _ends_within_a_line(path) else b""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    # A file object goes on where a disk that is nearly full took only a part, or raises.
    with os.fdopen(descriptor, "ab") as file:
        file.write(separator + "".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())
    remember_names(path.parent)


def register_of(settings: Settings) -> Path:
    return settings.data_dir / FILE


def lines_of(path: Path) -> list[str]:
    """The lines of a register; none where there is no file yet."""
    return path.read_text().splitlines() if path.exists() else []


def replay(session: Session, lines: Iterable[str]) -> int:
    """Erase again, in a database restored from before, what the register says; returns how many.

    Rooms that deleted rows at the time delete them again (`replayed`). Harmless where everything
    is erased already. Raises UnreadableRegister before anything is done; a line that a crash left
    half written is passed over, for it was written again.
    """
    read = list(_read(lines))
    destroyed = 0
    for line in read:
        destroyed += keys.destroy(session, line.owner, line.realm)
        _add_row(session, line)
    if destroyed:
        ask_to_overwrite(session, "replayed", now())
    session.flush()
    first: dict[uuid.UUID, datetime] = {}
    for line in read:
        first[line.owner] = min(line.at, first.get(line.owner, line.at))
    for owner, at in first.items():
        replayed.send(owner, session=session, at=at)
    return len(read)


def _read(lines: Iterable[str]) -> Iterator[Line]:
    numbered = [(number, text) for number, text in enumerate(lines, 1) if text.strip()]
    for number, text in numbered:
        try:
            yield Line.read(text, number)
        except UnreadableRegister:
            if not _is_half_written(text):
                raise


def _is_half_written(text: str) -> bool:
    """The worker died over this line; the outbox has written it again since."""
    return not text.rstrip().endswith("}")


def _ends_within_a_line(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _add_row(session: Session, line: Line) -> None:
    known = sa.select(Erasure.id).where(Erasure.owner == line.owner, Erasure.realm == line.realm)
    if session.scalar(known) is None:
        session.add(Erasure(owner=line.owner, realm=str(line.realm), at=line.at))
        session.flush()
