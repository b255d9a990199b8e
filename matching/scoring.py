"""The factors over a shard's columns. Says nothing that `matching.factors` does not.

A factor's answer is a figure for each of the eligible rows, or one for them all. All arithmetic is
in whole numbers, so both agree to the point. Cost: each column that the client's question touches
is fetched once, for the eligible rows alone.
"""

from collections.abc import Callable, Collection
from functools import lru_cache, reduce

import numpy as np
import numpy.typing as npt

from matching.asking import Asked, kind_of
from matching.factors import HALF, STYLE_SPAN, STYLE_UNKNOWN, enough_hours
from matching.hours import HOURS_A_WEEK
from matching.model import Payment, Weights
from matching.records import Scores
from matching.shards.codes import SKILL_MASK, Words, split
from matching.shards.rows import APPROACH_KIND, FORMAT, LANGUAGE, place_on_axis
from matching.shards.shard import STYLE_OPEN, WORDS_A_WEEK, Rows, Shard
from matching.terms import (
    FREE,
    FULL,
    INSURANCE,
    LITTLE_KNOWN,
    NEUTRAL,
    STYLE_AXES,
    TOP_SKILL,
)

Figures = npt.NDArray[np.int32]
# One figure for everybody, or one for each of the rows.
Points = int | Figures


class Eligible:
    """`rows` (n,) of a shard that no rule fails; what several lines ask for is fetched once."""

    def __init__(self, shard: Shard, rows: Rows) -> None:
        self.rows = rows
        self.shard = shard
        self._codes: dict[int, Words] = {}
        self._recorded: tuple[Scores, Scores] | None = None

    def codes(self, word: int) -> Words:
        if word not in self._codes:
            self._codes[word] = self.shard.codes[word].take(self.rows)
        return self._codes[word]

    def recorded(self, asked: Asked) -> tuple[Scores, Scores] | None:
        """Scores and bonuses in the client's domain; nothing is fetched while nobody has any."""
        domain = asked.client.domain
        if self._recorded is None and domain is not None and asked.records.has(domain):
            slots = self.shard.slot.take(self.rows)
            self._recorded = asked.records.of_rows(domain, slots)
        return self._recorded


Score = Callable[[Asked, Eligible, int], Points]


def points_of(asked: Asked, rows: Rows, weights: Weights) -> dict[str, Points]:
    """Weight · score of eligible rows by factor, in the order of FACTORS, then the bonus."""
    eligible = Eligible(asked.shard, rows)
    points = {
        factor: SCORES[factor](asked, eligible, weight)
        for factor, weight in weights.by_factor.items()
    }
    bonus = _little_known(asked, eligible, weights.record)
    return points if bonus is None else points | {LITTLE_KNOWN: bonus}


def totals_of(points: dict[str, Points], rows: Rows) -> Figures:
    """Shape of `rows`: the sum over the factors."""
    same = sum([each for each in points.values() if isinstance(each, int)])
    different = [each for each in points.values() if not isinstance(each, int)]
    if not different:
        return np.full(len(rows), same, dtype=np.int32)
    return reduce(np.add, different) + np.int32(same)


def _concerns(asked: Asked, eligible: Eligible, weight: int) -> Points:
    severities = asked.client.concerns
    if not severities:
        return weight * NEUTRAL
    reached = np.zeros(len(eligible.rows), dtype=np.uint32)
    for concern, severity in severities.items():
        place = asked.skills.place(concern)
        if place is not None:
            byte, shift = place
            four_skills = asked.shard.skills[byte].take(eligible.rows)
            reached += (four_skills >> shift & SKILL_MASK) * severity
    return _looked_up(reached, TOP_SKILL * sum(severities.values()), weight)


def _hours(asked: Asked, eligible: Eligible, weight: int) -> Points:
    hours = asked.client.hours
    if not hours:
        return weight * NEUTRAL
    words = zip(asked.shard.hours, split(hours, WORDS_A_WEEK), strict=True)
    shared = [np.bitwise_count(theirs.take(eligible.rows) & mine) for theirs, mine in words if mine]
    points: Figures = _hours_table(enough_hours(asked.client), weight).take(reduce(np.add, shared))
    return points


def _approach(asked: Asked, eligible: Eligible, weight: int) -> Points:
    return _counted(asked, APPROACH_KIND, asked.client.wished_approaches, eligible, weight)


def _price(asked: Asked, eligible: Eligible, weight: int) -> Points:
    """1000 at the full fee, 500 and up at a lower one; the rule has let nobody else pass."""
    paying = asked.client.payment
    if paying is None or not (paying.has_price or paying.kind in (INSURANCE, FREE)):
        return weight * NEUTRAL
    return _affordable(paying, eligible, weight) if paying.has_price else weight * FULL


def _affordable(paying: Payment, eligible: Eligible, weight: int) -> Figures:
    budget, fee = paying.budget or 0, eligible.shard.fee.take(eligible.rows)
    points = np.full(len(fee), weight * FULL, dtype=np.int32)
    above = (fee > budget).nonzero()[0]
    if len(above):
        lowest = eligible.shard.lowest_fee.take(eligible.rows.take(above))
        room = np.multiply(budget - lowest, HALF, dtype=np.int64)
        points[above] = weight * (HALF + room // (fee.take(above) - lowest))
    return points


def _style(asked: Asked, eligible: Eligible, weight: int) -> Points:
    style = asked.client.style
    if not style:
        return weight * NEUTRAL
    near = []
    for axis, value in style.items():
        theirs = asked.shard.style[STYLE_AXES.index(axis)].take(eligible.rows)
        near.append(_nearness(place_on_axis(value)).take(theirs))
    return _looked_up(reduce(np.add, near), STYLE_SPAN * len(style), weight)


def _language(asked: Asked, eligible: Eligible, weight: int) -> Points:
    return _one_or_more(asked, LANGUAGE, asked.client.languages, eligible, weight)


def _identity(asked: Asked, eligible: Eligible, weight: int) -> Points:
    wished = asked.client.wished_identities
    if not wished:
        return weight * NEUTRAL
    met = np.zeros(len(eligible.rows), dtype=np.uint16)
    for attribute, want in wished.items():
        having = np.zeros(len(eligible.rows), dtype=np.bool_)
        for word, mask in asked.book.masks(kind_of(attribute), want).items():
            having |= (eligible.codes(word) & mask) != 0
        met += having
    return _looked_up(met, len(wished), weight)


def _format(asked: Asked, eligible: Eligible, weight: int) -> Points:
    return _one_or_more(asked, FORMAT, asked.client.formats, eligible, weight)


def _record(asked: Asked, eligible: Eligible, weight: int) -> Points:
    recorded = eligible.recorded(asked)
    return weight * NEUTRAL if recorded is None else weight * recorded[0].astype(np.int32)


def _little_known(asked: Asked, eligible: Eligible, weight: int) -> Figures | None:
    recorded = eligible.recorded(asked)
    return None if recorded is None else weight * recorded[1].astype(np.int32)


SCORES: dict[str, Score] = {
    "concerns": _concerns,
    "hours": _hours,
    "approach": _approach,
    "price": _price,
    "style": _style,
    "language": _language,
    "identity": _identity,
    "format": _format,
    "record": _record,
}


def _one_or_more(
    asked: Asked, kind: str, codes: Collection[str], eligible: Eligible, weight: int
) -> Points:
    """As `_counted`, of codes of which the rule demands one: whoever named one has it met."""
    if len(codes) == 1:
        return weight * FULL
    return _counted(asked, kind, codes, eligible, weight)


def _counted(
    asked: Asked, kind: str, codes: Collection[str], eligible: Eligible, weight: int
) -> Points:
    """How many of the codes each has, as a share of them all."""
    if not codes:
        return weight * NEUTRAL
    count = np.zeros(len(eligible.rows), dtype=np.uint16)
    for word, mask in asked.book.masks(kind, codes).items():
        count += np.bitwise_count(eligible.codes(word) & mask)
    return _looked_up(count, len(codes), weight)


def _looked_up(part: npt.NDArray[np.integer], whole: int, weight: int) -> Figures:
    """Points for a share of `whole`, from a table of every share there can be."""
    return _shares(whole, weight).take(part)


@lru_cache(maxsize=1024)
def _shares(whole: int, weight: int) -> Figures:
    return (weight * (FULL * np.arange(whole + 1) // whole)).astype(np.int32)


@lru_cache(maxsize=1024)
def _hours_table(enough: int, weight: int) -> Figures:
    """Points by hours shared, which are as good as any number from `enough`."""
    return _shares(enough, weight).take(np.arange(HOURS_A_WEEK + 1), mode="clip")


@lru_cache(maxsize=STYLE_SPAN + 1)
def _nearness(place: int) -> npt.NDArray[np.int16]:
    """How near each place on an axis is to this one, 0…600; last, what was left open."""
    near = STYLE_SPAN - np.abs(np.arange(STYLE_OPEN + 1) - place)
    near[STYLE_OPEN] = STYLE_SPAN - STYLE_UNKNOWN
    return near.astype(np.int16)
