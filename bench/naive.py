"""The baseline for ranking: every rule and every factor over whole columns of the nation.

One column of flags a code, no shards, no bitmaps, no tables; everybody is sorted. It gives the
same points as the engine, which is checked where it is used.
"""

import numpy as np
import numpy.typing as npt

from bench.world import ids_of
from matching import DEFAULT_WEIGHTS, Client, Weights
from matching.shards.codes import split
from matching.shards.shard import STYLE_OPEN
from matching.shards.table import Table
from matching.terms import APPROACH, STYLE_AXES

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]


class NaiveScan:
    """Answers like `Index.rank`, for clients such as `bench.world` makes."""

    def __init__(self, table: Table) -> None:
        """Keeps a column of flags for each code, and one of last days for each place."""
        self.table = table
        self.count = len(table)
        self._columns = {code: self._column(bit) for bit, code in enumerate(table.book.codes)}
        self._last_days = {place: self._column_of(place) for place in table.places}
        self._rows: list[int] = []
        self._shown_totals: list[int] = []

    def rank(self, client: Client, limit: int, weights: Weights = DEFAULT_WEIGHTS) -> None:
        """Find the closest; `shown` tells who."""
        common = self._common_hours(client)
        rows = np.flatnonzero(self._passing(client, common))
        totals = self._totals(client, rows, common, weights)
        ids = self.table.ids[rows]
        order = np.lexsort((ids[:, 1], ids[:, 0], -totals))[:limit]
        self._rows, self._shown_totals = rows[order].tolist(), totals[order].tolist()

    def shown(self) -> list[tuple[str, int]]:
        """Id and total of those last found, the closest first."""
        return [*zip(ids_of(self.table, self._rows), self._shown_totals, strict=True)]

    def _passing(self, client: Client, common: Whole) -> Flags:
        table = self.table
        fine = self._last_day(client.place) >= client.on.toordinal()
        fine &= table.capacity > 0
        if client.age is not None:
            fine &= (table.youngest <= client.age) & (client.age <= table.oldest)
        if client.service is not None:
            fine &= self._having("services", client.service)
        if client.acuity:
            fine &= self._having("scope", str(client.acuity))
        if client.languages:
            fine &= self._having_any("languages", client.languages)
        if client.formats:
            fine &= self._having_any("formats", client.formats)
        if client.payment is not None:
            fine &= self._having("payments", client.payment.kind)
            if client.payment.has_price:
                fine &= table.lowest_fee <= (client.payment.budget or 0)
        return fine & (common > 0) if client.hours else fine

    def _totals(
        self, client: Client, rows: npt.NDArray[np.intp], common: Whole, weights: Weights
    ) -> Whole:
        record, bonus = self._record(client)
        scores = {
            "concerns": self._concerns(client),
            "hours": self._hours(client, common),
            "approach": self._each("approaches", self._wanted(client, APPROACH)),
            "price": self._price(client),
            "style": self._style(client),
            "language": self._each("languages", client.languages),
            "identity": self._identity(client),
            "format": self._each("formats", client.formats),
            "record": record,
        }
        totals = np.zeros(len(rows), dtype=np.int64)
        for factor, weight in weights.by_factor.items():
            totals += weight * scores[factor][rows]
        return totals if bonus is None else totals + weights.record * bonus[rows]

    def _record(self, client: Client) -> tuple[Whole, Whole | None]:
        """Score and bonus in the client's domain; no bonus where there are no records."""
        records, everybody = self.table.records, np.arange(self.count, dtype=np.uint32)
        if client.domain is None or not records.has(client.domain):
            return np.full(self.count, 500), None
        score, bonus = records.of_rows(client.domain, everybody)
        return score.astype(np.int64), bonus.astype(np.int64)

    def _concerns(self, client: Client) -> Whole:
        if not client.concerns:
            return np.full(self.count, 500)
        reached = np.zeros(self.count, dtype=np.int64)
        for concern, severity in client.concerns.items():
            place = self.table.skillbook.place(concern)
            if place is not None:
                skill = self.table.skills[place[0]] >> np.uint8(place[1]) & np.uint8(3)
                reached += severity * skill.astype(np.int64)
        return 1000 * reached // (3 * sum(client.concerns.values()))

    def _hours(self, client: Client, common: Whole) -> Whole:
        if not client.hours:
            return np.full(self.count, 500)
        enough = min(5, client.hours.bit_count())
        return 1000 * np.minimum(common, enough) // enough

    def _price(self, client: Client) -> Whole:
        paying = client.payment
        if paying is None or not paying.has_price:
            return np.full(self.count, 500)
        budget = paying.budget or 0
        fee = self.table.fee.astype(np.int64)
        lowest = self.table.lowest_fee.astype(np.int64)
        sliding = 500 + 500 * (budget - lowest) // np.maximum(fee - lowest, 1)
        return np.where(fee <= budget, 1000, sliding)

    def _style(self, client: Client) -> Whole:
        if not client.style:
            return np.full(self.count, 500)
        near = np.zeros(self.count, dtype=np.int64)
        for axis, value in client.style.items():
            theirs = self.table.style[STYLE_AXES.index(axis)].astype(np.int64)
            apart = np.abs(theirs - round(100 * (value + 3)))
            near += 600 - np.where(theirs == STYLE_OPEN, 300, apart)
        return 1000 * near // (600 * len(client.style))

    def _identity(self, client: Client) -> Whole:
        wished = client.wished_identities
        if not wished:
            return np.full(self.count, 500)
        met = np.zeros(self.count, dtype=np.int64)
        for attribute, want in wished.items():
            met += self._having_any(f"identity.{attribute}", want)
        return 1000 * met // len(wished)

    def _each(self, kind: str, codes: frozenset[str]) -> Whole:
        if not codes:
            return np.full(self.count, 500)
        having = np.zeros(self.count, dtype=np.int64)
        for code in codes:
            having += self._having(kind, code)
        return 1000 * having // len(codes)

    def _wanted(self, client: Client, wish: str) -> frozenset[str]:
        return client.wishes[wish].want if wish in client.wishes else frozenset()

    def _common_hours(self, client: Client) -> Whole:
        common = np.zeros(self.count, dtype=np.int64)
        for mine, theirs in zip(split(client.hours, 3), self.table.hours, strict=True):
            common += np.bitwise_count(theirs & mine)
        return common

    def _having_any(self, kind: str, codes: frozenset[str]) -> Flags:
        found = np.zeros(self.count, dtype=np.bool_)
        for code in codes:
            found |= self._having(kind, code)
        return found

    def _having(self, kind: str, code: str) -> Flags:
        return self._columns[kind, code]

    def _last_day(self, place: str) -> Days:
        return self._last_days[place]

    def _column(self, bit: int) -> Flags:
        word = self.table.codes[bit // 64]
        return np.asarray(word >> np.uint64(bit % 64) & np.uint64(1), dtype=np.bool_)

    def _column_of(self, place: str) -> Days:
        here = self.table.held_in == self.table.places.index(place)
        last_day = np.zeros(self.count, dtype=np.int32)
        last_day[self.table.held_by[here]] = self.table.last_day[here]
        return last_day
