"""The greatest total where scores come in a few steps, exactly.

Objective: of the allocations that a choice leaves, the greatest Σ score; and prices that prove it.
Steps (Kuhn 1955; Ford and Fulkerson 1962; all trees at once, as all who wait ask for the same): (1)
every client asks for the highest score there is, and every place costs nothing; (2) whoever can
have what they ask for is placed, by chains of moves (`seating`); (3) whoever waits on now, and
whoever is in a place that these could reach, asks for less, and what they could reach costs as much
more, until one of them could go elsewhere; (2) again. So whoever waits asks for no more than
anybody who is placed, nobody would be better off elsewhere at these prices, and only full places
cost anything: the bound of the prices (`theorems.upper_bound_of`) is the total itself.
Shapes: clients by their candidates, (clients, k); prices (therapists,) in points.
Cost: O(clients · k) a round, and that of `seating`; a round or two for each step of the scores
where all are multiples of one, more where they are not.
"""

import numpy as np
import numpy.typing as npt

from matching.allocation.candidates import NOBODY, Candidates, Choice, Whole
from matching.allocation.clearing import Cleared
from matching.allocation.seating import Seating

Points = npt.NDArray[np.int32]

# So many different scores are few or at least not too many, and so many rounds are then worth the
# time; and so many clients in all of them together.
FEW, NOT_TOO_MANY = (64, 100), (1024, 500)
MOST_ASKED = 5_000_000
# Of so many clients' scores it is nearly always told that they are not few.
SAMPLE = 100
# Beyond every score, and every sum of a score and a price.
NEVER = np.int32(2**30)


def stepwise(choice: Choice, limits: tuple[int, int] = FEW) -> Cleared | None:
    """None where there are more different scores than the first limit, or needed more rounds than
    the second; or where some must be placed and others may wait.
    """
    candidates, (different, rounds) = choice.candidates, limits
    asking, must = candidates.has_any, choice.must
    if (must.any() and not must[asking].all()) or not _are_few(candidates, different):
        return None
    trade = _Trade(candidates)
    for _ in range(min(rounds, MOST_ASKED // max(candidates.clients, 1))):
        if trade.seat(choice.placed):
            return Cleared(trade.chosen, trade.prices[:-1].astype(np.int64))
        if not trade.ask_for_less():
            break
    return None


def _are_few(candidates: Candidates, most: int) -> bool:
    some = candidates.score[:: 1 + candidates.clients // SAMPLE]
    return all(len(np.unique(each)) <= most for each in (some, candidates.score))


class _Trade:
    """`asks` (clients,) what each would have, score less price; `reached` (therapists + 1,) those
    in the way of whoever waits on. The last of `prices` and `reached` stands for NOBODY.
    """

    def __init__(self, candidates: Candidates) -> None:
        self.therapist, self.capacity = candidates.therapist, candidates.capacity
        self.value: Points = np.where(candidates.is_there, candidates.score, -NEVER)
        self.value = self.value.astype(np.int32)
        self.asking = np.flatnonzero(candidates.has_any)
        self.asks: Points = np.full(len(self.value), self.value.max(initial=0), dtype=np.int32)
        self.prices: Points = np.zeros(len(self.capacity) + 1, dtype=np.int32)
        self.chosen: Whole = np.full(len(self.value), NOBODY)

    def seat(self, most: int) -> bool:
        """Place whoever can have what they ask for; says whether `most` are placed."""
        self.short = self.asks[:, None] - (self.value - self.prices.take(self.therapist))
        lists = np.where(self.short == 0, self.therapist, NOBODY)
        seating = Seating(lists, self.capacity, self.chosen)
        waiting = seating.waiting(self.asking)
        missing = most - (len(self.asking) - len(waiting))
        is_done = seating.seat(waiting, missing) == missing
        self.chosen, self.reached = seating.chosen, seating.closed
        return is_done

    def ask_for_less(self) -> bool:
        """Those who wait on and those in their way; False where that opens no other, or where a
        price would leave what is counted with here.
        """
        in_the_way = self.reached.copy()
        in_the_way[NOBODY] = False
        chosen = self.chosen[self.asking]
        clients = self.asking[(chosen == NOBODY) | in_the_way[chosen]]
        elsewhere = ~self.reached.take(self.therapist.take(clients, axis=0))
        less = self.short.take(clients, axis=0).min(where=elsewhere, initial=NEVER)
        if less + self.prices.max() >= NEVER:
            return False
        self.asks[clients] -= less
        self.prices[in_the_way] += less
        return True
