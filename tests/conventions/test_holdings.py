"""Every table that can say something about a client is explained and forgotten with them."""

import sqlalchemy as sa

from core.database import Base
from practice.privacy.copying import SECTIONS
from practice.privacy.duties import DUTIES
from practice.privacy.holdings import HOLDINGS, NOT_ABOUT_CLIENTS, STAYS_BECAUSE
from practice.privacy.models import Because
from practice.privacy.retention import Rule

PEOPLE = {"clients", "users"}
# Names of columns that hold the public id of a client without a foreign key.
BY_PUBLIC_ID = {"client_id", "client_ref", "owner", "payer_id"}


def tables_about_people() -> set[str]:
    """Whatever refers to somebody who signs in, directly or through another table, or by id."""
    found = PEOPLE | {table.name for table in Base.metadata.sorted_tables if names_a_client(table)}
    while more := {
        table.name
        for table in Base.metadata.sorted_tables
        if table.name not in found
        and any(key.column.table.name in found for key in table.foreign_keys)
    }:
        found |= more
    return found


def names_a_client(table: sa.Table) -> bool:
    return bool(BY_PUBLIC_ID & {column.name for column in table.columns})


def test_every_table_about_people_is_in_one_holding_or_listed_with_a_reason() -> None:
    told = [table for holding in HOLDINGS for table in holding.tables]
    assert len(told) == len(set(told)), "a table belongs to one kind of data"
    for table in sorted(tables_about_people()):
        explained = table in told or NOT_ABOUT_CLIENTS.get(table)
        assert explained, (
            f"{table} refers to people: add it to a holding (practice/privacy/holdings.py) and let "
            "the erasure delete it, or say there why none of its rows is about a client"
        )


def test_no_table_is_told_of_that_does_not_exist() -> None:
    tables = set(Base.metadata.tables)
    told = {table for holding in HOLDINGS for table in holding.tables}
    assert told <= tables
    assert set(NOT_ABOUT_CLIENTS) <= tables
    assert not told & set(NOT_ABOUT_CLIENTS)


def test_every_holding_is_told_in_full() -> None:
    for one in HOLDINGS:
        words = (one.heading, one.what, one.why, one.rests_on, one.who, one.keeps, one.after)
        assert all(said.strip() and "!" not in said for said in words), one.key
        assert one.places, one.key


def test_every_reason_to_stay_has_words_and_every_rule_that_deletes_has_a_duty() -> None:
    assert set(STAYS_BECAUSE) == set(Because)
    # Names in the log go with the person, not by a date.
    assert {duty.rule for duty in DUTIES} == set(Rule) - {Rule.audit}
    assert "holdings" in SECTIONS
