"""Everybody who is known, and every change to them: who has which row in which shard.

A change of one therapist is made in place: rows are written where they stand, appended where
authority is new, and taken out where it is gone. Cost: one row in each of the therapist's places.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from matching.errors import UnknownTherapist
from matching.ids import is_id
from matching.model import Therapist
from matching.records import Records
from matching.shards.codes import Codebook, Skillbook
from matching.shards.directory import Directory
from matching.shards.rows import row_of, therapist_at
from matching.shards.shard import Row, Shard
from matching.shards.table import NOWHERE, Table

Slots = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]
NONE: Slots = np.zeros(0, dtype=np.uint32)

# Place → the IANA name of the zone in which its licences end their days.
ZoneOf = Callable[[str], str]


class Roll:
    """`shards` by number, and `numbers` by place. `live` counts those who may be found at all."""

    def __init__(
        self, book: Codebook, skills: Skillbook, directory: Directory, zone_of: ZoneOf
    ) -> None:
        self.book, self.skills, self.directory = book, skills, directory
        self.records = Records()
        self.numbers: dict[str, int] = {}
        self.shards: list[Shard] = []
        self.live = directory.slots
        self._zone_of = zone_of
        self._places: list[str] = []
        self._resting: dict[str, Therapist] = {}
        self._at: datetime | None = None

    @classmethod
    def of_table(cls, table: Table, zone_of: ZoneOf) -> "Roll":
        directory, shards = table.laid_out()
        roll = cls(table.book, table.skillbook, directory, zone_of)
        roll.records = table.records_by_slot
        for place, shard in shards.items():
            roll.shards[roll._number_of(place)] = shard
        return roll

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, the bitmaps and the directory; those who are not live apart."""
        by_slot = self.directory.nbytes + self.records.nbytes
        return by_slot + sum(shard.nbytes for shard in self.shards)

    def __contains__(self, therapist_id: object) -> bool:
        if therapist_id in self._resting:
            return True
        return is_id(therapist_id) and self.directory.find(str(therapist_id)) is not None

    def therapist(self, therapist_id: str) -> Therapist:
        """With the authority that has not ended. Raises UnknownTherapist."""
        if therapist_id in self._resting:
            return self._in_force(self._resting[therapist_id])
        slot = self.slot_of(therapist_id)
        rows = self.directory.rows_of(slot)
        number, row = next(iter(rows.items()))
        authority, record = self._authority_at(rows), self.records.at(slot)
        shard = self.shards[number]
        return therapist_at(shard, row, therapist_id, authority, record, self.book, self.skills)

    def shard_in(self, place: str) -> Shard:
        """Everybody with authority in a place; one without rows where nobody has any."""
        number = self.numbers.get(place)
        return self._new_shard() if number is None else self.shards[number]

    def row_in(self, shard: Shard, therapist_id: str) -> int | None:
        """Where somebody stands in a shard, ended or not; None for those who do not."""
        slot = self.directory.find(therapist_id)
        rows = {} if slot is None else self.directory.rows_of(slot)
        return next((row for at, row in rows.items() if self.shards[at] is shard), None)

    def slot_of(self, therapist_id: str) -> int:
        """The number of somebody who is live. Raises UnknownTherapist."""
        slot = self.directory.find(therapist_id) if is_id(therapist_id) else None
        if slot is None:
            raise UnknownTherapist(therapist_id)
        return slot

    def put(self, therapist: Therapist) -> None:
        """Add somebody, or change them in whatever way."""
        if not therapist.live:
            self._rest(therapist)
            return
        authority = therapist.authority or {NOWHERE: date.min}
        # First of all, because `zone_of` may not know the place.
        wanted = {self._number_of(place): until for place, until in authority.items()}
        self._resting.pop(therapist.id, None)
        slot = self.directory.find(therapist.id)
        if slot is None:
            slot = self.directory.open(therapist.id)
            self.live += 1
        self._lay(slot, wanted, row_of(therapist, self.book, self.skills))
        self.records.put(slot, therapist.record, self.directory.slots)

    def remove(self, therapist_id: str) -> None:
        """Raises UnknownTherapist."""
        if self._resting.pop(therapist_id, None) is None:
            self._take_out(self.slot_of(therapist_id))

    def expire(self, at: datetime) -> int:
        """Let end what has ended at this instant; returns how many authorities did."""
        if self._at is not None and at <= self._at:
            return 0
        starts = {number: self._today(place, at) for place, number in self.numbers.items()}
        self._at = at
        return sum(self.shards[number].start_on(day) for number, day in starts.items())

    def next_expiry(self) -> datetime | None:
        """The instant (UTC) at which the next authority ends; None when none ever does."""
        instants = (self._ends(place, self.shards[at]) for place, at in self.numbers.items())
        return min((instant for instant in instants if instant is not None), default=None)

    def compact(self) -> None:
        """Take out the rows whose authority has ended, and give spare room back.

        Cost: O(rows), and a change for each therapist whose authority somewhere has ended.
        """
        for shard in self.shards:
            slots = shard.slot[shard.ended()]
            for therapist_id in self.directory.texts_of(slots):
                self.put(self.therapist(therapist_id))
        for shard in self.shards:
            shard.reserve(shard.rows)
        self._number_anew()

    def _authority_at(self, rows: Mapping[int, int]) -> dict[str, date]:
        last_days = {number: int(self.shards[number].last_day[row]) for number, row in rows.items()}
        return {
            self._places[number]: date.fromordinal(last_day)
            for number, last_day in last_days.items()
            if self._places[number] != NOWHERE and last_day >= self.shards[number].starts_on
        }

    def _in_force(self, therapist: Therapist) -> Therapist:
        in_force = {
            place: until
            for place, until in therapist.authority.items()
            if self._at is None or until.toordinal() >= self._today(place, self._at)
        }
        return replace(therapist, authority=in_force)

    def _rest(self, therapist: Therapist) -> None:
        slot = self.directory.find(therapist.id)
        if slot is not None:
            self._take_out(slot)
        self._resting[therapist.id] = therapist

    def _lay(self, slot: int, wanted: Mapping[int, date], row: Row) -> None:
        """Write the therapist's rows: changed where they stand, added and removed elsewhere.

        `wanted` is the last day by shard, for at least one.
        """
        standing = self.directory.rows_of(slot)
        for number in [number for number in standing if number not in wanted]:
            self._drop(number, standing.pop(number))
        home = next(iter(standing or wanted))
        for number, until in wanted.items():
            shard, is_home = self.shards[number], number == home
            if number in standing:
                shard.place_again(standing[number], until.toordinal(), is_home=is_home)
                shard.write(standing[number], row)
            else:
                standing[number] = shard.append(slot, until.toordinal(), row, is_home=is_home)
        self.directory.set_rows(slot, home, standing)

    def _number_anew(self) -> None:
        """Give slots to those who are there, in order of id, and to nobody else."""
        there = self.directory.in_order()
        slots = np.zeros(self.directory.slots, dtype=np.uint32)
        slots[there] = np.arange(len(there), dtype=np.uint32)
        for shard in self.shards:
            shard.slot[: shard.rows] = slots[shard.slot[: shard.rows]]
        self.records = self.records.renumbered(there)
        self.directory = Directory.of(self.directory.ids[there], *self._all_rows())

    def _all_rows(self) -> tuple[Slots, Numbers, Slots, Flags]:
        """Of every row, one shard after the other: slot, shard, row, and whether it is home."""
        rows = [shard.rows for shard in self.shards]
        slot = np.concatenate([NONE, *(shard.slot[: shard.rows] for shard in self.shards)])
        number = np.repeat(np.arange(len(rows), dtype=np.uint16), rows)
        row = np.concatenate([NONE, *(np.arange(each, dtype=np.uint32) for each in rows)])
        is_home = [shard.is_home[: shard.rows] for shard in self.shards]
        return slot, number, row, np.concatenate([NONE.astype(np.bool_), *is_home])

    def _take_out(self, slot: int) -> None:
        for number, row in self.directory.rows_of(slot).items():
            self._drop(number, row)
        self.directory.close(slot)
        self.records.clear(slot)
        self.live -= 1

    def _drop(self, number: int, row: int) -> None:
        moved = self.shards[number].remove(row)
        if moved is not None:
            self.directory.move(moved, number, row)

    def _number_of(self, place: str) -> int:
        if place not in self.numbers:
            shard = self._new_shard()
            if self._at is not None:
                shard.start_on(self._today(place, self._at))
            self.numbers[place] = len(self.shards)
            self._places.append(place)
            self.shards.append(shard)
        return self.numbers[place]

    def _new_shard(self) -> Shard:
        return Shard(self.book.words, self.skills.bytes, len(self.book))

    def _today(self, place: str, at: datetime) -> int:
        """The day (an ordinal) that it is where the place's licences end their days."""
        if place == NOWHERE:
            return 0
        return at.astimezone(ZoneInfo(self._zone_of(place))).toordinal()

    def _ends(self, place: str, shard: Shard) -> datetime | None:
        last_day = shard.next_last_day()
        if place == NOWHERE or last_day is None or last_day == date.max.toordinal():
            return None
        midnight = datetime.combine(date.fromordinal(last_day) + timedelta(days=1), time())
        return midnight.replace(tzinfo=ZoneInfo(self._zone_of(place))).astimezone(UTC)
