"""What benches are asked for on the command line; what cannot be measured is one line, exit 2."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn


class Options(argparse.ArgumentParser):
    """`--json` is known to each bench. The first line of the module's words says what it is."""

    def __init__(self, module: str, words: str | None) -> None:
        first = words.splitlines()[0] if words else ""
        super().__init__(prog=f"python -m {module}", description=first)
        self.add_argument("--json", action="store_true")

    def count(self, name: str, default: int, words: str = "", *, at_least: int = 1) -> None:
        """A whole number of things to measure."""
        self.add_argument(name, type=_whole(at_least), default=default, help=words)

    def figure(
        self, name: str, default: float, words: str = "", *, at_least: float, at_most: float
    ) -> None:
        self.add_argument(name, type=_figure(at_least, at_most), default=default, help=words)

    def error(self, message: str) -> NoReturn:
        """Without the usage, which `--help` tells."""
        self.exit(2, f"{self.prog}: {message}\n")


def _whole(at_least: int) -> Callable[[str], int]:
    def read(words: str) -> int:
        if not words.isdecimal() or int(words) < at_least:
            raise argparse.ArgumentTypeError(f"{words!r} is no whole number from {at_least} up")
        return int(words)

    return read


def _figure(at_least: float, at_most: float) -> Callable[[str], float]:
    def read(words: str) -> float:
        try:
            figure = float(words)
        except ValueError:
            figure = math.nan
        if not at_least <= figure <= at_most:  # What is no number compares with nothing.
            raise argparse.ArgumentTypeError(f"{words!r} is not from {at_least:g} to {at_most:g}")
        return figure

    return read
