"""What somebody signed and what somebody did is added to, never rewritten: each way is tried."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry, record
from practice.append_only import WRITTEN_ONCE, Rewriting, kept_long_enough
from practice.consent.models import ConsentDocument, Purpose, Revocation, Signature
from practice.consent.operations import publish
from practice.matches.models import WeightsVersion
from practice.matches.operations import ensure_weights
from tests.builders.accounts import make_client
from tests.builders.consent import make_revocation, make_signature
from tests.conftest import NOW

OTHER = {
    int: 77,
    str: "rewritten",
    bool: False,
    uuid.UUID: uuid.UUID(int=7),
    dict: {"concerns": 1000},
}
FROZEN = [(model, name) for model, names in WRITTEN_ONCE.items() for name in sorted(names)]


@pytest.fixture
def written(session):
    """One row of each kind."""
    signature = make_signature(session, make_client(session))
    revocation = make_revocation(session, signature)
    act = record(
        session, at=NOW, action="consent.signed", subject_kind="signature",
        subject_id=signature.public_id, actor_id=signature.signer.public_id,
        client_id=signature.client.public_id,
    )  # fmt: skip
    ensure_weights(session, NOW)
    weights = session.scalars(sa.select(WeightsVersion)).one()
    session.commit()
    rows = (signature.document, signature, revocation, act, weights)
    return {type(row): row for row in rows}


def another(session, row, name):
    now = getattr(row, name)
    if name in {"document", "client", "signer"}:
        signature = make_signature(session, make_client(session), Purpose.group)
        session.flush()
        return getattr(signature, name)
    if hasattr(now, "tzinfo"):
        return now + timedelta(days=1)
    if now is None:
        return 77
    if type(now) in OTHER:
        return OTHER[type(now)]
    return next(one for one in type(now) if one is not now)


@pytest.mark.parametrize(("model", "name"), FROZEN, ids=lambda one: getattr(one, "__name__", one))
def test_what_was_written_once_cannot_be_changed(session, written, model, name):
    row = written[model]
    setattr(row, name, another(session, row, name))
    with pytest.raises(Rewriting, match=model.__name__):
        session.flush()


@pytest.mark.parametrize("model", WRITTEN_ONCE, ids=lambda model: model.__name__)
def test_a_row_cannot_be_deleted(session, written, model):
    session.delete(written[model])
    with pytest.raises(Rewriting, match=model.__name__):
        session.flush()


@pytest.mark.parametrize(
    "statement",
    [
        sa.delete(AuditEntry),
        sa.delete(Signature).where(Signature.id == 1),
        sa.update(ConsentDocument).values(body="other words"),
        sa.update(AuditEntry).values({AuditEntry.action: "nothing.happened"}),
        sa.update(Revocation).values(revoked_at=NOW),
    ],
    ids=str,
)
def test_no_statement_over_many_rows_does_it_either(session, written, statement):
    with pytest.raises(Rewriting):
        session.execute(statement)


def test_nor_do_parameters_given_beside_a_statement(session, written):
    row = written[ConsentDocument]
    with pytest.raises(Rewriting):
        session.execute(sa.update(ConsentDocument), [{"id": row.id, "body": "other words"}])


def test_what_an_erasure_blanks_may_be_blanked(session, written):
    act = written[AuditEntry]
    act.subject_id = None
    act.details = {}
    session.flush()


def test_what_the_law_no_longer_keeps_may_go_and_still_not_be_changed(session, written):
    with kept_long_enough(session):
        session.delete(written[Revocation])
        session.delete(written[Signature])
    left = sa.select(sa.func.count()).where(Signature.purpose == Purpose.treatment)
    assert session.scalar(left) == 0
    with pytest.raises(Rewriting), kept_long_enough(session):
        written[ConsentDocument].body = "other words"
    session.rollback()
    session.delete(written[AuditEntry])
    with pytest.raises(Rewriting):
        session.flush()


def test_a_new_version_leaves_every_byte_of_the_old_one(session, written):
    old = written[ConsentDocument]
    before = (old.title, old.body, old.text_hash, old.published_at, old.version)
    new = publish(session, old.purpose, "Treatment", "Other words.\n", None, NOW)
    session.commit()
    session.expire_all()
    assert (old.title, old.body, old.text_hash, old.published_at, old.version) == before
    assert new.version == old.version + 1
    assert written[Signature].document_id == old.id
