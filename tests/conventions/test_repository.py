"""What holds for the repository: migrations, settings, words that must not appear."""

import re
import subprocess
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from core.database import db
from core.migrating import alembic_config

ROOT = Path(__file__).parents[2]
MIGRATIONS = sorted((ROOT / "migrations/versions").glob("*.py"))


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_is_named_after_its_number_and_its_one_intent(path):
    assert re.fullmatch(r"\d{4}_[a-z]+_[a-z0-9_]+\.py", path.name)
    assert f'revision = "{path.name[:4]}"' in path.read_text()


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_knows_no_model(path):
    assert not re.search(r"^(from|import) (core|practice|billing)", path.read_text(), re.M)


def test_there_is_one_line_of_migrations(app):
    with app.app_context(), db.engine.connect() as connection:
        heads = ScriptDirectory.from_config(alembic_config(connection)).get_heads()
    assert heads == [MIGRATIONS[-1].name[:4]]


def test_the_models_and_the_migrated_schema_agree(app):
    with app.app_context(), db.engine.begin() as connection:
        command.check(alembic_config(connection))


def test_every_member_of_an_enum_is_in_the_migrations():
    from core.database import Base

    migrations = "".join(path.read_text() for path in MIGRATIONS)
    for table in Base.metadata.tables.values():
        for column in table.columns:
            for value in getattr(column.type, "enums", ()):
                assert f'"{value}"' in migrations, f"{table.name}.{column.name}: {value}"


def test_every_setting_is_documented():
    documented = (ROOT / "docs/reference/settings.md").read_text()
    sources = [*(ROOT / "core").glob("*.py"), *(ROOT / "practice").glob("*.py")]
    read = set()
    for path in sources:
        text = path.read_text()
        read |= set(re.findall(r"environ(?:ment)?(?:\.get)?[\(\[]\s*\"([A-Z_0-9]+)\"", text))
        read |= set(re.findall(r"_(?:whole_number|port)\(environment, \"([A-Z_0-9]+)\"", text))
    assert read
    for setting in read:
        assert f"`{setting}`" in documented, setting


def test_every_documented_setting_is_read():
    read = "".join(
        path.read_text() for folder in ("core", "practice") for path in (ROOT / folder).glob("*.py")
    )
    for setting in re.findall(
        r"^\| `([A-Z_0-9]+)`", (ROOT / "docs/reference/settings.md").read_text(), re.M
    ):
        assert f'"{setting}"' in read, setting


def test_pins_carry_hashes_and_no_addresses():
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text()
        assert "://" not in text
        for requirement in re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==.*", text, re.M):
            assert requirement.endswith("\\"), requirement


def test_nothing_in_the_repository_names_a_machine():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    places = re.compile(
        "|".join(("/wo" + "rk/", "/ro" + "ot/", "files.python" + "hosted", "registry.npm" + "js"))
    )
    for name in filter(None, tracked):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".html", ".css", ".js", ".toml", ".txt", ".json", ""}:
            assert not places.search(path.read_text(errors="ignore")), name


@pytest.mark.xdist_group("those that share a worker")
def test_tests_of_a_group_share_a_worker(request: pytest.FixtureRequest) -> None:
    """Or Chromium is started by each worker, and each does again what they were to share."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("there is one worker")
    assert request.node.nodeid.endswith("@those that share a worker")
