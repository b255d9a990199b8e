"""A client's question of one shard."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from matching.model import Client
from matching.records import Records
from matching.shards.codes import Codebook, Skillbook
from matching.shards.rows import APPROACH_KIND, IDENTITY
from matching.shards.shard import Bits, Shard
from matching.terms import APPROACH

Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Asked:
    """With the books that say which bit is which code, and the rows that are not to be seen."""

    client: Client
    shard: Shard
    book: Codebook
    skills: Skillbook
    records: Records
    exclude: Collection[int] = ()

    def having_any(self, kind: str, codes: Collection[str]) -> Bits:
        """Who has any of these codes. Shape (end / 8,)."""
        bitmaps = [self.shard.bitmap(bit) for bit in self.book.bits(kind, codes)]
        return reduce(np.bitwise_or, bitmaps) if bitmaps else self.shard.bitmap(None)

    @property
    def first_day(self) -> int:
        """Authority that ends before this day (an ordinal) does not count."""
        return max(self.client.on.toordinal(), self.shard.starts_on)


def kind_of(wish: str) -> str:
    """The kind of codes that a wish is about."""
    return APPROACH_KIND if wish == APPROACH else IDENTITY + wish


def packed(flags: Flags) -> Bits:
    """Flags of a shard's rows, shape (end,), as a bitmap."""
    return np.packbits(flags, bitorder="little")


def unpacked(bits: Bits) -> Flags:
    """What `packed` was given."""
    return np.unpackbits(bits, bitorder="little").view(np.bool_)


def count(bits: Bits) -> int:
    """How many rows are in a bitmap."""
    return int(np.bitwise_count(bits.view(np.uint64)).sum())
