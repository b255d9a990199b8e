"""Sealing: what order, what is signed, who waits for whom, and what a crash leaves."""

import os
import signal
import threading
import time
import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from core import ledger, rotation, signing
from core.audit import AuditEntry, pseudonym
from core.blanking import blank
from core.canonical import KEY_ANNOUNCED
from core.checking import check
from core.config import settings_from
from core.database import db, unit_of_work
from core.ledger import (
    LedgerCheckpoint,
    LedgerEntry,
    LedgerNode,
    inclusion_of,
    newest_checkpoint,
    seal,
    seal_now,
    waiting_acts,
)
from core.merkle import includes, root_at
from core.one_sealer import ONE_SEALER
from core.verifying import Broken
from practice.app import create_app
from tests.builders.ledger import (
    behind_its_back,
    exported,
    make_act,
    public_key,
    seal_acts,
    verified,
)
from tests.conftest import NOW
from tests.core.forking import copied

# Far longer than anybody here waits on the slowest machine, in seconds.
PATIENCE = 300


def sealed(session):
    return session.scalars(sa.select(LedgerEntry).order_by(LedgerEntry.seq)).all()


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_every_act_is_sealed_once_in_order_and_signed(session):
    entries = seal_acts(session, 5)
    assert [one.act["action"] for one in sealed(session)] == [KEY_ANNOUNCED] + 5 * [
        "request.viewed"
    ]
    assert [one.entry_id for one in sealed(session)][1:] == [entry.id for entry in entries]
    assert seal(NOW) == 0
    assert newest_checkpoint(session).size == 6
    assert verified(exported(session), public_key(session)).checkpoint.size == 6


def test_nothing_is_signed_while_nothing_has_happened(session):
    assert seal(NOW) == 0
    assert newest_checkpoint(session) is None
    assert count(session, AuditEntry) == 0


def test_what_is_sealed_names_nobody(session):
    who, what, whose = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    make_act(
        session, actor_id=who, subject_id=what, client_id=whose, person="Ann Doe", other=str(who)
    )
    session.commit()
    seal_now(NOW)
    file = exported(session).decode()
    for secret in (who, what, whose, "Ann Doe"):
        assert str(secret) not in file
        assert str(secret).replace("-", "") not in file


def test_the_same_person_has_another_pseudonym_in_every_act(session):
    whose = uuid.uuid4()
    entries = [make_act(session, client_id=whose, actor_id=whose) for _ in range(3)]
    given = {one for entry in entries for one in (entry.client_pseudonym, entry.actor_pseudonym)}
    assert len(given) == 6
    for entry in entries:
        assert entry.client_pseudonym == pseudonym(entry.public_id, "client", whose)


def test_many_acts_are_sealed_in_short_transactions_of_their_own(session, monkeypatch):
    monkeypatch.setattr(ledger, "IN_ONE_BATCH", 4)
    entries = [make_act(session) for _ in range(10)]
    session.commit()
    assert seal(NOW, most=4) == 4
    assert waiting_acts(session).number == len(entries) + 1 - 4
    seal_now(NOW)
    sizes = sa.select(LedgerCheckpoint.size).order_by(LedgerCheckpoint.size)
    assert session.scalars(sizes).all() == [4, 8, 11]
    assert check(session).holds


def test_a_row_that_commits_late_is_sealed_although_its_id_is_small(session):
    seal_acts(session, 3)
    with unit_of_work() as writing:
        make_act(writing).id = -7
    assert seal(NOW) == 1
    assert sealed(session)[-1].entry_id == -7
    assert check(session).holds


def test_a_transaction_that_was_open_during_a_sealing_is_sealed_by_the_next(app, session):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer, so ids commit in order")
    with sa.orm.Session(db.engine) as slow:
        early = make_act(slow)
        public_id = early.public_id
        seal_acts(session, 3)
        assert early.id < max(one.entry_id for one in sealed(session))
        slow.commit()
        assert seal(NOW) == 1
    assert sealed(session)[-1].entry.public_id == public_id


def test_each_entry_is_proved_to_be_in_the_tree(session):
    seal_acts(session, 12)
    newest = newest_checkpoint(session)
    for one in sealed(session):
        leaf = ledger.sealed_leaf(one.act)
        proof = inclusion_of(session, one.seq, newest.size)
        assert includes(newest.root, newest.size, one.seq - 1, leaf, proof)
    sizes = [row.size for row in session.scalars(sa.select(LedgerCheckpoint))]
    assert all(root_at(ledger.nodes_in(session), size) for size in sizes)


def test_two_sealers_at_once_make_one_chain(app, session, monkeypatch):
    monkeypatch.setattr(ledger, "IN_ONE_BATCH", 3)
    for _ in range(60):
        make_act(session)
    session.commit()
    start, failed = threading.Barrier(6), []

    def work():
        with app.app_context():
            try:
                start.wait()
                for _ in range(8):
                    seal_now(NOW)
                    with unit_of_work() as writing:
                        make_act(writing)
            except Exception as error:
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    seal_now(NOW)
    session.rollback()
    chain = sealed(session)
    assert [one.seq for one in chain] == list(range(1, 60 + 48 + 1 + 1))
    assert check(session).findings == []
    assert verified(exported(session), public_key(session)).checkpoint.size == len(chain)


def test_a_writer_goes_on_while_somebody_else_seals(app, session):
    """On PostgreSQL a sealer that hangs holds up nobody; a second one has nothing to do."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer; the sealer's turns are short (bench/ledger.py)")
    seal_acts(session, 2)
    with db.engine.connect() as hanging, hanging.begin():
        hanging.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_SEALER)))
        with unit_of_work() as writing:
            make_act(writing)
        assert seal(NOW) == 0
    assert seal(NOW) == 1


def test_an_erasure_blanks_the_ids_and_the_chain_still_holds(session):
    gone, stays = uuid.uuid4(), uuid.uuid4()
    about = make_act(session, client_id=gone, actor_id=stays, person="Ann Doe")
    by = make_act(session, actor_id=gone, client_id=gone)
    mention = make_act(session, payer=str(gone), actor_id=stays)
    other = make_act(session, actor_id=stays)
    session.commit()
    seal_now(NOW)
    before = exported(session)
    with unit_of_work() as writing:
        assert blank(writing, [gone], at=NOW) == 3
    seal_now(NOW)
    session.rollback()
    for row in (about, by, mention):
        session.refresh(row)
        assert gone not in (row.actor_id, row.subject_id, row.client_id)
        assert (row.details, row.salt) == ({}, "")
    assert about.actor_id == stays
    session.refresh(other)
    assert other.blanked_by is None
    assert check(session).findings == []
    after = exported(session)
    assert verified(after, public_key(session)).checkpoint.size == 6
    assert after.splitlines()[1:6] == before.splitlines()[1:]
    assert str(gone) not in after.decode()


def test_rows_are_not_hidden_by_making_them_look_erased(session):
    entries = seal_acts(session, 3)
    with unit_of_work() as writing:
        blank(writing, [entries[0].client_id], at=NOW)
    seal_now(NOW)
    session.rollback()
    act = session.scalars(sa.select(AuditEntry.blanked_by).where(AuditEntry.id == entries[0].id))
    blanked_by = act.one().hex if db.engine.dialect.name == "sqlite" else str(act.one())
    behind_its_back(
        session,
        "UPDATE audit_entries SET actor_id = NULL, blanked_by = :act WHERE id = :id",
        act=blanked_by,
        id=entries[1].id,
    )
    assert check(session).findings == ["2 rows were blanked, but no act accounts for them"]


def test_what_was_there_before_the_ledger_is_sealed_too(session):
    table = AuditEntry.__table__
    old = {"public_id": uuid.uuid4(), "at": NOW, "actor_role": "client", "action": "place.set"}
    old |= {"subject_kind": "client", "subject_id": uuid.uuid4(), "details": {"place": "US-WA"}}
    session.connection().execute(sa.insert(table).values(**old))
    session.commit()
    assert seal(NOW) == 2
    assert [one.act["action"] for one in sealed(session)] == [KEY_ANNOUNCED, "place.set"]
    assert check(session).holds


def test_a_new_key_is_announced_by_the_old_one_and_vouched_for(session):
    seal_acts(session, 2)
    first = public_key(session)
    older = exported(session)
    with unit_of_work() as writing:
        signing.rotate(writing, NOW + timedelta(days=1))
    seal_acts(session, 2)
    session.rollback()
    second = public_key(session)
    assert first != second
    data = exported(session)
    for key in (first, second):
        assert verified(data, key).checkpoint.size == 6
    assert verified(older, first).checkpoint.size == 3
    with pytest.raises(Broken, match="does not vouch"):
        verified(older, second)
    assert check(session).holds


@pytest.mark.parametrize("acts_before", [0, 2])
def test_of_two_who_change_the_key_at_once_one_is_told(app, session, acts_before):
    """Also before there is a first key; on SQLite one comes after the other, and both may."""
    if acts_before:
        seal_acts(session, acts_before)
    session.rollback()
    outcomes = []
    start = threading.Barrier(2, timeout=PATIENCE)

    def change():
        with app.app_context():
            try:
                with unit_of_work() as writing:
                    if db.engine.dialect.name == "postgresql":
                        start.wait()
                    outcomes.append(signing.rotate(writing, NOW).id)
            except Exception as refusal:
                outcomes.append(type(refusal))

    people = [threading.Thread(target=change) for _ in range(2)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    seal_acts(session, 1)
    session.rollback()
    assert set(outcomes) <= {signing.KeyHasChanged} | {key.key for key in published(session)}
    assert len({*outcomes} - {signing.KeyHasChanged}) >= 1
    assert [key.retired_at for key in published(session)].count(None) == 1
    vouchers = [
        one.act["facts"]["signed_by"] == one.act["facts"]["key"] for one in announced(session)
    ]
    assert vouchers.count(True) == 1
    assert check(session).holds
    assert verified(exported(session), public_key(session))


def published(session):
    return signing.published_keys(session)


def announced(session):
    return [one for one in sealed(session) if one.act["action"] == KEY_ANNOUNCED]


def test_who_waited_for_another_to_change_the_key_is_told(app, session):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets the second begin only when the first has ended")
    seal_acts(session, 2)
    told = []

    def change():
        with app.app_context(), unit_of_work() as writing:
            signing.rotate(writing, NOW)

    def change_and_tell():
        with pytest.raises(signing.KeyHasChanged):
            change()
        told.append(True)

    with unit_of_work() as first:
        signing.rotate(first, NOW)
        second = threading.Thread(target=change_and_tell)
        second.start()
        until_somebody_waits_for_the_sealer()
    second.join()
    assert told == [True]
    assert len(signing.published_keys(session)) == 2


def until_somebody_waits_for_the_sealer():
    # The other worker's database stands in the same cluster, and its sealer may wait as well.
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    patience = time.monotonic() + PATIENCE
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
        while not looking.exec_driver_sql(waiting).scalar():
            assert time.monotonic() < patience


def test_a_retired_key_can_sign_no_more_and_is_still_published(session):
    seal_acts(session, 1)
    with unit_of_work() as writing:
        signing.rotate(writing, NOW)
    session.rollback()
    new, old = signing.published_keys(session)
    assert (old.secret, bool(old.public), old.retired_at) == ("", True, NOW)
    assert new.secret
    assert new.retired_at is None


def test_the_ledger_goes_on_under_the_same_key_after_the_data_keys_were_rotated(session):
    seal_acts(session, 2)
    key = public_key(session)
    with unit_of_work() as writing:
        rotation.begin(writing, NOW)
    list(rotation.carry_on())
    seal_acts(session, 2)
    session.rollback()
    assert public_key(session) == key
    assert verified(exported(session), key).checkpoint.size == 5
    assert check(session).holds


def test_a_key_planted_in_the_database_is_neither_used_nor_published(session):
    seal_acts(session, 1)
    behind_its_back(session, "UPDATE ledger_keys SET public_sealed = NULL")
    assert [key.public for key in signing.published_keys(session)] == [""]
    behind_its_back(session, "UPDATE ledger_keys SET secret_sealed = public_sealed")
    make_act(session)
    session.commit()
    with pytest.raises(ValueError, match="32 bytes"):
        seal(NOW)


def test_a_killed_sealer_leaves_nothing_half(tmp_path, own_migrated_url, proving):
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": own_migrated_url}

    def in_a_copy(work, *arguments):
        copy = copied(lambda: in_an_application(work, *arguments), environment)
        said = copy.output.read()
        return copy.ended(), said

    for step in range(1, 31) if proving else (3, 7, 10, 12, 15):
        assert in_a_copy(add_acts, 12) == (0, "")
        assert in_a_copy(seal_and_die, step) == (-signal.SIGKILL, "")
        assert in_a_copy(look_whether_it_is_whole) == (0, "")
    assert in_a_copy(seal_all_and_look) == (0, "")


def in_an_application(work, *arguments):
    ledger.IN_ONE_BATCH = 5
    with create_app(settings_from()).app_context():
        work(*arguments)


def add_acts(number):
    with unit_of_work() as session:
        for _ in range(number):
            make_act(session)


def seal_and_die(step):
    steps = iter(range(1, step + 1))

    def die_after(*_anything):
        if next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(db.engine, "before_cursor_execute", die_after)
    sa.event.listen(db.engine, "commit", die_after)
    ledger.seal_now(NOW)


def look_whether_it_is_whole():
    session = db.session()
    newest = newest_checkpoint(session)
    size = newest.size if newest else 0
    assert count(session, LedgerEntry) == size
    assert count(session, LedgerNode) == sum(size >> n for n in range(size.bit_length()))
    assert check(session).findings == []
    return size


def seal_all_and_look():
    seal_now(NOW)
    assert look_whether_it_is_whole() > 0
    assert waiting_acts(db.session()).number == 0


def test_the_chain_is_the_hash_of_the_one_before_and_the_leaf(session):
    seal_acts(session, 4)
    for before, after in pairwise(sealed(session)):
        assert after.chain == ledger.chained(before.chain, ledger.sealed_leaf(after.act))
