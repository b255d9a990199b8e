"""The reference is true: its example runs, and it names every rule, factor and reason there is."""

import doctest
import re
from pathlib import Path

import pytest

import matching
from matching import DEFAULT_WEIGHTS, rules
from matching.model import CLIENT_KEYS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "matching.md"


@pytest.mark.parametrize(("path", "steps"), [(REFERENCE, 20), (ROOT / "README.md", 6)])
def test_the_example_runs_as_printed(path: Path, steps: int) -> None:
    results = doctest.testfile(str(path), module_relative=False)
    assert (results.attempted, results.failed) == (steps, 0)


def test_every_rule_key_and_weight_is_documented() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert _first_cells(text, "Rules") == [*rules.RULES, "must.<wish>"]
    assert sorted(_codes(" ".join(_first_cells(text, "A client")))) == sorted(CLIENT_KEYS)
    weights = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    assert {factor: int(weight) for factor, weight in weights} == DEFAULT_WEIGHTS.by_factor


def test_every_reason_a_rule_gives_is_documented() -> None:
    source = Path(rules.__file__).read_text(encoding="utf-8")
    reasons = re.findall(r'Failure\("\w+", "(\w+)"', source)
    assert len(reasons) > 10
    section = _section(REFERENCE.read_text(encoding="utf-8"), "Rules")
    assert set(reasons) <= set(_codes(section))


def test_the_package_exports_what_it_promises() -> None:
    assert sorted(matching.__all__) == sorted(set(matching.__all__))
    assert all(hasattr(matching, name) for name in matching.__all__)


def test_each_thing_the_engine_does_is_reached_from_the_package_itself() -> None:
    asked = {"rank", "explain", "why_not", "allocate", "stable", "effects", "calibrate", "audit"}
    proven = {"is_feasible", "duality_gap", "blocking_pairs", "passed_over", "upper_bound"}
    assert asked | proven <= set(matching.__all__)


def _section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def _first_cells(text: str, heading: str) -> list[str]:
    cells = re.findall(r"^\| (`.*?) \|", _section(text, heading), re.MULTILINE)
    return [cell if "," in cell else cell.strip("`") for cell in cells]


def _codes(text: str) -> list[str]:
    return re.findall(r"[a-z_]+", text)
