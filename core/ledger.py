"""The provable ledger: acts in one order, chained, in a Merkle tree, under signed checkpoints.

Writers only add rows to the log (`core.audit`). One sealer at a time takes those that have
committed since, in short transactions of their own, so that nobody ever waits for the ledger.
Ids may commit out of order; what is sealed next is whatever is not sealed yet.

What others call: `seal`, `seal_now`, `newest_checkpoint`, `waiting_acts`, `inclusion_of`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import merkle, signing
from core.audit import AuditEntry, pseudonym
from core.blanking import open_facts
from core.canonical import (
    CHAIN_START,
    KEY_ANNOUNCED,
    Act,
    chained,
    checkpoint_statement,
    commitment,
    instant,
    sealed_leaf,
)
from core.database import Base, Json, db, unit_of_work
from core.one_sealer import is_only_sealer
from core.verifying import Checkpoint

IN_ONE_BATCH = 200
IN_ONE_SWEEP = 5000


class LedgerEntry(Base):
    """One sealed act. `act` is kept as it was sealed, so that a changed row can be told apart."""

    __tablename__ = "ledger_entries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entries.id"), unique=True)
    act: Mapped[dict[str, Any]] = mapped_column(Json)
    chain: Mapped[bytes] = mapped_column(sa.LargeBinary)

    entry: Mapped[AuditEntry] = sa.orm.relationship()


class LedgerNode(Base):
    """The hash of a complete subtree; level 0 are the leaves, counted from 0. Never changes."""

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary)


class LedgerCheckpoint(Base):
    """What was signed after a batch: the first `size` acts have this root and chain."""

    __tablename__ = "ledger_checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(sa.String(27))
    root: Mapped[bytes] = mapped_column(sa.LargeBinary)
    chain: Mapped[bytes] = mapped_column(sa.LargeBinary)
    key: Mapped[str] = mapped_column(sa.String(32))
    signature: Mapped[bytes] = mapped_column(sa.LargeBinary)

    @property
    def sealed_at(self) -> datetime:
        return datetime.strptime(self.at, "%Y-%m-%dT%H:%M:%S.%f%z")

    @property
    def signed(self) -> Checkpoint:
        return Checkpoint(self.at, self.size, self.root, self.chain, self.key, self.signature)


def seal(at: datetime, most: int = IN_ONE_SWEEP) -> int:
    """Seal what has committed and is not sealed yet, at most `most` acts; returns how many.

    While another process seals there is nothing to do here.
    """
    return _seal_batches(at, most, waiting=False)


def seal_now(at: datetime) -> int:
    """As `seal`, all there is, after whoever else is sealing: what committed before is sealed."""
    return _seal_batches(at, None, waiting=True)


@dataclass(frozen=True)
class Waiting:
    """Acts that are not sealed yet, and since when the first of them waits."""

    number: int
    since: datetime | None


def waiting_acts(session: Session) -> Waiting:
    waiting = sa.select(sa.func.count(), sa.func.min(AuditEntry.at)).where(
        AuditEntry.sealed_as.is_(None)
    )
    return Waiting(*session.execute(waiting).one())


def newest_checkpoint(session: Session) -> LedgerCheckpoint | None:
    """The last one signed, None before the first sealing."""
    newest = sa.select(LedgerCheckpoint).order_by(LedgerCheckpoint.size.desc()).limit(1)
    return session.scalars(newest).first()


def nodes_in(session: Session) -> merkle.Nodes:
    """The kept tree, to prove things from."""

    def node(level: int, position: int) -> bytes:
        at_place = (LedgerNode.level == level, LedgerNode.position == position)
        return session.scalars(sa.select(LedgerNode.hash).where(*at_place)).one()

    return node


def inclusion_of(session: Session, seq: int, size: int) -> list[bytes]:
    """What shows that act `seq` (from 1) is among the first `size`."""
    return merkle.inclusion_proof(nodes_in(session), seq - 1, size)


def goes_on_from(session: Session, older: Checkpoint) -> bool:
    """Whether today's ledger begins with what an older checkpoint was signed over."""
    newest = newest_checkpoint(session)
    if newest is None or not 0 < older.size <= newest.size:
        return older.size == 0
    proof = merkle.consistency_proof(nodes_in(session), older.size, newest.size)
    return merkle.goes_on_from(older.root, older.size, newest.root, newest.size, proof)


def _seal_batches(at: datetime, most: int | None, *, waiting: bool) -> int:
    sealed = 0
    if not _something_waits():
        return 0
    while most is None or sealed < most:
        with unit_of_work() as session:
            added = _seal_batch(session, at) if is_only_sealer(session, waiting=waiting) else 0
        sealed += added
        if added < IN_ONE_BATCH:
            break
    return sealed


def _something_waits() -> bool:
    """Asked by a mere read, so that an idle ledger takes no lock."""
    try:
        return waiting_acts(db.session()).number > 0
    finally:
        db.session.rollback()


def _seal_batch(session: Session, at: datetime) -> int:
    key = signing.current_key(session, at)
    entries = _next_to_seal(session)
    if entries:
        batch = _Batch.after(session, newest_checkpoint(session))
        for entry in entries:
            batch.append(session, entry)
        batch.write(session)
        session.add(_signed(key, at, batch.frontier, batch.chain))
    return len(entries)


@dataclass
class _Batch:
    """The ledger as far as this transaction has taken it, and the rows that this adds."""

    frontier: merkle.Frontier
    chain: bytes
    entries: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def after(cls, session: Session, head: LedgerCheckpoint | None) -> "_Batch":
        if head is None:
            return cls(merkle.Frontier(), CHAIN_START)
        return cls(merkle.Frontier.of(nodes_in(session), head.size), head.chain)

    def append(self, session: Session, entry: AuditEntry) -> None:
        if not entry.details_digest:
            _commit_older(session, entry)
        seq = self.frontier.size + 1
        act = act_of(entry, seq)
        leaf = sealed_leaf(act)
        self.chain = chained(self.chain, leaf)
        self.entries.append({"seq": seq, "entry_id": entry.id, "act": act, "chain": self.chain})
        for level, position, node in self.frontier.append(leaf):
            self.nodes.append({"level": level, "position": position, "hash": node})

    def write(self, session: Session) -> None:
        session.execute(sa.insert(LedgerEntry), self.entries)
        session.execute(sa.insert(LedgerNode), self.nodes)
        _mark_sealed(session, self.entries)


def _next_to_seal(session: Session) -> Sequence[AuditEntry]:
    """Rows that wait; one that says so but is in the ledger was tampered with (`core.checking`).

    A new key is announced before anything that it signs.
    """
    known = sa.select(LedgerEntry.seq).where(LedgerEntry.entry_id == AuditEntry.id)
    waiting = sa.select(AuditEntry).where(AuditEntry.sealed_as.is_(None), ~known.exists())
    announced = session.scalars(waiting.where(AuditEntry.action == KEY_ANNOUNCED)).all()
    in_order = waiting.where(AuditEntry.action != KEY_ANNOUNCED).order_by(AuditEntry.id)
    return [*announced, *session.scalars(in_order.limit(IN_ONE_BATCH - len(announced)))]


def _mark_sealed(session: Session, added: list[dict[str, Any]]) -> None:
    """Many rows at once: the session would compare each of their columns first."""
    table = Base.metadata.tables[AuditEntry.__tablename__]
    numbered = sa.update(table).where(table.c.id == sa.bindparam("entry_id"))
    rows = [{"entry_id": one["entry_id"], "seq": one["seq"]} for one in added]
    session.connection().execute(numbered.values(sealed_as=sa.bindparam("seq")), rows)


def _commit_older(session: Session, entry: AuditEntry) -> None:
    """A row from before there was a ledger gets its commitments now, past the guard on rows."""
    table = Base.metadata.tables[AuditEntry.__tablename__]
    written = sa.update(table).where(table.c.id == entry.id).values(entry.commitments())
    session.connection().execute(written)
    session.refresh(entry)


def _signed(
    key: signing.SigningKey, at: datetime, frontier: merkle.Frontier, chain: bytes
) -> LedgerCheckpoint:
    bare = Checkpoint(instant(at), frontier.size, frontier.root(), chain, key.id, b"")
    signature = key.sign(checkpoint_statement(bare.plain))
    return LedgerCheckpoint(
        size=bare.size,
        at=bare.at,
        root=bare.root,
        chain=chain,
        key=key.id,
        signature=signature,
    )


def act_of(entry: AuditEntry, seq: int) -> Act:
    """What the ledger holds of a row, told from the row as it is now.

    Of a row that was blanked the kept pseudonyms and commitment stand; any other is computed.
    """
    blanked = entry.blanked_by is not None
    return {
        "action": entry.action,
        "actor": _pseudonym(entry, "actor", entry.actor_id, entry.actor_pseudonym),
        "actor_role": entry.actor_role,
        "at": instant(entry.at),
        "client": _pseudonym(entry, "client", entry.client_id, entry.client_pseudonym),
        "details": entry.details_digest if blanked else commitment(entry.salt, entry.details),
        "facts": open_facts(entry.action, entry.details),
        "id": str(entry.public_id),
        "seq": seq,
        "subject": _pseudonym(entry, "subject", entry.subject_id, entry.subject_pseudonym),
        "subject_kind": entry.subject_kind,
    }


def _pseudonym(entry: AuditEntry, place: str, public_id: Any, kept: str | None) -> str | None:
    if public_id is None and entry.blanked_by is not None:
        return kept
    return pseudonym(entry.public_id, place, public_id)
