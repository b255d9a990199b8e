"""What the one who runs the database finds when somebody changed it behind the application."""

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry, record
from core.blanking import BLANKED, blank, rows_digest
from core.checking import check
from core.database import db, unit_of_work
from core.ledger import LedgerEntry, newest_checkpoint, seal_now
from core.verifying import Broken
from tests.builders.ledger import (
    behind_its_back,
    exported,
    make_act,
    public_key,
    seal_acts,
    verified,
)
from tests.conftest import NOW


@pytest.fixture
def acts(session):
    """Seven sealed acts; the first announces the key."""
    entries = seal_acts(session, 6)
    assert check(session).findings == []
    return entries


EDITS = {
    "action": "UPDATE audit_entries SET action = 'nothing.happened' WHERE id = :id",
    "at": "UPDATE audit_entries SET at = '2026-11-30 18:00:00.000000' WHERE id = :id",
    "actor_role": "UPDATE audit_entries SET actor_role = 'client' WHERE id = :id",
    "actor": "UPDATE audit_entries SET actor_id = NULL WHERE id = :id",
    "subject": "UPDATE audit_entries SET subject_id = client_id WHERE id = :id",
    "client": "UPDATE audit_entries SET client_id = NULL WHERE id = :id",
    "subject_kind": "UPDATE audit_entries SET subject_kind = 'x' WHERE id = :id",
    "details": "UPDATE audit_entries SET details = '{}' WHERE id = :id",
    "number": "UPDATE audit_entries SET sealed_as = 4 WHERE id = :id",
}


@pytest.mark.parametrize("field", EDITS)
def test_a_changed_row_is_named_with_what_was_changed_in_it(session, acts, field):
    behind_its_back(session, EDITS[field], id=acts[1].id)
    [finding] = check(session).findings
    assert finding.startswith("act 3 (request.viewed, 2026-12-01T18:00:00.000000Z): ")
    assert f"{field} of its row is not what was sealed" in finding


@pytest.mark.parametrize("field", sorted(EDITS.keys() - {"number"}))
def test_an_export_made_after_the_change_does_not_verify(session, acts, field):
    behind_its_back(session, EDITS[field], id=acts[1].id)
    with pytest.raises(Broken, match="line 4: act 3 is not what was chained here"):
        verified(exported(session), public_key(session))


def test_a_row_that_is_gone_is_found(session, acts):
    delete_past_its_keys(session, acts[2].id)
    assert check(session).findings == ["act 4 (request.viewed): its row is gone"]
    with pytest.raises(Broken, match="line 5: act 4 should stand here, but it is act 5"):
        verified(exported(session), public_key(session))


def delete_past_its_keys(session, number):
    session.rollback()
    if db.engine.dialect.name == "sqlite":
        raw = db.engine.raw_connection()
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("DELETE FROM audit_entries WHERE id = ?", (number,))
        raw.execute("PRAGMA foreign_keys=ON")
        raw.close()
    else:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        behind_its_back(session, "DELETE FROM audit_entries WHERE id = :n", n=number)
    session.expire_all()


def test_the_database_itself_refuses_to_delete_a_sealed_row(session, acts):
    with pytest.raises(sa.exc.IntegrityError):
        behind_its_back(session, "DELETE FROM audit_entries WHERE id = :n", n=acts[2].id)


BEHIND = {
    "the ledger's own copy of an act": (
        "UPDATE ledger_entries SET act = REPLACE(act, 'viewed', 'veiled') WHERE seq = 4",
        "act 4 does not follow from the one before it",
    ),
    "the chain": (
        "UPDATE ledger_entries SET chain = (SELECT chain FROM ledger_entries WHERE seq = 2) "
        "WHERE seq = 4",
        "act 4 does not follow from the one before it",
    ),
    "an act of the ledger": (
        "DELETE FROM ledger_entries WHERE seq = 4",
        "act 4 is missing from the ledger",
    ),
    "the end of the ledger": (
        "DELETE FROM ledger_entries WHERE seq > 5",
        "the ledger was signed with 7 acts, 5 are there",
    ),
    "the tree": (
        "UPDATE ledger_nodes SET hash = (SELECT hash FROM ledger_nodes WHERE level = 0 AND "
        "position = 0) WHERE level = 1 AND position = 1",
        "the tree over act 3 is not the tree of the acts",
    ),
    "a signed root": (
        "UPDATE ledger_checkpoints SET root = chain",
        "what was signed over 7 acts is not what is there",
    ),
    "a signature": (
        "UPDATE ledger_checkpoints SET at = '2026-12-02T18:00:00.000000Z'",
        "the checkpoint over 7 acts: the signature on size and root is false",
    ),
    "a row that claims to be sealed": (
        "INSERT INTO audit_entries (public_id, at, actor_role, action, subject_kind, details, "
        "sealed_as) SELECT {new_id}, at, actor_role, action, subject_kind, details, 99 "
        "FROM audit_entries WHERE sealed_as = 2",
        "says that it is sealed, but the ledger does not hold it",
    ),
}


@pytest.mark.parametrize("what", BEHIND)
def test_what_is_changed_in_the_ledger_itself_is_found(session, acts, what):
    statement, said = BEHIND[what]
    on_sqlite = db.engine.dialect.name == "sqlite"
    new_id = "'" + "ab" * 16 + "'" if on_sqlite else "gen_random_uuid()"
    behind_its_back(session, statement.replace("{new_id}", new_id))
    assert any(said in finding for finding in check(session).findings), check(session).findings


def test_an_act_that_is_taken_out_with_all_its_traces_is_missed_by_an_older_export(session, acts):
    """Whoever runs the database can cut off its end; whoever kept an export knows."""
    older = verified(exported(session), public_key(session)).checkpoint
    make_act(session)
    session.commit()
    seal_now(NOW)
    session.rollback()
    assert check(session, older).holds
    newer = newest_checkpoint(session).signed
    cut_off_the_end(session, 7)
    assert check(session).holds
    assert check(session, older).holds
    assert check(session, newer).findings == [
        "the ledger does not begin with the 8 acts of the older export"
    ]


def test_every_checkpoint_is_looked_at_a_few_at_a_time(session, monkeypatch):
    monkeypatch.setattr("core.checking.IN_ONE_READ", 2)
    monkeypatch.setattr("core.exporting.IN_ONE_READ", 2)
    for _ in range(6):
        seal_acts(session, 1)
        session.rollback()
    assert check(session).holds
    behind_its_back(session, "UPDATE ledger_checkpoints SET at = 'then' WHERE size IN (3, 6)")
    assert [finding[:26] for finding in check(session).findings] == [
        "the checkpoint over 3 acts", "the checkpoint over 6 acts",
    ]  # fmt: skip


def cut_off_the_end(session, size):
    for statement in (
        "DELETE FROM ledger_entries WHERE seq > :size",
        "DELETE FROM audit_entries WHERE sealed_as > :size",
        "DELETE FROM ledger_checkpoints WHERE size > :size",
        "DELETE FROM ledger_nodes WHERE (position + 1) * (1 << level) > :size",
    ):
        behind_its_back(session, statement, size=size)


def test_a_blanked_row_can_still_be_told_from_a_changed_one(session, acts):
    with unit_of_work() as writing:
        blank(writing, [acts[3].client_id], at=NOW)
    seal_now(NOW)
    session.rollback()
    assert check(session).holds
    changed = "UPDATE audit_entries SET client_pseudonym = actor_pseudonym WHERE id = :id"
    behind_its_back(session, changed, id=acts[3].id)
    [finding] = check(session).findings
    assert "client of its row is not what was sealed" in finding


def test_a_row_that_named_two_people_is_accounted_for_after_both_have_left(session, acts):
    make_act(session, actor_id=acts[3].actor_id)
    session.commit()
    with unit_of_work() as writing:
        blank(writing, [acts[3].client_id], at=NOW)
    with unit_of_work() as writing:
        blank(writing, [acts[3].actor_id], at=NOW)
    seal_now(NOW)
    session.rollback()
    assert session.get(AuditEntry, acts[3].id).actor_id is None
    assert check(session).findings == []


def test_whoever_can_only_write_to_the_database_cannot_pass_a_row_off_as_erased(session, acts):
    """They can add an act of blanking, and the sealer seals it; vouch for it they cannot."""
    hidden = acts[3].public_id
    digest = rows_digest([hidden])
    for claim in ({}, {"vouched": digest}):
        forged = record_blanking(session, rows=1, rows_digest=digest, **claim)
        seal_now(NOW)
        session.rollback()
        behind_its_back(
            session,
            "UPDATE audit_entries SET actor_id = NULL, client_id = NULL, details = '{}', salt = '',"
            " blanked_by = (SELECT public_id FROM audit_entries WHERE id = :act) WHERE id = :id",
            act=forged,
            id=acts[3].id,
        )
        assert check(session).findings == ["1 rows were blanked, but no act accounts for them"]


def record_blanking(session, **details):
    nobody = {"subject_id": None, "actor_id": None}
    act = record(session, at=NOW, action=BLANKED, subject_kind="log", **nobody, **details)
    session.commit()
    return act.id


def test_a_hundred_findings_are_said_and_the_rest_counted(session, monkeypatch):
    monkeypatch.setattr("core.checking.MOST_FINDINGS", 3)
    seal_acts(session, 8)
    behind_its_back(session, "UPDATE audit_entries SET actor_role = 'nobody'")
    report = check(session)
    assert (len(report.findings), report.number, report.holds) == (3, 9, False)


def test_an_act_is_kept_as_it_was_sealed(session, acts):
    """So a changed row can be put right from the ledger, where its own words are codes."""
    behind_its_back(session, EDITS["action"], id=acts[1].id)
    kept = session.scalars(sa.select(LedgerEntry.act).where(LedgerEntry.entry_id == acts[1].id))
    assert kept.one()["action"] == "request.viewed"
    assert session.get(AuditEntry, acts[1].id).action == "nothing.happened"
