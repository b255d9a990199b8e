"""What each rule costs by itself: how many more could be offered if it alone did not count.

Objective: for every rule r, |⋂ of the other rules| − |⋂ of all rules|, over one place.
Steps: (1) each rule's answer is a bitmap; (2) the AND of all bitmaps before r and the AND of all
after it give, together, everybody whom only r can fail; (3) bits are counted.
Cost: O(rules · rows / 8) bytes read.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from matching.scan import Asked, count, passing
from matching.shard import Bits

# Whether somebody may treat and whether it is safe are not up for trade.
NEVER_RELAXED = frozenset({"licence", "scope"})


@dataclass(frozen=True)
class Market:
    """`eligible` may be offered now; `gains[rule]` more, if only that rule did not count."""

    eligible: int
    gains: dict[str, int]


def market_of(asked: Asked) -> Market:
    """Every rule that this client's question sets, in the order of RULES."""
    rules = passing(asked)
    everything, without = _all_but_each(list(rules.values()))
    relaxed = dict(zip(rules, without, strict=True))
    for rule in NEVER_RELAXED & relaxed.keys():
        del relaxed[rule]
    eligible = count(everything)
    return Market(eligible, {rule: count(bits) - eligible for rule, bits in relaxed.items()})


def _all_but_each(bitmaps: list[Bits]) -> tuple[Bits, list[Bits]]:
    """The AND of all, and of all but each in turn, by prefixes and suffixes. None is empty."""
    before = [*accumulate(bitmaps, np.bitwise_and)]
    after = [*accumulate(reversed(bitmaps), np.bitwise_and)][::-1]
    without = [
        after[1]
        if not at
        else before[at - 1]
        if at + 1 == len(bitmaps)
        else before[at - 1] & after[at + 1]
        for at in range(len(bitmaps))
    ]
    return before[-1], without
