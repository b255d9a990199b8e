"""What is looked at before a restored database is believed. Each gives a line for the report."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import sealing
from core.backup.errors import CheckFailed
from core.backup.making import Manifest
from core.canonical import sealed_leaf
from core.database import Base
from core.encryption import Erased, sealed_columns
from core.keeping import MissingKey, current_keeper
from core.keys import DataKey
from core.ledger import LedgerEntry, newest_checkpoint
from core.merkle import Frontier
from core.sealing import Unreadable

MOST_ROWS = 500
BEWARE = "BEWARE:"
OTHER_LEDGER = "The ledger that came back is not the one that was backed up; nothing was restored."
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
    """The sealed acts hash to the root that was signed when the backup was made.

    A ledger that was tampered with before the backup must not keep people's records from coming
    back: it is said, loudly. Whether each row is what was sealed, `attune audit check` tells.
    """
    newest = newest_checkpoint(session)
    recorded = manifest.ledger
    if (newest is None) != (recorded is None):
        raise CheckFailed(OTHER_LEDGER)
    if newest is None or recorded is None:
        return "the ledger has not begun"
    if (newest.size, newest.root.hex()) != (recorded["size"], recorded["root"]):
        raise CheckFailed(OTHER_LEDGER)
    if _tree(session) != (newest.size, newest.root):
        return f"{BEWARE} the ledger was tampered with before this backup was made"
    return f"the ledger of {newest.size} acts leads to the recorded root"


def _tree(session: Session) -> tuple[int, bytes]:
    """Size and root of the ledger, computed from the acts."""
    frontier = Frontier()
    acts = sa.select(LedgerEntry.act).order_by(LedgerEntry.seq)
    for act in session.scalars(acts.execution_options(yield_per=MOST_ROWS)):
        frontier.append(sealed_leaf(act))
    return frontier.size, frontier.root()


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
