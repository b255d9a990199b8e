"""The ledger's page, its key for everybody, and the commands."""

import json
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.cli import ScriptInfo

from core.audit import AuditEntry
from core.database import db, unit_of_work
from core.ledger import newest_checkpoint, seal_now
from core.outbox import LEASE, OutboxMessage, drain
from core.signing import KeyHasChanged
from core.verifying import public_keys
from practice.accounts.models import Role
from practice.oversight.ledger import checking as ledger
from practice.oversight.ledger import commands as ledger_commands
from practice.oversight.ledger.commands import audit_group
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.ledger import behind_its_back, make_act, public_key, seal_acts, verified
from tests.conftest import NOW

PAGE = "/oversight/ledger"


@pytest.fixture
def admin(session, http):
    admin = make_user(session, roles=[Role.administrator], name="Kay")
    sign_in(http, admin)
    return admin


@pytest.fixture
def attune(app):
    def run(*arguments):
        db.session.remove()
        application = ScriptInfo(create_app=lambda: app, set_debug_flag=False)
        return CliRunner().invoke(audit_group, [str(one) for one in arguments], obj=application)

    with app.app_context():
        yield run


def test_before_the_first_sealing_the_page_says_what_is_missing(http, admin):
    assert "Nothing is sealed yet" in http.get(PAGE).text


def test_the_page_tells_size_root_and_key_and_that_nothing_was_checked(http, session, admin):
    seal_acts(session, 3)
    newest = newest_checkpoint(session)
    page = http.get(PAGE).text
    for shown in (newest.root.hex(), newest.key, public_key(session).hex(), "Not checked yet"):
        assert shown in page
    assert "Request viewed" in page


def test_a_check_is_done_in_the_background_and_its_result_is_shown(app, http, session, admin):
    seal_acts(session, 3)
    assert http.post(f"{PAGE}/check").status_code == 303
    assert "A check is running" in http.get(PAGE).text
    assert drain(app, NOW) == 1
    page = http.get(PAGE).text
    assert "The last check found everything as sealed" in page
    assert "A check is running" not in page


def test_asking_twice_checks_once(app, http, session, admin, clock):
    seal_acts(session, 1)
    http.post(f"{PAGE}/check")
    clock.move(timedelta(seconds=1))
    http.post(f"{PAGE}/check")
    assert drain(app, NOW + timedelta(minutes=1)) == 1


def test_a_check_that_outlives_its_lease_is_neither_repeated_nor_given_up(
    app, http, session, admin, monkeypatch
):
    """While it runs, workers take it over more often than work may fail."""
    most = 15
    taken_over = []

    def takes_long(own):
        for number in range(1, most + 1):
            other = threading.Thread(
                target=lambda at: taken_over.append(drain(app, at)), args=[NOW + number * LEASE]
            )
            other.start()
            other.join()
        return whole_check(own)

    whole_check = ledger.check
    monkeypatch.setattr(ledger, "check", takes_long)
    seal_acts(session, 1)
    http.post(f"{PAGE}/check")
    drain(app, NOW)
    monkeypatch.setattr(ledger, "check", None)
    drain(app, NOW + (most + 1) * LEASE)
    look_again(session)
    assert taken_over == [1] * most
    checks = sa.select(AuditEntry).where(AuditEntry.action == ledger.CHECKED)
    assert len(session.scalars(checks).all()) == 1
    row = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == ledger.CHECK.kind)
    ).one()
    assert (row.attempts <= 2, row.dead_at, row.last_error) == (True, None, "")
    assert row.done_at is not None


def test_the_ledger_is_checked_once_a_day_without_being_asked(app, session):
    def checks_posted(at):
        ledger.CHECK.post_when_due(at)
        return drain(app, at)

    seal_acts(session, 1)
    assert checks_posted(NOW + timedelta(hours=23)) == 0
    app.extensions["clock"].move(timedelta(hours=25))
    assert checks_posted(NOW + timedelta(hours=25)) == 1
    assert checks_posted(NOW + timedelta(hours=48)) == 0
    assert checks_posted(NOW + timedelta(hours=50)) == 1


def test_a_row_that_is_not_as_sealed_is_shown_plainly(app, http, session, admin):
    entries = seal_acts(session, 3)
    change = "UPDATE audit_entries SET actor_role = 'client' WHERE id = :id"
    behind_its_back(session, change, id=entries[1].id)
    http.post(f"{PAGE}/check")
    drain(app, NOW)
    page = http.get(PAGE).text
    assert "found what is not as sealed" in page
    assert "act 3 (request.viewed" in page
    assert "actor_role of its row is not what was sealed" in page


def test_a_sealer_that_stopped_is_shown(http, session, admin, clock):
    seal_acts(session, 1)
    make_act(session)
    session.commit()
    assert "Sealing is behind" not in http.get(PAGE).text
    clock.move(timedelta(minutes=3))
    assert "Sealing is behind" in http.get(PAGE).text


def test_the_download_is_sealed_first_verifies_and_is_an_act_itself(http, session, admin):
    make_act(session)
    session.commit()
    assert "names nobody" in http.get(f"{PAGE}/export").text
    answer = http.post(f"{PAGE}/export")
    data = answer.data
    look_again(session)
    assert verified(data, public_key(session)).checkpoint.size == data.count(b"\n") - 1 > 1
    assert ".jsonl" in answer.headers["Content-Disposition"]
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "ledger.exported")).one()
    assert act.actor_id == admin.public_id


def test_the_download_asks_for_a_fresh_proof(http, session, admin, clock):
    seal_acts(session, 1)
    clock.move(timedelta(minutes=16))
    for answer in (http.get(f"{PAGE}/export"), http.post(f"{PAGE}/export")):
        assert answer.status_code == 303
        assert answer.location.startswith("/confirm-it-is-you")


def test_others_see_neither_the_page_nor_the_export(http, session):
    seal_acts(session, 1)
    sign_in(http, make_client(session).user)
    assert http.get(PAGE).status_code == 404
    assert http.get(f"{PAGE}/export").status_code == 404
    assert http.post(f"{PAGE}/export").status_code == 404
    assert http.post(f"{PAGE}/check").status_code == 404


def test_everybody_reads_the_published_keys_as_the_verifier_does(http, session, tmp_path):
    seal_acts(session, 1)
    answer = http.get("/.well-known/attune-ledger-key")
    assert answer.status_code == 200
    (tmp_path / "keys.json").write_bytes(answer.data)
    assert public_keys(str(tmp_path / "keys.json")) == [public_key(session)]
    assert "secret" not in answer.text


def test_export_verify_and_check_agree(attune, session, tmp_path):
    seal_acts(session, 3)
    key, file = public_key(session).hex(), tmp_path / "ledger.jsonl"
    done = attune("export", file)
    assert done.exit_code == 0, done.output
    assert "4 acts" in done.output
    assert attune("verify", file, "--key", key).exit_code == 0
    assert attune("check", "--since", file).output == "Every row is as it was sealed: 4 acts.\n"
    assert attune("key").output.startswith(key)


def test_what_is_broken_is_said_with_its_line_and_exit_1(attune, session, tmp_path):
    seal_acts(session, 3)
    file = tmp_path / "ledger.jsonl"
    attune("export", file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2] + lines[3:]))
    done = attune("verify", file, "--key", public_key(session).hex())
    assert (done.exit_code, done.output[:15]) == (1, "BROKEN: line 3:")


@pytest.mark.parametrize("command", [("verify",), ("check", "--since"), ("export",)])
def test_what_cannot_be_read_or_written_is_exit_2(attune, session, tmp_path, command):
    seal_acts(session, 1)
    done = attune(*command, tmp_path / "no" / "such")
    assert done.exit_code == 2
    assert done.output.count("\n") == 1


def test_a_changed_row_is_named_by_check_and_by_export(attune, session, tmp_path):
    entries = seal_acts(session, 3)
    change = "UPDATE audit_entries SET action = 'other' WHERE id = :id"
    behind_its_back(session, change, id=entries[0].id)
    done = attune("check")
    assert done.exit_code == 1
    assert "NOT AS SEALED: act 2" in done.output
    file = tmp_path / "ledger.jsonl"
    done = attune("export", file)
    assert (done.exit_code, "acts 2" in done.output) == (1, True)
    assert attune("verify", file, "--key", public_key(session).hex()).exit_code == 1


def test_a_ledger_that_was_cut_off_no_longer_goes_on_from_an_older_export(
    attune, session, tmp_path
):
    seal_acts(session, 4)
    file = tmp_path / "older.jsonl"
    attune("export", file)
    for statement in (
        "DELETE FROM ledger_entries",
        "UPDATE audit_entries SET sealed_as = NULL, actor_role = 'client'",
        "DELETE FROM ledger_nodes",
        "DELETE FROM ledger_checkpoints",
    ):
        behind_its_back(session, statement)
    assert attune("check").exit_code == 0
    done = attune("check", "--since", file)
    assert done.exit_code == 1
    assert "does not begin with the 5 acts" in done.output


def test_a_new_key_is_printed_to_be_published(attune, session, tmp_path):
    seal_acts(session, 1)
    older = public_key(session).hex()
    done = attune("rotate-key")
    look_again(session)
    newer = public_key(session).hex()
    assert newer != older
    assert newer in done.output
    attune("export", tmp_path / "ledger.jsonl")
    for key in (older, newer):
        assert attune("verify", tmp_path / "ledger.jsonl", "--key", key).exit_code == 0


def test_who_loses_the_race_for_a_new_key_reads_it_in_a_line(attune, session, monkeypatch):
    def lost(_session, _at):
        raise KeyHasChanged

    seal_acts(session, 1)
    monkeypatch.setattr(ledger_commands, "rotate", lost)
    done = attune("rotate-key")
    assert (done.exit_code, done.output) == (1, f"Error: {KeyHasChanged.message}\n")


def test_the_worker_seals_in_its_sweeps(app, session):
    from practice.wiring import sweep

    make_act(session)
    session.commit()
    sweep(app, NOW)
    look_again(session)
    assert newest_checkpoint(session).size >= 2


def test_the_keys_are_published_before_anything_is_signed_as_none(http):
    assert json.loads(http.get("/.well-known/attune-ledger-key").data) == {"keys": []}


def test_sealing_and_then_looking_changes_nothing(http, session, admin):
    with unit_of_work() as writing:
        make_act(writing)
    seal_now(NOW)
    before = newest_checkpoint(session).size
    http.get(PAGE)
    look_again(session)
    assert newest_checkpoint(session).size == before


def test_a_check_can_be_asked_for_again_after_a_quarter_of_an_hour(
    app, http, session, admin, clock
):
    """Once something was put right, nobody waits a day to know."""
    seal_acts(session, 1)
    http.post(f"{PAGE}/check")
    drain(app, NOW)
    answer = http.post(f"{PAGE}/check", follow_redirects=True)
    assert "asked for this a short while ago" in answer.text
    assert "You can ask again" in answer.text
    clock.move(timedelta(minutes=15))
    assert "You can ask again" not in http.get(PAGE).text
    http.post(f"{PAGE}/check")
    assert drain(app, clock.now()) == 1
