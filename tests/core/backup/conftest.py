"""A street of people with secrets in one database, and another database to restore into."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from core.backup import making, restoring, tables
from core.backup.making import Made
from core.backup.restoring import Restored, Steps
from core.database import db, unit_of_work
from core.keeping import current_keeper
from core.ledger import seal_now
from practice.oversight.backups import operations as backups
from tests.builders.kept import kept
from tests.conftest import NOW
from tests.core.backup import schema
from tests.databases import Databases
from tests.journeys import street

Contents = dict[str, list[tuple[Any, ...]]]


class Bank:
    """Where backups go, and where they are put back."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder, self.target = folder / "backup", target

    def backup(self, folder: Path | None = None) -> Made:
        seal_now(NOW)
        db.session.remove()
        keeper = current_keeper()
        return making.make_backup(db.engine, folder or self.folder, keeper, NOW, backups.quietly)

    def restore(
        self,
        url: str = "",
        *,
        replace: bool = False,
        steps: Steps | None = None,
        folder: Path | None = None,
    ) -> Restored:
        return restoring.restore(
            url or self.target,
            folder or self.folder,
            current_keeper(),
            steps or backups.steps(),
            replace=replace,
            at=NOW,
            tell=backups.quietly,
        )


@pytest.fixture
def town(app: Flask) -> Iterator[street.Street]:
    """The street's people, committed."""
    with app.app_context():
        with unit_of_work() as session:
            made = kept(street.build)(session)
            made.add("client", "ben", made.people["ben"].client.public_id)
        yield made
        db.session.remove()


@pytest.fixture
def bank(app: Flask, tmp_path: Path, own_database_url: str, schema_at_once: None) -> Bank:
    return Bank(tmp_path, own_database_url)


@pytest.fixture
def schema_at_once(request: pytest.FixtureRequest, known_schema: schema.Known) -> Iterator[None]:
    """A restore makes the newest schema without the migrations that led to it.

    Put in place by hand: while something is patched, people are built and not put back.
    """
    migrate = restoring.command.upgrade
    if "every_migration" not in request.fixturenames:
        restoring.command.upgrade = schema.at_once(known_schema, migrate)  # type: ignore[assignment]
    yield
    restoring.command.upgrade = migrate


@pytest.fixture
def every_migration() -> None:
    """For a test that is about what migrations make of a backup."""


@dataclass(frozen=True)
class Wiped:
    """A backup of the street, a database that it was restored into, and what is in that."""

    folder: Path
    url: str
    rows: Contents


@pytest.fixture(scope="session")
def wiped_once() -> list[Wiped]:
    """Made by the first test that needs it; nobody uses it save to copy it."""
    return []


@pytest.fixture
def wiped(
    bank: Bank,
    town: street.Street,
    databases: Databases,
    wiped_once: list[Wiped],
    tmp_path_factory: pytest.TempPathFactory,
) -> Contents:
    """A database that was restored once, and what is in it."""
    if not wiped_once:
        wiped_once.append(_wiped(bank, databases, tmp_path_factory.mktemp("wiped") / "backup"))
    else:
        shutil.copytree(wiped_once[0].folder, bank.folder)
        bank.target = databases.copy_of(wiped_once[0].url)
    return wiped_once[0].rows


def _wiped(bank: Bank, databases: Databases, folder: Path) -> Wiped:
    bank.backup()
    bank.restore()
    shutil.copytree(bank.folder, folder)
    return Wiped(folder, databases.copy_of(bank.target), contents(bank.target))


@pytest.fixture(scope="session")
def known_schema(migrated_once: str, migrated_file: str) -> schema.Known:
    return schema.known({migrated_once, migrated_file})


def contents(url: str) -> Contents:
    """Everything in a database, in canonical form."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        return {
            table.name: [row for batch in tables.batches(connection, table) for row in batch]
            for table in tables.tables_of(connection)
        }


def killed(act: Callable[[], object], module: Any, name: str, number: int = 1) -> bool:
    """Do this in a process of its own, which `kill -9` meets at the `number`-th call of a function.

    Returns whether it was met; raises when the act failed by itself.
    """
    child = os.fork()
    if child == 0:
        # Two processes must not speak over one connection.
        db.engine.dispose(close=False)
        _die_at(module, name, number)
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0, "it failed before it could be killed"
    return False


def _die_at(module: Any, name: str, number: int) -> None:
    original, calls = getattr(module, name), 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(module, name, counted)
