"""Bringing a database to the newest schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.database import Base, is_sqlite
from core.sealing_over import Sealer

MIGRATIONS = Path(__file__).parent.parent / "migrations"


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
    """One transaction; afterwards nothing that was sealed in it is left in the clear."""
    with engine.connect() as connection:
        on_sqlite = is_sqlite(connection)
        if on_sqlite:
            # A table that others name is written anew by dropping it; looked at before the commit.
            _outside_transactions(connection, "PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                config = alembic_config(connection)
                yield config
                if on_sqlite:
                    _require_whole(connection)
        finally:
            if on_sqlite:
                _outside_transactions(connection, "PRAGMA foreign_keys=ON")
        if config.attributes["sealer"].has_worked:
            _write_anew(connection)


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
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("VACUUM FULL")


def _outside_transactions(connection: sa.Connection, statement: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.fetchall()
    cursor.close()
