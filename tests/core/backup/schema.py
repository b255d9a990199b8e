"""The newest schema written down from a database that was migrated, and made at once from that.

A restore into nothing runs every migration, which is most of its time and the subject of few tests.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.config import Config

from core.backup.tables import revision_of
from core.database import sqlite_file
from tests.postgres import dump

Migrate = Callable[[Config, str], None]
NOT_OURS = re.compile(r"^(SET |SELECT pg_catalog\.set_config|\\).*$", re.MULTILINE)


@dataclass(frozen=True)
class Known:
    """A schema: its revision, and the statements that make it by the kind of database."""

    revision: str
    scripts: dict[str, str]


def known(urls: Iterable[str]) -> Known:
    """What these databases of ours have, all of the same revision."""
    scripts = {sa.make_url(url).get_backend_name(): _written_down(url) for url in urls}
    [revision] = {_revision(url) for url in urls}
    return Known(revision, scripts)


def at_once(known: Known, migrate: Migrate) -> Migrate:
    """Instead of Alembic's `upgrade`: what is not from nothing to the newest is migrated."""

    def upgrade(config: Config, revision: str) -> None:
        connection: sa.Connection = config.attributes["connection"]
        if revision in {known.revision, "head"} and not sa.inspect(connection).get_table_names():
            _run(connection, known.scripts[connection.dialect.name])
            assert revision_of(connection) == known.revision
        else:
            migrate(config, revision)

    return upgrade


def _revision(url: str) -> str:
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return revision_of(connection)


def _written_down(url: str) -> str:
    """Statements without the name of a schema, so that it is made in whichever is current."""
    if file := sqlite_file(url):
        with closing(sqlite3.connect(file)) as connection:
            lines = [line for line in connection.iterdump() if "sqlite_sequence" not in line]
        return "\n".join(lines[1:-1])
    return NOT_OURS.sub("", dump(url)).replace("public.", "")


def _run(connection: sa.Connection, script: str) -> None:
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name != "sqlite":
        cursor.execute(script)
        return
    # Not `executescript`, which would end the transaction.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            cursor.execute(statement)
            statement = ""
