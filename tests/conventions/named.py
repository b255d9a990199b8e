"""Tests that documents and lists name: "tests/….py::function", and whether they are there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`(tests/[a-z0-9_/]+\.py::[a-z0-9_]+)`")


def names_in(text: str) -> list[str]:
    return NAME.findall(text)


def is_there(name: str) -> bool:
    """Whether the file holds a test of this name that can fail."""
    path, _, function = name.partition("::")
    return function in _tests_in(ROOT / path)


@cache
def _tests_in(path: Path) -> frozenset[str]:
    if not path.is_file() or not path.name.startswith("test_"):
        return frozenset()
    functions = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    return frozenset(one.name for one in functions if one.name.startswith("test_") and _acts(one))


def _acts(function: ast.FunctionDef) -> bool:
    """More than a docstring: a test that does nothing cannot fail."""
    return any(
        isinstance(node, ast.Call | ast.Assert | ast.With)
        for statement in function.body
        for node in ast.walk(statement)
    )
