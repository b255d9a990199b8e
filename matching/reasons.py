"""What the engine says about a match: codes and figures, never words for a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from matching.terms import LITTLE_KNOWN, NEEDED_ELSEWHERE

Fact = int | str | None | tuple[str, ...] | tuple[int, ...]
Facts = Mapping[str, Fact]


class Standing(StrEnum):
    """How one wish stands. `not_stated`: the therapist has not said; `not_asked`: the client."""

    met = "met"
    partly = "partly"
    not_met = "not_met"
    not_stated = "not_stated"
    not_asked = "not_asked"


@dataclass(frozen=True)
class Failure:
    """One rule that says no, why, and in `facts` the distance that would satisfy it.

    `docs/reference/matching.md` lists every `why` and its facts.
    """

    rule: str
    why: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing the client named within a factor, and what this therapist has for it."""

    code: str
    standing: Standing
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """A factor's score for one therapist, 0…1000, and what it is made of."""

    score: int
    findings: tuple[Finding, ...] = ()

    @property
    def standing(self) -> Standing:
        """One word for all findings: what they agree on, else partly, or not met if none is."""
        standings = {finding.standing for finding in self.findings}
        if not standings:
            return Standing.not_asked
        if len(standings) == 1:
            return standings.pop()
        some = standings & {Standing.met, Standing.partly}
        return Standing.partly if some else Standing.not_met


@dataclass(frozen=True)
class Line:
    """One line of the arithmetic: points = weight · score."""

    factor: str
    score: int
    weight: int
    standing: Standing
    findings: tuple[Finding, ...]

    @property
    def points(self) -> int:
        return self.weight * self.score


@dataclass(frozen=True)
class Explanation:
    """Why one therapist stands where they stand for one client; lines in the order of FACTORS.

    `price` is what a place with them is worth to others, in points (`matching.prices`); `bonus`
    what not knowing their outcomes yet is worth. `has_record` says whether outcomes count at all.
    """

    therapist_id: str
    live: bool
    lines: tuple[Line, ...]
    failures: tuple[Failure, ...]
    price: int = 0
    bonus: int = 0
    has_record: bool = False

    @property
    def points(self) -> dict[str, int]:
        """By factor, then the bonus, then the price, which stands below zero; if there are any."""
        points = {line.factor: line.points for line in self.lines}
        besides = {LITTLE_KNOWN: self.bonus, NEEDED_ELSEWHERE: -self.price}
        return points | {line: each for line, each in besides.items() if each}

    @property
    def total(self) -> int:
        return sum(self.points.values())

    @property
    def eligible(self) -> bool:
        return self.live and not self.failures


class Match(NamedTuple):
    """A therapist who may be offered; `total` is the sum of `points`, at most 1,000,000.

    Points are by factor; then come a bonus for being little known, and a price, which stands below
    zero, where there is one.
    """

    id: str
    points: dict[str, int]
    total: int

    def ahead_of(self, other: "Match") -> dict[str, int]:
        """By line, the points of this one less those of the other; they sum to the difference."""
        lines = {**self.points, **other.points}
        return {line: self.points.get(line, 0) - other.points.get(line, 0) for line in lines}


@dataclass(frozen=True)
class Ranking:
    """The closest first, equals in order of id.

    `considered` is how many live therapists there are; `excluded` counts each of them under every
    rule that fails them, so its figures may sum to more. They are counted when they are first
    asked for, in the index as it is then, over every place: much longer than the ranking itself.
    """

    results: tuple[Match, ...]
    considered: int
    count_excluded: Callable[[], dict[str, int]] = field(repr=False, compare=False)

    @cached_property
    def excluded(self) -> dict[str, int]:
        return self.count_excluded()


@dataclass(frozen=True)
class WhyNot:
    """Why a therapist is not among those shown.

    Not eligible: `failures` holds every rule that says no (none when merely not `live`) and the
    rest is None or empty. Eligible: `place` in the whole list, from 1; `gaps`, by factor, the
    points of the last one shown (`last_shown`) less theirs, which sum to `gap`. When nobody is
    shown there is nothing to compare with and `last_shown` is None.
    """

    therapist_id: str
    live: bool
    failures: tuple[Failure, ...] = ()
    place: int | None = None
    last_shown: str | None = None
    gaps: dict[str, int] = field(default_factory=dict)

    @property
    def eligible(self) -> bool:
        return self.live and not self.failures

    @property
    def gap(self) -> int:
        return sum(self.gaps.values())
