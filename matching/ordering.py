"""Whole numbers put in order by counting, which is several times faster than by comparing."""

from typing import Any

import numpy as np
import numpy.typing as npt

Order = npt.NDArray[np.intp]

# numpy counts numbers of two bytes.
COUNTED = np.dtype(np.uint16)
BITS, BELOW = 16, 2**16


def rising(numbers: npt.NDArray[np.integer[Any]], below: int) -> Order:
    """What puts numbers from 0 to `below` in order; equals keep theirs. Cost: O(numbers).

    Longer ones by their last two bytes first, then by those before them (a radix sort).
    """
    order: Order = numbers.astype(COUNTED).argsort(kind="stable")
    if below <= BELOW:
        return order
    return order.take(rising((numbers >> BITS).take(order), -(-below // BELOW)))
