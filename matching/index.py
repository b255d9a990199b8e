"""An index of therapists, and the questions it answers: who, why, and why not."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from threading import RLock
from typing import Self

import numpy as np

from matching import checking, factors, rules, scan
from matching.codes import Codebook, Skillbook
from matching.directory import Directory, is_id
from matching.errors import BadRow, BadValue, UnknownTherapist
from matching.found import Found, nobody
from matching.hours import monday_of
from matching.market import Market, market_of
from matching.model import ANY_CODE, DEFAULT_WEIGHTS, Client, Therapist, Vocabulary, Weights
from matching.reasons import Explanation, Ranking, WhyNot
from matching.rows import row_of, therapist_at
from matching.scan import Asked
from matching.shard import Row, Shard
from matching.table import NOWHERE, Table
from matching.terms import FACTORS

SHOWN = 10


class Index:
    """Therapists, checked and laid out for ranking: a shard of columns for each place.

    `on` is a day of the UTC week for which the therapists' hours were written down; ask with
    clients of that week, because a week later the clocks may have changed (`week` is its Monday).
    Therapists who are not live are never ranked or counted, but can be explained.

    A change to one therapist is made in place and gives the index the next `version`. Threads may
    ask and change at once. Raises BadRow. Cost: O(therapists) to build; a question reads the one
    shard of the client's place; a change writes a row in each of the therapist's places.
    """

    def __init__(
        self, therapists: Iterable[Therapist], *, on: date, vocabulary: Vocabulary = ANY_CODE
    ) -> None:
        rows = list(therapists)
        checking.check_rows(rows, vocabulary)
        self._prepare(on, vocabulary, Codebook(), Skillbook(), Directory())
        for each in rows:
            self._put(each)
        self.compact()

    @classmethod
    def from_table(cls, table: Table, *, on: date) -> Self:
        """Load many at once from columns. Raises BadRow."""
        index = cls.__new__(cls)
        table.check()
        directory, shards = table.laid_out()
        index._prepare(on, table.vocabulary, table.book, table.skillbook, directory)
        for place, shard in shards.items():
            index._shards[index._number_of(place)] = shard
        index._live = directory.slots
        return index

    def _prepare(
        self,
        on: date,
        vocabulary: Vocabulary,
        book: Codebook,
        skills: Skillbook,
        directory: Directory,
    ) -> None:
        self.week = monday_of(on)
        self.version = 0
        self._vocabulary, self._book, self._skills = vocabulary, book, skills
        self._directory = directory
        self._numbers: dict[str, int] = {}
        self._places: list[str] = []
        self._shards: list[Shard] = []
        self._resting: dict[str, Therapist] = {}
        self._live = 0
        self._lock = RLock()

    def __len__(self) -> int:
        """How many therapists are live."""
        return self._live

    def __contains__(self, therapist_id: object) -> bool:
        if therapist_id in self._resting:
            return True
        return is_id(therapist_id) and self._directory.find(str(therapist_id)) is not None

    @property
    def nbytes(self) -> int:
        """Memory of the columns, the bitmaps and the directory, in bytes."""
        return self._directory.nbytes + sum(shard.nbytes for shard in self._shards)

    def therapist(self, therapist_id: str) -> Therapist:
        """Raises UnknownTherapist."""
        with self._lock:
            if therapist_id in self._resting:
                return self._resting[therapist_id]
            return self._read(therapist_id, self._slot_of(therapist_id))

    def put(self, therapist: Therapist) -> None:
        """Add a therapist, or change one: any value, licences added and removed. Raises BadRow."""
        try:
            checking.check_therapist(therapist, self._vocabulary)
        except BadValue as bad:
            raise BadRow(0, bad.field, bad.reason) from None
        with self._lock:
            self._put(therapist)
            self.version += 1

    def remove(self, therapist_id: str) -> None:
        """Raises UnknownTherapist."""
        with self._lock:
            if self._resting.pop(therapist_id, None) is None:
                self._take_out(self._slot_of(therapist_id))
            self.version += 1

    def compact(self) -> None:
        """Give back the memory that growing and leaving have set free."""
        with self._lock:
            for shard in self._shards:
                shard.compact()

    def rank(
        self, client: Client, weights: Weights = DEFAULT_WEIGHTS, limit: int | None = SHOWN
    ) -> Ranking:
        """The `limit` closest of those whom no rule fails, or all of them when it is None."""
        with self._lock:
            found = self._found(client, weights)
            best = found.first(found.checked(limit))
            return Ranking(found.matches(best), len(self), partial(self.excluded, client))

    def excluded(self, client: Client) -> dict[str, int]:
        """How many live therapists each rule fails, each counted under every rule that does.

        Cost: O(therapists), unlike `rank`: it looks at every place.
        """
        with self._lock:
            counts = dict.fromkeys(rules.names_for(client), 0)
            for number in range(len(self._shards)):
                for rule, failing in scan.failing_at_home(self._asked(client, number)).items():
                    counts[rule] += failing
            licensed = self._asked_here(client).licensed() if client.place in self._numbers else 0
            return counts | {"licence": len(self) - licensed}

    def market(self, client: Client) -> Market:
        """What each of the client's wishes costs alone. See `matching.market`."""
        with self._lock:
            if client.place not in self._numbers:
                return Market(0, {})
            return market_of(self._asked_here(client))

    def explain(
        self, client: Client, therapist_id: str, weights: Weights = DEFAULT_WEIGHTS
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
        )

    def why_not(
        self,
        client: Client,
        therapist_id: str,
        weights: Weights = DEFAULT_WEIGHTS,
        limit: int | None = SHOWN,
    ) -> WhyNot:
        """Why somebody is not among the first `limit`: the rules, or the place and the gap.

        Raises UnknownTherapist.
        """
        with self._lock:
            therapist = self.therapist(therapist_id)
            failures = rules.failures(client, therapist)
            if failures or not therapist.live:
                return WhyNot(therapist_id, therapist.live, failures)
            return self._place(client, therapist_id, weights, limit)

    def _place(
        self, client: Client, therapist_id: str, weights: Weights, limit: int | None
    ) -> WhyNot:
        found = self._found(client, weights)
        row = self._directory.rows_of(self._slot_of(therapist_id))[self._numbers[client.place]]
        own = int(np.searchsorted(found.rows, row))
        place = found.place_of(own)
        shown = found.first(found.checked(limit))
        if not len(shown):
            return WhyNot(therapist_id, live=True, place=place)
        last = int(shown[-1])
        theirs, mine = found.points_at(last), found.points_at(own)
        gaps = {factor: theirs[factor] - mine[factor] for factor in FACTORS}
        return WhyNot(therapist_id, True, (), place, found.id_at(last), gaps)

    def _found(self, client: Client, weights: Weights) -> Found:
        if client.place not in self._numbers:
            return nobody(weights)
        return Found.ask(self._asked_here(client), weights, self._directory)

    def _asked_here(self, client: Client) -> Asked:
        return self._asked(client, self._numbers[client.place])

    def _asked(self, client: Client, number: int) -> Asked:
        rows = (self._row_in(number, each) for each in client.exclude)
        exclude = [row for row in rows if row is not None]
        return Asked(client, self._shards[number], self._book, self._skills, exclude)

    def _row_in(self, number: int, therapist_id: str) -> int | None:
        slot = self._directory.find(therapist_id)
        return None if slot is None else self._directory.rows_of(slot).get(number)

    def _read(self, therapist_id: str, slot: int) -> Therapist:
        rows = self._directory.rows_of(slot)
        authority = {
            self._places[number]: date.fromordinal(int(self._shards[number].last_day[row]))
            for number, row in rows.items()
            if self._places[number] != NOWHERE
        }
        number, row = next(iter(rows.items()))
        return therapist_at(
            self._shards[number], row, therapist_id, authority, self._book, self._skills
        )

    def _slot_of(self, therapist_id: str) -> int:
        slot = self._directory.find(therapist_id) if is_id(therapist_id) else None
        if slot is None:
            raise UnknownTherapist(therapist_id)
        return slot

    def _put(self, therapist: Therapist) -> None:
        if not therapist.live:
            self._rest(therapist)
            return
        self._resting.pop(therapist.id, None)
        slot = self._directory.find(therapist.id)
        if slot is None:
            slot = self._directory.open(therapist.id)
            self._live += 1
        row = row_of(therapist, self._book, self._skills)
        self._lay(slot, therapist.authority or {NOWHERE: date.min}, row)

    def _rest(self, therapist: Therapist) -> None:
        slot = self._directory.find(therapist.id)
        if slot is not None:
            self._take_out(slot)
        self._resting[therapist.id] = therapist

    def _lay(self, slot: int, authority: Mapping[str, date], row: Row) -> None:
        """Write the therapist's rows: changed where they stand, added and removed elsewhere."""
        standing = self._directory.rows_of(slot)
        wanted = {self._number_of(place): until for place, until in authority.items()}
        for number in [number for number in standing if number not in wanted]:
            self._drop(number, standing.pop(number))
        home = next(iter(standing or wanted))
        for number, until in wanted.items():
            shard, is_home = self._shards[number], number == home
            if number in standing:
                shard.place_again(standing[number], until.toordinal(), is_home=is_home)
                shard.write(standing[number], row)
            else:
                standing[number] = shard.append(slot, until.toordinal(), row, is_home=is_home)
        self._directory.set_rows(slot, home, standing)

    def _take_out(self, slot: int) -> None:
        for number, row in self._directory.rows_of(slot).items():
            self._drop(number, row)
        self._directory.close(slot)
        self._live -= 1

    def _drop(self, number: int, row: int) -> None:
        moved = self._shards[number].remove(row)
        if moved is not None:
            self._directory.move(moved, number, row)

    def _number_of(self, place: str) -> int:
        if place not in self._numbers:
            self._numbers[place] = len(self._shards)
            self._places.append(place)
            self._shards.append(Shard(self._book.words, self._skills.words, len(self._book)))
        return self._numbers[place]


def rank(
    index: Index, client: Client, weights: Weights = DEFAULT_WEIGHTS, limit: int | None = SHOWN
) -> Ranking:
    """See `Index.rank`."""
    return index.rank(client, weights, limit)


def explain(
    index: Index, client: Client, therapist_id: str, weights: Weights = DEFAULT_WEIGHTS
) -> Explanation:
    """See `Index.explain`."""
    return index.explain(client, therapist_id, weights)


def why_not(
    index: Index,
    client: Client,
    therapist_id: str,
    weights: Weights = DEFAULT_WEIGHTS,
    limit: int | None = SHOWN,
) -> WhyNot:
    """See `Index.why_not`."""
    return index.why_not(client, therapist_id, weights, limit)
