"""One control: where it stands, how it is taken out, and which tests must then fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """`text` stands exactly once in `file`; with `instead` in its place each of `tests` fails.

    `name` says what the control does, `broken` how it is taken out, both in a few words. Paths are
    those of the repository; a test is "tests/….py::name", without the values of its parameters.
    """

    name: str
    broken: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
