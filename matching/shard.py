"""Everybody who has authority in one place, laid out in contiguous columns.

A row holds what a rule or a factor reads, in as few bytes as it takes; a therapist with authority
in several places has a row in each. Beside the rows stand bitmaps, one bit a row: who has a code,
one for each code, and who has an hour, one for each hour of the week. Rows are in no order: one
that goes is replaced by the last.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.codes import WORD, Words

Bits = npt.NDArray[np.uint8]

WORDS_A_WEEK = 3
HOURS_A_WEEK = 168
STYLES = 4
NO_OLDEST = 255
NOT_STATED = np.iinfo(np.int32).max
STYLE_OPEN = np.iinfo(np.int16).max
NO_RECORD = np.iinfo(np.uint16).max
# Spare rows when one more is needed: an eighth, so that growing is rare and memory is not wasted.
GROWTH = 8

SCALARS: dict[str, type[np.generic]] = {
    "slot": np.uint32,
    "last_day": np.int32,
    "capacity": np.uint16,
    "youngest": np.uint8,
    "oldest": np.uint8,
    "fee": np.int32,
    "lowest_fee": np.int32,
    "record": np.uint16,
    "is_home": np.bool_,
}


@dataclass(frozen=True)
class Row:
    """One therapist's values, the same in each of their places.

    `hours` (3,), `codes` (words,), `skills` (words,) are words of 64 bits, `style` (4,) hundredths
    of a step, `flags` (codes,) and `hour_flags` (168,) a 0 or 1 for each code of the book and each
    hour of the week.
    """

    capacity: int
    youngest: int
    oldest: int
    fee: int
    lowest_fee: int
    record: int
    hours: Words
    codes: Words
    skills: Words
    style: npt.NDArray[np.int16]
    flags: Bits
    hour_flags: Bits


class Shard:
    """`rows` live rows at the front of columns that have room for more. See `SCALARS` for types."""

    def __init__(self, code_words: int, skill_words: int, flags: int) -> None:
        self.rows = 0
        self.room = 0
        self.slot = np.zeros(0, dtype=np.uint32)
        self.last_day = np.zeros(0, dtype=np.int32)
        self.capacity = np.zeros(0, dtype=np.uint16)
        self.youngest = np.zeros(0, dtype=np.uint8)
        self.oldest = np.zeros(0, dtype=np.uint8)
        self.fee = np.zeros(0, dtype=np.int32)
        self.lowest_fee = np.zeros(0, dtype=np.int32)
        self.record = np.zeros(0, dtype=np.uint16)
        self.is_home = np.zeros(0, dtype=np.bool_)
        self.hours = np.zeros((WORDS_A_WEEK, 0), dtype=np.uint64)
        self.codes = np.zeros((code_words, 0), dtype=np.uint64)
        self.skills = np.zeros((skill_words, 0), dtype=np.uint64)
        self.style = np.zeros((STYLES, 0), dtype=np.int16)
        self.bitmaps = np.zeros((flags, 0), dtype=np.uint8)
        self.hour_bitmaps = np.zeros((HOURS_A_WEEK, 0), dtype=np.uint8)

    @property
    def nbytes(self) -> int:
        bitmaps = self.bitmaps.nbytes + self.hour_bitmaps.nbytes
        return sum(column.nbytes for column in self._columns()) + bitmaps

    @property
    def bytes_used(self) -> int:
        """Bytes of a bitmap that hold rows, whole words."""
        return _bytes_for(self.rows)

    def bitmap(self, bit: int | None) -> Bits:
        """Who has the code of this bit: one bit a row, `bytes_used` bytes; None is nobody."""
        if bit is None or bit >= len(self.bitmaps):
            return np.zeros(self.bytes_used, dtype=np.uint8)
        return self.bitmaps[bit, : self.bytes_used]

    def hour_bitmap(self, hour: int) -> Bits:
        """Who has this hour of the UTC week."""
        return self.hour_bitmaps[hour, : self.bytes_used]

    def append(self, slot: int, last_day: int, row: Row, *, is_home: bool) -> int:
        """Add a row; returns its number."""
        if self.rows == self.room:
            self._reserve(self.rows + max(WORD, self.rows // GROWTH))
        number = self.rows
        self.rows += 1
        self.slot[number] = slot
        self.place_again(number, last_day, is_home=is_home)
        self.write(number, row)
        return number

    def place_again(self, number: int, last_day: int, *, is_home: bool) -> None:
        self.last_day[number] = last_day
        self.is_home[number] = is_home

    def write(self, number: int, row: Row) -> None:
        """Put a therapist's values into a row of theirs."""
        self.widen(len(row.codes), len(row.skills), len(row.flags))
        self.capacity[number] = row.capacity
        self.youngest[number] = row.youngest
        self.oldest[number] = row.oldest
        self.fee[number] = row.fee
        self.lowest_fee[number] = row.lowest_fee
        self.record[number] = row.record
        self.hours[:, number] = row.hours
        self.codes[:, number] = row.codes
        self.skills[:, number] = row.skills
        self.style[:, number] = row.style
        _flag(self.bitmaps, number, row.flags)
        _flag(self.hour_bitmaps, number, row.hour_flags)

    def remove(self, number: int) -> int | None:
        """Take a row out; returns the slot of the row that now has its number, if any moved."""
        last = self.rows - 1
        for bitmaps in (self.bitmaps, self.hour_bitmaps):
            flags = bitmaps[:, last // 8] >> np.uint8(last % 8) & np.uint8(1)
            _flag(bitmaps, number, flags)
            _flag(bitmaps, last, np.zeros_like(flags))
        self.rows = last
        if number == last:
            return None
        for column in self._columns():
            column[..., number] = column[..., last]
        return int(self.slot[number])

    def widen(self, code_words: int, skill_words: int, flags: int) -> None:
        """Make room for codes that were not known when the columns were made."""
        if len(self.bitmaps) < flags:
            self.bitmaps = _taller(self.bitmaps, flags)
        if len(self.codes) < code_words:
            self.codes = _taller(self.codes, code_words)
        if len(self.skills) < skill_words:
            self.skills = _taller(self.skills, skill_words)

    def compact(self) -> None:
        """Give spare room back."""
        self._reserve(self.rows)

    def fill_bitmaps(self, flags: int) -> None:
        """Make the bitmaps anew from the rows' own words; done once, after a bulk load."""
        self.bitmaps = _bitmaps_of(self.codes[:, : self.rows], flags)
        self.hour_bitmaps = _bitmaps_of(self.hours[:, : self.rows], HOURS_A_WEEK)

    def _reserve(self, room: int) -> None:
        for name in (*SCALARS, "hours", "codes", "skills", "style"):
            setattr(self, name, _wider(getattr(self, name), room, self.rows))
        for name in ("bitmaps", "hour_bitmaps"):
            setattr(self, name, _wider(getattr(self, name), _bytes_for(room), self.bytes_used))
        self.room = room

    def _columns(self) -> list[npt.NDArray[np.generic]]:
        scalars = [getattr(self, name) for name in SCALARS]
        return [*scalars, self.hours, self.codes, self.skills, self.style]


def _bytes_for(rows: int) -> int:
    return WORD // 8 * -(-rows // WORD)


def _flag(bitmaps: Bits, number: int, flags: Bits) -> None:
    """Set or clear a row's bit in every bitmap at once."""
    shift = np.uint8(number % 8)
    column = bitmaps[: len(flags), number // 8]
    column &= ~(np.uint8(1) << shift)
    column |= flags << shift


def _bitmaps_of(words: Words, flags: int) -> Bits:
    """One bitmap a bit: the words (words, rows) turned on their side. Shape (flags, bytes)."""
    rows = words.shape[1]
    bitmaps = np.zeros((flags, _bytes_for(rows)), dtype=np.uint8)
    for word, column in enumerate(words):
        by_row = np.unpackbits(column.astype("<u8").view(np.uint8), bitorder="little")
        wanted = min(WORD, flags - word * WORD)
        by_bit = np.ascontiguousarray(by_row.reshape(rows, WORD).T[:wanted])
        packed = np.packbits(by_bit, axis=1, bitorder="little")
        bitmaps[word * WORD : word * WORD + wanted, : packed.shape[1]] = packed
    return bitmaps


def _wider(column: npt.NDArray[Any], room: int, used: int) -> npt.NDArray[Any]:
    wider = np.zeros((*column.shape[:-1], room), dtype=column.dtype)
    wider[..., :used] = column[..., :used]
    return wider


def _taller(table: npt.NDArray[Any], height: int) -> npt.NDArray[Any]:
    taller = np.zeros((height, table.shape[1]), dtype=table.dtype)
    taller[: len(table)] = table
    return taller
