"""Many at once, by column: the same index, and a bad row is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest

from matching import BadRow, Client, Index, rank
from matching.shards.shard import NOT_STATED, STYLE_OPEN
from matching.shards.table import Table
from tests.matching.tables import table_of
from tests.matching.worlds import ON, make_client, make_therapist, random_therapists

BAD = 3


def _set(field: str, *at: int, to: Any) -> Callable[[Table], Table]:
    def changed(table: Table) -> Table:
        column = getattr(table, field).copy()
        column[at] = to
        return replace(table, **{field: column})

    return changed


def _of_bad(field: str, to: Any) -> Callable[[Table], Table]:
    """One entry of authority, that of the bad row, is other than it was."""

    def changed(table: Table) -> Table:
        column = getattr(table, field).copy()
        column[np.flatnonzero(table.held_by == BAD)[0]] = to
        return replace(table, **{field: column})

    return changed


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (lambda table: replace(table, ids=table.ids[[0, 1, 2, 1, 4, 5]]), "id"),
        (_set("capacity", BAD, to=10_001), "capacity"),
        (_set("capacity", BAD, to=0), "capacity"),
        (_set("youngest", BAD, to=131), "ages"),
        (_set("oldest", BAD, to=17), "ages"),
        (_set("oldest", BAD, to=131), "ages"),
        (_set("fee", BAD, to=-1), "fee"),
        (_set("fee", BAD, to=10**9 + 1), "fee"),
        (_set("lowest_fee", BAD, to=-1), "sliding_from"),
        (_set("lowest_fee", BAD, to=9001), "sliding_from"),
        (_set("lowest_fee", BAD, to=NOT_STATED), "sliding_from"),
        (_set("hours", 2, BAD, to=1 << 40), "hours"),
        (_set("style", 0, BAD, to=STYLE_OPEN + 1), "style"),
        (_of_bad("last_day", to=0), "authority"),
        (_of_bad("held_in", to=9), "authority"),
    ],
)
def test_a_bad_row_is_refused_by_row_and_field(
    changed: Callable[[Table], Table], field: str
) -> None:
    good = table_of([make_therapist(number) for number in range(6)])
    assert len(Index.from_table(good, on=ON)) == 6
    with pytest.raises(BadRow) as refusal:
        Index.from_table(changed(good), on=ON)
    assert (refusal.value.row, refusal.value.field) == (BAD, field)


def test_authority_that_is_given_twice_or_to_nobody_is_refused() -> None:
    table = table_of([make_therapist(number) for number in range(6)])
    twice = {
        name: np.append(getattr(table, name), getattr(table, name)[BAD])
        for name in ("held_by", "held_in", "last_day")
    }
    for changes, row in ((twice, BAD), ({"held_by": table.held_by + np.uint32(1)}, 6)):
        with pytest.raises(BadRow) as refusal:
            Index.from_table(replace(table, **changes), on=ON)
        assert (refusal.value.row, refusal.value.field) == (row, "authority")


def test_one_with_no_authority_anywhere_counts_and_is_never_offered() -> None:
    therapists = [make_therapist(1), make_therapist(2, authority={})]
    for index in (Index(therapists, on=ON), Index.from_table(table_of(therapists), on=ON)):
        ranking = rank(index, make_client())
        assert (ranking.considered, len(ranking.results)) == (2, 1)
        assert ranking.excluded["licence"] == 1
        assert index.next_expiry is not None
        assert index.therapist(make_therapist(2).id).authority == {}


def test_what_was_stated_comes_back() -> None:
    therapists = [each for each in random_therapists(Random(59), 200) if each.live]
    index = Index.from_table(table_of(therapists), on=ON)
    for one in therapists:
        found = index.therapist(one.id)
        same = {"style", "sliding_from", "identities"}
        assert _without(found, same) == _without(one, same)
        assert found.lowest_fee == one.lowest_fee
        assert found.identities == {name: own for name, own in one.identities.items() if own}
        assert found.style == {axis: round(100 * at) / 100 for axis, at in one.style.items()}


def test_a_shard_holds_whole_words_and_nobody_in_the_rest() -> None:
    """Sizes round a word: who is in nobody's row is never found, whatever is asked."""
    for count in (1, 63, 64, 65, 128, 129):
        therapists = [make_therapist(number) for number in range(count)]
        index = Index.from_table(table_of(therapists), on=ON)
        anybody = Client(place="US-WA", on=date(2000, 1, 1))
        assert len(rank(index, anybody, limit=None).results) == count
        assert index.market(anybody).eligible == count
        assert set(rank(index, anybody).excluded.values()) == {0}
        shard = index._roll.shard_in("US-WA")
        for bitmaps in (shard.bitmaps, shard.hour_bitmaps):
            bits = np.unpackbits(bitmaps, axis=1, bitorder="little")
            assert bits[:, :count].any()
            assert not bits[:, count:].any()


def _without(one: Any, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in vars(one).items() if name not in names}
