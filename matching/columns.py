"""Live therapists as numpy columns: one row each, in order of id, so that ties need no sorting."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.factors import hundredths
from matching.model import Therapist
from matching.terms import NEUTRAL, STYLE_AXES

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]

NO_LIMIT = np.iinfo(np.int64).max
NOT_STATED = -1
NO_CURRENCY = ""
STYLE_OPEN = np.iinfo(np.int16).max

WORDS_A_WEEK = 3
_WORD = 64
_WORD_MASK = (1 << _WORD) - 1


class Codes:
    """One column of flags a code. Memory: one byte a therapist and code."""

    def __init__(self, held: Sequence[Iterable[str]]) -> None:
        self._rows = len(held)
        self._columns: dict[str, Flags] = {}
        for row, codes in enumerate(held):
            for code in codes:
                self._column(code)[row] = True

    def having(self, code: str) -> Flags:
        """Shape (therapists,): who has this code."""
        found = self._columns.get(code)
        return np.zeros(self._rows, dtype=np.bool_) if found is None else found

    def having_any(self, codes: Iterable[str]) -> Flags:
        found = np.zeros(self._rows, dtype=np.bool_)
        for code in codes:
            found |= self.having(code)
        return found

    def count(self, codes: Iterable[str], rows: Rows) -> Whole:
        """Shape of `rows`: how many of the codes each of these rows has."""
        found = np.zeros(len(rows), dtype=np.int64)
        for code in codes:
            found += self.having(code)[rows]
        return found

    def _column(self, code: str) -> Flags:
        if code not in self._columns:
            self._columns[code] = np.zeros(self._rows, dtype=np.bool_)
        return self._columns[code]


class Skills:
    """One column of skills, 0–3, a concern."""

    def __init__(self, held: Sequence[Mapping[str, int]]) -> None:
        self._columns: dict[str, npt.NDArray[np.uint8]] = {}
        for row, skills in enumerate(held):
            for code, skill in skills.items():
                if code not in self._columns:
                    self._columns[code] = np.zeros(len(held), dtype=np.uint8)
                self._columns[code][row] = skill

    def weighted(self, severities: Mapping[str, int], rows: Rows) -> Whole:
        """Shape of `rows`: Σ severity · skill over these concerns."""
        found = np.zeros(len(rows), dtype=np.int64)
        for code, severity in severities.items():
            if code in self._columns:
                found += severity * self._columns[code][rows].astype(np.int64)
        return found


@dataclass(frozen=True)
class Shard:
    """Who has or had authority in one place: their rows, and the ordinal of their last day."""

    rows: Rows
    last_day: Whole


class Columns:
    """Everything a rule or a factor reads, by column. Shape of each: (therapists,)."""

    def __init__(self, therapists: Sequence[Therapist]) -> None:
        """`therapists` are checked, live and in order of id."""
        self.ids = tuple(each.id for each in therapists)
        self.row_of = {each: row for row, each in enumerate(self.ids)}
        self.shards = _shards(therapists)
        self.capacity = _whole(therapists, lambda each: each.capacity)
        self.youngest = _whole(therapists, lambda each: each.ages[0])
        self.oldest = _whole(therapists, lambda each: _or(each.ages[1], NO_LIMIT))
        self.acuity_max = _whole(therapists, lambda each: each.acuity_max)
        self.fee = _whole(therapists, lambda each: _or(each.fee, NOT_STATED))
        self.lowest_fee = _whole(therapists, lambda each: _or(each.lowest_fee, NOT_STATED))
        self.record = _whole(therapists, lambda each: _or(each.record, NEUTRAL))
        self.hours = _weeks(therapists)
        self.style = {axis: _style(therapists, axis) for axis in STYLE_AXES}
        self.skills = Skills([each.concerns for each in therapists])
        self.services = Codes([each.services for each in therapists])
        self.languages = Codes([each.languages for each in therapists])
        self.formats = Codes([each.formats for each in therapists])
        self.payments = Codes([each.payments for each in therapists])
        self.insurers = Codes([each.insurers for each in therapists])
        self.approaches = Codes([each.approaches for each in therapists])
        self.currencies = Codes([[each.currency or NO_CURRENCY] for each in therapists])
        self.identities = _identities(therapists)

    def __len__(self) -> int:
        return len(self.ids)

    def nobody(self) -> Flags:
        return np.zeros(len(self), dtype=np.bool_)

    def published(self, attribute: str) -> Codes:
        return self.identities.get(attribute) or Codes([()] * len(self))


def week_words(bits: int) -> Words:
    """168 bits as three words of 64, lowest first. Shape (3,)."""
    words = [bits >> _WORD * each & _WORD_MASK for each in range(WORDS_A_WEEK)]
    return np.array(words, dtype=np.uint64)


def _shards(therapists: Sequence[Therapist]) -> dict[str, Shard]:
    held: dict[str, list[tuple[int, int]]] = {}
    for row, therapist in enumerate(therapists):
        for place, until in therapist.authority.items():
            held.setdefault(place, []).append((row, until.toordinal()))
    return {place: _shard(pairs) for place, pairs in held.items()}


def _shard(pairs: Sequence[tuple[int, int]]) -> Shard:
    rows, last_day = zip(*pairs, strict=True)
    return Shard(np.array(rows, dtype=np.intp), np.array(last_day, dtype=np.int64))


def _whole(therapists: Sequence[Therapist], value: Callable[[Therapist], int]) -> Whole:
    return np.fromiter((value(each) for each in therapists), np.int64, len(therapists))


def _weeks(therapists: Sequence[Therapist]) -> Words:
    """Shape (3, therapists)."""
    weeks = np.zeros((WORDS_A_WEEK, len(therapists)), dtype=np.uint64)
    for row, therapist in enumerate(therapists):
        weeks[:, row] = week_words(therapist.hours)
    return weeks


def _style(therapists: Sequence[Therapist], axis: str) -> npt.NDArray[np.int16]:
    stated = (each.style.get(axis) for each in therapists)
    places = (STYLE_OPEN if value is None else hundredths(value) for value in stated)
    return np.fromiter(places, np.int16, len(therapists))


def _identities(therapists: Sequence[Therapist]) -> dict[str, Codes]:
    attributes = {attribute for each in therapists for attribute in each.identities}
    return {
        attribute: Codes([each.identities.get(attribute, ()) for each in therapists])
        for attribute in sorted(attributes)
    }


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
