"""Scoring a file of answer sheets, one row at a time, so that its size does not matter.

Messages name a row and a column and never the answer that stands there: they may end in a log.
"""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from practice.intake.instruments import Instrument
from practice.intake.scoring import Score, ScoreStatus, score

ADDED_COLUMNS = ("total", "band", "status", "risk")

HEADER = "header"

Row = list[str]


class BadSheets(ValueError):
    """The file cannot be scored; the message is one line that says where."""


@dataclass
class Tally:
    """What was found: sheets in all, complete ones by band, incomplete ones, and risk."""

    sheets: int = 0
    bands: Counter[str] = field(default_factory=Counter)
    incomplete: int = 0
    risk: int = 0

    def count(self, result: Score) -> None:
        self.sheets += 1
        self.risk += result.risk is True
        if result.status is ScoreStatus.incomplete:
            self.incomplete += 1
        else:
            self.bands[str(result.band)] += 1


@dataclass(frozen=True)
class Layout:
    """Where the answers stand: the index of each item's column, and its name, in item order."""

    width: int
    names: tuple[str, ...]
    indexes: tuple[int, ...]


def score_csv(
    instrument: Instrument,
    source: Path,
    out: Path,
    *,
    missing: Collection[str] = (),
    columns: Sequence[str] | None = None,
) -> Tally:
    """Copy a CSV file of answer sheets with `total`, `band`, `status` and `risk` added.

    `columns` name the items' columns in order, "1" to "n" if not given; an empty cell and the
    codes of `missing` are unanswered. `out` appears whole or not at all, readable by its owner.
    Raises BadSheets for a file or a cell that cannot be read as answers.
    """
    names = columns or [str(item.number) for item in instrument.items]
    try:
        with _opened(source) as sheets, _whole_or_not_at_all(out) as scored:
            return _Scoring(instrument, names, missing).run(sheets, scored)
    except OSError as error:
        where = source if str(error.filename) == str(source) else out
        raise BadSheets(f"{where}: {error.strerror or error}") from None


class _Scoring:
    def __init__(
        self, instrument: Instrument, names: Sequence[str], missing: Collection[str]
    ) -> None:
        self.instrument = instrument
        self.names = tuple(names)
        options: dict[str, int | None] = {str(value): value for value in instrument.values}
        self.meanings = {**options, **dict.fromkeys(["", *missing])}

    def run(self, sheets: TextIO, scored: TextIO) -> Tally:
        rows = _rows_of(sheets)
        _, header = next(rows, (HEADER, []))
        layout = self.layout_of(header)
        writer = csv.writer(scored, lineterminator="\n")
        writer.writerow([*header, *ADDED_COLUMNS])
        tally = Tally()
        for where, row in rows:
            result = score(self.instrument, self.responses(where, row, layout))
            writer.writerow([*row, *_cells(result)])
            tally.count(result)
        return tally

    def layout_of(self, header: Row) -> Layout:
        self._require_one_name_an_item()
        named = [name.strip() for name in header]
        for name in self.names:
            if name not in named:
                raise BadSheets(f"{HEADER}: there is no column {name}")
            if named.count(name) > 1:
                raise BadSheets(f"{HEADER}: there is more than one column {name}")
        for name in ADDED_COLUMNS:
            if name in named:
                raise BadSheets(f"{HEADER}: there is already a column {name}")
        return Layout(len(header), self.names, tuple(named.index(name) for name in self.names))

    def _require_one_name_an_item(self) -> None:
        needed, given = len(self.instrument.items), len(set(self.names))
        if (given, len(self.names)) != (needed, needed):
            raise BadSheets(f"{self.instrument.code} needs {needed} different columns, not {given}")

    def responses(self, where: str, row: Row, layout: Layout) -> list[int | None]:
        if len(row) != layout.width:
            raise BadSheets(f"{where}: {len(row)} cells under a header of {layout.width}")
        cells = zip(layout.names, layout.indexes, strict=True)
        return [self.response(f"{where}, column {name}", row[index]) for name, index in cells]

    def response(self, where: str, cell: str) -> int | None:
        try:
            return self.meanings[cell.strip()]
        except KeyError:
            allowed = ", ".join(sorted(filter(None, self.meanings)))
            raise BadSheets(f"{where}: not an answer ({allowed} or empty)") from None


def _rows_of(sheets: TextIO) -> Iterator[tuple[str, Row]]:
    """(where, cells) of each row that is not blank; the first sheet under the header is row 1."""
    reader = csv.reader(sheets, strict=True)
    filled = filter(None, reader)
    try:
        for number, row in enumerate(filled):
            yield (f"row {number} (line {reader.line_num})" if number else HEADER), row
    except csv.Error as error:
        raise BadSheets(f"line {reader.line_num}: {error}") from None
    except UnicodeDecodeError:
        raise BadSheets(f"after line {reader.line_num}: the file is not UTF-8 text") from None


def _cells(result: Score) -> Row:
    total = "" if result.total is None else str(result.total)
    risk = "" if result.risk is None else str(result.risk).lower()
    return [total, result.band or "", result.status, risk]


def _opened(source: Path) -> TextIO:
    # Spreadsheets put a byte order mark before the first column's name.
    return source.open(encoding="utf-8-sig", newline="")


@contextmanager
def _whole_or_not_at_all(out: Path) -> Iterator[TextIO]:
    """A file beside `out` that takes its name once everything is written, and else is gone."""
    target = out.resolve()
    if target.exists() and not target.is_file():
        raise BadSheets(f"{out}: not a file that can be replaced")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
