"""An administrator gives everybody new keys; the worker does it, the page says how far it is."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import rotation
from core.audit import AuditEntry
from core.keeping import current_keeper
from core.keys import DataKey, KeyRotation
from core.outbox import MOST_ATTEMPTS, OutboxMessage, drain
from practice.accounts.models import Client, Role
from practice.cli import cli
from practice.oversight.keys import rotation as key_rotation
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.conftest import NOW


@pytest.fixture
def admin(session, http):
    user = make_user(session, roles=(Role.administrator,))
    make_client(session, preferred_name="canary of a client")
    sign_in(http, user)
    return user


def key_ids(session):
    look_again(session)
    return set(session.scalars(sa.select(DataKey.id)))


def test_the_page_says_how_the_keys_stand_and_names_nobody(http, admin):
    page = http.get("/oversight/keys").text
    assert current_keeper().current() in page
    assert "Give everybody new keys" in page
    assert "canary" not in page


def test_the_worker_gives_everybody_new_keys(app, session, http, admin):
    before, kek = key_ids(session), current_keeper().current()
    answer = http.post("/oversight/keys/rotation", data={})
    assert (answer.status_code, answer.location) == (303, "/oversight/keys")
    assert "about to begin" in http.get("/oversight/keys").text
    drain(app, NOW)
    after = key_ids(session)
    assert after
    assert not after & before
    assert current_keeper().current() == kek
    assert [one.preferred_name for one in session.scalars(sa.select(Client))] == [
        "canary of a client"
    ]
    acts = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [act for act in acts if act.startswith("keys.")] == [
        "keys.rotation_asked", "keys.rotation_started", "keys.rotated",
    ]  # fmt: skip


def test_a_new_wrapping_key_is_made_once_even_if_the_work_is_tried_again(app, session, http, admin):
    kek = current_keeper().current()
    http.post("/oversight/keys/rotation", data={"new_kek": "y"})
    payload = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == key_rotation.ROTATE)
    ).one().payload  # fmt: skip
    session.rollback()
    drain(app, NOW)
    new = current_keeper().current()
    assert new != kek
    key_rotation.rotate_asked_for(payload)
    assert current_keeper().current() == new
    look_again(session)
    assert set(session.scalars(sa.select(DataKey.kek))) == {new}


def test_asking_twice_is_asking_once(session, http, admin):
    for _ in range(2):
        http.post("/oversight/keys/rotation", data={})
    look_again(session)
    asked = sa.select(OutboxMessage).where(OutboxMessage.kind == key_rotation.ROTATE)
    assert len(session.scalars(asked).all()) == 1


def test_what_the_worker_gave_up_half_way_can_be_gone_on_with(
    app, session, http, admin, monkeypatch
):
    def held_up():
        yield rotation.Progress("keys retired", 1)
        raise rotation.HeldUp(3)

    before = key_ids(session)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "carry_on", held_up)
        http.post("/oversight/keys/rotation", data={})
        for hours in range(MOST_ATTEMPTS):
            assert "Go on with it" not in http.get("/oversight/keys").text
            drain(app, NOW + timedelta(hours=2 * hours))
    page = http.get("/oversight/keys").text
    assert "Not everything is sealed again yet" in page
    assert "Go on with it" in page
    http.post("/oversight/keys/rotation", data={})
    drain(app, NOW + timedelta(days=1))
    assert not key_ids(session) & before
    assert "Give everybody new keys" in http.get("/oversight/keys").text


def test_long_work_is_done_in_parts(app, session, http, admin, monkeypatch):
    monkeypatch.setattr(key_rotation, "A_PART", -1.0)
    http.post("/oversight/keys/rotation", data={})
    assert drain(app, NOW, most=1) == 1
    page = http.get("/oversight/keys").text
    assert "Everything is being sealed again" in page
    assert "canary" not in page
    monkeypatch.setattr(key_rotation, "A_PART", 20.0)
    drain(app, NOW)
    look_again(session)
    [done] = session.scalars(sa.select(KeyRotation))
    assert done.finished_at is not None
    assert rotation.rows_on_old_keys(session) == 0


@pytest.mark.parametrize("address", ["/oversight/keys", "/oversight/keys/rotation"])
@pytest.mark.parametrize("role", [Role.therapist, Role.clinical_lead, Role.client])
def test_nobody_else_sees_the_keys(session, http, address, role):
    sign_in(http, make_user(session, roles=(role,)))
    assert http.get(address).status_code == 404
    if address.endswith("rotation"):
        assert http.post(address).status_code == 404


def test_a_fresh_proof_is_asked_for(session, http, admin, clock):
    clock.move(timedelta(minutes=16))
    for answer in (http.get("/oversight/keys/rotation"), http.post("/oversight/keys/rotation")):
        assert answer.status_code == 303
        assert "/oversight/keys" not in answer.location.split("?")[0]
    look_again(session)
    asked = sa.select(OutboxMessage).where(OutboxMessage.kind == key_rotation.ROTATE)
    assert session.scalars(asked).all() == []


def test_the_command_says_what_it_does_and_what_is_left(app, session, admin):
    before = key_ids(session)
    said = app.test_cli_runner().invoke(cli, ["keys", "rotate", "--new-kek"], obj=info(app))
    assert said.exit_code == 0, said.output
    assert "is current now" in said.output
    assert "values are under new keys" in said.output
    assert not key_ids(session) & before
    said = app.test_cli_runner().invoke(cli, ["keys", "status"], obj=info(app))
    assert "values on old data keys: 0" in said.output
    assert "wrapped by earlier keys: 0" in said.output


def test_a_command_that_is_held_up_ends_with_one_line(app, session, admin, monkeypatch):
    def held_up():
        yield rotation.Progress("keys retired", 1)
        raise rotation.HeldUp(3)

    monkeypatch.setattr(rotation, "carry_on", held_up)
    said = app.test_cli_runner().invoke(cli, ["keys", "rotate"], obj=info(app))
    assert said.exit_code == 1
    assert said.output.count("3 values are still on old keys") == 1
    assert len(said.output.strip().splitlines()) == 2


def test_keys_that_were_handed_in_are_not_made_here(app, session, admin, monkeypatch):
    monkeypatch.setattr(current_keeper(), "_add", None)
    said = app.test_cli_runner().invoke(cli, ["keys", "rotate", "--new-kek"], obj=info(app))
    assert said.exit_code == 2
    assert "KEY_FILE" in said.output
    session.rollback()
    assert session.scalars(sa.select(KeyRotation)).all() == []


def info(app):
    from flask.cli import ScriptInfo

    return ScriptInfo(create_app=lambda: app, set_debug_flag=False)
