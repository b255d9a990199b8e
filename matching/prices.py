"""What a place with a scarce therapist is worth to others, as a line of its own.

Between two runs of the waiting list whoever arrives is ranked by total − price, so that somebody
who is needed elsewhere comes first only for those who gain by it what others would lose. The prices
are those of the last run (`matching.allocation.auction`): points of score, 0 for everybody with
room to spare. A price is not capped at the total: a total may fall below 0, and the lines still add
up.

Source: the dual prices of an assignment, Demange, Gale and Sotomayor (1986), "Multi-item
auctions", Journal of Political Economy 94(4).
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from matching.checking import check_prices
from matching.ids import halves
from matching.shards.codes import Words

Figures = npt.NDArray[np.int32]


class Prices(Mapping[str, int]):
    """Therapist's id → points, those that cost nothing left out. Raises BadValue.

    Cost: O(prices · log prices) to make, O(log prices) for each eligible therapist to use.
    """

    def __init__(self, points: Mapping[str, int]) -> None:
        check_prices(points)
        self._points = {each: points[each] for each in sorted(points) if points[each]}
        self._ids = _comparable(halves(self._points))
        self._figures = np.fromiter(self._points.values(), dtype=np.int32)

    def __getitem__(self, therapist_id: str) -> int:
        return self._points[therapist_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def of(self, ids: Words) -> Figures:
        """The price of each id, 0 for those who have none. Shape (n, 2) to (n,)."""
        if not self:
            return np.zeros(len(ids), dtype=np.int32)
        wanted = _comparable(ids)
        place = np.minimum(np.searchsorted(self._ids, wanted), len(self) - 1)
        return np.where(self._ids[place] == wanted, self._figures[place], np.int32(0))


def _comparable(ids: Words) -> npt.NDArray[np.bytes_]:
    """Both halves of each id as sixteen bytes that stand in the order of the ids."""
    return np.ascontiguousarray(ids.astype(">u8")).view("S16").reshape(-1)


NO_PRICES = Prices({})
