"""Who changes who can be found: counted in the transaction of the change, and named.

Whoever changes a therapist, a licence, an application, weekly hours, an account's closing, the
weights, the prices or what counts of track records raises the market's version, as the last thing
before the commit. The lock on that one row puts commits in order: whoever reads a version can read
everything that any version up to it has changed, however long the transactions behind them took.

An ORM change names its therapist by itself. A statement that changes rows in bulk names one with
the execution option `therapist`; otherwise it has changed everybody.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction

from core.database import db, is_sqlite, unit_of_work
from practice.accounts.models import User
from practice.matches.market.track_record import (
    TrackRecord,
    TrackRecordAgreement,
    TrackRecordDecision,
)
from practice.matches.models import MarketChange, MarketPrices, MarketVersion, WeightsVersion
from practice.therapists.models import Application, Licence, Therapist, WeeklyHours

OF_A_THERAPIST = (Application, Licence, WeeklyHours, TrackRecordAgreement, TrackRecord)
# Who is weighed differently, and nobody has changed.
OF_NOBODY = (WeightsVersion, MarketPrices)
# Whether anybody's record counts at all.
OF_EVERYBODY = (TrackRecordDecision,)
WATCHED_TABLES = frozenset(
    model.__tablename__ for model in (*OF_A_THERAPIST, *OF_NOBODY, *OF_EVERYBODY, Therapist)
)
CHANGES = "market_changes"
NAMED_BY = "therapist"
THE_ROW = 1
MOST_NAMED = 500
VERSIONS_KEPT = 5000
MOST_READ = 5000


class Version(NamedTuple):
    """How often the market had changed when this was read. Numbers of two epochs do not compare."""

    epoch: uuid.UUID | None
    number: int


NEVER = Version(None, 0)


@dataclass(frozen=True)
class News:
    """What changed between a version and `version`: these therapists, or everything."""

    version: Version
    therapists: frozenset[int]
    everything: bool


@dataclass
class _Changes:
    """What one transaction has changed so far. A user stands for the therapist they are."""

    therapists: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)
    everything: bool = False


def version_columns() -> tuple[sa.ScalarSelect[uuid.UUID], sa.ScalarSelect[int]]:
    """The epoch and the number in force, as columns of any query; `version_of` reads them.

    They are read before the rows: what is laid out from those can only be newer than it says.
    """
    row = MarketVersion.id == THE_ROW
    return (
        sa.select(MarketVersion.epoch).where(row).scalar_subquery(),
        sa.select(MarketVersion.version).where(row).scalar_subquery(),
    )


def version_of(epoch: uuid.UUID | None, number: int | None) -> Version:
    """From the two columns; nothing was ever changed where there is no row."""
    return NEVER if epoch is None else Version(epoch, number or 0)


def the_version() -> Version:
    return version_of(*db.session.execute(sa.select(*version_columns())).one())


def news_since(known: Version) -> News:
    """One query. Everything, where `known` is of another epoch or what followed is forgotten."""
    rows = db.session.execute(
        sa.select(
            MarketVersion.epoch,
            MarketVersion.version,
            MarketVersion.forgotten,
            MarketChange.id,
            MarketChange.therapist_id,
        )
        .outerjoin(MarketChange, MarketChange.version > known.number)
        .limit(MOST_READ)
    ).all()
    if not rows:
        return News(NEVER, frozenset(), everything=known != NEVER)
    epoch, number, forgotten, *_ = rows[0]
    changed = [therapist_id for *_, change, therapist_id in rows if change is not None]
    named = frozenset(each for each in changed if each is not None)
    is_lost = epoch != known.epoch or forgotten > known.number or len(rows) == MOST_READ
    return News(Version(epoch, number), named, everything=is_lost or None in changed)


def change_everybody(session: Session) -> None:
    """Say that what this transaction does changes how everybody stands."""
    _changes_of(session).everything = True


def is_changing(session: Session) -> bool:
    """Whether this transaction has changed something that is not committed yet."""
    return CHANGES in session.info


def forget_old_changes(_at: datetime) -> None:
    """Let go what the oldest versions changed; whoever has kept one of those builds anew."""
    last = the_version().number - VERSIONS_KEPT
    oldest = db.session.scalar(sa.select(sa.func.min(MarketChange.version)))
    if oldest is None or oldest > last:
        return
    with unit_of_work() as session:
        session.execute(sa.delete(MarketChange).where(MarketChange.version <= last))
        session.execute(sa.update(MarketVersion).values(forgotten=last))


@sa.event.listens_for(db.session, "after_flush")
def _notice_flushed(session: Session, _context: UOWTransaction) -> None:
    for rows in (session.new, session.dirty, session.deleted):
        for row in rows:
            _notice(session, row)


def _notice(session: Session, row: object) -> None:
    if isinstance(row, Therapist):
        _changes_of(session).therapists.add(row.id)
    elif isinstance(row, OF_A_THERAPIST):
        _notice_whose(_changes_of(session), row)
    elif isinstance(row, OF_NOBODY):
        _changes_of(session)
    elif isinstance(row, OF_EVERYBODY):
        change_everybody(session)
    elif isinstance(row, User) and sa.inspect(row).attrs.disabled_at.history.has_changes():
        _changes_of(session).users.add(row.id)


def _notice_whose(changes: _Changes, row: object) -> None:
    """Whose it is, and whose it was before."""
    whose = set(_values_of(sa.inspect(row).attrs.therapist_id.history)) - {None}
    changes.therapists |= whose
    changes.everything |= not whose


def _values_of(history: Any) -> Iterator[Any]:
    for values in (history.added, history.unchanged, history.deleted):
        yield from values or ()


@sa.event.listens_for(db.session, "do_orm_execute")
def _notice_executed(execution: ORMExecuteState) -> None:
    if not _changes_the_market(execution):
        return
    changes = _changes_of(execution.session)
    named = execution.execution_options.get(NAMED_BY)
    if named is None:
        changes.everything = True
    else:
        changes.therapists.add(named)


def _changes_the_market(execution: ORMExecuteState) -> bool:
    table = getattr(getattr(execution.statement, "table", None), "name", "")
    if table == User.__tablename__:
        # A therapist's row holds their account, so none of those is ever deleted.
        return execution.is_update
    writes = execution.is_insert or execution.is_update or execution.is_delete
    return writes and table in WATCHED_TABLES


def _changes_of(session: Session) -> _Changes:
    changes: _Changes = session.info.setdefault(CHANGES, _Changes())
    return changes


@sa.event.listens_for(db.session, "before_commit")
def _raise_the_version(session: Session) -> None:
    if session.in_nested_transaction():
        return  # A savepoint's end is no commit.
    session.flush()
    changes: _Changes | None = session.info.pop(CHANGES, None)
    if changes is not None:
        _write_down(session.connection(), changes)


@sa.event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    # A savepoint that fails takes back nothing of what came before it.
    if not ended.nested:
        session.info.pop(CHANGES, None)


def _write_down(connection: sa.Connection, changes: _Changes) -> None:
    """Last of all the version, so that its lock is held no longer than the commit takes."""
    named = list(_named(connection, changes))
    version = connection.scalar(_raised(connection))
    if named:
        rows = [{"version": version, "therapist_id": therapist_id} for therapist_id in named]
        connection.execute(sa.insert(MarketChange), rows)


def _named(connection: sa.Connection, changes: _Changes) -> Iterator[int | None]:
    therapists = set(changes.therapists)
    if changes.users:
        theirs = sa.select(Therapist.id).where(Therapist.user_id.in_(changes.users))
        therapists |= set(connection.scalars(theirs))
    if changes.everything or len(therapists) > MOST_NAMED:
        yield None
    else:
        yield from sorted(therapists)


def _raised(connection: sa.Connection) -> Any:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    first = insert(MarketVersion).values(id=THE_ROW, epoch=uuid.uuid4(), version=1, forgotten=0)
    raised = {"version": MarketVersion.version + 1}
    return first.on_conflict_do_update(index_elements=["id"], set_=raised).returning(
        MarketVersion.version
    )
