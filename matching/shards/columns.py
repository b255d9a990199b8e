"""Therapists one after the other into columns, so that an index is laid out in a few large steps.

A row a place written one by one costs several times as much as all of them at once. What many
state alike, as frozen sets, is looked up once.
"""

from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from matching import checking
from matching.errors import BadRow, BadValue
from matching.ids import HALF, LOW, whole_id
from matching.model import ANY_CODE, Therapist, Vocabulary
from matching.records import ByDomain, Records
from matching.shards.codes import WORD, Codebook, Skillbook
from matching.shards.rows import figures_of, stated_by, styles_of
from matching.shards.shard import STYLES, WORDS_A_WEEK
from matching.shards.table import Table

A_BYTE = 8
# So many sets of codes are remembered with their bits; those beyond are numbered again.
SETS_REMEMBERED = 4096

# The array's own letters: 16 bits, 32 with and without a sign, 64 bits.
SHORT, WHOLE, COUNT, LONG = "HiIQ"
FIGURES = {
    "capacity": SHORT,
    "youngest": "B",
    "oldest": "B",
    "fee": WHOLE,
    "lowest_fee": WHOLE,
}


class Columns:
    """Checks whoever is added. Those who are not live are kept apart, in `resting`.

    Cost: O(what they state) each; `table` O(all of it).
    """

    def __init__(self, vocabulary: Vocabulary = ANY_CODE) -> None:
        self.resting: list[Therapist] = []
        self._vocabulary = vocabulary
        self._book, self._skillbook = Codebook(), Skillbook()
        self._bits_of = lru_cache(SETS_REMEMBERED)(self._numbered)
        self._known: set[str] = set()
        self._offered = 0
        self._figures = {name: array(kind) for name, kind in FIGURES.items()}
        self._ids, self._style = array(LONG), array(SHORT)
        self._hours: list[int] = []
        self._codes: list[int] = []
        self._skills: list[int] = []
        self._records: list[ByDomain] = []
        self._places: dict[str, int] = {}
        self._held_by, self._held_in, self._last_day = array(COUNT), array(SHORT), array(WHOLE)

    def add(self, therapist: Therapist) -> None:
        """Raises BadRow, counting from 0 everybody who was to be added, and then adds nothing."""
        row = self._offered
        self._offered += 1
        try:
            checking.check_therapist(therapist, self._vocabulary)
        except BadValue as bad:
            raise BadRow(row, bad.field, bad.reason) from None
        if therapist.id in self._known:
            raise BadRow(row, "id", "is the id of an earlier row")
        self._known.add(therapist.id)
        if therapist.live:
            self._append(therapist)
        else:
            self.resting.append(therapist)

    def table(self) -> Table:
        """Everybody live so far."""
        return Table(
            ids=_numbers(self._ids).reshape(-1, 2),
            **{name: _numbers(column) for name, column in self._figures.items()},
            hours=_words(self._hours, WORDS_A_WEEK),
            codes=_words(self._codes, self._book.words),
            skills=_tall(self._skills, self._skillbook.bytes, np.dtype(np.uint8)),
            style=np.ascontiguousarray(_numbers(self._style).reshape(-1, STYLES).T),
            places=tuple(self._places),
            held_by=_numbers(self._held_by),
            held_in=_numbers(self._held_in),
            last_day=_numbers(self._last_day),
            book=self._book,
            skillbook=self._skillbook,
            vocabulary=self._vocabulary,
            records=Records.of(self._records),
        )

    def _append(self, therapist: Therapist) -> None:
        whole, entry = whole_id(therapist.id), len(self._hours)
        for place, until in therapist.authority.items():
            self._held_by.append(entry)
            self._held_in.append(self._places.setdefault(place, len(self._places)))
            self._last_day.append(until.toordinal())
        self._ids.extend((whole >> HALF, whole & LOW))
        for column, figure in zip(self._figures.values(), figures_of(therapist), strict=True):
            column.append(figure)
        self._style.extend(styles_of(therapist))
        self._skills.append(self._skillbook.bits(therapist.concerns))
        self._codes.append(self._codes_of(therapist))
        self._records.append(therapist.record)
        self._hours.append(therapist.hours)

    def _codes_of(self, therapist: Therapist) -> int:
        bits = 0
        for kind, codes in stated_by(therapist):
            # Nothing is copied of a set that is frozen already.
            bits |= self._bits_of(kind, frozenset(codes))
        return bits

    def _numbered(self, kind: str, codes: frozenset[str]) -> int:
        return self._book.row((kind, code) for code in codes)


def _numbers(column: "array[int]") -> npt.NDArray[Any]:
    return np.array(column, dtype=column.typecode)


def _words(rows: Iterable[int], words: int) -> npt.NDArray[np.uint64]:
    return _tall(rows, words * WORD // A_BYTE, np.dtype("<u8"))


def _tall(rows: Iterable[int], width: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Whole numbers of so many bytes as columns. Shape (width in units of `kind`, rows)."""
    laid = b"".join(row.to_bytes(width, "little") for row in rows)
    wide = np.frombuffer(laid, dtype=kind).reshape(-1, width // kind.itemsize)
    return np.ascontiguousarray(wide.T)
