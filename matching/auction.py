"""The auction: nearly the best total of scores, and a certificate of how near.

Objective: choose for each client at most one candidate, for each therapist at most `capacity`
clients, so that Σ value is greatest; value = priority · (score + bonus). The bonus puts placing
somebody before any score; priorities put the severe and the long-waiting first.
Steps (Bertsekas 1988, 1992; the Jacobi form with several places an object): (1) every free client
looks at value less price; (2) bids for the best what makes it as good as the next best, and ε more;
(3) a therapist keeps the best `capacity` bids, and the price is the lowest bid kept when full, else
0; (4) whoever is outbid is free again; whoever finds nothing worth its price waits on. At the end
everybody has what is best for them within ε, so the total is within clients · ε of the best.
How near it is in truth is computed (`duality_gap`); only if that is not near enough, all begins
anew with a finer ε. Prices are not carried over: a place that was dear and is then left empty would
spoil the certificate.
Cost: O(bids · k); bids are about clients · (spread of values / ε) at worst, far fewer as a rule.
"""

from dataclasses import dataclass

import numpy as np

from matching.allocating import NOBODY, Allocation, Candidates, Real, Whole, duality_gap, score_of

# Steps of ε, as shares of the highest score.
STEPS = (0.004, 0.001, 0.00025, 0.00006)
GAP = 0.001
EMPTY = -np.inf
BLOCKED = np.inf


@dataclass(frozen=True)
class Auctioned:
    """An allocation, and by how much of its total the best one could exceed it at most."""

    allocation: Allocation
    gap: float


@dataclass
class House:
    """The places: `bid` (therapists, most capacity) what each is held for, `holder` by whom.

    An empty place is held for less than any bid, one that does not exist for ever.
    """

    bid: Real
    holder: Whole

    @classmethod
    def of(cls, capacity: Whole) -> "House":
        places = np.arange(max(1, int(capacity.max(initial=1))))
        bid = np.where(places < capacity[:, None], EMPTY, BLOCKED)
        return cls(bid, np.full(bid.shape, NOBODY))

    def prices(self) -> Real:
        """The lowest bid of whoever is full, 0 for the others; without a place, out of reach."""
        prices: Real = np.maximum(self.bid.min(axis=1, initial=BLOCKED), 0)
        return prices

    def take(self, client: Whole, therapist: Whole, bid: Real, prices: Real) -> Whole:
        """Give each therapist the best bids; returns who is without a place now.

        `prices` is brought up to date in place.
        """
        order = np.lexsort((-bid, therapist))
        client, therapist, bid = client[order], therapist[order], bid[order]
        turn = _turns(therapist)
        without = [
            self._take_one_each(client[now], therapist[now], bid[now])
            for now in (turn == each for each in range(int(turn.max()) + 1))
        ]
        touched = therapist[turn == 0]
        prices[touched] = np.maximum(self.bid[touched].min(axis=1), 0)
        return np.concatenate(without)

    def _take_one_each(self, client: Whole, therapist: Whole, bid: Real) -> Whole:
        place = self.bid[therapist].argmin(axis=1)
        wins = bid > self.bid[therapist, place]
        winner, place = therapist[wins], place[wins]
        outbid = self.holder[winner, place]
        self.bid[winner, place], self.holder[winner, place] = bid[wins], client[wins]
        return np.concatenate((client[~wins], outbid[outbid != NOBODY]))

    def therapist_of(self, clients: int) -> Whole:
        chosen = np.full(clients, NOBODY)
        therapist, place = np.nonzero(self.holder != NOBODY)
        chosen[self.holder[therapist, place]] = therapist
        return chosen


def auction(
    candidates: Candidates, priority: Real | None = None, bonus: float = 0.0, gap: float = GAP
) -> Auctioned:
    """See the module. `priority` (clients,) > 0, none if not given; `bonus` ≥ 0 in points.

    The gap is in priority · score, without the bonus, which is the same for all who are placed.
    """
    weight = np.ones(candidates.clients) if priority is None else priority
    there = candidates.is_there
    value = np.where(there, weight[:, None] * (candidates.score + bonus), EMPTY)
    top = float(np.where(there, weight[:, None] * candidates.score, 0).max(initial=0))
    for step in STEPS:
        house = House.of(candidates.capacity)
        prices = _bid(candidates, value, house, max(step * top, 1.0))
        chosen = house.therapist_of(candidates.clients)
        score = score_of(candidates, chosen)
        found = duality_gap(value, candidates, chosen, prices) / max(float(weight @ score), 1.0)
        if found <= gap:
            break
    return Auctioned(Allocation(chosen, score, prices), found)


def _bid(candidates: Candidates, value: Real, house: House, epsilon: float) -> Real:
    """Bids until nobody is free who finds anything worth its price; returns the prices."""
    free, prices = np.flatnonzero(candidates.is_there.any(axis=1)), house.prices()
    while len(free):
        worth = value[free] - prices[candidates.therapist[free]]
        rows, best = np.arange(len(free)), worth.argmax(axis=1)
        most = worth[rows, best]
        worth[rows, best] = EMPTY
        next_best = np.maximum(worth.max(axis=1), 0)
        keen = most > 0
        if not keen.any():
            break
        therapist = candidates.therapist[free[keen], best[keen]]
        offer = prices[therapist] + most[keen] - next_best[keen] + epsilon
        free = house.take(free[keen], therapist, offer, prices)
    return np.where(np.isfinite(prices), prices, 0)


def _turns(therapist: Whole) -> Whole:
    """For therapists in order: 0, 1, 2 … within each."""
    starts = np.flatnonzero(np.r_[True, therapist[1:] != therapist[:-1]])
    lengths = np.diff(np.r_[starts, len(therapist)])
    return np.arange(len(therapist)) - np.repeat(starts, lengths)
