"""Back up, wipe, restore: everything is there again, and nothing that was erased."""

import re
import subprocess
import sys
import uuid
import zlib
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.models import Payer
from core import erasures
from core.backup import container, making, places, reading, restoring, settling, tables
from core.backup.errors import (
    BackupRefused,
    CheckFailed,
    Damaged,
    InUse,
    NotEmpty,
    OtherVersion,
    PlaceTaken,
)
from core.backup.making import FILE, UNFINISHED
from core.backup.restoring import Steps
from core.clock import FrozenClock
from core.database import Base, db, unit_of_work
from core.encryption import Erased, Realm, sealed_columns
from core.keeping import current_keeper
from core.keys import DataKey
from core.ledger import LedgerEntry, seal_now
from core.mail import KeptMail
from core.migrating import MIGRATIONS, upgrade
from core.outbox import OutboxMessage, drain, post
from practice.accounts.models import (
    EmailToken,
    EmailTokenPurpose,
    SignInAttempt,
    SignInSession,
)
from practice.accounts.signing_in import begin
from practice.app import create_app
from practice.oversight.backups import operations as backups
from tests.builders.accounts import make_user
from tests.conftest import NOW
from tests.core.backup.conftest import contents, killed
from tests.core.dumping import files_of
from tests.core.test_sealing_over import BEFORE, Old
from tests.journeys.street import READERS, canary

# What a restore itself writes to.
SETTLED = {"audit_entries", "audit_concerns", "email_tokens", "outbox_messages", "sign_in_sessions"}


def test_what_is_restored_is_what_was_backed_up(bank, town, settings, every_migration):
    made = bank.backup()
    restored = bank.restore()
    before, after = contents(settings.database_url), contents(bank.target)
    assert before.keys() == after.keys()
    for table in before.keys() - SETTLED:
        assert after[table] == before[table], table
    for table in SETTLED - {"sign_in_sessions"}:
        assert len(after[table]) >= len(before[table]) == made.manifest.counts[table]
    assert restored.manifest == made.manifest
    assert made.rows > 300


def test_every_sealed_value_reads_as_before(bank, town):
    bank.backup()
    bank.restore()
    with unit_of_work() as session:
        here = opened_values(session)
    with sessions_of(bank.target) as session:
        assert opened_values(session) == here
    said = {secret for secret in READERS if any(canary(secret) in value for value in here)}
    assert len(said) >= 6


def test_the_ledger_leads_to_the_root_that_was_signed(bank, town):
    made = bank.backup()
    assert made.manifest.ledger["size"] > 10
    lines = bank.restore().lines
    assert f"the ledger of {made.manifest.ledger['size']} acts leads to the recorded root" in lines


def test_a_ledger_that_was_tampered_with_is_restored_with_a_warning(bank, town):
    """People's records come back all the same; whoever restores is told."""
    seal_now(NOW)
    with unit_of_work() as session:
        act = session.get(LedgerEntry, 3)
        act.act = act.act | {"action": "nothing.happened"}
    bank.backup()
    [warning] = bank.restore().warnings
    assert "ledger was tampered with" in warning


def test_another_ledger_than_the_recorded_one_is_refused(bank, town, monkeypatch):
    monkeypatch.setattr(making, "ledger_of", lambda _connection: {"size": 3, "root": "00" * 32})
    bank.backup()
    with pytest.raises(CheckFailed, match="ledger"):
        bank.restore()
    assert contents(bank.target) == {}


def test_a_backup_moves_between_the_databases(bank, town, settings, tmp_path):
    """Through SQLite and back to where it came from, everything is the same."""
    bank.backup()
    by_way_of = f"sqlite:///{tmp_path / 'between.sqlite3'}"
    bank.restore(by_way_of, steps=Steps())
    engine = sa.create_engine(by_way_of, poolclass=sa.NullPool)
    again = tmp_path / "again"
    making.make_backup(engine, again, current_keeper(), NOW, backups.quietly)
    bank.restore(folder=again, steps=Steps())
    assert contents(bank.target) == contents(settings.database_url)


def test_new_rows_go_on_after_the_restored_ones(bank, town):
    bank.backup()
    bank.restore()
    with sessions_of(bank.target) as session:
        highest = session.scalar(sa.select(sa.func.max(SignInSession.id))) or 0
        user = make_user(session, "new@example.test", at=NOW)
        assert user.id > highest
        session.rollback()


def test_nothing_of_the_street_is_in_the_bytes(bank, town, tmp_path):
    made = bank.backup()
    bytes_ = legible(made.path.read_bytes())
    for secret in [*map(canary, READERS), "Rosa", "@example.test", "audit_entries"]:
        assert secret.encode() not in bytes_, secret
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [FILE]


def test_a_backup_made_while_people_write_is_of_one_instant(bank, town, settings):
    """Each writing adds a row to two tables, one read early and one late: never half of it."""
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)

    def write(*_progress):
        with Session(engine.execution_options(writes=True)) as session, session.begin():
            session.add(Payer(reference=uuid.uuid4(), created_at=NOW))
            session.add(SignInAttempt(counted="x", at=NOW))

    write()
    had = counted(settings.database_url)
    made = making.make_backup(engine, bank.folder, current_keeper(), NOW, write)
    assert {name: made.manifest.counts[name] for name in had} == had
    have = counted(settings.database_url)
    assert {have[name] - had[name] for name in had} != {0}


@pytest.mark.parametrize("damage", ["cut", "cut the last chunk", "flip the header", "flip a chunk"])
def test_a_damaged_backup_changes_nothing(bank, wiped, damage):
    path = bank.folder / FILE
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](bytearray(whole)))
    with pytest.raises(BackupRefused):
        bank.restore(replace=True)
    assert contents(bank.target) == wiped
    assert_nothing_left_over(bank)


def test_a_backup_that_is_damaged_after_it_was_verified_changes_nothing(bank, wiped, monkeypatch):
    def verified_then_flipped(*arguments):
        manifest = reading.verify(*arguments)
        path = bank.folder / FILE
        path.write_bytes(DAMAGES["flip a chunk"](bytearray(path.read_bytes())))
        return manifest

    monkeypatch.setattr(restoring, "verify", verified_then_flipped)
    with pytest.raises(Damaged):
        bank.restore(replace=True)
    assert contents(bank.target) == wiped
    assert_nothing_left_over(bank)


def test_another_file_in_the_place_of_the_verified_one_changes_nothing(
    bank, wiped, monkeypatch, tmp_path
):
    """A whole backup of ours, but not the one that was looked at."""
    other = bank.backup(tmp_path / "other")

    def verified_then_swapped(*arguments):
        manifest = reading.verify(*arguments)
        other.path.replace(bank.folder / FILE)
        return manifest

    monkeypatch.setattr(restoring, "verify", verified_then_swapped)
    with pytest.raises(Damaged):
        bank.restore(replace=True)
    assert contents(bank.target) == wiped


def test_a_check_that_fails_changes_nothing(bank, wiped):
    def fails(_session, _manifest):
        raise CheckFailed("no")

    with pytest.raises(CheckFailed):
        bank.restore(replace=True, steps=Steps(checks=(fails,)))
    assert contents(bank.target) == wiped
    assert_nothing_left_over(bank)


def test_a_database_with_rows_is_not_replaced_by_accident(bank, wiped):
    with pytest.raises(NotEmpty):
        bank.restore()
    assert contents(bank.target) == wiped
    bank.restore(replace=True)


def test_a_database_that_somebody_uses_is_not_replaced(bank, wiped, monkeypatch):
    monkeypatch.setattr(places, "LEAVE_WITHIN", 0)
    with sessions_of(bank.target) as session:
        session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage))
        with pytest.raises(InUse):
            bank.restore(replace=True)
    assert contents(bank.target) == wiped


@pytest.mark.parametrize("leave", ["", "a file of mine"])
def test_a_backup_goes_into_an_empty_folder_only(bank, town, leave):
    bank.folder.mkdir()
    if leave:
        (bank.folder / leave).write_text("mine")
        with pytest.raises(PlaceTaken):
            bank.backup()
        assert [path.name for path in bank.folder.iterdir()] == [leave]
        return
    bank.backup()
    with pytest.raises(PlaceTaken):
        bank.backup()


def test_a_folder_that_cannot_be_is_refused_in_a_line(bank, town, tmp_path):
    (tmp_path / "a file").write_text("")
    for folder in (tmp_path / "not" / "there", tmp_path / "a file", tmp_path / "a file" / "in"):
        with pytest.raises(BackupRefused) as refused:
            bank.backup(folder)
        assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("module", "name", "number"),
    [
        (container, "_nonce", 1),
        (container, "_nonce", 3),
        (making, "_line", 20),
        (making.os, "fsync", 1),
        (making.os, "fsync", 2),
    ],
)
def test_a_killed_backup_leaves_no_half_file_under_the_final_name(
    bank, town, monkeypatch, module, name, number
):
    monkeypatch.setattr(container, "CHUNK", 4096)
    assert killed(bank.backup, module, name, number)
    if (bank.folder / FILE).exists():
        assert name == "fsync"
        assert number == 2, "it had its name before it was safe on disk"
        reading.verify(bank.folder, current_keeper(), backups.quietly)
        return
    assert [path.name for path in bank.folder.iterdir()] == [UNFINISHED]
    bank.backup()
    reading.verify(bank.folder, current_keeper(), backups.quietly)


@pytest.mark.parametrize(
    ("module", "name", "number"),
    [
        (tables, "fill", 25),
        (restoring.command, "upgrade", 2),
        (settling, "free_leases", 1),
        (places.os, "fsync", 1),
    ],
)
def test_a_killed_restore_leaves_the_old_database(bank, wiped, module, name, number):
    met = killed(lambda: bank.restore(replace=True), module, name, number)
    if not met:
        # Only SQLite brings a file to disk by itself; PostgreSQL does it in the commit.
        assert (module, name) == (places.os, "fsync")
        assert contents(bank.target).keys() == wiped.keys()
        return
    assert contents(bank.target) == wiped
    bank.restore(replace=True)
    assert_nothing_left_over(bank)


@pytest.mark.parametrize("had", ["a database", "nothing"])
def test_what_a_killed_restore_left_goes_at_the_next_start_of_attune(bank, town, settings, had):
    """Keys of whoever was erased since the backup may be in it."""
    bank.backup()
    if had == "a database":
        bank.restore()
    before = contents(bank.target)
    assert killed(lambda: bank.restore(replace=True), restoring, "_counted")
    assert bool(unfinished(bank)) == (db.engine.dialect.name == "sqlite")
    create_app(replace(settings, database_url=bank.target), FrozenClock(NOW))
    assert unfinished(bank) == []
    assert contents(bank.target) == before


def test_a_start_while_a_restore_runs_leaves_it_alone(bank, town, settings, monkeypatch):
    """Whether there was a database or not."""
    found = []

    def start_elsewhere(*arguments):
        look = f"from core.backup import places; places.forget_killed_restore({bank.target!r})"
        subprocess.run([sys.executable, "-c", look], check=True, cwd=MIGRATIONS.parent)
        found.append(bool(unfinished(bank)))
        return counted_rows(*arguments)

    counted_rows = restoring._counted
    monkeypatch.setattr(restoring, "_counted", start_elsewhere)
    bank.backup()
    bank.restore()
    bank.restore(replace=True)
    assert found == [db.engine.dialect.name == "sqlite"] * 2
    assert_nothing_left_over(bank)


def test_a_restore_that_is_killed_with_nothing_to_replace_leaves_nothing(bank, town):
    bank.backup()
    assert killed(bank.restore, restoring, "_counted")
    assert contents(bank.target) == {}
    bank.restore()


def test_a_backup_of_an_older_schema_is_brought_up_to_date(bank, app, tmp_path, every_migration):
    with app.app_context():
        older = f"sqlite:///{tmp_path / 'older.sqlite3'}"
        engine = sa.create_engine(older, poolclass=sa.NullPool)
        upgrade(engine, "0011")
        with engine.execution_options(writes=True).begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO payers (reference, created_at, public_id) VALUES (:r, :a, :p)"
                ),
                {"r": uuid.uuid4().hex, "a": "2026-12-01 18:00:00.000000", "p": uuid.uuid4().hex},
            )
        making.make_backup(engine, bank.folder, current_keeper(), NOW, backups.quietly)
        bank.restore()
        with sessions_of(bank.target) as session:
            assert session.scalars(sa.select(Payer)).one().created_at == NOW
            assert tables.revision_of(session.connection()) == newest_revision()


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_backup_from_before_sealing_leaves_nothing_in_the_clear(
    bank, app, tmp_path, is_killed, every_migration
):
    secret = "canary-of-an-older-schema"
    with app.app_context():
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'older.sqlite3'}", poolclass=sa.NullPool)
        upgrade(engine, BEFORE)
        Old(engine).add("kept_mails", [{"to": "x@x.test", "subject": secret, "body": secret}])
        making.make_backup(engine, bank.folder, current_keeper(), NOW, backups.quietly)
        target = sa.create_engine(bank.target, poolclass=sa.NullPool)
        if is_killed:
            assert killed(bank.restore, restoring, "write_anew_if_owed")
            upgrade(target)
        else:
            bank.restore()
        with sessions_of(bank.target) as session:
            assert session.scalars(sa.select(KeptMail.subject_sealed)).one()
        assert secret.encode() not in files_of(target)


def test_a_backup_of_a_newer_schema_is_left_alone(bank, town, monkeypatch):
    monkeypatch.setattr(tables, "revision_of", lambda _connection: "9999")
    bank.backup()
    with pytest.raises(OtherVersion):
        bank.restore()
    assert contents(bank.target) == {}


def test_everybody_is_signed_out_and_old_links_are_dead(bank, town):
    with unit_of_work() as session:
        user = make_user(session, "kim@example.test", at=NOW)
        begin(session, user, NOW, "a browser")
        session.add(EmailToken(token_hash="x", user_id=user.id, purpose=EmailTokenPurpose.reset,
                               created_at=NOW, expires_at=NOW + timedelta(hours=1)))  # fmt: skip
    bank.backup()
    bank.restore()
    with sessions_of(bank.target) as session:
        assert [row.ended_at for row in session.scalars(sa.select(SignInSession))] == [NOW]
        assert [row.used_at for row in session.scalars(sa.select(EmailToken))] == [NOW]


def test_a_mail_that_went_out_since_does_not_go_out_again(bank, app, town):
    """Whether it waited when the backup was made or was posted later; other work is done again."""
    post_work("mail", "waits")
    post_work("erasures.write_down", "also waits")
    bank.backup()
    bank.restore(steps=Steps())
    with sessions_of(bank.target) as session, session.begin():
        session.execute(sa.update(OutboxMessage).values(done_at=NOW + timedelta(minutes=1)))
        session.add(message("mail", "later"))
    bank.restore(replace=True)
    with sessions_of(bank.target) as session:
        open_ = session.scalars(waiting()).all()
        assert "waits" not in open_
        assert "later" not in open_
        assert "also waits" in open_
        post(session, "mail", {"to": "x"}, dedupe_key="later", at=NOW)
        assert "later" not in session.scalars(waiting()).all()
        session.rollback()


@pytest.fixture
def register(settings):
    """The file of erasures beside the database; gone again afterwards."""
    path = erasures.register_of(settings)
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


def test_whoever_was_erased_since_yesterday_stays_unreadable(bank, app, town, register):
    """The register beside the database outlives it."""
    bank.backup()
    forget_ben(town)
    drain(app, NOW, most=1000)
    assert register.exists()
    bank.restore()
    with sessions_of(bank.target) as session:
        assert_ben_is_erased_and_ann_is_not(session, town)


def test_the_replaced_database_too_knows_who_was_erased(bank, app, town, register):
    """Where the register is lost, or the worker had no time to write it; then it is written."""
    bank.backup()
    bank.restore()
    with sessions_of(bank.target) as session, session.begin():
        erasures.erase(session, town.things["client"]["ben"], Realm.personal, NOW)
    bank.restore(replace=True)
    assert not register.exists()
    with sessions_of(bank.target) as session:
        assert_ben_is_erased_and_ann_is_not(session, town)
        assert any(key.startswith("erasure:") for key in session.scalars(waiting()))


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_lost_register_is_said_and_begun_anew(bank, app, town, register, is_lost):
    """A new machine without it cannot know who was erased since."""
    forget_ben(town)
    drain(app, NOW, most=1000)
    bank.backup()
    if is_lost:
        register.unlink()
    warnings = bank.restore().warnings
    assert ["may be back" in warning for warning in warnings] == [True] * is_lost
    with sessions_of(bank.target) as session:
        key = f"erasure:restored:{NOW.isoformat()}"
        again = [one for one in session.scalars(waiting()) if one == key]
        assert len(again) == is_lost


def test_without_the_register_yesterdays_backup_would_tell(bank, app, town, register):
    """What the two tests above would see if nothing were erased again."""
    bank.backup()
    forget_ben(town)
    bank.restore(steps=Steps())
    with sessions_of(bank.target) as session:
        assert any(STORY in value for value in opened_values(session))


def test_a_register_that_cannot_be_read_stops_the_restore(bank, town, register):
    bank.backup()
    register.write_text("{}\n")
    with pytest.raises(CheckFailed, match="register"):
        bank.restore()
    assert contents(bank.target) == {}


def test_a_lease_of_before_holds_nobody_up(bank, app, town):
    post_work("mail", "waits")
    with unit_of_work() as session:
        session.execute(
            sa.update(OutboxMessage).values(
                lease=uuid.uuid4(), leased_until=NOW + timedelta(days=1)
            )
        )
    bank.backup()
    bank.restore()
    with sessions_of(bank.target) as session:
        held = sa.select(OutboxMessage.id).where(
            OutboxMessage.done_at.is_(None), OutboxMessage.leased_until.is_not(None)
        )
        assert session.scalars(held).all() == []


def test_a_rehearsal_changes_nothing_and_leaves_nothing(bank, town, settings, every_migration):
    bank.backup()
    db.engine.dispose()
    before, places_before = contents(settings.database_url), where_data_is(settings)
    lines = restoring.rehearse(
        settings.database_url, bank.folder, current_keeper(), backups.steps(),
        at=NOW, tell=backups.quietly,
    ).lines  # fmt: skip
    assert any("sealed values were read" in line for line in lines)
    assert contents(settings.database_url) == before
    assert where_data_is(settings) == places_before


def test_a_killed_rehearsal_leaves_nothing_to_read(bank, town, settings):
    bank.backup()
    db.engine.dispose()
    before = where_data_is(settings)

    def rehearse():
        restoring.rehearse(
            settings.database_url, bank.folder, current_keeper(), backups.steps(),
            at=NOW, tell=backups.quietly,
        )  # fmt: skip

    assert killed(rehearse, restoring, "_counted")
    assert where_data_is(settings) == before


def test_an_old_database_that_cannot_be_read_can_still_be_replaced(bank, town, tmp_path):
    """It is why one restores; on SQLite, where it is a file, and its log may lie beside it."""
    path = tmp_path / "broken.sqlite3"
    path.write_bytes(b"not a database at all" * 500)
    path.with_name(path.name + "-wal").write_bytes(b"nor a log")
    bank.backup()
    with pytest.raises(NotEmpty):
        bank.restore(f"sqlite:///{path}")
    lines = bank.restore(f"sqlite:///{path}", replace=True).lines
    assert any("could not be read" in line for line in lines)
    assert contents(f"sqlite:///{path}")["users"]


ERASED = "erased"
STORY = canary("ben's story, shared with nobody")


def cut(whole):
    return whole[: len(whole) // 2]


def cut_the_last_chunk(whole):
    length = len(whole) - len(whole) % (container.CHUNK + container.TAG)
    return whole[: length or -1]


def flip_the_header(whole):
    whole[40] ^= 1
    return whole


def flip_a_chunk(whole):
    whole[-100] ^= 1
    return whole


DAMAGES = {
    "cut": cut,
    "cut the last chunk": cut_the_last_chunk,
    "flip the header": flip_the_header,
    "flip a chunk": flip_a_chunk,
}


def newest_revision():
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def sessions_of(url):
    """A session in another database than the application's."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with Session(engine.execution_options(writes=True)) as session:
        yield session


def opened_values(session):
    """Every sealed value of every row, in words, in a stable order."""
    values = []
    for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__name__):
        columns = sealed_columns(mapper.class_)
        for row in (
            session.scalars(sa.select(mapper.class_).order_by(mapper.class_.id)) if columns else ()
        ):
            values += [in_words(row, column.name) for column in columns]
    return values


def in_words(row, name):
    try:
        return str(getattr(row, name))
    except Erased:
        return ERASED


def forget_ben(town):
    with unit_of_work() as session:
        erasures.erase(session, town.things["client"]["ben"], Realm.personal, NOW)


def assert_ben_is_erased_and_ann_is_not(session, town):
    keys = sa.select(DataKey.realm).where(DataKey.owner == town.things["client"]["ben"])
    assert Realm.personal not in session.scalars(keys).all()
    values = opened_values(session)
    assert not any(STORY in value for value in values)
    assert any(canary("ann's story, shared with rosa") in value for value in values)


def counted(url):
    rows = contents(url)
    return {name: len(rows[name]) for name in ("payers", "sign_in_attempts")}


def legible(file):
    """The bytes, and whatever can be made of them without a key: what is compressed in them."""
    pieces = [file]
    for place in (match.start() for match in re.finditer(b"\x78[\x01\x5e\x9c\xda]", file)):
        with suppress(zlib.error):
            pieces.append(zlib.decompressobj().decompress(file[place:]))
    return b"".join(pieces)


def where_data_is(settings):
    """The files beside a SQLite database, or the schemas and tables of a PostgreSQL one."""
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    if engine.dialect.name == "sqlite":
        folder = Path(engine.url.database).parent
        return sorted(
            str(path) for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))
        )
    with engine.connect() as connection:
        return sorted(sa.inspect(connection).get_schema_names())


def assert_nothing_left_over(bank):
    assert unfinished(bank) == []


def unfinished(bank):
    """The names of files that a restore was building."""
    url = sa.make_url(bank.target)
    if url.get_backend_name() == "sqlite":
        return [path.name for path in Path(url.database).parent.glob("*restoring*")]
    return []


def message(kind, key):
    return OutboxMessage(
        kind=kind, payload={}, dedupe_key=key, posted_at=NOW, due_at=NOW,
        done_at=NOW + timedelta(minutes=1),
    )  # fmt: skip


def post_work(kind, key):
    with unit_of_work() as session:
        post(session, kind, {"to": "x"}, dedupe_key=key, at=NOW)


def waiting():
    return sa.select(OutboxMessage.dedupe_key).where(OutboxMessage.done_at.is_(None))
