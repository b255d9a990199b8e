"""Who can be found now, laid out for the engine once in each process and changed in place.

A reader compares the version it read with the one this process has kept. If they differ, it reads
who changed and loads only those; so are those whose time has run out meanwhile, at the midnight
that ends a licence or a fortnight after hours were confirmed. Only when much has changed at once
is everything laid out anew.

Threads share a market. One brings it up to date while the others wait; `held` keeps it as it is
while all the answers of one page are taken from it, so no page sees half of a change.
"""

import gc
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from threading import Lock, RLock
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app

import matching
from core.database import db
from core.logs import log
from practice.matches.market.changes import Version, is_changing, news_since
from practice.matches.market.ends import Ends
from practice.matches.market.entries import Entry, concerned, entries_of, everybody
from practice.matches.market.prices import PricesInForce, newest_prices
from practice.matches.models import WeightsVersion
from practice.matches.profiles import Profile, profiles_of

MARKETS_KEPT = 2
PROFILES_KEPT = 1000
# When more than one in so many has changed, laying out everybody is as quick.
MUCH = 4
FEW = 100
# Of two pages at once the later one may have let somebody go whose licence ended between them.
A_MOMENT = timedelta(minutes=1)
HALF_HOURS_A_WEEK = 2 * 168


class Market:
    """Everybody listable, at `version` of the database, with the weights and prices of it.

    Good for every week in which the therapists' clocks stand as in `week` (its Monday).
    """

    def __init__(
        self,
        week: date,
        version: Version,
        at: datetime,
        entries: Iterable[Entry],
        weights: matching.Weights,
        prices: PricesInForce,
    ) -> None:
        self.week, self.version, self.weights, self.prices = week, version, weights, prices
        columns = matching.Columns()
        ends: dict[int, datetime] = {}
        self._zones: set[str] = set()
        # One after the other: nobody's values are kept beside the columns they go into.
        for entry in entries:
            ends[entry.row_id] = entry.ends_at
            self._zones.add(entry.zone)
            _add(columns, entry.values)
        self._index = matching.Index.from_table(columns.table(), on=week)
        self._ends = Ends(ends)
        self._as_of = at
        self._profiles: OrderedDict[str, Profile] = OrderedDict()
        self._lock = RLock()

    @property
    def size(self) -> int:
        """How many can be found."""
        with self._lock:
            return len(self._index)

    @contextmanager
    def held(self) -> Iterator[matching.Index]:
        """The index, which nobody changes meanwhile. Not for asking the database in."""
        with self._lock:
            yield self._index

    def serves(self, version: Version, at: datetime) -> bool:
        """Whether it says at least what was true at `version`, and nobody's time has run out."""
        with self._lock:
            is_newer = self.version.number >= version.number
            return self.is_of(version, at) and is_newer and not self._ends.is_due(at)

    def is_of(self, version: Version, at: datetime) -> bool:
        """Whether it can be brought to this version and instant: neither lies before it."""
        return version.epoch == self.version.epoch and at >= self._as_of - A_MOMENT

    def covers(self, week: date) -> bool:
        """Whether no therapist's clock stands otherwise in that week (its Monday)."""
        return all(_offsets(zone, week) == _offsets(zone, self.week) for zone in self._zones)

    def due(self, at: datetime) -> set[int]:
        """Row ids of those whose time has run out."""
        with self._lock:
            return self._ends.due(at)

    def is_much(self, count: int) -> bool:
        return count > max(FEW, len(self._ends) // MUCH)

    def change(
        self,
        concerned: Mapping[int, str],
        entries: Iterable[Entry],
        version: Version,
        weights: matching.Weights,
        prices: PricesInForce,
        at: datetime,
    ) -> None:
        """At once for whoever looks: those with an entry stand as it says, the others are gone."""
        with self._lock:
            staying = {entry.row_id: entry for entry in entries}
            for row_id, public_id in concerned.items():
                self._profiles.pop(public_id, None)
                if row_id in staying:
                    self._put(staying[row_id])
                else:
                    self._take_out(row_id, public_id)
            self.version, self.weights, self.prices = version, weights, prices
            self._as_of = max(self._as_of, at)

    def profiles(self, public_ids: Collection[str], known: Version, at: datetime) -> list[Profile]:
        """In the order given; no query for those shown lately, three for all the others.

        `known` is the version that the asker's transaction has read.
        """
        with self._lock:
            found = {each: self._profiles[each] for each in public_ids if each in self._profiles}
            for each in found:
                self._profiles.move_to_end(each)
        if missing := [each for each in public_ids if each not in found]:
            loaded = {profile.id: profile for profile in profiles_of(missing, at)}
            self._remember(loaded, known)
            found |= loaded
        return [found[each] for each in public_ids if each in found]

    def _remember(self, profiles: Mapping[str, Profile], known: Version) -> None:
        with self._lock:
            # What an older transaction has read may be what the newest change has changed.
            if known == self.version:
                self._profiles.update(profiles)
            while len(self._profiles) > PROFILES_KEPT:
                self._profiles.popitem(last=False)

    def _put(self, entry: Entry) -> None:
        self._ends.put(entry.row_id, entry.ends_at)
        # Another set, as `covers` may be going through this one in another thread.
        self._zones = self._zones | {entry.zone}
        try:
            self._index.put(entry.values)
        except matching.BadRow as bad:
            _log(bad)
            self._remove(entry.values.id)

    def _take_out(self, row_id: int, public_id: str) -> None:
        self._ends.drop(row_id)
        self._remove(public_id)

    def _remove(self, public_id: str) -> None:
        if public_id in self._index:
            self._index.remove(public_id)


@dataclass
class _Kept:
    """What this process has laid out; whoever changes any of it holds `lock`."""

    markets: list[Market] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def for_week(self, week: date) -> Market | None:
        return next((market for market in self.markets if market.covers(week)), None)

    def keep(self, market: Market) -> None:
        """In the place of the one it is newer than; the week whose clocks are past goes."""
        others = [each for each in self.markets if not each.covers(market.week)]
        self.markets = sorted([*others, market], key=lambda each: each.week)[-MARKETS_KEPT:]


def market_for(at: datetime, on: date, version: Version) -> Market:
    """The market at `at`, for the week of the day `on`; `version` was read just before.

    No query while nothing changes; eight when some have changed, however many; to lay it out three,
    and four more for every two thousand therapists.
    """
    week = matching.monday_of(on)
    if is_changing(db.session()):
        # What this transaction has changed is nobody else's before it commits.
        return _laid_out(week, version, at)
    kept: _Kept = current_app.extensions.setdefault("markets", _Kept())
    market = kept.for_week(week)
    if market is not None and market.serves(version, at):
        return market
    with kept.lock:
        return _kept_up(kept, week, version, at)


def newest_weights() -> matching.Weights:
    """The weights in use; the engine's own before any version was decided."""
    newest = sa.select(WeightsVersion).order_by(WeightsVersion.version.desc()).limit(1)
    found = db.session.scalars(newest).first()
    if found is None:
        return matching.DEFAULT_WEIGHTS
    return matching.Weights.from_mapping(found.version, found.weights)


def _kept_up(kept: _Kept, week: date, version: Version, at: datetime) -> Market:
    market = kept.for_week(week)
    # Somebody may have come whose clock changes between the two weeks.
    if market is None or not _brought_up(market, version, at) or not market.covers(week):
        market = _laid_out(week, version, at)
        kept.keep(market)
    return market


def _brought_up(market: Market, version: Version, at: datetime) -> bool:
    """False when it is better laid out anew."""
    if not market.is_of(version, at):
        return False
    if market.serves(version, at) or version.number < market.version.number:
        # Another thread was here, or this one reads what is older: it must not write that down.
        return True
    news = news_since(market.version)
    due = news.therapists | market.due(at)
    if news.everything or market.is_much(len(due)):
        return False
    # New weights and prices change nobody.
    affected = concerned(due) if due else {}
    entries = entries_of(affected, at, market.week) if affected else []
    market.change(affected, entries, news.version, newest_weights(), newest_prices(), at)
    return True


def _laid_out(week: date, version: Version, at: datetime) -> Market:
    with _no_collections():
        return Market(week, version, at, everybody(at, week), newest_weights(), newest_prices())


@contextmanager
def _no_collections() -> Iterator[None]:
    """Nothing of what is made meanwhile is garbage in a circle, so nobody need look for any."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def _add(columns: matching.Columns, values: matching.Therapist) -> None:
    """One profile that cannot be right must not take everybody's matches away."""
    try:
        columns.add(values)
    except matching.BadRow as bad:
        _log(bad)


def _log(bad: matching.BadRow) -> None:
    log("market.bad_row", error=type(bad), column=bad.field.split(".")[0])


@lru_cache(maxsize=256)
def _offsets(zone: str, week: date) -> tuple[timedelta | None, ...]:
    """How far this zone's clock is from UTC in each half hour of a UTC week."""
    monday = datetime.combine(week, time(), UTC)
    halves = (monday + timedelta(minutes=30 * each) for each in range(HALF_HOURS_A_WEEK))
    return tuple(each.astimezone(ZoneInfo(zone)).utcoffset() for each in halves)
