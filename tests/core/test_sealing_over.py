"""Migrations seal what stood in the clear, leave none of it behind, and can open it again."""

import itertools
import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import keys, migrating
from core.keys import DataKey
from core.migrating import BrokenReference, downgrade, upgrade
from practice.accounts.models import Client, Passkey, User
from practice.accounts.queries import has_address
from practice.consent.models import Signature
from practice.intake.models import FlagOutcome, IntakeAnswer
from practice.matches.models import Proposal
from tests.core.backup.conftest import killed
from tests.core.dumping import bytes_of, files_of

BEFORE = "0023"
CANARY = "canary-9b1d"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEVERAL_BATCHES = 520


class Old:
    """A database before anything was sealed, filled by the names of its tables alone."""

    def __init__(self, engine):
        self.engine = engine
        self.metadata = sa.MetaData()
        self.metadata.reflect(engine)
        self.numbers = itertools.count(1)

    def add(self, name, rows):
        table = self.metadata.tables[name]
        with self.engine.begin() as connection:
            connection.execute(sa.insert(table), [self._complete(table, row) for row in rows])

    def _complete(self, table, row):
        """What a test does not care about, by the kind of its column."""
        complete = {}
        for column in table.columns:
            if column.name in row:
                complete[column.name] = row[column.name]
            elif column.name == "public_id":
                public_id = uuid.uuid4()
                sqlite = self.engine.dialect.name == "sqlite"
                complete["public_id"] = public_id.hex if sqlite else public_id
            elif not column.nullable and column.name != "id":
                complete[column.name] = self._filler(column)
        return complete

    def _filler(self, column):
        if isinstance(column.type, sa.DateTime):
            return AT
        if isinstance(column.type, sa.Boolean):
            return False
        if isinstance(column.type, sa.Integer):
            return 0
        if isinstance(column.type, sa.LargeBinary):
            return b"x%d" % next(self.numbers)
        return f"x{next(self.numbers)}"[: getattr(column.type, "length", None) or 20]


def all_of(engine, name, *columns):
    """What stands in these columns, by row."""
    table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        query = sa.select(*(table.c[column] for column in columns)).order_by(table.c.id)
        return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def engine(app, databases, old):
    """At the revision before, in an application whose keys it will be sealed with."""
    engine = sa.create_engine(databases.copy_of(old))
    with app.app_context():
        yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def old(databases, proving):
    """To be copied: a database of many people, everything in the clear."""
    url = databases.empty()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    upgrade(engine, BEFORE)
    fill(Old(engine), people=50_000 if proving else SEVERAL_BATCHES)
    return url


def fill(old, people):
    ids = range(1, people + 1)
    old.add("users", [
        {"id": n, "email": f"{CANARY}-{n}@example.test", "name": f"{CANARY} {n}"} for n in ids
    ])  # fmt: skip
    old.add("clients", [
        {"id": n, "user_id": n, "preferred_name": f"{CANARY} {n}" if n % 3 else "", "phone": ""}
        for n in ids
    ])  # fmt: skip
    old.add("intakes", [{"id": n, "client_id": n} for n in ids])
    old.add("intake_answers", [
        {"id": n, "intake_id": n, "page": "story",
         "value": f'"{CANARY} {n} – 夜"' if n % 2 else None}
        for n in ids
    ])  # fmt: skip
    old.add("risk_flags", [{"id": 1, "client_id": 1, "raised_by": f'{{"{CANARY}":2}}'}])
    old.add("flag_outcomes", [
        {"id": 1, "flag_id": 1, "user_id": 2, "result": "safe_plan_made", "reason": f"{CANARY}!"}
    ])  # fmt: skip
    old.add("consent_documents", [{"id": 1, "purpose": "treatment", "version": 1}])
    old.add("signatures", [
        {"id": 1, "document_id": 1, "purpose": "treatment", "client_id": 1, "signer_id": 1,
         "capacity": "self", "scope_label": CANARY, "evidence": f'{{"typed_name":"{CANARY}"}}'}
    ])  # fmt: skip
    old.add("proposals", [
        {"id": 1, "client_id": 1, "digest": "d" * 64,
         "client_inputs": f'{{"place":"{CANARY}"}}', "shown": "[]"}
    ])  # fmt: skip
    old.add("outbox_messages", [
        {"id": 1, "kind": "mail", "payload": f'{{"to":"{CANARY}"}}', "done_at": AT},
        {"id": 2, "kind": "mail", "payload": f'{{"to":"{CANARY}"}}', "done_at": None},
    ])  # fmt: skip
    old.add("kept_mails", [{"id": 1, "to": f"{CANARY}@x.test", "subject": CANARY, "body": CANARY}])
    old.add("passkeys", [{"id": 1, "user_id": 1, "name": CANARY, "transports": "[]"}])


@pytest.fixture(scope="module")
def sealed_once(whole_app, databases, old):
    engine = sa.create_engine(databases.copy_of(old))
    with whole_app.app_context():
        assert CANARY.encode() in bytes_of(engine)
        upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sealed(app, sealed_once):
    """Everything was sealed in it; to be looked at, not written to."""
    with app.app_context():
        yield sealed_once


def test_everything_is_read_as_it_was(sealed):
    with sa.orm.Session(sealed) as session:
        client = session.get(Client, 1)
        assert client.preferred_name == f"{CANARY} 1"
        assert (session.get(Client, 3).preferred_name, client.phone) == ("", "")
        assert client.user.name == f"{CANARY} 1"
        assert session.get(IntakeAnswer, 1).value == f"{CANARY} 1 – 夜"
        assert session.get(IntakeAnswer, 2).value is None
        assert session.get(FlagOutcome, 1).reason == f"{CANARY}!"
        assert session.get(FlagOutcome, 1).flag.raised_by == {CANARY: 2}
        assert session.get(Signature, 1).evidence == {"typed_name": CANARY}
        assert session.get(Proposal, 1).client_inputs == {"place": CANARY}
        assert session.get(Passkey, 1).name == CANARY
        last = session.scalar(sa.select(sa.func.max(User.id)))
        found = session.scalars(sa.select(User).where(has_address(f"{CANARY}-{last}@example.test")))
        assert found.one().id == last
        by_value = sa.select(sa.func.count()).where(IntakeAnswer.value_sealed.is_not(None))
        assert session.scalar(by_value) == (last + 1) // 2


def test_none_of_it_is_left_in_the_files(sealed):
    assert CANARY.encode() not in files_of(sealed)


@pytest.mark.parametrize("killed_at", ["_write_anew", "write_anew_if_owed"])
def test_what_a_killed_upgrade_left_in_the_files_goes_with_the_next(engine, killed_at):
    def upgrade_elsewhere():
        upgrade(sa.create_engine(engine.url, poolclass=sa.NullPool))

    assert killed(upgrade_elsewhere, migrating, killed_at)
    assert CANARY.encode() in files_of(engine)
    upgrade(engine)
    assert CANARY.encode() not in files_of(engine)
    with engine.connect() as connection, pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrating, "_write_anew", None)
        migrating.write_anew_if_owed(connection)


def test_what_was_done_has_forgotten_what_it_was_about(sealed):
    [(done,), (waits,)] = all_of(sealed, "outbox_messages", "payload_sealed")
    assert done is None
    assert waits


def test_the_way_back_opens_everything_save_what_was_erased(engine):
    upgrade(engine)
    tables = {
        "users": ("email", "name"), "clients": ("preferred_name", "phone"),
        "intake_answers": ("value",), "risk_flags": ("raised_by",), "flag_outcomes": ("reason",),
        "signatures": ("scope_label", "evidence"), "proposals": ("client_inputs", "shown"),
        "kept_mails": ("to", "subject", "body"), "passkeys": ("name",),
    }  # fmt: skip
    people = len(all_of(engine, "users", "id"))
    with sa.orm.Session(engine) as session:
        assert keys.destroy(session, session.get(Client, 5).public_id) >= 1
        session.commit()
    downgrade(engine, BEFORE)
    found = {name: all_of(engine, name, *columns) for name, columns in tables.items()}
    assert found["users"] == [
        (f"{CANARY}-{n}@example.test", f"{CANARY} {n}") for n in range(1, people + 1)
    ]
    assert found["clients"][0] == (f"{CANARY} 1", "")
    assert found["clients"][4] == ("", "")
    assert found["intake_answers"][0] == (f'"{CANARY} 1 – 夜"',)
    assert found["intake_answers"][4] == (None,)
    assert found["risk_flags"] == [(f'{{"{CANARY}":2}}',)]
    assert found["signatures"] == [(CANARY, f'{{"typed_name":"{CANARY}"}}')]
    assert found["kept_mails"] == [(f"{CANARY}@x.test", CANARY, CANARY)]
    assert found["passkeys"] == [(CANARY,)]
    upgrade(engine)
    with sa.orm.Session(engine) as session:
        assert session.get(Client, 1).preferred_name == f"{CANARY} 1"
        assert session.scalar(sa.select(sa.func.count()).select_from(DataKey)) > people


def test_a_migration_that_leaves_a_row_in_the_air_is_undone(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL refuses it by itself")
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute(
            "INSERT INTO email_tokens (token_hash, user_id, purpose, created_at, expires_at)"
            " VALUES ('x', 77000000, 'reset', '2026-01-01', '2026-01-01')"
        )
        cursor.close()
    with pytest.raises(BrokenReference, match="email_tokens"):
        upgrade(engine)
    with engine.connect() as connection:
        at = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert at == BEFORE
