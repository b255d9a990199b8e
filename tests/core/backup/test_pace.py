"""How long it takes: minutes per GB of a database full of sealed values, measured and printed."""

import base64
import os
import time
import uuid
from contextlib import contextmanager

from core import sealing
from core.backup import restoring, tables
from core.backup.making import GB, make_backup
from core.database import db, unit_of_work
from core.keeping import current_keeper
from core.keys import SYSTEM, Realm, sealing_keys
from core.sealing import Place
from practice.oversight.backups import operations as backups
from tests.conftest import NOW

SMALL, FULL = 2_000_000, 300_000_000
# What docs/how-to/back-up-and-restore.md promises.
MOST_MINUTES = 15
BODY = 900
ROWS_AT_ONCE = 500
INSTANT = "2026-12-01 18:00:00.000000"


def test_a_gigabyte_is_back_within_a_quarter_of_an_hour(
    bank, town, settings, proving, capsys, every_migration
):
    fill(FULL if proving else SMALL)
    took = {}
    with timed(took, "backup"):
        made = make_backup(db.engine, bank.folder, current_keeper(), NOW, backups.quietly)
    with timed(took, "rehearsal"):
        restoring.rehearse(
            settings.database_url, bank.folder, current_keeper(), backups.steps(),
            at=NOW, tell=backups.quietly,
        )  # fmt: skip
    with timed(took, "restore"):
        bank.restore()
    size = made.manifest.database_bytes / GB
    with capsys.disabled():
        print(f"\n{size:.2f} GB, {made.rows} rows; the backup is {made.size / GB:.2f} GB")
        for name, (seconds, worked) in took.items():
            pace = seconds / 60 / size
            print(f"  {name}: {seconds:.1f} s ({worked:.1f} s of work), {pace:.2f} minutes per GB")
    assert made.manifest.counts["kept_mails"] >= (FULL if proving else SMALL) // (2 * BODY)
    if proving:
        assert max(took.values())[0] / 60 / size <= MOST_MINUTES


@contextmanager
def timed(took, name):
    began, worked = time.monotonic(), time.process_time()
    yield
    took[name] = time.monotonic() - began, time.process_time() - worked


def fill(size):
    """Add mails, each with a subject and a body that are sealed as the product seals them."""
    with unit_of_work() as session:
        [key] = sealing_keys(session, [(SYSTEM, Realm.system)]).values()
        connection = session.connection()
        [table] = (one for one in tables.tables_of(connection) if one.name == "kept_mails")
        columns = ["id", "public_id", "sent_at", "to_index", "subject_sealed", "body_sealed"]
        rows = size // (BODY + 400)
        tables.fill(connection, table, columns, batches(key, rows))


def batches(key, rows):
    for start in range(1000, 1000 + rows, ROWS_AT_ONCE):
        yield [mail(key, id) for id in range(start, start + ROWS_AT_ONCE)]


def mail(key, id):
    public_id = uuid.uuid4()
    words = base64.b64encode(os.urandom(BODY * 3 // 4))
    subject, body = sealed(key, "subject", public_id, b"x"), sealed(key, "body", public_id, words)
    return [id, public_id.hex, INSTANT, os.urandom(32).hex(), subject, body]


def sealed(key, name, public_id, words):
    place = Place("kept_mails", f"{name}_sealed", SYSTEM, public_id)
    return sealing.seal(words, key.cipher("kept_mails", place.column), key.id, place).hex()
