"""Bringing a database to the newest schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.database import Base, is_sqlite
from core.sealing_over import Sealer

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# What PostgreSQL keeps beside the table of the revision, and SQLite in the head of its file.
OWED = "to be written anew"


def models_metadata() -> sa.MetaData:
    """The tables of every model that has been imported (the roof imports all of them)."""
    return Base.metadata


def alembic_config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["sealer"] = Sealer(connection)
    return config


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`; a database already there is left as it is."""
    with _migrating(engine) as config:
        command.upgrade(config, revision)


def downgrade(engine: sa.Engine, revision: str) -> None:
    with _migrating(engine) as config:
        command.downgrade(config, revision)


@contextmanager
def _migrating(engine: sa.Engine) -> Iterator[Config]:
    """One transaction; afterwards nothing that was sealed in it, or before, is left in the clear.

    Writing anew comes after the commit, so it is owed until it is done, whoever is killed.
    """
    with engine.connect() as connection:
        on_sqlite = is_sqlite(connection)
        if on_sqlite:
            # A table that others name is written anew by dropping it; looked at before the commit.
            _outside_transactions(connection, "PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                config = alembic_config(connection)
                yield config
                owe_writing_anew(config)
                if on_sqlite:
                    _require_whole(connection)
        finally:
            if on_sqlite:
                _outside_transactions(connection, "PRAGMA foreign_keys=ON")
        write_anew_if_owed(connection)


def owe_writing_anew(config: Config) -> None:
    """Remember, in the transaction of migrations that sealed something, what is still to do."""
    if not config.attributes["sealer"].has_worked:
        return
    connection = config.attributes["connection"]
    if is_sqlite(connection):
        connection.exec_driver_sql("PRAGMA user_version=1")
    else:
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{OWED}'")


def write_anew_if_owed(connection: sa.Connection) -> None:
    """Outside a transaction: leave nothing behind of what migrations have sealed."""
    if is_sqlite(connection):
        if _outside_transactions(connection, "PRAGMA user_version") != [(0,)]:
            _write_anew(connection)
            _outside_transactions(connection, "PRAGMA user_version=0")
        return
    connection.execution_options(isolation_level="AUTOCOMMIT")
    noted = "SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"
    if connection.exec_driver_sql(noted).scalar() == OWED:
        _write_anew(connection)
        connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS NULL")


class BrokenReference(RuntimeError):
    """A migration left a row that names one which is not there."""


def _require_whole(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BrokenReference(f"{broken[0]} names a row of {broken[2]} that is not there")


def _write_anew(connection: sa.Connection) -> None:
    """Leave no page behind that held what is sealed now, neither in the file nor in its log."""
    if is_sqlite(connection):
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            _outside_transactions(connection, statement)
    else:
        connection.exec_driver_sql("VACUUM FULL")


def _outside_transactions(connection: sa.Connection, statement: str) -> list[Any]:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    rows = list(cursor.fetchall())
    cursor.close()
    return rows
