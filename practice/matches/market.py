"""Who can be found now, laid out for the engine once and kept until something about it changes.

Whoever changes a therapist, a licence, an application, weekly hours, an account's closing or the
weights gives the market a new random stamp, in the same transaction and as its last statement. A
reader compares stamps before it trusts what this process has kept, so nothing about capacity,
licence or hours is ever stale. Time changes things as well: a kept market ends with the first
licence or confirmation of hours in it.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import (
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    joinedload,
    selectinload,
)

import matching
from core.config import current_settings
from core.database import db, is_sqlite
from core.logs import log
from practice.accounts.models import User
from practice.matches.models import MarketStamp, WeightsVersion
from practice.matches.profiles import Profile, engine_values, profile_of
from practice.therapists.models import (
    HOURS_STAY_FRESH,
    Application,
    Licence,
    Therapist,
    WeeklyHours,
)
from practice.therapists.queries import authority_of, licence_evidence, listable

WATCHED = (Therapist, Application, Licence, WeeklyHours, WeightsVersion)
WATCHED_TABLES = frozenset(model.__tablename__ for model in (*WATCHED, User))
CHANGED = "market_changed"
THE_ROW = 1
LONGEST = timedelta(days=7)
WEEKS_KEPT = 3


@dataclass(frozen=True)
class Market:
    """Everybody listable at one instant; `profiles` by the id that the engine knows.

    Good from `made_at` until `ends_at` (excluded), for days of the index's week.
    """

    stamp: uuid.UUID | None
    made_at: datetime
    ends_at: datetime
    index: matching.Index
    profiles: dict[str, Profile]
    weights: matching.Weights

    def serves(self, stamp: uuid.UUID | None, at: datetime) -> bool:
        return stamp is not None and stamp == self.stamp and self.made_at <= at < self.ends_at

    def licensed_with_room(self, place: str) -> list[Profile]:
        """Those who may practise in this place and have an open place now."""
        return [
            profile
            for profile in self.profiles.values()
            if profile.has_room and place in profile.places
        ]


def market_for(at: datetime, on: date, stamp: uuid.UUID | None) -> Market:
    """The market at `at`, for the week of the day `on`; `stamp` was read just before.

    No query while nothing changes, six to build it anew, however many therapists there are.
    """
    kept: dict[date, Market] = current_app.extensions.setdefault("markets", {})
    week = matching.monday_of(on)
    market = kept.get(week)
    if market is None or not market.serves(stamp, at):
        market = _build(stamp, at, on)
        _keep(kept, week, market)
    return market


def the_stamp() -> sa.ScalarSelect[uuid.UUID]:
    """The stamp in force, as a part of any query.

    It is read before the rows: what is built from them can only be newer than it says.
    """
    return sa.select(MarketStamp.stamp).where(MarketStamp.id == THE_ROW).scalar_subquery()


def _keep(kept: dict[date, Market], week: date, market: Market) -> None:
    """Only weeks near one another are asked for: the oldest go."""
    if db.session().info.get(CHANGED):
        return  # What this transaction has changed is nobody else's before it commits.
    kept[week] = market
    for oldest in sorted(kept)[:-WEEKS_KEPT]:
        kept.pop(oldest, None)


def _build(stamp: uuid.UUID | None, at: datetime, on: date) -> Market:
    therapists = db.session.scalars(
        listable(at).options(selectinload(Therapist.hours), joinedload(Therapist.supervisor))
    ).all()
    ids = [therapist.id for therapist in therapists]
    authority, evidence = authority_of(ids, at), licence_evidence(ids, at)
    settings = current_settings()
    rows = [
        engine_values(therapist, authority[therapist.id], on, settings.currency)
        for therapist in therapists
    ]
    index = _index_without_bad_rows(rows, on)
    profiles = [profile_of(one, authority[one.id], evidence[one.id]) for one in therapists]
    return Market(
        stamp=stamp,
        made_at=at,
        ends_at=min([at + LONGEST, *_ends(therapists, authority)]),
        index=index,
        profiles={profile.id: profile for profile in profiles if profile.id in index},
        weights=newest_weights(),
    )


def newest_weights() -> matching.Weights:
    """The weights in use; the engine's own before any version was decided."""
    newest = sa.select(WeightsVersion).order_by(WeightsVersion.version.desc()).limit(1)
    found = db.session.scalars(newest).first()
    if found is None:
        return matching.DEFAULT_WEIGHTS
    return matching.Weights.from_mapping(found.version, found.weights)


def _index_without_bad_rows(rows: list[matching.Therapist], on: date) -> matching.Index:
    """One profile that cannot be right must not take everybody's matches away."""
    rows = list(rows)
    while True:
        try:
            return matching.Index(rows, on=on)
        except matching.BadRow as bad:
            log("market.bad_row", error=type(bad), column=bad.field.split(".")[0])
            rows.pop(bad.row)


def _ends(therapists: Any, authority: dict[int, dict[str, datetime]]) -> Iterator[datetime]:
    for therapist in therapists:
        yield from authority[therapist.id].values()
        yield therapist.hours_confirmed_at + HOURS_STAY_FRESH


@sa.event.listens_for(db.session, "after_flush")
def _notice_flushed(session: Session, _context: UOWTransaction) -> None:
    if any(_matters(row) for rows in (session.new, session.dirty, session.deleted) for row in rows):
        session.info[CHANGED] = True


@sa.event.listens_for(db.session, "do_orm_execute")
def _notice_executed(execution: ORMExecuteState) -> None:
    if execution.is_insert or execution.is_update or execution.is_delete:
        table = getattr(execution.statement, "table", None)
        if getattr(table, "name", "") in WATCHED_TABLES:
            execution.session.info[CHANGED] = True


@sa.event.listens_for(db.session, "before_commit")
def _stamp(session: Session) -> None:
    if session.in_nested_transaction():
        return  # A savepoint's end is no commit.
    session.flush()
    if session.info.pop(CHANGED, False):
        # Last, so that the lock on the one row is held no longer than the commit takes.
        session.execute(_new_stamp(session.connection()))


@sa.event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    # A savepoint that fails takes back nothing of what came before it.
    if not ended.nested:
        session.info.pop(CHANGED, None)


def _matters(row: object) -> bool:
    if isinstance(row, User):
        return sa.inspect(row).attrs.disabled_at.history.has_changes()
    return isinstance(row, WATCHED)


def _new_stamp(connection: sa.Connection) -> sa.Insert:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    stamp = uuid.uuid4()
    statement = insert(MarketStamp).values(id=THE_ROW, stamp=stamp)
    return statement.on_conflict_do_update(index_elements=["id"], set_={"stamp": stamp})
