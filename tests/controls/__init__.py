"""The controls that keep people safe, each with the way it is taken out to see its tests fail.

`make controls` (or `python -m tests.controls`) copies the tree aside, takes one control out at a
time by replacing a text that stands exactly once in its file, and runs the tests that must notice.
A control whose text is no longer found is an error, so that the list stays true to the code.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tests.controls.control import Control

__all__ = ["Control", "all_controls"]


def all_controls() -> list[Control]:
    """Every control of the lists beside this file, in the order of their files and lines."""
    return [control for controls in _lists() for control in controls]


def _lists() -> Iterable[Iterable[Control]]:
    for module in sorted(iter_modules([str(Path(__file__).parent)]), key=lambda one: one.name):
        found = import_module(f"tests.controls.{module.name}") if _is_list(module.name) else None
        yield getattr(found, "CONTROLS", ())


def _is_list(name: str) -> bool:
    # Importing the runner would start it.
    return name not in {"__main__", "control"}
