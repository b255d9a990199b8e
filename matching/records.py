"""What outcomes say of therapists, by domain, kept so that a ranking reads only the domain asked.

A record is two figures in each domain: a score, and a bonus for what is not known yet. Together
they never pass 1000, so the factor `record` with its bonus stays within its weight. Whoever is
known in no domain has a neutral score everywhere and shares one entry with everybody else of whom
as little is known; the others have an entry of their own. While nobody has a record nothing is
kept and nothing is read.

Shapes: `which` (slots,) names each therapist's entry, `figures` (domains, entries, 2) holds a score
and a bonus side by side. Entry 0 is nobody's: neutral, without a bonus.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from matching.terms import FULL, NEUTRAL

Slots = npt.NDArray[np.uint32]
Scores = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

NOTHING = 0
GROWTH = 8
SPARE = 64


class Record(NamedTuple):
    """In one domain: `score` 0…1000, 500 the average or too little known; `bonus` besides."""

    score: int = NEUTRAL
    bonus: int = 0


UNKNOWN = Record()
ByDomain = Mapping[str, Record]


class Records:
    """Everybody's, by slot. Cost: O(domains) to write one, two look-ups a row to read a domain."""

    def __init__(self) -> None:
        self._domains: dict[str, int] = {}
        self._which: Slots = np.zeros(0, dtype=np.uint32)
        self._figures: Scores = np.zeros((0, 0, 2), dtype=np.uint16)
        self._entries = NOTHING + 1
        self._shared: dict[frozenset[tuple[str, int]], int] = {}
        self._free: list[int] = []

    @classmethod
    def of(cls, records: Iterable[ByDomain]) -> Self:
        """The first record is slot 0's, and so on."""
        found = cls()
        for slot, each in enumerate(records):
            found.put(slot, each, slot + 1)
        return found

    @classmethod
    def laid_out(cls, domains: Iterable[str], which: Slots, figures: Scores) -> Self:
        """From arrays as the module has them; entry 0 is neutral, and none is shared."""
        found = cls()
        found._domains = {domain: number for number, domain in enumerate(domains)}
        found._which, found._figures = which, figures
        found._entries = figures.shape[1]
        return found

    @property
    def nbytes(self) -> int:
        return self._which.nbytes + self._figures.nbytes

    def has(self, domain: str) -> bool:
        """Whether anybody has a record in this domain."""
        return domain in self._domains

    def of_rows(self, domain: str, slots: Slots) -> tuple[Scores, Scores]:
        """Scores and bonuses (n,) in a domain in which somebody has a record."""
        figures = self._figures[self._domains[domain]]
        score, bonus = figures.take(self._which.take(slots), axis=0).T
        return score, bonus

    def at(self, slot: int) -> dict[str, Record]:
        """What `put` was given, without domains that say nothing at all."""
        if slot >= len(self._which):
            return {}
        figures = self._figures[:, self._which[slot]].tolist()
        stated = {domain: Record(*figures[number]) for domain, number in self._domains.items()}
        return {domain: record for domain, record in stated.items() if record != UNKNOWN}

    def put(self, slot: int, record: ByDomain, slots: int) -> None:
        """Write one; there are so many `slots`, with or without a record."""
        if not record and not self._domains:
            return
        for domain in record:
            self._add(domain)
        self._reach(max(slot + 1, slots))
        self._let_go(slot)
        self._which[slot] = self._entry(record)

    def clear(self, slot: int) -> None:
        if slot < len(self._which):
            self._let_go(slot)

    def renumbered(self, order: npt.NDArray[np.integer]) -> "Records":
        """The same where slot i is what slot order[i] was, in no more room than it takes."""
        records = Records()
        which = self._which.take(order) if self._domains else self._which[:0]
        if not which.any():
            return records
        used = np.union1d([NOTHING], which)
        records._domains, records._entries = dict(self._domains), len(used)
        records._which = np.searchsorted(used, which).astype(np.uint32)
        records._figures = self._figures.take(used, axis=1)
        numbers = {old: new for new, old in enumerate(used.tolist())}
        records._shared = {key: numbers[at] for key, at in self._shared.items() if at in numbers}
        return records

    def within_limits(self, slots: int) -> Flags:
        """Shape (slots,): whose scores and bonuses nowhere pass 1000 together."""
        fine = np.ones(slots, dtype=np.bool_)
        known = self._which[:slots]
        both = self._figures.sum(axis=2, dtype=np.int64)
        fine[: len(known)] = (both <= FULL).all(axis=0).take(known) if self._domains else True
        return fine

    def _entry(self, record: ByDomain) -> int:
        if any(each.score != NEUTRAL for each in record.values()):
            return self._written(record)
        unknown = frozenset((domain, each.bonus) for domain, each in record.items() if each.bonus)
        if not unknown:
            return NOTHING
        if unknown not in self._shared:
            self._shared[unknown] = self._written(record)
        return self._shared[unknown]

    def _written(self, record: ByDomain) -> int:
        entry = self._free.pop() if self._free else self._new_entry()
        self._figures[:, entry] = UNKNOWN
        for domain, each in record.items():
            self._figures[self._domains[domain], entry] = each
        return entry

    def _new_entry(self) -> int:
        room = self._figures.shape[1]
        if self._entries == room:
            more = np.zeros((len(self._domains), max(SPARE, room // GROWTH), 2), dtype=np.uint16)
            self._figures = np.concatenate((self._figures, more), axis=1)
        self._entries += 1
        return self._entries - 1

    def _let_go(self, slot: int) -> None:
        entry = int(self._which[slot])
        if entry != NOTHING and entry not in self._shared.values():
            self._free.append(entry)
        self._which[slot] = NOTHING

    def _add(self, domain: str) -> None:
        if domain in self._domains:
            return
        room = max(self._figures.shape[1], self._entries)
        neutral = np.full((1, room, 2), UNKNOWN, dtype=np.uint16)
        self._figures = np.concatenate((self._figures, neutral)) if self._domains else neutral
        self._domains[domain] = len(self._domains)

    def _reach(self, slots: int) -> None:
        if slots > len(self._which):
            room = max(slots, len(self._which) + len(self._which) // GROWTH)
            longer = np.zeros(room, dtype=np.uint32)
            longer[: len(self._which)] = self._which
            self._which = longer
