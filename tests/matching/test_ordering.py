"""Numbers and ids put in order by counting: the order is that of comparing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.ids import order_of
from matching.ordering import rising

steady = settings(deadline=None, derandomize=True)


@steady
@given(st.data(), st.sampled_from((1, 7, 2**16, 2**16 + 1, 2**32, 2**48, 2**63)))
def test_numbers_rise_and_equals_keep_their_order(data: st.DataObject, below: int) -> None:
    of_few = st.sampled_from([0, below // 2, below - 1])
    numbers = data.draw(st.lists(st.one_of(st.integers(0, below - 1), of_few), max_size=40))
    for kind in (np.uint64, np.int64):
        column = np.array(numbers, dtype=kind)
        assert rising(column, below).tolist() == column.argsort(kind="stable").tolist()


@pytest.mark.parametrize("shared", [0, 16, 40, 48, 56, 64, 100])
def test_ids_are_in_order_however_many_of_their_first_bits_are_the_same(shared: int) -> None:
    chance = np.random.default_rng(shared)
    ids = chance.integers(0, 2**64, (300, 2), dtype=np.uint64)
    same = ((1 << shared) - 1) << (128 - shared)
    for half, mask in enumerate((same >> 64, same & (2**64 - 1))):
        ids[:, half] &= ~np.uint64(mask)
        ids[:, half] |= np.uint64(0x9E3779B97F4A7C15) & np.uint64(mask)
    ids[17] = ids[170]
    wholes = [(int(high) << 64 | int(low), at) for at, (high, low) in enumerate(ids)]
    assert order_of(ids).tolist() == [at for _, at in sorted(wholes)]
