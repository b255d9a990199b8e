"""Data keys: one in use for each owner and realm, however many ask at once."""

import threading
import uuid

import pytest
import sqlalchemy as sa

from core import keys
from core.database import db, unit_of_work
from core.keys import DataKey, Realm, sealing_keys
from core.sealing import Unreadable
from practice.accounts.models import Client
from tests.builders.accounts import make_client

OWNER = uuid.UUID("3a1c7f60-0000-4000-8000-00000000a11c")


def test_an_owner_has_one_key_for_each_realm(session):
    wanted = [(OWNER, Realm.record), (OWNER, Realm.personal)]
    first = sealing_keys(session, wanted)
    session.commit()
    again = sealing_keys(session, wanted)
    assert {key.id for key in first.values()} == {key.id for key in again.values()}
    assert len({key.id for key in again.values()}) == 2


def test_many_who_need_the_first_key_at_once_get_the_same_one(app):
    ready, found = threading.Barrier(8), []

    def need():
        with app.app_context():
            ready.wait()
            with unit_of_work() as session:
                [key] = sealing_keys(session, [(OWNER, Realm.record)]).values()
            found.append(key.id)
            db.session.remove()

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(DataKey)) == 1


def test_a_wrapped_key_moved_to_another_owner_does_not_open_what_it_sealed(session):
    ann, ben = (make_client(session, consents=False, preferred_name=n) for n in ("Ann", "Ben"))
    session.commit()
    theirs = {
        key.owner: key
        for key in session.scalars(sa.select(DataKey).where(DataKey.realm == "record"))
    }
    theirs[ben.public_id].wrapped = theirs[ann.public_id].wrapped
    session.commit()
    session.expire_all()
    assert ann.preferred_name == "Ann"
    with pytest.raises(Unreadable):
        _ = ben.preferred_name
    # It does not even unwrap there, so nothing new can be sealed under it either.
    moved = keys.ring(session).known[ben.preferred_name_sealed[1:17]]
    assert moved is not None
    with pytest.raises(Unreadable):
        moved.cipher("any_table", "any_column")


def test_a_wrapped_key_that_was_changed_does_not_open(session):
    client = make_client(session, consents=False)
    session.commit()
    key = session.scalars(sa.select(DataKey).where(DataKey.owner == client.public_id)).one()
    key.wrapped = key.wrapped[:-1] + bytes([key.wrapped[-1] ^ 1])
    session.commit()
    session.expire_all()
    with pytest.raises(Unreadable):
        _ = client.preferred_name


def test_keys_are_destroyed_for_one_realm_or_for_all(session):
    sealing_keys(session, [(OWNER, Realm.record), (OWNER, Realm.personal)])
    other = uuid.uuid4()
    sealing_keys(session, [(other, Realm.record)])
    assert keys.destroy(session, OWNER, Realm.personal) == 1
    assert keys.destroy(session, OWNER, Realm.personal) == 0
    assert keys.destroy(session, OWNER) == 1
    assert session.scalars(sa.select(DataKey.owner)).all() == [other]


def test_what_is_written_after_a_destruction_gets_a_key_of_its_own(session):
    client = make_client(session, consents=False)
    session.commit()
    keys.destroy(session, client.public_id)
    client.preferred_name = "Robin"
    session.commit()
    session.expire_all()
    assert session.get(Client, client.id).preferred_name == "Robin"
