"""Every migration on a filled database: up, down and up again, and nothing is lost on the way.

The database is filled as it stood when all the tables of the clinic were first there, by what it
says of itself: names, types, references and checks. Row n of a table belongs to row n of others.
"""

import json
import re
import time as clock
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from core.database import Base
from core.encryption import sealed_columns
from core.migrating import MIGRATIONS, downgrade, upgrade

FIRST_WITH_ALL_TABLES = "0011"
ROWS, FEW = 50_000, 500
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
# What does not come back, and the words with which its migration says so.
ONE_WAY = {
    "outbox_messages.payload": ("0029", "what is done needs no payload"),
    "proposals.digest": ("0025", "could be guessed from a hash without a key"),
}
# Rows had no name of their own before they were sealed; on the second way up they get another.
NAMED_ANEW = {
    "flag_outcomes.public_id",
    "intake_answers.public_id",
    "screening_decisions.public_id",
}

# Keys differ each time; the market's stamps counted changes until 0039, when versions began to.
NOT_COMPARED = ("data_keys", "market_stamps")

pytestmark = pytest.mark.timeout(3600)

# By table and column, in the order of the rows' keys.
Contents = dict[str, dict[str, list[Any]]]


@pytest.fixture
def engine(app: Flask, own_database_url: str) -> Iterator[sa.Engine]:
    """A database of its own, in an application whose keys it will be sealed with."""
    engine = sa.create_engine(own_database_url)
    with app.app_context():
        yield engine
    engine.dispose()


def test_up_down_and_up_again_nothing_is_lost(engine: sa.Engine, proving: bool) -> None:
    timed(upgrade, engine, FIRST_WITH_ALL_TABLES)
    fill(engine, ROWS if proving else FEW)
    first = contents(engine)

    timed(upgrade, engine, "head")
    above = contents(engine)
    assert counts(above, first) == counts(first)
    assert changed(first, above) == {"proposals.digest"}
    assert_sealed_values_open(engine, first)

    timed(downgrade, engine, FIRST_WITH_ALL_TABLES)
    back = contents(engine)
    assert columns(back) == columns(first)
    assert changed(first, back) == set(ONE_WAY)
    assert_only_finished_work_is_forgotten(first, back)

    timed(upgrade, engine, "head")
    again = contents(engine)
    assert counts(again) == counts(above)
    assert changed(above, again) == {"proposals.digest", *NAMED_ANEW}
    assert_sealed_values_open(engine, back)

    timed(downgrade, engine, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


def test_what_a_legal_hold_kept_is_undecided_again_on_the_way_down(engine: sa.Engine) -> None:
    """The version before deletes it with its next proposal, and no migration does."""
    upgrade(engine, FIRST_WITH_ALL_TABLES)
    fill(engine, FEW)
    upgrade(engine, "0051")
    tables = {table.name: table for table in tables_of(engine)}
    with engine.begin() as connection:
        for name in ("waiting_runs", "waiting_entries", "waiting_placements"):
            values = row(tables[name], words_allowed(engine, tables[name]), 3)
            connection.execute(sa.insert(tables[name]), values)
        connection.execute(sa.text("UPDATE waiting_placements SET state = 'set_aside'"))
    held = contents(engine)["waiting_placements"]
    downgrade(engine, "0050")
    assert contents(engine)["waiting_placements"] == held | {"state": ["unplaced"]}


@pytest.mark.parametrize("column", ONE_WAY)
def test_what_does_not_come_back_is_said_where_it_goes(column: str) -> None:
    number, words = ONE_WAY[column]
    [migration] = Path(MIGRATIONS, "versions").glob(f"{number}_*.py")
    assert words in migration.read_text()


def timed(move: Any, engine: sa.Engine, revision: str) -> None:
    began = clock.monotonic()
    move(engine, revision)
    print(f"{engine.dialect.name}: {move.__name__} {revision}: {clock.monotonic() - began:.1f} s")


def fill(engine: sa.Engine, rows: int) -> None:
    """So many rows in all, as many in each table."""
    tables = tables_of(engine)
    each = -(-rows // len(tables))
    with engine.begin() as connection:
        for table in tables:
            words = words_allowed(engine, table)
            values = [row(table, words, number) for number in range(1, each + 1)]
            connection.execute(sa.insert(table), values)
    print(f"{engine.dialect.name}: {each * len(tables)} rows in {len(tables)} tables")


def words_allowed(engine: sa.Engine, table: sa.Table) -> dict[str, list[str]]:
    """The words that a column's check lets in, as databases tell it."""
    allowed = {}
    for check in sa.inspect(engine).get_check_constraints(table.name):
        if words := re.findall(r"'(\w+)'", check["sqltext"]):
            name = re.findall(r"\w+", check["sqltext"])[0]
            allowed[name] = words
    return allowed


def row(table: sa.Table, words: dict[str, list[str]], number: int) -> dict[str, Any]:
    return {
        column.name: words[column.name][number % len(words[column.name])]
        if column.name in words
        else value(column, place, number)
        for place, column in enumerate(table.columns)
    }


def value(column: sa.Column[Any], place: int, number: int) -> Any:
    """Like nothing in another row or column; NULL in every third row where that may be."""
    if is_of_its_own_kind(column) or (column.nullable and number % 3 == 0):
        return None
    if column.primary_key or column.foreign_keys:
        return number
    for types, made in PLAIN.items():
        if isinstance(column.type, types):
            return made(column, place, number)
    return text(column, number)


def is_of_its_own_kind(column: sa.Column[Any]) -> bool:
    """A supervisor, say: nobody is their own."""
    return any(key.column.table is column.table for key in column.foreign_keys)


def public_id(column: sa.Column[Any], _place: int, number: int) -> Any:
    made = uuid.uuid5(uuid.NAMESPACE_URL, f"{column} {number}")
    return made if isinstance(column.type, sa.Uuid) else made.hex


def instant(_column: sa.Column[Any], place: int, number: int) -> datetime:
    return AT + timedelta(hours=number, minutes=place)


def day(_column: sa.Column[Any], place: int, number: int) -> date:
    return AT.date() + timedelta(days=number + place)


def time_of_day(_column: sa.Column[Any], place: int, number: int) -> time:
    return time(8 + place, number % 60)


def is_even(_column: sa.Column[Any], _place: int, number: int) -> bool:
    return number % 2 == 0


def count(_column: sa.Column[Any], _place: int, number: int) -> int:
    return number


def some_bytes(column: sa.Column[Any], _place: int, number: int) -> bytes:
    return f"{column} {number}".encode()


# SQLite keeps a UUID as 32 letters. What comes first is taken: a boolean may be a kind of number.
PLAIN = {
    (sa.Uuid, sa.CHAR): public_id,
    sa.DateTime: instant,
    sa.Date: day,
    sa.Time: time_of_day,
    sa.Boolean: is_even,
    (sa.Numeric, sa.Integer): count,
    sa.LargeBinary: some_bytes,
}


def text(column: sa.Column[Any], number: int) -> str:
    """JSON where there is room for it, which is a text as well."""
    length = getattr(column.type, "length", None)
    if length is None:
        return json.dumps(f"{column} {number} – 夜", ensure_ascii=False)
    return f"{number} {column.name}"[:length] if length > len("12345 ") else str(number)[-length:]


def tables_of(engine: sa.Engine) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def contents(engine: sa.Engine) -> Contents:
    """Everything but what is sealed and the keys it is sealed with, which differ each time."""
    found: Contents = {}
    with engine.connect() as connection:
        for table in tables_of(engine):
            kept = [one for one in table.columns if not one.name.endswith("_sealed")]
            rows = connection.execute(sa.select(*kept).order_by(*table.primary_key)).all()
            found[table.name] = {
                column.name: [row[place] for row in rows] for place, column in enumerate(kept)
            }
    return {table: values for table, values in found.items() if table not in NOT_COMPARED}


def columns(found: Contents) -> dict[str, set[str]]:
    return {table: set(names) for table, names in found.items()}


def counts(found: Contents, tables: Contents | None = None) -> dict[str, int]:
    return {table: len(next(iter(found[table].values()))) for table in tables or found}


def changed(before: Contents, after: Contents) -> set[str]:
    """The columns that are in both and no longer hold the same."""
    return {
        f"{table}.{column}"
        for table, held in before.items()
        for column in held
        if column in after[table] and after[table][column] != held[column]
    }


def assert_only_finished_work_is_forgotten(first: Contents, back: Contents) -> None:
    before, after = first["outbox_messages"], back["outbox_messages"]
    for was, now, done in zip(before["payload"], after["payload"], before["done_at"], strict=True):
        assert now == ("{}" if done else was)


def assert_sealed_values_open(engine: sa.Engine, clear: Contents) -> None:
    """Through the models, as pages read them; each is what stood there in the clear."""
    read = 0
    with sa.orm.Session(engine) as session:
        for mapper in Base.registry.mappers:
            name = mapper.local_table.name  # type: ignore[attr-defined]
            here = [one for one in sealed_columns(mapper.class_) if one.name in clear.get(name, {})]
            rows = session.scalars(sa.select(mapper.class_).order_by("id")).all() if here else []
            for column in here:
                for row, was in zip(rows, clear[name][column.name], strict=True):
                    assert getattr(row, column.name) in readings_of(was, clear[name], row)
                    read += 1
            session.expunge_all()
    assert read >= 20 * len(clear["clients"]["id"]), "too little was sealed to prove anything"


def readings_of(was: str | None, table: dict[str, list[Any]], row: Any) -> list[Any]:
    """As text and as JSON; what was nothing, or was forgotten with the work, reads as nothing."""
    if was is None:
        return ["", None]
    if getattr(row, "done_at", None) is not None and "payload" in table:
        return [{}]
    return [was, json.loads(was)] if was.startswith('"') else [was]
