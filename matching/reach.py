"""The market turned round: how many of many clients can find each therapist, and why others not.

Objective, for every therapist: how many clients no rule of theirs fails; for every rule, how many
only that rule fails; by place, how many only licence fails; by concern, how many of those who can
find them named one that the therapist does not list. Rules about who somebody is, how unwell or
how old a client is and whom they do not want to see are not told of (`TOLD`).

Steps, for each client: (1) in the shard of their place, as in `matching.market`, the AND of all
bitmaps but one, less the AND of all, is whom that rule alone fails; (2) in every shard, whoever is
at home there, passes all but licence and has no authority in the client's place is whom licence
alone fails; (3) what is found is added up by slot.
Sources: as `matching.market`; what may be shown of the sums, with which noise, is not decided here
(docs/reference/being-found.md).
Shapes: one row of counters (slots,) for those found and for each rule, place and concern; a slot is
a therapist, whatever the number of their places. Units: clients, each counted once.
Cost: O(rules · rows / 8) bytes a client over all places, and what is found.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from matching.asking import Asked, Flags, packed, unpacked
from matching.market import all_but_each
from matching.model import Client
from matching.passing import passing
from matching.shards.codes import SKILL_MASK
from matching.shards.roll import Roll
from matching.shards.shard import Rows, Shard
from matching.terms import APPROACH, MUST

Counts = npt.NDArray[np.uint32]
LICENCE = "licence"
TOLD = ("capacity", "service", "language", "payment", "format", "hours", MUST + APPROACH)


@dataclass(frozen=True)
class Reached:
    """Of the clients counted: `found` may be offered this therapist. What is nought is left out.

    `alone[rule]` and `places[place]` more would be, if that rule, or the licence for that place,
    were not in the way; `lacking[concern]` of those found named a concern that is not listed.
    """

    found: int
    alone: dict[str, int]
    places: dict[str, int]
    lacking: dict[str, int]


class Reach:
    """Counts one client after the other, in an index that nobody changes meanwhile."""

    def __init__(self, roll: Roll, ask: Callable[[Client, Shard], Asked]) -> None:
        self._roll, self._ask = roll, ask
        self._found = self._nothing()
        self._alone: dict[str, Counts] = defaultdict(self._nothing)
        self._places: dict[str, Counts] = defaultdict(self._nothing)
        self._lacking: dict[str, Counts] = defaultdict(self._nothing)

    def add(self, client: Client) -> None:
        here = self._roll.shard_in(client.place)
        self._count_here(self._ask(client, here))
        licensed = self._licensed(self._ask(client, here))
        for shard in self._roll.shards:
            self._count_unlicensed(self._ask(client, shard), licensed)

    def of(self, therapist_id: str) -> Reached:
        """Raises UnknownTherapist."""
        slot = self._roll.slot_of(therapist_id)
        return Reached(
            int(self._found[slot]),
            _at(self._alone, slot),
            _at(self._places, slot),
            _at(self._lacking, slot),
        )

    def _count_here(self, asked: Asked) -> None:
        rules = passing(asked)
        everything, without = all_but_each(np.array([*rules.values()]).view(np.uint64))
        found = _rows(everything)
        self._found[asked.shard.slot[found]] += 1
        for rule, others in zip(rules, without, strict=True):
            if rule in TOLD:
                self._alone[rule][asked.shard.slot[_rows(others & ~everything)]] += 1
        for concern in asked.client.concerns:
            lacking = found[_skills(asked, concern, found) == 0]
            self._lacking[concern][asked.shard.slot[lacking]] += 1

    def _count_unlicensed(self, asked: Asked, licensed: Flags) -> None:
        """Of those at home in this shard."""
        at_home = packed(asked.shard.is_home[: asked.shard.end])
        others = [bits for rule, bits in passing(asked).items() if rule != LICENCE]
        rows = _rows(reduce(np.bitwise_and, others, at_home))
        slots = asked.shard.slot[rows]
        self._places[asked.client.place][slots[~licensed[slots]]] += 1

    def _licensed(self, asked: Asked) -> Flags:
        """By slot, who may practise in the client's place; the shard is that place's."""
        licensed = np.zeros(self._roll.directory.slots, dtype=np.bool_)
        licensed[asked.shard.slot[_rows(passing(asked)[LICENCE])]] = True
        return licensed

    def _nothing(self) -> Counts:
        return np.zeros(self._roll.directory.slots, dtype=np.uint32)


def _at(counts: dict[str, Counts], slot: int) -> dict[str, int]:
    return {name: int(of_all[slot]) for name, of_all in counts.items() if of_all[slot]}


def _rows(bits: npt.NDArray[np.unsignedinteger]) -> Rows:
    return unpacked(bits.view(np.uint8)).nonzero()[0]


def _skills(asked: Asked, concern: str, rows: Rows) -> npt.NDArray[np.uint8]:
    place = asked.skills.place(concern)
    if place is None:
        return np.zeros(len(rows), dtype=np.uint8)
    byte, shift = place
    skills: npt.NDArray[np.uint8] = asked.shard.skills[byte, rows] >> np.uint8(shift)
    return skills & np.uint8(SKILL_MASK)
