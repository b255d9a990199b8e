"""What changed between two versions of a text: line by line, and word by word inside a line."""

import difflib
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

SHOWN_AROUND = 2
# Below this share of words in common, marking single words confuses more than it shows.
ALIKE = 0.5
WORDS_AND_BLANKS = re.compile(r"\S+|\s+")


class Change(enum.StrEnum):
    same = "same"
    added = "added"
    removed = "removed"
    left_out = "left out"


@dataclass(frozen=True)
class Piece:
    text: str
    is_changed: bool


@dataclass(frozen=True)
class Line:
    """`left_out` stands for lines that stayed as they were; its text says how many."""

    change: Change
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def differences(before: str, after: str) -> list[Line]:
    """The lines that went and came, each with a little of what stayed around it."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    lines: list[Line] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            lines += _stayed(old[a:b], is_first=a == 0, is_last=b == len(old))
        else:
            lines += _replaced(old[a:b], new[c:d])
    return lines


def _stayed(texts: list[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head = 0 if is_first else SHOWN_AROUND
    tail = 0 if is_last else SHOWN_AROUND
    hidden = len(texts) - head - tail
    if hidden <= 1:
        yield from (_whole(Change.same, text) for text in texts)
        return
    yield from (_whole(Change.same, text) for text in texts[:head])
    yield _whole(Change.left_out, f"{hidden} lines as before")
    yield from (_whole(Change.same, text) for text in texts[len(texts) - tail :])


def _replaced(old: list[str], new: list[str]) -> Iterator[Line]:
    """Lines that took each other's place, one under the other."""
    for was, becomes in zip_longest(old, new):
        if was is None:
            yield _whole(Change.added, becomes)
        elif becomes is None:
            yield _whole(Change.removed, was)
        else:
            yield from _compared(was, becomes)


def _compared(was: str, becomes: str) -> Iterator[Line]:
    old, new = WORDS_AND_BLANKS.findall(was), WORDS_AND_BLANKS.findall(becomes)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    if matcher.ratio() < ALIKE:
        yield _whole(Change.removed, was)
        yield _whole(Change.added, becomes)
        return
    steps = matcher.get_opcodes()
    yield Line(
        Change.removed,
        tuple(Piece("".join(old[a:b]), kind != "equal") for kind, a, b, _, _ in steps if b > a),
    )
    yield Line(
        Change.added,
        tuple(Piece("".join(new[c:d]), kind != "equal") for kind, _, _, c, d in steps if d > c),
    )


def _whole(change: Change, text: str) -> Line:
    marked = change in {Change.added, Change.removed}
    return Line(change, (Piece(text, marked),))
