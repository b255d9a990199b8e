"""When nobody fits: which answers stand in the way most, without telling on anyone.

Only answers that are compared with public profiles are counted. Wishes about the person are never
counted, nor scope, age or who was turned down; and a count below ten is not given as a figure. The
others are rounded, so that no two of them tell one below ten by their difference either.

So to somebody acutely unwell an answer may be told that changes nothing: those whom it leaves out
may work with nobody so unwell, and that is printed nowhere. `should_see_a_person` says when the
page leads to a person first. It looks at the client alone, and so tells on nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import matching
from practice.matches.search import Search

ACUTE = 2
FEWEST_TOLD = 10
ROUNDED_TO = 5


@dataclass(frozen=True)
class Obstacle:
    """One answer that leaves people out, and the page of the intake where it can be changed."""

    words: str
    page: str
    how_many: str


Asked = Callable[[matching.Client], dict[str, Any]]


def _approach(client: matching.Client) -> dict[str, Any]:
    return {"wishes": {name: wish for name, wish in client.wishes.items() if name == "approach"}}


# By rule: the words, the page, and what of a client the rule looks at.
TOLD: Mapping[str, tuple[str, str, Asked]] = {
    "hours": (
        "share no whole hour of the week with you",
        "hours",
        lambda client: {"zone": client.zone, "windows": client.windows},
    ),
    "payment": (
        "cost more than your limit or do not list your way of paying",
        "payment",
        lambda client: {"payment": client.payment},
    ),
    "language": (
        "do not list a language you chose",
        "languages",
        lambda client: {"languages": client.languages},
    ),
    "format": (
        "do not meet in a way you chose",
        "format",
        lambda client: {"formats": client.formats},
    ),
    "service": (
        "do not offer the kind of help you chose",
        "service",
        lambda client: {"service": client.service},
    ),
    "must.approach": ("do not list an approach that you must have", "wishes", _approach),
}


def obstacles(search: Search) -> list[Obstacle]:
    """What leaves out most of those who are licensed where the client is and have room."""
    counted = search.left_out_by(
        {
            rule: replace(search.open_to_all, **asked(search.values))
            for rule, (_, _, asked) in TOLD.items()
        }
    )
    heaviest_first = sorted(
        (rule for rule in TOLD if counted[rule]), key=lambda rule: -counted[rule]
    )
    return [Obstacle(*TOLD[rule][:2], how_many(counted[rule])) for rule in heaviest_first]


def should_see_a_person(client: matching.Client) -> bool:
    """Whether they are so unwell that what they would change may not be all that is in the way."""
    return (client.acuity or 0) >= ACUTE


def how_many(count: int) -> str:
    return "Some" if count < FEWEST_TOLD else f"About {rounded(count)}"


def rounded(count: int) -> int:
    """To the nearest five."""
    return ROUNDED_TO * ((count + ROUNDED_TO // 2) // ROUNDED_TO)
