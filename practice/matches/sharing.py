"""What a client may share with the one therapist they ask, before that therapist has accepted.

`MatchRequest.shared` holds what was chosen and nothing else:

| key | value |
|---|---|
| `name` | what they want to be called |
| `concerns` | list of codes, the heaviest first |
| `words` | their story as they wrote it |
| `hours` | {"zone": IANA name, "windows": ["tue 17:00-21:00", …]} |
| `languages` | list of BCP 47 codes |

Budget, wishes about the person, style and scores are no part of it and cannot be chosen. What is
about health is never ticked beforehand: consent to sharing it is explicit (article 9 (2) (a) of
the GDPR).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from practice.intake.answers import weighed_concerns
from practice.intake.in_words import in_words

Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing that can be shared: how each side calls it, and where in the intake it is from."""

    code: str
    label: str
    their_label: str
    page: str
    value: Callable[[Answers], Any]


def _heaviest_first(answers: Answers) -> list[str]:
    weights = weighed_concerns(answers)
    return sorted(weights, key=lambda code: -weights[code])


def _answer(page: str) -> Callable[[Answers], Any]:
    return lambda answers: answers.get(page)


ITEMS = (
    Item(
        "concerns",
        "What you would like help with",
        "Would like help with",
        "concerns",
        _heaviest_first,
    ),
    Item("words", "Your own words", "In their own words", "story", _answer("story")),
    Item("hours", "Hours that suit you", "Hours that suit them", "hours", _answer("hours")),
    Item("languages", "Languages", "Languages", "languages", _answer("languages")),
)
BY_CODE = {item.code: item for item in ITEMS}
TICKED_BEFOREHAND = ("hours", "languages")


@dataclass(frozen=True)
class SharedItem:
    """An item with the lines in which it reads; `their_label` is for the therapist's pages."""

    code: str
    label: str
    their_label: str
    lines: list[str]


def shareable(answers: Answers) -> list[SharedItem]:
    """What this client has to share, each with the very lines that would be read."""
    found = ((item, item.value(answers)) for item in ITEMS)
    return [_in_lines(item, value) for item, value in found if value]


def chosen(answers: Answers, codes: Collection[str], name: str) -> dict[str, Any]:
    """The value of `MatchRequest.shared`."""
    shared = {code: BY_CODE[code].value(answers) for code in BY_CODE if code in codes}
    return {"name": name} | {code: value for code, value in shared.items() if value}


def in_lines(shared: Mapping[str, Any]) -> list[SharedItem]:
    """What was shared, in words, in the order of ITEMS."""
    return [_in_lines(item, shared[item.code]) for item in ITEMS if item.code in shared]


def _in_lines(item: Item, value: Any) -> SharedItem:
    return SharedItem(item.code, item.label, item.their_label, in_words(item.page, value))
