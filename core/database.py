"""The database: typed base, column types, and the unit of work of a POST, webhook or command."""

import enum
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    Session,
    mapped_column,
    registry,
)

from core.disk import close_to_others, make_private
from core.logs import log

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An instant: aware on the way in, UTC and aware on the way out; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(sa.TypeDecorator[Any]):
    """A JSON value kept as canonical text (sorted keys), the same bytes on every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """Base of every table: named constraints, so that an error can become a named refusal."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime(), uuid.UUID: sa.Uuid()},
    )


Key = Annotated[int, mapped_column(primary_key=True)]
PublicId = Annotated[uuid.UUID, mapped_column(unique=True, default=uuid.uuid4)]


def enum_column(members: type[enum.StrEnum], **options: Any) -> MappedColumn[Any]:
    """A column for a StrEnum: its values as text under a CHECK named after the enum."""
    return mapped_column(enum_type(members), **options)


def enum_type(members: type[enum.StrEnum]) -> sa.Enum:
    return sa.Enum(
        members,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=members.__name__.lower(),
        values_callable=lambda enumeration: [member.value for member in enumeration],
    )


class Identified:
    """Integer key inside, random public id outside."""

    id: Mapped[Key]
    public_id: Mapped[PublicId]


@sa.event.listens_for(Base, "init", propagate=True)
def _identify(row: Base, _arguments: object, values: dict[str, Any]) -> None:
    """A public id from the start: what is sealed in a row is bound to it before the flush."""
    if isinstance(row, Identified):
        values.setdefault("public_id", uuid.uuid4())


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class NestedUnitOfWork(RuntimeError):
    """A unit of work was begun inside another one."""


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Commit everything inside or nothing.

    Ends the read that loading the user began, then begins a writing transaction: on SQLite
    BEGIN IMMEDIATE, so that a check and the write that rests on it cannot be parted.
    """
    session = db.session()
    if session.info.get("in_unit_of_work"):
        raise NestedUnitOfWork
    session.rollback()
    # Without a running transaction a rollback forgets nothing, and old values would be decided on.
    session.expire_all()
    session.info["in_unit_of_work"] = True
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("in_unit_of_work", None)


def let_go(_error: BaseException | None = None) -> None:
    """End what a request has read; before Flask-SQLAlchemy does, where an error spoils the answer.

    A server that went away after the last statement has ended it by itself. What was loaded can
    still be read.
    """
    db.session.expunge_all()
    with suppress(OperationalError, InterfaceError):
        db.session.rollback()


def keep_private(url: str) -> None:
    """See that SQLite's file and its log are their owner's alone, whoever made them and how.

    What SQLite makes beside the file has the mode of the file. Where it cannot be seen to, the
    line in the log says so.
    """
    path = sqlite_file(url)
    if path is None:
        return
    all_of_it = [path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-shm")]
    try:
        make_private(path)
        was_open = [close_to_others(one) for one in all_of_it]
    except FileNotFoundError:
        return  # Without its folder the file cannot be opened either, and that is said there.
    except OSError as error:
        log("database.open_to_others", error=type(error))
    else:
        if any(was_open):
            log("database.closed_to_others")


def sqlite_file(url: str) -> Path | None:
    """The file of a database, None for one in memory or on a server."""
    made = sa.make_url(url)
    is_file = made.get_backend_name() == "sqlite" and made.database not in {None, "", ":memory:"}
    return Path(made.database or "") if is_file else None


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


@sa.event.listens_for(Engine, "connect")
def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    if type(dbapi_connection).__module__ != "sqlite3":
        return
    # The driver's own BEGIN comes too late for a check-then-write; ours is emitted below.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "temp_store=MEMORY",
        # What is deleted or replaced is overwritten: a destroyed key must not linger in the file.
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@sa.event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if is_sqlite(connection):
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
