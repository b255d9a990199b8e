"""The rules and the factors over whole columns. Says nothing that `rules` and `factors` do not.

Masks have the shape (therapists,) and are True for whoever a rule fails. Scores have the shape of
the rows asked for. All arithmetic is in whole numbers, so both agree to the point.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matching.columns import (
    NO_CURRENCY,
    NOT_STATED,
    STYLE_OPEN,
    Codes,
    Columns,
    Flags,
    Rows,
    Whole,
    week_words,
)
from matching.factors import (
    HALF,
    STYLE_SPAN,
    STYLE_UNKNOWN,
    enough_hours,
    hundredths,
)
from matching.model import Client, Payment, Weights
from matching.terms import APPROACH, FACTORS, FREE, FULL, INSURANCE, MUST, NEUTRAL, TOP_SKILL

Mask = Callable[[Client, Columns], Flags]
Score = Callable[[Client, Columns, Rows], Whole]


@dataclass(frozen=True)
class Scan:
    """Everybody eligible: `rows` (n,) ascending, `points` (9, n) by factor, `totals` (n,)."""

    rows: Rows
    points: Whole
    totals: Whole
    excluded: dict[str, int]


def scan(client: Client, columns: Columns, weights: Weights) -> Scan:
    """Filter by every rule, then score the survivors. Cost: O(therapists)."""
    failing = failing_masks(client, columns)
    anything = columns.nobody()
    for mask in failing.values():
        anything |= mask
    rows = np.flatnonzero(~anything)
    points = points_of(client, columns, rows, weights)
    excluded = {rule: int(np.count_nonzero(mask)) for rule, mask in failing.items()}
    return Scan(rows, points, points.sum(axis=0), excluded)


def first_rows(found: Scan, limit: int) -> Rows:
    """Positions in `found` of the best `limit`, by falling total, equals by id.

    A partition finds the last total that is good enough; only those at or above it are sorted.
    """
    losses = -found.totals
    near = np.arange(len(losses))
    if 0 < limit < len(losses):
        near = np.flatnonzero(losses <= np.partition(losses, limit - 1)[limit - 1])
    return near[np.argsort(losses[near], kind="stable")][:limit]


def failing_masks(client: Client, columns: Columns) -> dict[str, Flags]:
    """Every rule that applies to this client, in the order of RULES, then the must-haves."""
    failing = {rule: mask(client, columns) for rule, mask in MASKS.items()}
    for wish, want in client.musts.items():
        failing[MUST + wish] = ~_codes_of(wish, columns).having_any(want)
    return failing


def points_of(client: Client, columns: Columns, rows: Rows, weights: Weights) -> Whole:
    """Shape (9, rows): weight · score by factor, in the order of FACTORS."""
    points = np.empty((len(FACTORS), len(rows)), dtype=np.int64)
    for line, (factor, weight) in enumerate(weights.by_factor.items()):
        points[line] = weight * SCORES[factor](client, columns, rows)
    return points


def _licence(client: Client, columns: Columns) -> Flags:
    failing = ~columns.nobody()
    shard = columns.shards.get(client.place)
    if shard is not None:
        failing[shard.rows] = shard.last_day < client.on.toordinal()
    return failing


def _capacity(_client: Client, columns: Columns) -> Flags:
    return columns.capacity <= 0


def _age(client: Client, columns: Columns) -> Flags:
    if client.age is None:
        return columns.nobody()
    return (client.age < columns.youngest) | (client.age > columns.oldest)


def _service(client: Client, columns: Columns) -> Flags:
    if client.service is None:
        return columns.nobody()
    return ~columns.services.having(client.service)


def _scope(client: Client, columns: Columns) -> Flags:
    if client.acuity is None:
        return columns.nobody()
    return columns.acuity_max < client.acuity


def _language(client: Client, columns: Columns) -> Flags:
    return _none_shared(client.languages, columns.languages, columns)


def _payment(client: Client, columns: Columns) -> Flags:
    paying = client.payment
    if paying is None:
        return columns.nobody()
    failing = ~_accepting(paying, columns)
    if paying.has_price:
        failing |= ~_within_budget(paying, columns)
    return failing


def _format(client: Client, columns: Columns) -> Flags:
    return _none_shared(client.formats, columns.formats, columns)


def _hours(client: Client, columns: Columns) -> Flags:
    if not client.hours:
        return columns.nobody()
    failing = ~columns.nobody()
    for word, theirs in zip(week_words(client.hours), columns.hours, strict=True):
        failing &= (theirs & word) == 0
    return failing


def _exclusion(client: Client, columns: Columns) -> Flags:
    failing = columns.nobody()
    failing[[columns.row_of[each] for each in client.exclude if each in columns.row_of]] = True
    return failing


MASKS: dict[str, Mask] = {
    "licence": _licence,
    "capacity": _capacity,
    "age": _age,
    "service": _service,
    "scope": _scope,
    "language": _language,
    "payment": _payment,
    "format": _format,
    "hours": _hours,
    "exclusion": _exclusion,
}


def _concerns_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    if not client.concerns:
        return _neutral(rows)
    reached = columns.skills.weighted(client.concerns, rows)
    return _share(reached, TOP_SKILL * sum(client.concerns.values()))


def _hours_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    if not client.hours:
        return _neutral(rows)
    common = np.zeros(len(rows), dtype=np.int64)
    for word, theirs in zip(week_words(client.hours), columns.hours, strict=True):
        common += np.bitwise_count(theirs[rows] & word)
    enough = enough_hours(client)
    return _share(np.minimum(common, enough), enough)


def _approach_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    return _each_counts(client.wished_approaches, columns.approaches, rows)


def _price_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    paying = client.payment
    if paying is None:
        return _neutral(rows)
    if paying.has_price:
        return _affordable(paying, columns, rows)
    if paying.kind in (INSURANCE, FREE):
        return FULL * _accepting(paying, columns)[rows].astype(np.int64)
    return _neutral(rows)


def _style_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    if not client.style:
        return _neutral(rows)
    near = np.zeros(len(rows), dtype=np.int64)
    for axis, value in client.style.items():
        theirs = columns.style[axis][rows].astype(np.int64)
        apart = np.abs(theirs - hundredths(value))
        near += STYLE_SPAN - np.where(theirs == STYLE_OPEN, STYLE_UNKNOWN, apart)
    return _share(near, STYLE_SPAN * len(client.style))


def _language_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    return _each_counts(client.languages, columns.languages, rows)


def _identity_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    asked = client.wished_identities
    if not asked:
        return _neutral(rows)
    met = np.zeros(len(rows), dtype=np.int64)
    for attribute, want in asked.items():
        met += columns.published(attribute).having_any(want)[rows]
    return _share(met, len(asked))


def _format_score(client: Client, columns: Columns, rows: Rows) -> Whole:
    return _each_counts(client.formats, columns.formats, rows)


def _record_score(_client: Client, columns: Columns, rows: Rows) -> Whole:
    return columns.record[rows]


SCORES: dict[str, Score] = {
    "concerns": _concerns_score,
    "hours": _hours_score,
    "approach": _approach_score,
    "price": _price_score,
    "style": _style_score,
    "language": _language_score,
    "identity": _identity_score,
    "format": _format_score,
    "record": _record_score,
}


def _codes_of(wish: str, columns: Columns) -> Codes:
    return columns.approaches if wish == APPROACH else columns.published(wish)


def _none_shared(asked: frozenset[str], having: Codes, columns: Columns) -> Flags:
    return ~having.having_any(asked) if asked else columns.nobody()


def _each_counts(asked: frozenset[str], having: Codes, rows: Rows) -> Whole:
    return _share(having.count(asked, rows), len(asked)) if asked else _neutral(rows)


def _accepting(paying: Payment, columns: Columns) -> Flags:
    accepting = columns.payments.having(paying.kind)
    if paying.insurer is None:
        return accepting
    return accepting & columns.insurers.having(paying.insurer)


def _within_budget(paying: Payment, columns: Columns) -> Flags:
    lowest = columns.lowest_fee
    stated: Flags = lowest != NOT_STATED
    return stated & (lowest <= (paying.budget or 0)) & _same_money(paying, columns)


def _same_money(paying: Payment, columns: Columns) -> Flags:
    if paying.currency is None:
        return ~columns.nobody()
    return columns.currencies.having_any((paying.currency, NO_CURRENCY))


def _affordable(paying: Payment, columns: Columns, rows: Rows) -> Whole:
    """1000 at the full fee, 500 and up at a lower one, 0 for whoever is out of reach."""
    budget = paying.budget or 0
    fee, lowest = columns.fee[rows], columns.lowest_fee[rows]
    # Where fee and lowest are equal the quotient is not used; 1 keeps the division defined.
    sliding = HALF + HALF * (budget - lowest) // np.maximum(fee - lowest, 1)
    score = np.where(fee <= budget, FULL, sliding)
    return np.where(_within_budget(paying, columns)[rows], score, 0)


def _neutral(rows: Rows) -> Whole:
    return np.full(len(rows), NEUTRAL, dtype=np.int64)


def _share(part: Whole, whole: int) -> Whole:
    return FULL * part // whole
