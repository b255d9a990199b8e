"""The threat model names tests that are there, and no threat is left without one."""

import re

import pytest

from tests.conventions.named import ROOT, is_there, names_in

WRITTEN = (ROOT / "docs/explanation/threat-model.md").read_text()
CHAPTERS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", WRITTEN, re.M | re.S))


def table_of(chapter: str) -> list[list[str]]:
    lines = [line for line in CHAPTERS[chapter].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


THREATS = table_of("Threat, control, test")


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat[0])
def test_each_threat_has_a_control_and_a_test(threat: list[str]) -> None:
    _, control, tests = threat
    assert control
    names = names_in(tests)
    assert names
    assert [name for name in names if not is_there(name)] == []


def test_whatever_else_is_named_is_there() -> None:
    assert [name for name in names_in(WRITTEN) if not is_there(name)] == []


@pytest.mark.parametrize(
    "chapter", ["What is worth protecting", "Who might try, and what they have"]
)
def test_assets_and_people_are_named_with_what_moves_them(chapter: str) -> None:
    assert len(table_of(chapter)) >= 10
    assert all(cell for row in table_of(chapter) for cell in row)


def test_what_is_not_defended_is_said() -> None:
    assert CHAPTERS["What we do not defend against"].count("\n- ") >= 5
