"""When nobody fits: which answers stand in the way most, without telling on anyone.

Only answers that are compared with public profiles are counted. Wishes about the person are never
counted, nor scope, age or who was turned down; and a count below ten is not given as a figure.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from practice.matches.search import Search

FEWEST_TOLD = 10
MOST_LOOKED_AT = 500


@dataclass(frozen=True)
class Obstacle:
    """One answer that leaves people out, and the page of the intake where it can be changed."""

    words: str
    page: str
    how_many: str


WORDS: Mapping[str, tuple[str, str]] = {
    "hours": ("share no whole hour of the week with you", "hours"),
    "payment": ("cost more than your limit or do not list your way of paying", "payment"),
    "language": ("do not list a language you chose", "languages"),
    "format": ("do not meet in a way you chose", "format"),
    "service": ("do not offer the kind of help you chose", "service"),
    "must.approach": ("do not list an approach that you must have", "wishes"),
}


def obstacles(search: Search) -> list[Obstacle]:
    """What leaves out most of those who are licensed where the client is and have room."""
    counted: Counter[str] = Counter()
    for profile in search.licensed_with_room[:MOST_LOOKED_AT]:
        failing = search.explain(profile.id).failures
        counted.update(failure.rule for failure in failing if failure.rule in WORDS)
    return [
        Obstacle(*WORDS[rule], "Some" if count < FEWEST_TOLD else str(count))
        for rule, count in counted.most_common()
    ]
