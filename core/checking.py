"""Holds the database against its own ledger: every row, every seal, every signature.

An export shows an outsider that the sealed history is whole. This shows the one who runs the
database that the rows still are what was sealed, and which ones are not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.blanking import BLANKED, rows_digest, vouched
from core.canonical import CHAIN_START, chained, sealed_leaf
from core.exporting import IN_ONE_READ, sealed_entries
from core.ledger import (
    LedgerCheckpoint,
    LedgerEntry,
    LedgerNode,
    act_of,
    goes_on_from,
    newest_checkpoint,
)
from core.merkle import Frontier
from core.signing import published_keys
from core.verifying import Broken, Checkpoint, Trust

MOST_FINDINGS = 100


@dataclass
class Report:
    """What a check found; `findings` are sentences, at most MOST_FINDINGS of `number`."""

    size: int = 0
    number: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.number == 0

    def add(self, sentence: str) -> None:
        self.number += 1
        if self.number <= MOST_FINDINGS:
            self.findings.append(sentence)


def check(session: Session, since: Checkpoint | None = None, others: Iterable[str] = ()) -> Report:
    """Check everything that is sealed. `since` is the checkpoint of an older export.

    `others` are findings of whoever holds things of theirs against the ledger.
    """
    report = Report()
    newest = newest_checkpoint(session)
    if newest is not None:
        report.size = newest.size
        walk = _Walk(session, report, newest.size)
        for sealed in sealed_entries(session, newest.size):
            walk.take(sealed)
        walk.end(newest.size)
    for sentence in (*_strays(session), *_blankings(session)):
        report.add(sentence)
    if since is not None and not goes_on_from(session, since):
        report.add(f"the ledger does not begin with the {since.size} acts of the older export")
    for sentence in others:
        report.add(sentence)
    return report


class _Walk:
    """Goes through the acts in order and remembers what the next one must follow from."""

    def __init__(self, session: Session, report: Report, size: int) -> None:
        self.session, self.report = session, report
        self.frontier, self.chain, self.expected = Frontier(), CHAIN_START, 1
        self.made: dict[tuple[int, int], bytes] = {}
        self.checkpoints = _Checkpoints(session, report, size)

    def take(self, sealed: LedgerEntry) -> None:
        if sealed.seq != self.expected:
            self.report.add(f"act {self.expected} is missing from the ledger")
        self._compare_row(sealed)
        leaf = sealed_leaf(sealed.act)
        self.chain = chained(self.chain, leaf)
        if self.chain != sealed.chain:
            self.report.add(f"act {sealed.seq} does not follow from the one before it")
            # Said once: what comes after is held against the chain as it stands.
            self.chain = sealed.chain
        self.made |= {(level, n): node for level, n, node in self.frontier.append(leaf)}
        self.expected = sealed.seq + 1
        self.checkpoints.compare(self.frontier, self.chain)
        if len(self.made) >= 2 * IN_ONE_READ:
            self._compare_nodes()

    def end(self, size: int) -> None:
        self._compare_nodes()
        if self.frontier.size != size:
            self.report.add(
                f"the ledger was signed with {size} acts, {self.frontier.size} are there"
            )
        self.checkpoints.end()

    def _compare_row(self, sealed: LedgerEntry) -> None:
        entry = sealed.entry
        if entry is None:
            self.report.add(f"act {sealed.seq} ({sealed.act['action']}): its row is gone")
            return
        now = act_of(entry, sealed.seq)
        changed = [
            name for name in sorted({*now, *sealed.act}) if now.get(name) != sealed.act.get(name)
        ]
        if entry.sealed_as != sealed.seq:
            changed.append("number")
        if changed:
            self.report.add(
                f"act {sealed.seq} ({sealed.act['action']}, {sealed.act['at']}): "
                f"{', '.join(changed)} of its row is not what was sealed"
            )

    def _compare_nodes(self) -> None:
        by_level: dict[int, list[int]] = defaultdict(list)
        for level, position in self.made:
            by_level[level].append(position)
        kept: dict[tuple[int, int], bytes] = {}
        for level, positions in by_level.items():
            spanned = LedgerNode.position.between(min(positions), max(positions))
            rows = self.session.execute(
                sa.select(LedgerNode.level, LedgerNode.position, LedgerNode.hash).where(
                    LedgerNode.level == level, spanned
                )
            )
            kept |= {(row.level, row.position): row.hash for row in rows}
        wrong = sorted(place for place, node in self.made.items() if kept.get(place) != node)
        if wrong:
            level, position = wrong[0]
            first = (position << level) + 1
            self.report.add(f"the tree over act {first} is not the tree of the acts")
        self.made.clear()


class _Checkpoints:
    """All that was ever signed, held against the tree as it grows."""

    def __init__(self, session: Session, report: Report, size: int) -> None:
        self.report = report
        self.trust = Trust.in_keys(bytes.fromhex(key.public) for key in published_keys(session))
        signed = (
            sa.select(LedgerCheckpoint)
            .where(LedgerCheckpoint.size <= size)
            .order_by(LedgerCheckpoint.size)
        )
        # One for every few seconds of every year: never all of them at once.
        rows = session.scalars(signed.execution_options(yield_per=IN_ONE_READ))
        self.rest: Iterator[Checkpoint] = (row.signed for row in rows)
        self.following = next(self.rest, None)

    def compare(self, frontier: Frontier, chain: bytes) -> None:
        while self.following is not None and self.following.size <= frontier.size:
            checkpoint, self.following = self.following, next(self.rest, None)
            here = (frontier.size, frontier.root(), chain)
            if (checkpoint.size, checkpoint.root, checkpoint.chain) != here:
                self.report.add(f"what was signed over {checkpoint.size} acts is not what is there")
            self._compare_signature(checkpoint)

    def end(self) -> None:
        while self.following is not None:
            checkpoint, self.following = self.following, next(self.rest, None)
            self.report.add(f"{checkpoint.size} acts were signed, but are not there")

    def _compare_signature(self, checkpoint: Checkpoint) -> None:
        try:
            self.trust.require(checkpoint)
        except Broken as broken:
            self.report.add(f"the checkpoint over {checkpoint.size} acts: {broken}")


def _strays(session: Session) -> Iterator[str]:
    """Rows that claim to be sealed and are not."""
    sealed = sa.select(LedgerEntry.seq).where(LedgerEntry.entry_id == AuditEntry.id)
    claims = sa.select(AuditEntry.public_id).where(
        AuditEntry.sealed_as.is_not(None), ~sealed.exists()
    )
    for public_id in session.scalars(claims.limit(MOST_FINDINGS)):
        yield f"row {public_id} says that it is sealed, but the ledger does not hold it"


def _blankings(session: Session) -> Iterator[str]:
    """Rows may only be blank because an act of the log says which ones it blanked."""
    blanked: dict[UUID | None, list[UUID]] = defaultdict(list)
    rows = sa.select(AuditEntry.blanked_by, AuditEntry.public_id)
    for act, row in session.execute(rows.where(AuditEntry.blanked_by.is_not(None))):
        blanked[act].append(row)
    for act, public_ids in blanked.items():
        accounted = sa.select(AuditEntry.details).where(
            AuditEntry.public_id == act, AuditEntry.action == BLANKED
        )
        details = session.scalar(accounted) or {}
        digest = rows_digest(public_ids)
        if (details.get("rows_digest"), details.get("vouched")) != (digest, vouched(digest)):
            yield f"{len(public_ids)} rows were blanked, but no act accounts for them"
