"""The rules over a shard's columns. Says nothing that `matching.rules` does not.

A rule's answer is what must all be set for a row to pass: bitmaps, one bit a row, for what is a
code or an hour, and flags, one byte a row, where figures are compared. A rule that the client's
question does not touch gives neither. Cost: a bitmap reads rows / 8 bytes, flags read one column.
"""

from collections.abc import Callable
from functools import reduce

import numpy as np

from matching.asking import Asked, Flags, count, kind_of, packed, unpacked
from matching.hours import hours_in
from matching.model import Payment
from matching.shards.rows import (
    CURRENCY,
    FORMAT,
    INSURER,
    LANGUAGE,
    NO_CURRENCY,
    OPEN,
    PAYMENT,
    SCOPE,
    SERVICE,
)
from matching.shards.shard import Bits, Rows
from matching.terms import MUST

# Bitmaps, shape (end / 8,), and flags, shape (end,).
Masks = tuple[list[Bits], list[Flags]]
NOTHING: Masks = ([], [])
Rule = Callable[[Asked], Masks]


def eligible(asked: Asked) -> Rows:
    """The rows that no rule fails, ascending."""
    masks = _masks(asked).values()
    passing = unpacked(reduce(np.bitwise_and, [each for bitmaps, _ in masks for each in bitmaps]))
    for _, flags in masks:
        for each in flags:
            passing &= each
    return passing.nonzero()[0]


def passing(asked: Asked) -> dict[str, Bits]:
    """Whom each rule lets pass, in the order of `rules.RULES`, then the must-haves.

    Rules on which this client's question does not touch are left out.
    """
    found = {
        name: [*bitmaps, *map(packed, flags)] for name, (bitmaps, flags) in _masks(asked).items()
    }
    return {name: reduce(np.bitwise_and, bitmaps) for name, bitmaps in found.items() if bitmaps}


def licensed(asked: Asked) -> int:
    """How many may practise in the client's place on that day; the shard is that place's."""
    return int(np.count_nonzero(_in_force(asked)))


def failing_at_home(asked: Asked) -> dict[str, int]:
    """How many of those at home in this shard each rule fails, licence apart."""
    at_home = packed(asked.shard.is_home[: asked.shard.end])
    found = passing(asked)
    return {name: count(at_home & ~bits) for name, bits in found.items() if name != "licence"}


def _masks(asked: Asked) -> dict[str, Masks]:
    masks = {name: rule(asked) for name, rule in RULES.items()}
    for wish, want in asked.client.musts.items():
        masks[MUST + wish] = [asked.having_any(kind_of(wish), want)], []
    return masks


def _licence(asked: Asked) -> Masks:
    return [], [_in_force(asked)]


def _capacity(asked: Asked) -> Masks:
    return [asked.shard.bitmap(asked.book.bit(*OPEN))], []


def _age(asked: Asked) -> Masks:
    age, end = asked.client.age, asked.shard.end
    if age is None:
        return NOTHING
    # No limit is kept as an age that nobody reaches.
    return [], [asked.shard.youngest[:end] <= age, asked.shard.oldest[:end] >= age]


def _service(asked: Asked) -> Masks:
    service = asked.client.service
    return NOTHING if service is None else ([asked.having_any(SERVICE, [service])], [])


def _scope(asked: Asked) -> Masks:
    acuity = asked.client.acuity
    return ([asked.having_any(SCOPE, [str(acuity)])], []) if acuity else NOTHING


def _language(asked: Asked) -> Masks:
    languages = asked.client.languages
    return ([asked.having_any(LANGUAGE, languages)], []) if languages else NOTHING


def _payment(asked: Asked) -> Masks:
    paying = asked.client.payment
    if paying is None:
        return NOTHING
    accepting = [asked.having_any(PAYMENT, [paying.kind])]
    if paying.insurer is not None:
        accepting.append(asked.having_any(INSURER, [paying.insurer]))
    if not paying.has_price:
        return accepting, []
    if paying.currency is not None:
        accepting.append(asked.having_any(CURRENCY, (paying.currency, NO_CURRENCY)))
    return accepting, [_within_budget(asked, paying)]


def _format(asked: Asked) -> Masks:
    formats = asked.client.formats
    return ([asked.having_any(FORMAT, formats)], []) if formats else NOTHING


def _hours(asked: Asked) -> Masks:
    hours = [*hours_in(asked.client.hours)]
    return ([asked.shard.having_hours(hours)], []) if hours else NOTHING


def _exclusion(asked: Asked) -> Masks:
    if not asked.client.exclude:
        return NOTHING
    flags = np.ones(asked.shard.end, dtype=np.bool_)
    flags[list(asked.exclude)] = False
    return [], [flags]


RULES: dict[str, Rule] = {
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


def _in_force(asked: Asked) -> Flags:
    in_force: Flags = asked.shard.last_day[: asked.shard.end] >= asked.first_day
    return in_force


def _within_budget(asked: Asked, paying: Payment) -> Flags:
    # A fee that is not stated is kept as more than any budget.
    within: Flags = asked.shard.lowest_fee[: asked.shard.end] <= (paying.budget or 0)
    return within
