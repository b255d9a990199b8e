"""New keys for everybody: interrupted anywhere, with others writing, nothing is lost or left."""

import os
import time

import pytest
import sqlalchemy as sa
from flask.cli import ScriptInfo

from core import keys, rotation
from core.clock import now
from core.config import settings_from
from core.database import db, unit_of_work
from core.encryption import Unreadable
from core.keeping import current_keeper
from core.keys import DataKey, KeyRotation, Realm
from core.rotation import HeldUp, all_sealed_columns, begin, carry_on, rows_on_old_keys
from practice.accounts.models import Client
from practice.app import create_app
from practice.cli import cli
from practice.intake.models import Assessment, IntakeAnswer
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
from tests.builders.kept import kept
from tests.core import rotation_by_others
from tests.core.forking import copied

PEOPLE = 30


@kept
def make_people(session):
    for number in range(PEOPLE):
        make_client(session, consents=False, preferred_name=f"canary {number}")
    make_intake(session, make_client(session))


@pytest.fixture
def people(session):
    make_people(session)
    session.commit()
    session.expunge_all()
    return PEOPLE + 1


def start(session):
    session.rollback()
    with unit_of_work() as work:
        begin(work, now())


def rotate(session):
    start(session)
    return list(carry_on())


def key_ids(session):
    session.rollback()
    return set(session.scalars(sa.select(DataKey.id)))


def ordered(model):
    return sa.select(model).order_by(model.id)


def everything(session):
    session.rollback()
    session.expunge_all()
    names = [client.preferred_name for client in session.scalars(sa.select(Client))]
    sheets = [sheet.responses for sheet in session.scalars(ordered(Assessment))]
    answers = [answer.value for answer in session.scalars(ordered(IntakeAnswer))]
    return sorted(names), sheets, answers


def test_every_key_is_new_and_everything_reads_as_before(session, people):
    before, old = everything(session), key_ids(session)
    rotate(session)
    assert everything(session) == before
    assert not key_ids(session) & old
    assert len(key_ids(session)) == len(old)
    assert rows_on_old_keys(session) == 0
    [done] = session.scalars(sa.select(KeyRotation))
    assert (done.is_open, done.unreadable) == (None, 0)
    assert done.sealed > people


@pytest.mark.parametrize("steps", range(0, 60, 7))
def test_a_rotation_goes_on_where_it_was_interrupted(session, people, monkeypatch, steps):
    monkeypatch.setattr(rotation, "KEYS_AT_ONCE", 5)
    monkeypatch.setattr(rotation, "ROWS_AT_ONCE", 3)
    before, old = everything(session), key_ids(session)
    start(session)
    run = carry_on()
    for _ in range(steps):
        next(run, None)
    run.close()
    assert everything(session) == before
    rotate(session)
    assert everything(session) == before
    assert not key_ids(session) & old
    assert len(session.scalars(sa.select(KeyRotation)).all()) == 1


def test_what_is_written_during_a_rotation_is_kept_and_is_on_a_new_key(session, people):
    start(session)
    client_id = session.scalar(sa.select(sa.func.max(Client.id)))
    written = []
    for number, _ in enumerate(carry_on()):
        with unit_of_work() as work:
            work.get(Client, client_id).preferred_name = written = f"written {number}"
    session.rollback()
    session.expunge_all()
    assert session.get(Client, client_id).preferred_name == written
    assert rows_on_old_keys(session) == 0


def test_a_value_that_does_not_open_is_left_with_its_key_and_counted(session, people):
    before = everything(session)
    [client, *_] = session.scalars(sa.select(Client).order_by(Client.id))
    client_id = client.id
    broken = client.preferred_name_sealed[:-1] + bytes([client.preferred_name_sealed[-1] ^ 1])
    table = Client.__table__
    session.execute(
        sa.update(table).where(table.c.id == client_id).values(preferred_name_sealed=broken)
    )
    session.commit()
    session.expunge_all()
    rotate(session)
    assert session.scalars(sa.select(KeyRotation.unreadable)).all() == [1]
    with pytest.raises(Unreadable):
        everything(session)
    kept = session.get(Client, client_id)
    assert kept.preferred_name_sealed == broken
    assert session.get(DataKey, broken[1:17]) is not None
    assert len(before[0]) == people


def test_a_key_that_nothing_here_unwraps_holds_nobody_else_up(session, people):
    old = key_ids(session)
    [client, *_] = session.scalars(sa.select(Client).order_by(Client.id))
    theirs = sa.update(DataKey).where(DataKey.owner == client.public_id)
    session.execute(theirs.values(kek="put away"))
    session.commit()
    rotate(session)
    left = session.scalars(sa.select(DataKey).where(DataKey.id.in_(old))).all()
    assert {(key.owner, key.kek) for key in left} == {(client.public_id, "put away")}
    assert session.scalars(sa.select(KeyRotation.unreadable)).one() == len(left) == 1


def test_an_old_key_whose_owner_has_no_other_is_replaced_all_the_same(session, people):
    """A database came back without the one that was to take its place."""
    before, old = everything(session), key_ids(session)
    start(session)
    run = carry_on()
    next(run)
    theirs = session.scalars(sa.select(Client.public_id).order_by(Client.id)).first()
    fresh = sa.and_(DataKey.owner == theirs, DataKey.retired_at.is_(None))
    session.execute(sa.delete(DataKey).where(fresh))
    session.commit()
    list(run)
    assert everything(session) == before
    assert not key_ids(session) & old
    assert rows_on_old_keys(session) == 0


def test_a_rotation_that_somebody_holds_up_says_so_and_goes_on_the_next_time(
    session, people, monkeypatch
):
    before, old = everything(session), key_ids(session)
    monkeypatch.setattr(rotation, "PATIENCE", 0.1)
    # As it is while another connection has locked every row.
    monkeypatch.setattr(rotation, "_on_old_keys", lambda *given: on_old_keys(*given).limit(0))
    with pytest.raises(HeldUp, match="still on old keys") as why:
        rotate(session)
    monkeypatch.setattr(rotation, "_on_old_keys", on_old_keys)
    assert "\n" not in str(why.value)
    assert everything(session) == before
    list(carry_on())
    assert not key_ids(session) & old
    assert everything(session) == before


on_old_keys = rotation._on_old_keys


def test_what_was_erased_stays_erased(session, people):
    [client, *_] = session.scalars(sa.select(Client).order_by(Client.id))
    start(session)
    run = carry_on()
    next(run)
    session.rollback()
    with unit_of_work() as work:
        assert keys.destroy(work, client.public_id, Realm.record) == 2
    list(run)
    owners = session.scalars(sa.select(DataKey.owner).where(DataKey.realm == Realm.record)).all()
    assert client.public_id not in owners


def test_keys_wrapped_by_an_earlier_key_are_wrapped_again(session, people):
    before = everything(session)
    current_keeper().add()
    rotate(session)
    assert set(session.scalars(sa.select(DataKey.kek))) == {current_keeper().current()}
    assert everything(session) == before


def test_every_sealed_column_is_passed_through(app):
    names = {(one.table.name, one.name) for one in all_sealed_columns()}
    tables = {
        (table.name, column.name)
        for table in db.metadatas[None].tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert names == tables


KILLS = 5


@pytest.mark.timeout(900)
def test_a_rotation_killed_five_times_beside_a_writer_loses_nothing(
    own_migrated_url, tmp_path, proving
):
    rows = 100_000 if proving else 750
    environment = {**os.environ, "DATABASE_URL": own_migrated_url, "DATA_DIR": str(tmp_path)}
    app = create_app(settings_from(environment))
    with app.app_context():
        told = rotation_by_others.fill(rows)
        old = set(db.session.scalars(sa.select(DataKey.id)))
        db.session.remove()
        db.engine.dispose()
    writer = copied(rotation_by_others.main, environment)
    try:
        wait_until_it_writes(writer)
        kills = 0
        while kills < KILLS:
            rotating = copied(rotate_as_asked_for, environment)
            wait_for_lines(rotating, 1 + kills % 3)
            time.sleep(2.0 * kills / KILLS if proving else 0)
            kills += rotating.was_killed()
        last = copied(rotate_as_asked_for, environment)
        said = last.output.read()
        assert last.ended() == 0, said
    finally:
        writer.ask_to_stop()
        written = writer.output.read()
        assert writer.ended() == 0, written
    with app.app_context():
        session = db.session()
        left = set(session.scalars(sa.select(DataKey.id))) & old
        assert left == set()
        assert rows_on_old_keys(session) == 0
        rotation_by_others.check(told, written)
        db.session.remove()
        db.engine.dispose()


def rotate_as_asked_for():
    """`attune keys rotate`."""
    cli.main(
        ["keys", "rotate"],
        standalone_mode=False,
        obj=ScriptInfo(create_app=lambda: create_app(settings_from()), set_debug_flag=False),
    )


def wait_until_it_writes(writer):
    line = writer.output.readline()
    assert line.startswith("wrote "), line + writer.output.read()


def wait_for_lines(rotating, number):
    """It says at least one for each step of a rotation; the first says that keys are retired."""
    lines = [rotating.output.readline() for _ in range(number)]
    assert "retired" in lines[0], lines[0] + rotating.output.read()
