"""The house's directions: practice → matching, billing, core; slices import only leftwards."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLICES = (
    "accounts consent intake therapists credentials matches waiting care outcomes appointments"
    " groups payments privacy oversight today"
).split()
# The roof and what stands beside the rooms may know every room.
ROOF = {"app", "wiring", "navigation", "cli", "wsgi", "worker", "supervisor", "seed"}
OURS = {"practice", "matching", "billing", "core"}
MAY_IMPORT = {"core": {"core"}, "billing": {"billing", "core"}, "matching": {"matching"}}
PURE_ENGINE = {"numpy"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_lower_floors_do_not_know_the_upper_ones(folder):
    for path in modules(folder):
        for name in imports_of(path):
            top = name.split(".")[0]
            assert top not in OURS - MAY_IMPORT[folder], f"{path} imports {name}"


def test_the_engine_stands_on_numpy_and_the_standard_library_alone():
    import sys

    for path in modules("matching"):
        for name in imports_of(path):
            top = name.split(".")[0]
            allowed = top in sys.stdlib_module_names or top in PURE_ENGINE | {"matching"}
            assert allowed, f"{path} imports {name}"


def test_the_engine_has_no_clock():
    for path in modules("matching"):
        source = path.read_text()
        assert "now()" not in source, path
        assert "today()" not in source, path


@pytest.mark.parametrize("slice_", SLICES)
def test_a_room_imports_only_rooms_on_its_left(slice_):
    allowed = set(SLICES[: SLICES.index(slice_) + 1])
    for path in modules(f"practice/{slice_}"):
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "practice" and len(parts) > 1:
                room = parts[1]
                assert room not in set(SLICES) - allowed, f"{path} imports {name}"
                assert room not in ROOF, f"{path} imports {name}"


def test_every_room_of_practice_has_its_place_in_the_order():
    rooms = {path.parent.name for path in (ROOT / "practice").glob("*/models.py")}
    assert rooms <= set(SLICES)


@pytest.mark.parametrize("name", ["models", "queries", "operations"])
def test_rules_and_tables_do_not_know_the_web(name):
    for path in (ROOT / "practice").rglob(f"{name}.py"):
        web = {imported for imported in imports_of(path) if imported.split(".")[0] == "flask"}
        assert web <= {"flask", "flask.current_app"}, f"{path} imports {web}"
        if name == "models":
            assert not web, path


def test_operations_leave_the_commit_to_the_unit_of_work():
    for path in (ROOT / "practice").rglob("operations.py"):
        assert ".commit()" not in path.read_text(), path


def test_nothing_of_billing_reads_like_the_clinic():
    clinical = ("client", "therapist", "diagnos", "phq", "enrolment", "symptom")
    for path in modules("billing"):
        source = (
            path.read_text()
            .replace("client_reference_id", "")
            .replace("StripeClient", "StripeService")
        )
        tree = ast.parse(source)
        names = {node.id.lower() for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr.lower() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.arg.lower() for node in ast.walk(tree) if isinstance(node, ast.arg)}
        betrayed = {name for name in names if any(word in name for word in clinical[1:])}
        assert not betrayed, f"{path}: {betrayed}"
