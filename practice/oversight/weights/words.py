"""A preview of new weights in words and pictures: its figures → what the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from practice.matches.market.weighing import FACTOR_NAMES
from practice.oversight.fairness.words import ATTRIBUTES, NO_BREAK

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One group in the picture: what it gains and what it gives up, as the chart wants it."""

    name: str
    proposal: str
    arrival: str
    proposal_share: float
    arrival_share: float


@dataclass(frozen=True)
class Row:
    """One group in the table, in shares of its people; only a name when it is kept back."""

    group: str
    people: str = ""
    first: str = ""
    list: str = ""
    gained: str = ""
    given_up: str = ""
    gain: str = ""
    lose: str = ""

    @property
    def is_kept_back(self) -> bool:
        return not self.people


@dataclass(frozen=True)
class Attribute:
    heading: str
    rows: list[Row]
    sides: list[Side]

    @property
    def kept_back(self) -> int:
        return sum(row.is_kept_back for row in self.rows)


@dataclass(frozen=True)
class Told:
    """The whole page. Without `everybody` there are too few people to say anything."""

    sentences: list[str]
    everybody: Row | None
    attributes: list[Attribute]
    factors: list[tuple[str, str, int, int, str]]
    therapists: str


def told(figures: Figures) -> Told:
    everybody = figures["everybody"]
    if everybody is None:
        return Told([], None, [], [], "")
    return Told(
        sentences=_sentences(everybody),
        everybody=_row(everybody),
        attributes=[
            _attribute(ATTRIBUTES[name], groups) for name, groups in figures["groups"].items()
        ],
        factors=[_factor(one) for one in figures["factors"]],
        therapists=_therapists(figures["therapists"]),
    )


def _sentences(all_of_them: Figures) -> list[str]:
    return [
        _sentence(f"{_of('first', all_of_them)} would see somebody else first."),
        _sentence(f"{_of('list', all_of_them)} would have somebody new among their first three."),
        f"By the new weights the first three fit better by {all_of_them['gained']} of 1000 on "
        f"average; by those in force they fit worse by {all_of_them['given_up']}.",
        _sentence(
            f"{_of('gain', all_of_them)} gain clearly more than they give up, "
            f"{_of('lose', all_of_them)} clearly less."
        ),
    ]


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _attribute(heading: str, groups: list[Figures]) -> Attribute:
    shown = [each for each in groups if "people" in each]
    longest = max((each[side] for each in shown for side in SIDES), default=0.0) or 1.0
    return Attribute(
        heading, [_row(each) for each in groups], [_side(each, longest) for each in shown]
    )


def _side(tally: Figures, longest: float) -> Side:
    gained, given_up = (tally[side] for side in SIDES)
    shares = (max(0.0, each / longest) for each in (gained, given_up))
    return Side(tally["group"], f"{gained}", f"{given_up}", *shares)


def _row(tally: Figures) -> Row:
    if "people" not in tally:
        return Row(tally["group"])
    people = tally["people"]
    shares = {name: _share(tally, name) for name in COUNTED}
    means = {name: f"{tally[name]}" for name in SIDES}
    return Row(tally["group"], _about(people), **shares, **means)


def _factor(one: Figures) -> tuple[str, str, int, int, str]:
    apart = one["after"] - one["before"]
    sign = "+" if apart > 0 else "−" if apart < 0 else ""
    label = FACTOR_NAMES[one["factor"]]
    return label, _about(one["people"]), one["before"], one["after"], f"{sign}{abs(apart)}"


def _therapists(side: Figures | None) -> str:
    if side is None:
        return ""
    before, after = side["before"], side["after"]
    return (
        f"Of {side['findable']:,} therapists who can be found today, {before['ever']:,} stand "
        f"among somebody’s first three with the weights in force, {after['ever']:,} with the new "
        "ones. The tenth of them who stand there most often have "
        f"{_percent(before['tenth'])} of all these places, and {_percent(after['tenth'])} with "
        "the new ones."
    )


def _of(which: str, tally: Figures) -> str:
    return f"{_share(tally, which)} of them"


def about(people: int) -> str:
    """For a sentence about people; of a few not even how many."""
    return f"about {_about(people)}" if people >= 10 else "fewer than ten"


def _share(tally: Figures, which: str) -> str:
    """Of tens by tens: two shares with one person between them would tell of that person.

    Rounded to none it can still be five people, who must not be told that they are nobody.
    """
    tens, people = round(tally[which], -1), round(tally["people"], -1)
    if tens:
        return _percent(tens / people)
    return f"at most {_percent(ceil(100 * ROUNDED_OFF / (people - ROUNDED_OFF)) / 100)}"


def _about(people: int) -> str:
    return f"{round(people, -1):,}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}{NO_BREAK}%"


COUNTED = ("first", "list", "gain", "lose")
SIDES = ("gained", "given_up")
# So many may be rounded off or on.
ROUNDED_OFF = 5
