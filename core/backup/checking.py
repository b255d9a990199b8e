"""What is looked at before a restored database is believed. Each gives a line for the report."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from core import sealing
from core.backup.errors import CheckFailed
from core.backup.making import Manifest
from core.canonical import CHAIN_START, chained, sealed_leaf
from core.database import Base
from core.encryption import Erased, sealed_columns
from core.keeping import MissingKey, current_keeper
from core.keys import DataKey
from core.ledger import LedgerEntry, act_of, newest_checkpoint
from core.merkle import Frontier
from core.sealing import Unreadable

MOST_ROWS = 500
BROKEN = "The ledger of this backup does not lead to its recorded root; nothing was restored."
NO_KEY = "Values of this backup need a key that is not here; put back the older keys as well."
UNREADABLE = "Values of this backup do not open; nothing was restored."


def keys_open(session: Session, _manifest: Manifest) -> str:
    """Every data key unwraps with the keys of this installation."""
    keeper, number = current_keeper(), 0
    columns = DataKey.id, DataKey.owner, DataKey.realm, DataKey.kek, DataKey.wrapped
    for row in session.execute(sa.select(*columns)):
        _guarded(lambda row=row: keeper.unwrap(row.kek, row.wrapped, _bond(row)))
        number += 1
    return f"{number} data keys open"


def values_open(session: Session, _manifest: Manifest) -> str:
    """In every table that has sealed values, up to 500 rows spread over it are read."""
    number = sum(_open_some(session, mapper.class_) for mapper in Base.registry.mappers)
    return f"{number} sealed values were read, taken from every table that has any"


def ledger_holds(session: Session, manifest: Manifest) -> str:
    """The log hashes, act by act, to the root that was signed when the backup was made."""
    newest = newest_checkpoint(session)
    if manifest.ledger is None:
        return "the ledger had not begun"
    if newest is None or (newest.size, newest.root.hex()) != (
        manifest.ledger["size"],
        manifest.ledger["root"],
    ):
        raise CheckFailed(BROKEN)
    frontier, chain = Frontier(), CHAIN_START
    rows = sa.select(LedgerEntry).options(joinedload(LedgerEntry.entry)).order_by(LedgerEntry.seq)
    for sealed in session.scalars(rows.execution_options(yield_per=MOST_ROWS)):
        leaf = sealed_leaf(act_of(sealed.entry, frontier.size + 1))
        frontier.append(leaf)
        chain = chained(chain, leaf)
        session.expunge(sealed)
    if (frontier.size, frontier.root(), chain) != (newest.size, newest.root, newest.chain):
        raise CheckFailed(BROKEN)
    return f"the ledger of {newest.size} acts leads to the recorded root"


def _bond(row: Any) -> bytes:
    return sealing.bound_to(row.owner, row.realm, row.id)


def _open_some(session: Session, model: type[Any]) -> int:
    columns = sealed_columns(model)  # type: ignore[arg-type]
    if not columns:
        return 0
    highest = session.scalar(sa.select(sa.func.max(model.id))) or 0
    step = max(1, highest // MOST_ROWS)
    spread = sa.select(model).where(model.id % step == 0).limit(MOST_ROWS)
    rows = session.scalars(spread).all()
    opened = sum(_opens(row, column.name) for row in rows for column in columns)
    session.expunge_all()
    return opened


def _opens(row: Any, name: str) -> bool:
    """Whether there was something to read. What was erased is meant to be unreadable."""
    try:
        return bool(_guarded(lambda: getattr(row, name)))
    except Erased:
        return False


def _guarded(read: Any) -> Any:
    try:
        return read()
    except MissingKey:
        raise CheckFailed(NO_KEY) from None
    except (Unreadable, ValueError):
        raise CheckFailed(UNREADABLE) from None
