"""What each rule costs by itself: how many more could be offered if it alone did not count.

Objective: for every rule r, |⋂ of the other rules| − |⋂ of all rules|, over one place.
Steps: (1) each rule's answer is a bitmap (O'Neil and Quass 1997); (2) the AND of all bitmaps before
r and the AND of all after it, two scans over the rules (Blelloch 1990), give everybody whom only r
can fail; (3) bits are counted.
Shapes: bitmaps (rules, rows / 64) of 64-bit words, a bit for each row of one shard. Units of what
comes out: therapists.
Cost: O(rules · rows / 8) bytes read, whatever is asked; each rule alone would cost that again.
"""

from dataclasses import dataclass

import numpy as np

from matching.asking import Asked
from matching.passing import passing
from matching.shards.codes import Words
from matching.terms import APPROACH, MUST

# Whether somebody may treat and whether it is safe are not up for trade; nor is who somebody is.
NEVER_RELAXED = frozenset({"licence", "scope"})
EVERYBODY = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Market:
    """`eligible` may be offered now; `gains[rule]` more, if only that rule did not count.

    Without licence, scope and must-haves of identity, whatever the client asks.
    """

    eligible: int
    gains: dict[str, int]


def market_of(asked: Asked) -> Market:
    """Every rule that this client's question sets, in the order of RULES."""
    rules = passing(asked)
    everything, without = all_but_each(np.array([*rules.values()]).view(np.uint64))
    eligible = int(np.bitwise_count(everything).sum())
    counts = np.bitwise_count(without).sum(axis=1).tolist()
    gains = {rule: each - eligible for rule, each in zip(rules, counts, strict=True)}
    return Market(eligible, {rule: gain for rule, gain in gains.items() if _may_relax(rule)})


def _may_relax(rule: str) -> bool:
    is_about_identity = rule.startswith(MUST) and rule != MUST + APPROACH
    return rule not in NEVER_RELAXED and not is_about_identity


def all_but_each(bitmaps: Words) -> tuple[Words, Words]:
    """The AND of all, shape (words,), and of all but each in turn, shape (rules, words)."""
    before = np.bitwise_and.accumulate(bitmaps)
    after = np.bitwise_and.accumulate(bitmaps[::-1])[::-1]
    without = np.full_like(bitmaps, EVERYBODY)
    without[1:] &= before[:-1]
    without[:-1] &= after[1:]
    return before[-1], without
