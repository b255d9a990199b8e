"""docs/reference/encryption.md says of every column whether it is encrypted, and why not."""

import re
from pathlib import Path

import pytest

from core.database import Base
from core.encryption import SealedBytes, sealed_columns

DOCUMENT = Path(__file__).parents[2] / "docs/reference/encryption.md"
EVERYWHERE = {"id", "public_id"}
# What free text is called: a new column of such a name is sealed, or its reason is one of these.
WORDS = re.compile(r"words|note|reason|text|body|story|message|comment|phone|email|address|name")
MAY_HOLD_WORDS = {"professional", "published", "product", "keyed", "machine", "money", "browser"}


@pytest.fixture(scope="module")
def rows():
    """Of each table: {sealed column: realm}, {column in the clear: reason}."""
    lines = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", DOCUMENT.read_text(), re.M)
    assert len({table for table, _, _ in lines}) == len(lines)
    return {table: (read(sealed), read(clear)) for table, sealed, clear in lines}


def read(cell):
    """ "link: `a`, `b`; time: `c`" → {"a": "link", "b": "link", "c": "time"}."""
    found = {}
    for part in filter(None, cell.strip("–").split("; ")):
        why, _, names = part.partition(": ")
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), why)
    return found


@pytest.fixture(scope="module")
def reasons():
    return set(re.findall(r"^\| (\w+) \| [A-Z]", DOCUMENT.read_text(), re.M))


def sealed_by_model():
    return {
        (mapper.class_.__tablename__, column.column): column.realm.value
        for mapper in Base.registry.mappers
        for column in sealed_columns(mapper.class_)
    }


def test_every_column_stands_in_one_of_the_lists(app, rows):
    for table in Base.metadata.tables.values():
        sealed, clear = rows.get(table.name, ({}, {}))
        names = {column.name for column in table.columns} - EVERYWHERE
        assert names == sealed.keys() | clear.keys(), table.name
        assert not sealed.keys() & clear.keys(), table.name
    assert rows.keys() == Base.metadata.tables.keys()


def test_what_is_called_encrypted_is(app, rows):
    by_model = sealed_by_model()
    listed = {
        (table, name): realm
        for table, (sealed, _) in rows.items()
        for name, realm in sealed.items()
    }
    assert listed == by_model
    for table, name in listed:
        assert isinstance(Base.metadata.tables[table].c[name].type, SealedBytes)


def test_every_column_in_the_clear_has_a_reason(app, rows, reasons):
    assert len(reasons) > 5
    for table, (_, clear) in rows.items():
        assert set(clear.values()) <= reasons, table


def test_a_column_of_words_is_not_passed_off_as_a_code(app, rows):
    import sqlalchemy as sa

    for table, (_, clear) in rows.items():
        for name, why in clear.items():
            kind = Base.metadata.tables[table].c[name].type
            free = isinstance(kind, sa.String) and not isinstance(kind, sa.Enum)
            if free and WORDS.search(name):
                assert why in MAY_HOLD_WORDS, f"{table}.{name}: {why}"
