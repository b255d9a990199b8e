"""What new weights would change for people who were shown a list: two lists each → figures.

Of one and the same market each person is given a list with the weights in force and one with the
new ones. Each is the best by its own weights, so by the new ones everybody gains, and by those in
force everybody gives something up. Both are told: how much better the new list fits by the new
weights, and how much worse by those in force, on average over the first three, of 1000. Whoever
gains more than they give up, by more than `SLIGHT`, gains; the other way round they lose. Put the
two versions the other way round, and gains are losses (as with the price index of Edgeworth, 1887,
and Marshall, which weighs by the mean of two periods).

Nothing is told of fewer than 50 people, and of groups by the rule of the fairness audit
(`matching.auditing.kept_back`). Those who did not say are a group of their own here: beside the
figures for everybody they could be had by subtraction otherwise.

Shape of the figures: {"people", "nobody", "unread", "everybody": tally, "groups": {attribute:
[{"group"} | tally]}, "factors": [{"factor", "people", "before", "after"}], "therapists":
{"findable", "before": {"ever", "tenth"}, "after": …}}; what is kept back is not there, or None. A
tally is {"group", "people", "first", "list", "gain", "lose"}, all counts of people, and the means
"gained" and "given_up".
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import matching
from matching.auditing import FEWEST_PEOPLE, FEWEST_THERAPISTS, kept_back

SHOWN = 3
# Of 1000: the same that a page calls "about as close".
SLIGHT = 20.0
NOT_SAID = "Did not say"
EVERYBODY = "Everybody"
ATTRIBUTES = ("age", "language", "payment", "state")

Figures = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What one person would see. `before` and `after`: public ids, at most three.

    `groups` by attribute, None where they did not say. `met`: factor they said something about →
    the mean score of those three with the weights in force and with the new ones, 0…1000.
    `gained` by the new weights and `given_up` by those in force, of 1000.
    """

    groups: Mapping[str, str | None]
    before: tuple[str, ...]
    after: tuple[str, ...]
    met: Mapping[str, tuple[float, float]]
    gained: float = 0.0
    given_up: float = 0.0

    @property
    def is_somebody_else_first(self) -> bool:
        return self.before[:1] != self.after[:1]

    @property
    def is_somebody_new(self) -> bool:
        """Whether the first three are not the same three; their order does not matter."""
        return set(self.before) != set(self.after)

    @property
    def on_balance(self) -> float:
        return self.gained - self.given_up


def figures_of(seen: Sequence[Seen], findable: int, unread: int = 0) -> Figures:
    """`findable` therapists there are; `unread` lists were left out, because they did not open."""
    somebody = [one for one in seen if one.before]
    figures: Figures = {
        "people": len(somebody),
        "nobody": len(seen) - len(somebody),
        "unread": unread,
        "everybody": None,
        "groups": {},
        "factors": [],
        "therapists": None,
    }
    if len(somebody) < FEWEST_PEOPLE:
        return figures
    return figures | {
        "everybody": _tally(EVERYBODY, somebody),
        "groups": {name: _groups(name, somebody) for name in ATTRIBUTES},
        "factors": [*_factors(somebody)],
        "therapists": _therapists(somebody, findable),
    }


def _groups(attribute: str, people: Sequence[Seen]) -> list[Figures]:
    """In alphabetical order; of a group that is kept back only its name."""
    by_group: dict[str, list[Seen]] = {}
    for one in people:
        by_group.setdefault(one.groups[attribute] or NOT_SAID, []).append(one)
    names = sorted(by_group, key=lambda name: (name == NOT_SAID, name))
    back = kept_back(np.array([len(by_group[name]) for name in names]))
    return [
        {"group": name} if is_back else _tally(name, by_group[name])
        for name, is_back in zip(names, back, strict=True)
    ]


def _tally(group: str, people: Sequence[Seen]) -> Figures:
    return {
        "group": group,
        "people": len(people),
        "first": sum(one.is_somebody_else_first for one in people),
        "list": sum(one.is_somebody_new for one in people),
        "gain": sum(one.on_balance > SLIGHT for one in people),
        "lose": sum(one.on_balance < -SLIGHT for one in people),
        "gained": round(sum(one.gained for one in people) / len(people), 1),
        "given_up": round(sum(one.given_up for one in people) / len(people), 1),
    }


def _factors(people: Sequence[Seen]) -> Iterable[Figures]:
    """Of those who said something about a factor, how closely it is met, of 1000."""
    for factor in matching.FACTORS:
        met = [one.met[factor] for one in people if factor in one.met]
        if len(met) >= FEWEST_PEOPLE:
            before, after = (round(sum(each) / len(met)) for each in zip(*met, strict=True))
            yield {"factor": factor, "people": len(met), "before": before, "after": after}


def _therapists(people: Sequence[Seen], findable: int) -> Figures | None:
    if findable < FEWEST_THERAPISTS:
        return None
    return {
        "findable": findable,
        "before": _spread((one.before for one in people), findable),
        "after": _spread((one.after for one in people), findable),
    }


def _spread(lists: Iterable[Sequence[str]], findable: int) -> Figures:
    """How many stand in anybody's list, and which share of places the busiest tenth has."""
    places = Counter(each for one in lists for each in one)
    tenth = -(-findable // 10)
    busiest = sum(count for _, count in places.most_common(tenth))
    return {"ever": len(places), "tenth": busiest / places.total()}
