"""The ledger as a file: a signed opening, then one line for each act, told from today's rows.

A row that was changed since it was sealed gives a line that does not fit the seal, so whoever
verifies the file finds it; the one who writes it is told at once.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from core.canonical import LEDGER, VERSION, canonical
from core.ledger import LedgerEntry, act_of, newest_checkpoint
from core.verifying import Checkpoint

IN_ONE_READ = 500


@dataclass
class Export:
    """What is being written. `differing` are the acts whose rows are not what was sealed."""

    checkpoint: Checkpoint
    differing: list[int] = field(default_factory=list)

    def lines(self, session: Session) -> Iterator[bytes]:
        """Canonical JSON lines: the opening, then the acts by their number."""
        opening = {"checkpoint": self.checkpoint.plain, "format": LEDGER, "version": VERSION}
        yield canonical(opening) + b"\n"
        for sealed in sealed_entries(session, self.checkpoint.size):
            if sealed.entry is None:
                self.differing.append(sealed.seq)
                continue
            act = act_of(sealed.entry, sealed.seq)
            if act != sealed.act:
                self.differing.append(sealed.seq)
            yield canonical({"chain": sealed.chain.hex(), "entry": act}) + b"\n"


def begin_export(session: Session) -> Export | None:
    """An export up to the newest checkpoint; None while nothing is sealed. Seal first."""
    newest = newest_checkpoint(session)
    return Export(newest.signed) if newest else None


def write_export(session: Session, path: Path) -> Export | None:
    """Write the file whole or not at all; raises OSError."""
    export = begin_export(session)
    if export is None:
        return None
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with begun.open("wb") as file:
            file.writelines(export.lines(session))
            file.flush()
            os.fsync(file.fileno())
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
    return export


def sealed_entries(session: Session, size: int) -> Iterator[LedgerEntry]:
    """The first `size` acts in order, each with its row, a few at a time."""
    last = 0
    while batch := session.scalars(_after(last, size)).all():
        yield from batch
        last = batch[-1].seq


def _after(last: int, size: int) -> sa.Select[LedgerEntry]:
    return (
        sa.select(LedgerEntry)
        .outerjoin(LedgerEntry.entry)
        .options(contains_eager(LedgerEntry.entry))
        .where(LedgerEntry.seq > last, LedgerEntry.seq <= size)
        .order_by(LedgerEntry.seq)
        .limit(IN_ONE_READ)
        .execution_options(populate_existing=True)
    )
