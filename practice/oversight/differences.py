"""What changed between two versions of a text, line by line."""

import difflib
import enum
from collections.abc import Iterator
from dataclasses import dataclass

SHOWN_AROUND = 2


class Change(enum.StrEnum):
    same = "same"
    added = "added"
    removed = "removed"
    left_out = "left out"


@dataclass(frozen=True)
class Line:
    """`left_out` stands for lines that stayed as they were; its text says how many."""

    change: Change
    text: str


def differences(before: str, after: str) -> list[Line]:
    """The lines that went and came, each with a little of what stayed around it."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    lines: list[Line] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            lines += _stayed(old[a:b], is_first=a == 0, is_last=b == len(old))
        else:
            lines += [Line(Change.removed, text) for text in old[a:b]]
            lines += [Line(Change.added, text) for text in new[c:d]]
    return lines


def _stayed(texts: list[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head = 0 if is_first else SHOWN_AROUND
    tail = 0 if is_last else SHOWN_AROUND
    hidden = len(texts) - head - tail
    if hidden <= 1:
        yield from (Line(Change.same, text) for text in texts)
        return
    yield from (Line(Change.same, text) for text in texts[:head])
    yield Line(Change.left_out, f"{hidden} lines as before")
    yield from (Line(Change.same, text) for text in texts[len(texts) - tail :])
