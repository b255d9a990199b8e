"""What is written once: consents, their texts, the weights and the log are only ever added to.

A guard on the session, so that no operation, however wrong, can change what somebody signed or
delete what somebody did. The ledger (`core.ledger`) finds what is done behind its back. What an
erasure may blank and a rotation may seal anew is left out of the list on purpose.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session

from core.audit import AuditEntry
from core.database import Base
from practice.consent.models import ConsentDocument, Revocation, Signature
from practice.matches.models import WeightsVersion

WRITTEN_ONCE: dict[type[Base], frozenset[str]] = {
    ConsentDocument: frozenset(
        "public_id purpose version language jurisdiction title body text_hash material_change"
        " published_at published_by_id".split()
    ),
    Signature: frozenset(
        "public_id document document_id purpose scope client client_id signer signer_id capacity"
        " signed_at".split()
    ),
    Revocation: frozenset("signature_id revoked_at revoked_by_id effect".split()),
    WeightsVersion: frozenset("public_id version weights reason decided_by_id decided_at".split()),
    AuditEntry: frozenset(
        "public_id at actor_role action subject_kind actor_pseudonym subject_pseudonym"
        " client_pseudonym details_digest".split()
    ),
}

_KEPT_LONG_ENOUGH = "kept_long_enough"


class Rewriting(RuntimeError):
    """A mistake of ours: something that is only ever added to was to be changed or deleted."""


def install() -> None:
    if not sa.event.contains(Session, "before_flush", _look_at_rows):
        sa.event.listen(Session, "before_flush", _look_at_rows)
        sa.event.listen(Session, "do_orm_execute", _look_at_statement)


@contextmanager
def kept_long_enough(session: Session) -> Iterator[None]:
    """Rows whose time of keeping has run out may be deleted in here, and never changed."""
    session.info[_KEPT_LONG_ENOUGH] = True
    try:
        yield
        session.flush()
    finally:
        session.info.pop(_KEPT_LONG_ENOUGH)


def _look_at_rows(session: Session, _context: Any, _instances: Any) -> None:
    for row in session.deleted:
        _refuse_delete(session, type(row))
    for row in session.dirty:
        frozen = WRITTEN_ONCE.get(type(row), frozenset())
        state = sa.inspect(row)
        if any(state.attrs[name].history.has_changes() for name in frozen):
            raise Rewriting(type(row).__name__)


def _look_at_statement(state: ORMExecuteState) -> None:
    model = state.bind_mapper.class_ if state.bind_mapper else None
    if state.is_delete:
        _refuse_delete(state.session, model)
    elif state.is_update and _columns_of(state) & WRITTEN_ONCE.get(model, frozenset()):
        raise Rewriting(model.__name__)


def _refuse_delete(session: Session, model: Any) -> None:
    if model in WRITTEN_ONCE and not session.info.get(_KEPT_LONG_ENOUGH):
        raise Rewriting(model.__name__)


def _columns_of(state: ORMExecuteState) -> set[str]:
    """The columns that an UPDATE sets, in its clause or in its parameters."""
    clause = getattr(state.statement, "_values", None) or {}
    given = state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]
    named = {getattr(column, "key", column) for column in clause}
    return named | {name for one in given for name in one}
