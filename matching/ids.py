"""Therapists' ids: UUIDs as they are written, and as two whole numbers of 64 bits side by side."""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from matching.ordering import rising
from matching.shards.codes import Words

HALF = 64
LOW = (1 << HALF) - 1
# The first bits of an id, all of which are random in a UUID of version 4.
FIRST = 48
# Hexadecimal digits of a whole id.
DIGITS = 2 * HALF // 4
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(value: object) -> bool:
    """Whether it is written as a UUID; nobody else is in an index."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def whole_id(therapist_id: str) -> int:
    """A canonical UUID as a whole number; both have the same order."""
    return int(therapist_id.replace("-", ""), 16)


def order_of(ids: Words) -> npt.NDArray[np.intp]:
    """What puts ids (n, 2) in order; equals keep theirs."""
    high, low = ids.T
    order = rising(high >> np.uint64(HALF - FIRST), 1 << FIRST)
    # Two random ids hardly ever share so many bits; then both halves must be sorted.
    in_order = high[order]
    return order if (in_order[1:] > in_order[:-1]).all() else np.lexsort((low, high))


def halves(therapist_ids: Iterable[str]) -> Words:
    """Ids as they are written, as their high and low halves. Shape (n, 2)."""
    wholes = map(whole_id, therapist_ids)
    pairs = [(whole >> HALF, whole & LOW) for whole in wholes]
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2)


def texts(ids: Words) -> list[str]:
    """What `halves` was given."""
    digits = ids.astype(">u8").tobytes().hex()
    starts = range(0, len(digits), DIGITS)
    return [_written(digits[start : start + DIGITS]) for start in starts]


def _written(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
