"""Which passwords a guesser tries early, however long they are.

Without a network there is no list of every breached password. The 30,000 breached most often are
refused, and what people do to a common word to make it longer is undone: letters exchanged for
digits, a year or a mark at the end, the word said twice, keys in a row.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

PRODUCT = ("attune",)
# A password must hold this much beside what stands in a list, in the account or on a keyboard.
OWN_CHARACTERS = 6
FEWEST_DIFFERENT = 5
SHORTEST_PART = 4
RUN = 4
YEAR = re.compile(r"(?:19|20)\d\d")
EXCHANGED = str.maketrans("4@3810$57", "aaebiosst")
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "azertyuiop",
    "qwertzuiop",
)


def is_easily_guessed(password: str, about: Iterable[str]) -> bool:
    """`about` is what is known of the account: its address, a name, the organisation's."""
    plain = password.casefold()
    said = _said_once(_letters_and_digits(plain))
    return (
        any(_is_common(form) for form in (plain, said, _core(said), _said_once(_core(plain))))
        or len(set(plain)) < FEWEST_DIFFERENT
        or _own(plain, about) < OWN_CHARACTERS
    )


def _own(plain: str, about: Iterable[str]) -> int:
    """How many characters are left that a guesser has to find out."""
    rest = _without_context(plain, about)
    letters = _without_runs(_said_once(_letters_and_digits(YEAR.sub("", rest))))
    return len(letters) + _different_marks(rest)


def _different_marks(text: str) -> int:
    """A mark said often counts once; a password of many different ones is as good as any."""
    return len({letter for letter in text if not letter.isalnum() and not letter.isspace()})


def _without_context(plain: str, about: Iterable[str]) -> str:
    parts = {part for text in (*about, *PRODUCT) for part in _parts(text.casefold())}
    for part in sorted(parts, key=len, reverse=True):
        for form in (part, part.translate(EXCHANGED)):
            plain = plain.replace(form, "")
        if part in plain.translate(EXCHANGED):
            plain = plain.translate(EXCHANGED).replace(part, "")
    return plain


def _parts(text: str) -> list[str]:
    """An address or a name, whole and by its words; what is shorter stands in too many words."""
    words = [text, text.partition("@")[0], *re.split(r"[^\w]+|_", text)]
    return [word for word in words if len(word) >= SHORTEST_PART]


def _said_once(text: str) -> str:
    """What is said again and again counts once: "lampalampalampa" is "lampa"."""
    for size in range(1, len(text) // 2 + 1):
        unit = text[:size]
        times = -(-len(text) // size)
        if (unit * times)[: len(text)] == text:
            return unit
    return text


def _without_runs(text: str) -> str:
    """Without four or more keys or letters in a row, forwards or backwards."""
    for row in (*ROWS, *(row[::-1] for row in ROWS)):
        for size in range(len(row), RUN - 1, -1):
            for start in range(len(row) - size + 1):
                text = text.replace(row[start : start + size], "")
    return text


def _core(plain: str) -> str:
    """The word inside: without digits and marks around it, and digits read as letters."""
    stripped = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    return _letters_and_digits(stripped.translate(EXCHANGED))


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _is_common(text: str) -> bool:
    return text in _common()


@cache
def _common() -> frozenset[str]:
    """Our own list, and the 30,000 commonest of what was breached (zxcvbn's, MIT licence)."""
    # Large, and needed only once a password is chosen.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    text = files("practice.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.casefold().split()) | frozenset(FREQUENCY_LISTS["passwords"])
