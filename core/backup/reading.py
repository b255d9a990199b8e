"""Reading a backup: all of it is verified before a single row of it is used."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from core.backup.container import Header, opened, read_header
from core.backup.errors import Damaged, NotABackup
from core.backup.making import FILE, Manifest, Tell, backups_in
from core.backup.tables import Batch
from core.keeping import KeyKeeper


class Part:
    """The rows of one table, to be read once and in full before the next part."""

    def __init__(self, name: str, columns: list[str], rows: Iterator[Batch]) -> None:
        self.name, self.columns, self.rows = name, columns, rows


def header_of(folder: Path) -> Header:
    with _file_of(folder) as file:
        return read_header(file)[0]


def verify(folder: Path, keeper: KeyKeeper, tell: Tell) -> Manifest:
    """Read the whole backup and put nothing anywhere. Raises NotABackup, WrongKey or Damaged."""
    found = 0
    reading = Reading(folder, keeper)
    for part in reading.parts():
        for batch in part.rows:
            found += len(batch)
            tell(part.name, found)
    return reading.manifest


class Reading:
    """One pass over a backup. `manifest` is there after the last part, and only then."""

    manifest: Manifest

    def __init__(self, folder: Path, keeper: KeyKeeper) -> None:
        self._folder, self._keeper = folder, keeper
        self._counts: dict[str, int] = {}
        self._next: Any = None

    def parts(self) -> Iterator[Part]:
        """Table by table. Raises Damaged when the end does not agree with what came before it."""
        with _file_of(self._folder) as file:
            header, _head = read_header(file)
            file.seek(0)
            lines = _lines(opened(file, self._keeper))
            self._next = next(lines, None)
            while isinstance(self._next, dict) and "table" in self._next:
                part = Part(self._next["table"], self._next["columns"], self._rows(lines))
                yield part
                for _unread in part.rows:
                    raise RuntimeError(f"{part.name} was not read in full")
            self.manifest = self._end(header, lines)

    def _rows(self, lines: Iterator[Any]) -> Iterator[Batch]:
        table = self._next["table"]
        self._counts[table] = 0
        for line in lines:
            if isinstance(line, dict):
                self._next = line
                return
            self._counts[table] += len(line)
            yield line
        raise Damaged

    def _end(self, header: Header, lines: Iterator[Any]) -> Manifest:
        end = self._next["end"] if isinstance(self._next, dict) and "end" in self._next else {}
        try:
            manifest = Manifest(**end)
        except TypeError:
            raise Damaged from None
        agrees = asdict(header).items() >= {
            ("id", manifest.id), ("made_at", manifest.made_at), ("revision", manifest.revision),
        }  # fmt: skip
        if manifest.counts != self._counts or not agrees or next(lines, None) is not None:
            raise Damaged
        return manifest


@contextmanager
def _file_of(folder: Path) -> Iterator[IO[bytes]]:
    try:
        with (folder / FILE).open("rb") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise NotABackup(_what_is_there(folder)) from None


def _what_is_there(folder: Path) -> str:
    several = backups_in(folder) if folder.is_dir() else []
    if several:
        return f"{folder} holds {len(several)} backups; name one, such as {several[-1]}."
    return f"There is no backup of Attune in {folder}."


def _lines(pieces: Iterator[bytes]) -> Iterator[Any]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, whole)
    if rest:
        raise Damaged
