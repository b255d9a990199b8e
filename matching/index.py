"""An index of therapists, and the questions it answers: who, why, and why not."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from threading import RLock
from typing import Self

from matching import checking, factors, rules
from matching.asking import Asked
from matching.errors import BadRow, BadValue
from matching.found import Found
from matching.hours import monday_of
from matching.market import Market, market_of
from matching.model import ANY_CODE, DEFAULT_WEIGHTS, Client, Therapist, Vocabulary, Weights
from matching.passing import failing_at_home, licensed
from matching.prices import NO_PRICES, Prices
from matching.reach import Reach
from matching.reasons import Explanation, Ranking, WhyNot
from matching.shards.columns import Columns
from matching.shards.roll import Roll, ZoneOf
from matching.shards.shard import Shard
from matching.shards.table import Table

SHOWN = 10


def utc(_place: str) -> str:
    """The zone of every place when nothing else is said."""
    return "UTC"


class Index:
    """Therapists, checked and laid out for ranking: a shard of columns for each place.

    `on` is a day of the UTC week for which the therapists' hours were written down; ask with
    clients of that week, because a week later the clocks may have changed (`week` is its Monday).
    `zone_of` names the IANA zone in which a place's licences end their days, for `expire`.
    Therapists who are not live are never ranked or counted, but can be explained.

    A change to one therapist is made in place and gives the index the next `version`. Threads may
    ask and change at once: one question or change is answered after the other. Raises BadRow.
    Cost: O(therapists) to build; a question reads the one shard of the client's place; a change
    writes a row in each of the therapist's places.
    """

    def __init__(
        self,
        therapists: Iterable[Therapist],
        *,
        on: date,
        vocabulary: Vocabulary = ANY_CODE,
        zone_of: ZoneOf = utc,
    ) -> None:
        columns = Columns(vocabulary)
        for each in therapists:
            columns.add(each)
        roll = Roll.of_table(columns.table(), zone_of)
        for each in columns.resting:
            roll.put(each)
        self._prepare(roll, on, vocabulary)

    @classmethod
    def from_table(cls, table: Table, *, on: date, zone_of: ZoneOf = utc) -> Self:
        """Load many at once from columns. Raises BadRow."""
        table.check()
        index = cls.__new__(cls)
        index._prepare(Roll.of_table(table, zone_of), on, table.vocabulary)
        return index

    def _prepare(self, roll: Roll, on: date, vocabulary: Vocabulary) -> None:
        self.week = monday_of(on)
        self.version = 0
        self._roll, self._vocabulary = roll, vocabulary
        self._lock = RLock()

    def __len__(self) -> int:
        """How many therapists are live."""
        return self._roll.live

    def __contains__(self, therapist_id: object) -> bool:
        with self._lock:
            return therapist_id in self._roll

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, the bitmaps and the directory; those who are not live apart."""
        return self._roll.nbytes

    @property
    def next_expiry(self) -> datetime | None:
        """The instant (UTC) at which the next authority ends; None when none ever does.

        Cost: O(therapists), about a millisecond for a million.
        """
        with self._lock:
            return self._roll.next_expiry()

    def therapist(self, therapist_id: str) -> Therapist:
        """With the authority that has not ended. Raises UnknownTherapist."""
        with self._lock:
            return self._roll.therapist(therapist_id)

    def put(self, therapist: Therapist) -> None:
        """Add a therapist, or change one: any value, licences added and removed. Raises BadRow."""
        try:
            checking.check_therapist(therapist, self._vocabulary)
        except BadValue as bad:
            raise BadRow(0, bad.field, bad.reason) from None
        with self._lock:
            self._roll.put(therapist)
            self.version += 1

    def remove(self, therapist_id: str) -> None:
        """Raises UnknownTherapist."""
        with self._lock:
            self._roll.remove(therapist_id)
            self.version += 1

    def expire(self, at: datetime) -> int:
        """Answer from now on as of this instant (aware); returns how many authorities ended.

        An authority ends at the midnight after its last day, in its place's own zone. From then on
        it counts for nothing, also for a client who asks about a day before. An instant earlier
        than one given before changes nothing. Cost: one comparison with each last day.
        """
        if at.utcoffset() is None:
            raise ValueError("an instant has a zone")
        with self._lock:
            ended = self._roll.expire(at)
            self.version += bool(ended)
            return ended

    def compact(self) -> None:
        """Give back the memory that growing, leaving and expiring have set free."""
        with self._lock:
            self._roll.compact()

    def rank(
        self,
        client: Client,
        weights: Weights = DEFAULT_WEIGHTS,
        limit: int | None = SHOWN,
        prices: Prices = NO_PRICES,
    ) -> Ranking:
        """The `limit` closest of those whom no rule fails, or all of them when it is None.

        Objective, steps, units, cost and sources: `matching.found`. `prices` are points by
        therapist's id. Raises ValueError for a negative limit.
        """
        with self._lock:
            found = self._found(client, weights, prices)
            best = found.best(found.checked(limit))
            return Ranking(tuple(best), len(self), partial(self.excluded, client))

    def excluded(self, client: Client) -> dict[str, int]:
        """How many live therapists each rule fails, each counted under every rule that does.

        Cost: O(therapists), unlike `rank`: it looks at every place.
        """
        with self._lock:
            counts = dict.fromkeys(rules.names_for(client), 0)
            for shard in self._roll.shards:
                for rule, failing in failing_at_home(self._asked(client, shard)).items():
                    counts[rule] += failing
            return counts | {"licence": len(self) - licensed(self._asked_here(client))}

    def market(self, client: Client) -> Market:
        """What each of the client's wishes costs alone. See `matching.market`."""
        with self._lock:
            return market_of(self._asked_here(client))

    def reach(self) -> Reach:
        """For counting many clients, while nobody changes the index. See `matching.reach`."""
        return Reach(self._roll, self._asked)

    def explain(
        self,
        client: Client,
        therapist_id: str,
        weights: Weights = DEFAULT_WEIGHTS,
        prices: Prices = NO_PRICES,
    ) -> Explanation:
        """Every line of the arithmetic with what it is made of, and every rule that says no.

        Points are given for those who may not be offered, too. Raises UnknownTherapist.
        """
        therapist = self.therapist(therapist_id)
        return Explanation(
            therapist_id,
            therapist.live,
            factors.lines(client, therapist, weights),
            rules.failures(client, therapist),
            prices.get(therapist_id, 0),
            factors.little_known(client, therapist, weights),
            has_record=client.domain in therapist.record,
        )

    def why_not(
        self,
        client: Client,
        therapist_id: str,
        weights: Weights = DEFAULT_WEIGHTS,
        limit: int | None = SHOWN,
        prices: Prices = NO_PRICES,
    ) -> WhyNot:
        """Why somebody is not among the first `limit`: the rules, or the place and the gap.

        Raises UnknownTherapist.
        """
        with self._lock:
            therapist = self.therapist(therapist_id)
            failures = rules.failures(client, therapist)
            if failures or not therapist.live:
                return WhyNot(therapist_id, therapist.live, failures)
            return self._place(self._found(client, weights, prices), therapist_id, limit)

    def _place(self, found: Found, therapist_id: str, limit: int | None) -> WhyNot:
        own = found.position_of(self._roll.slot_of(therapist_id))
        place, shown = found.place_of(own), found.best(found.checked(limit))
        if not shown:
            return WhyNot(therapist_id, live=True, place=place)
        last = shown[-1]
        return WhyNot(therapist_id, True, (), place, last.id, last.ahead_of(found.match(own)))

    def _found(self, client: Client, weights: Weights, prices: Prices) -> Found:
        return Found.ask(self._asked_here(client), weights, prices, self._roll.directory)

    def _asked_here(self, client: Client) -> Asked:
        return self._asked(client, self._roll.shard_in(client.place))

    def _asked(self, client: Client, shard: Shard) -> Asked:
        rows = (self._roll.row_in(shard, each) for each in client.exclude)
        exclude = [row for row in rows if row is not None]
        roll = self._roll
        return Asked(client, shard, roll.book, roll.skills, roll.records, exclude)


def rank(
    index: Index,
    client: Client,
    weights: Weights = DEFAULT_WEIGHTS,
    limit: int | None = SHOWN,
    prices: Prices = NO_PRICES,
) -> Ranking:
    """See `Index.rank`."""
    return index.rank(client, weights, limit, prices)


def explain(
    index: Index,
    client: Client,
    therapist_id: str,
    weights: Weights = DEFAULT_WEIGHTS,
    prices: Prices = NO_PRICES,
) -> Explanation:
    """See `Index.explain`."""
    return index.explain(client, therapist_id, weights, prices)


def why_not(
    index: Index,
    client: Client,
    therapist_id: str,
    weights: Weights = DEFAULT_WEIGHTS,
    limit: int | None = SHOWN,
    prices: Prices = NO_PRICES,
) -> WhyNot:
    """See `Index.why_not`."""
    return index.why_not(client, therapist_id, weights, limit, prices)
