"""The rules and the factors over a shard's columns. Says nothing that `rules` and `factors` do not.

A rule's answer is a bitmap of those it lets pass, one bit a row. A factor's is a figure for each
of the rows asked for. All arithmetic is in whole numbers, so both agree to the point.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
import numpy.typing as npt

from matching.codes import SKILL_MASK, Codebook, Skillbook, Words, split
from matching.factors import HALF, STYLE_SPAN, STYLE_UNKNOWN, enough_hours, hundredths
from matching.hours import hours_in
from matching.model import Client, Payment, Weights
from matching.rows import (
    APPROACH_KIND,
    CURRENCY,
    FORMAT,
    IDENTITY,
    INSURER,
    LANGUAGE,
    NO_CURRENCY,
    OPEN,
    PAYMENT,
    RECORDED,
    SCOPE,
    SERVICE,
)
from matching.shard import NO_RECORD, STYLE_OPEN, WORDS_A_WEEK, Bits, Shard
from matching.terms import APPROACH, FREE, FULL, INSURANCE, MUST, NEUTRAL, STYLE_AXES, TOP_SKILL

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Figures = npt.NDArray[np.int32]
TWO_BITS = np.uint64(SKILL_MASK)
# One figure for everybody, or one for each of the rows.
Points = int | Figures


@dataclass(frozen=True)
class Asked:
    """A client's question of one shard, with the books that say which bit is which code."""

    client: Client
    shard: Shard
    book: Codebook
    skills: Skillbook
    exclude: Collection[int] = ()

    def having_any(self, kind: str, codes: Collection[str]) -> Bits:
        """Who has any of these codes. Shape (bytes_used,)."""
        bitmaps = [self.shard.bitmap(bit) for bit in self.book.bits(kind, codes)]
        return reduce(np.bitwise_or, bitmaps) if bitmaps else self.shard.bitmap(None)

    def packed(self, flags: Flags) -> Bits:
        """Flags of the shard's rows as a bitmap."""
        packed = np.packbits(flags, bitorder="little")
        padded = np.zeros(self.shard.bytes_used, dtype=np.uint8)
        padded[: len(packed)] = packed
        return padded

    def licensed(self) -> int:
        """How many may practise in the client's place on that day; `shard` is that place's."""
        return count(_licence(self))


Rule = Callable[[Asked], Bits | None]


def _licence(asked: Asked) -> Bits:
    last_day = asked.shard.last_day[: asked.shard.rows]
    return asked.packed(last_day >= asked.client.on.toordinal())


def _capacity(asked: Asked) -> Bits:
    return asked.shard.bitmap(asked.book.bit(*OPEN))


def _age(asked: Asked) -> Bits | None:
    age, shard = asked.client.age, asked.shard
    if age is None:
        return None
    # No limit is kept as an age that nobody reaches.
    old_enough = shard.youngest[: shard.rows] <= age
    return asked.packed(old_enough & (shard.oldest[: shard.rows] >= age))


def _service(asked: Asked) -> Bits | None:
    service = asked.client.service
    return None if service is None else asked.having_any(SERVICE, [service])


def _scope(asked: Asked) -> Bits | None:
    acuity = asked.client.acuity
    return asked.having_any(SCOPE, [str(acuity)]) if acuity else None


def _language(asked: Asked) -> Bits | None:
    languages = asked.client.languages
    return asked.having_any(LANGUAGE, languages) if languages else None


def _payment(asked: Asked) -> Bits | None:
    paying = asked.client.payment
    if paying is None:
        return None
    passing = _accepting(asked, paying)
    return passing & _within_budget(asked, paying) if paying.has_price else passing


def _format(asked: Asked) -> Bits | None:
    formats = asked.client.formats
    return asked.having_any(FORMAT, formats) if formats else None


def _exclusion(asked: Asked) -> Bits | None:
    if not asked.exclude:
        return None
    flags = np.ones(asked.shard.rows, dtype=np.bool_)
    flags[list(asked.exclude)] = False
    return asked.packed(flags)


def _hours_rule(asked: Asked) -> Bits | None:
    if not asked.client.hours:
        return None
    return reduce(np.bitwise_or, map(asked.shard.hour_bitmap, hours_in(asked.client.hours)))


RULES: dict[str, Rule] = {
    "licence": _licence,
    "capacity": _capacity,
    "age": _age,
    "service": _service,
    "scope": _scope,
    "language": _language,
    "payment": _payment,
    "format": _format,
    "hours": _hours_rule,
    "exclusion": _exclusion,
}


def passing(asked: Asked) -> dict[str, Bits]:
    """Whom each rule lets pass, in the order of `rules.RULES`, then the must-haves.

    Rules on which this client's question does not touch are left out.
    """
    found = {name: rule(asked) for name, rule in RULES.items()}
    for wish, want in asked.client.musts.items():
        found[MUST + wish] = asked.having_any(kind_of(wish), want)
    return {name: bits for name, bits in found.items() if bits is not None}


def failing_at_home(asked: Asked) -> dict[str, int]:
    """How many of those at home in this shard each rule fails, licence apart."""
    at_home = asked.packed(asked.shard.is_home[: asked.shard.rows])
    found = passing(asked)
    return {name: count(at_home & ~bits) for name, bits in found.items() if name != "licence"}


def rows_in(bits: Bits, shard: Shard) -> Rows:
    """The numbers of the rows in a bitmap, ascending."""
    flags = np.unpackbits(bits, count=shard.rows, bitorder="little")
    return np.flatnonzero(flags.view(np.bool_))


def eligible(asked: Asked) -> Rows:
    """The rows that no rule fails, ascending."""
    return rows_in(reduce(np.bitwise_and, passing(asked).values()), asked.shard)


class Gathered:
    """Columns of the eligible rows, each fetched once, whichever factors read it."""

    def __init__(self, shard: Shard, rows: Rows) -> None:
        self.rows = rows
        self._shard = shard
        self._codes: dict[int, Words] = {}
        self._skills: dict[int, Words] = {}

    def codes(self, word: int) -> Words:
        if word not in self._codes:
            self._codes[word] = self._shard.codes[word].take(self.rows)
        return self._codes[word]

    def skills(self, word: int) -> Words:
        if word not in self._skills:
            self._skills[word] = self._shard.skills[word].take(self.rows)
        return self._skills[word]

    def hours_shared(self, hours: int) -> npt.NDArray[np.uint8]:
        shared = np.zeros(len(self.rows), dtype=np.uint8)
        for word, mask in enumerate(split(hours, WORDS_A_WEEK)):
            if mask:
                shared += np.bitwise_count(self._shard.hours[word].take(self.rows) & mask)
        return shared

    def style(self, axis: str) -> npt.NDArray[np.int16]:
        style: npt.NDArray[np.int16] = self._shard.style[STYLE_AXES.index(axis)]
        return style.take(self.rows)

    def fee(self) -> Figures:
        return self._shard.fee.take(self.rows)

    def lowest_fee(self, positions: Rows) -> Figures:
        return self._shard.lowest_fee.take(self.rows.take(positions))

    def record(self) -> npt.NDArray[np.uint16]:
        return self._shard.record.take(self.rows)


Score = Callable[[Asked, Gathered, int], Points]


def points_of(asked: Asked, rows: Rows, weights: Weights) -> dict[str, Points]:
    """Weight · score of eligible rows by factor, in the order of FACTORS."""
    gathered = Gathered(asked.shard, rows)
    return {
        factor: SCORES[factor](asked, gathered, weight)
        for factor, weight in weights.by_factor.items()
    }


def totals_of(points: dict[str, Points], rows: Rows) -> Figures:
    """Shape of `rows`: the sum over the factors."""
    same = sum(each for each in points.values() if isinstance(each, int))
    totals = np.full(len(rows), same, dtype=np.int32)
    for each in points.values():
        if not isinstance(each, int):
            totals += each
    return totals


def kind_of(wish: str) -> str:
    return APPROACH_KIND if wish == APPROACH else IDENTITY + wish


def _concerns(asked: Asked, gathered: Gathered, weight: int) -> Points:
    severities = asked.client.concerns
    if not severities:
        return weight * NEUTRAL
    reached = np.zeros(len(gathered.rows), dtype=np.uint64)
    for concern, severity in severities.items():
        place = asked.skills.place(concern)
        if place is not None:
            word, shift = place
            reached += (gathered.skills(word) >> shift & TWO_BITS) * np.uint64(severity)
    return _looked_up(reached.view(np.int64), TOP_SKILL * sum(severities.values()), weight)


def _hours(asked: Asked, gathered: Gathered, weight: int) -> Points:
    if not asked.client.hours:
        return weight * NEUTRAL
    enough = enough_hours(asked.client)
    shared = np.minimum(gathered.hours_shared(asked.client.hours), np.uint8(enough))
    return _looked_up(shared, enough, weight)


def _approach(asked: Asked, gathered: Gathered, weight: int) -> Points:
    return _counted(asked, APPROACH_KIND, asked.client.wished_approaches, gathered, weight)


def _price(asked: Asked, gathered: Gathered, weight: int) -> Points:
    """1000 at the full fee, 500 and up at a lower one; the rule has let nobody else pass."""
    paying = asked.client.payment
    if paying is None or not (paying.has_price or paying.kind in (INSURANCE, FREE)):
        return weight * NEUTRAL
    if not paying.has_price:
        return weight * FULL
    budget, fee = paying.budget or 0, gathered.fee()
    points = np.full(len(fee), weight * FULL, dtype=np.int32)
    above = np.flatnonzero(fee > budget)
    lowest = gathered.lowest_fee(above).astype(np.int64)
    score = HALF + HALF * (budget - lowest) // (fee.take(above) - lowest)
    points[above] = weight * score
    return points


def _style(asked: Asked, gathered: Gathered, weight: int) -> Points:
    style = asked.client.style
    if not style:
        return weight * NEUTRAL
    near = np.zeros(len(gathered.rows), dtype=np.int16)
    for axis, value in style.items():
        theirs = gathered.style(axis)
        apart = np.abs(theirs - np.int16(hundredths(value)))
        apart[theirs == STYLE_OPEN] = STYLE_UNKNOWN
        near += np.int16(STYLE_SPAN) - apart
    return _looked_up(near, STYLE_SPAN * len(style), weight)


def _language_points(asked: Asked, gathered: Gathered, weight: int) -> Points:
    return _counted(asked, LANGUAGE, asked.client.languages, gathered, weight)


def _identity(asked: Asked, gathered: Gathered, weight: int) -> Points:
    wished = asked.client.wished_identities
    if not wished:
        return weight * NEUTRAL
    met = np.zeros(len(gathered.rows), dtype=np.uint8)
    for attribute, want in wished.items():
        having = np.zeros(len(gathered.rows), dtype=np.bool_)
        for word, mask in asked.book.masks(IDENTITY + attribute, want).items():
            having |= (gathered.codes(word) & mask) != 0
        met += having
    return _looked_up(met, len(wished), weight)


def _format_points(asked: Asked, gathered: Gathered, weight: int) -> Points:
    return _counted(asked, FORMAT, asked.client.formats, gathered, weight)


def _record(asked: Asked, gathered: Gathered, weight: int) -> Points:
    if asked.book.bit(*RECORDED) is None:
        return weight * NEUTRAL
    record = gathered.record()
    known = np.where(record == NO_RECORD, NEUTRAL, record)
    return weight * known.astype(np.int32)


SCORES: dict[str, Score] = {
    "concerns": _concerns,
    "hours": _hours,
    "approach": _approach,
    "price": _price,
    "style": _style,
    "language": _language_points,
    "identity": _identity,
    "format": _format_points,
    "record": _record,
}


def _counted(
    asked: Asked, kind: str, codes: Collection[str], gathered: Gathered, weight: int
) -> Points:
    """How many of the codes each has, as a share of them all."""
    if not codes:
        return weight * NEUTRAL
    count = np.zeros(len(gathered.rows), dtype=np.uint8)
    for word, mask in asked.book.masks(kind, codes).items():
        count += np.bitwise_count(gathered.codes(word) & mask)
    return _looked_up(count, len(codes), weight)


def _looked_up(part: npt.NDArray[np.integer], whole: int, weight: int) -> Figures:
    """Points for a share of `whole`, from a table of every share there can be."""
    return _table(whole, weight).take(part)


@lru_cache(maxsize=256)
def _table(whole: int, weight: int) -> Figures:
    return (weight * (FULL * np.arange(whole + 1) // whole)).astype(np.int32)


def _accepting(asked: Asked, paying: Payment) -> Bits:
    accepting = asked.having_any(PAYMENT, [paying.kind])
    if paying.insurer is None:
        return accepting
    return accepting & asked.having_any(INSURER, [paying.insurer])


def _within_budget(asked: Asked, paying: Payment) -> Bits:
    # A fee that is not stated is kept as more than any budget.
    within = asked.packed(asked.shard.lowest_fee[: asked.shard.rows] <= (paying.budget or 0))
    if paying.currency is None:
        return within
    return within & asked.having_any(CURRENCY, (paying.currency, NO_CURRENCY))


def count(bits: Bits) -> int:
    """How many rows are in a bitmap."""
    return int(np.bitwise_count(bits.view(np.uint64)).sum())
