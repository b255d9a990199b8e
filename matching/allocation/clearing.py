"""Clearing prices: those at which as many would come to each therapist as there is room.

Objective: where every place will be taken, the prices with the least Σ capacity · price +
Σ max(score − price): the bound on any total (`theorems.upper_bound_of`), which the best placement
reaches. It falls in the direction of those to whom more would come than there is room.
Steps: (1) everybody names whom they would rather have at these prices; a price rises where more
come than there is room and falls where fewer do, by a step times (came − room) / (came + room); a
step is halved when it went too far, and grows by a fifth when not (Riedmiller and Braun 1993, with
the sign of each derivative alone; as a market, Walras 1874). (2) After a few rounds only those stay
in a list who are nearly as good as the best, and those who are so for fewer than there is room.
(3) Everybody who fits is placed with the best for them; the others by chains of moves (`seating`)
among those who are nearly the best, then a little less nearly. Hardly anybody is then worse off
than by a small part of a score.
Why not an auction: its prices only rise, and where every place is needed the last few have to drive
all other prices up, step by step, until somebody gives way to them: a war of prices.
Shapes: clients by their candidates, (clients, k); prices (therapists + 1,), the last for NOBODY.
Cost: O(clients · k) a round, some ten rounds, then fewer candidates; and that of `seating`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.allocation.candidates import MOST_POINTS, NOBODY, Candidates, Whole
from matching.allocation.seating import Seating

Single = npt.NDArray[np.float32]

# In standard deviations of the scores: the first step, and how much less than the best stays in a
# list.
FIRST_STEP, REACH = np.float32(0.5), np.float32(1.0)
# What a step is multiplied by when it went too far, when it hit, and when it did not go far enough.
PACE = np.array([0.5, 1, 1.2], dtype=np.float32)
# Rounds with all candidates, and with those in reach.
ROUNDS = 8, 16
# How much less than the best those get who are placed last, in the same unit.
LADDER = 0.015, 0.1
# Nothing is worth more or less than so many points; in 64 bits their sums stay exact.
DEAREST = np.float32(1000 * MOST_POINTS)
# Of so many clients' scores it is told well enough how they differ.
SAMPLE = 1000


@dataclass(frozen=True)
class Cleared:
    """`therapist` (clients,), NOBODY for whoever was not asking or found no place nearly as good
    as the best; `prices` (therapists,) whole points, 0 for those whom nobody asks.
    """

    therapist: Whole
    prices: Whole


def cleared(candidates: Candidates, clients: Whole, most: int, effort: int = 1) -> Cleared:
    """The prices if `clients`, and nobody else, asked; and a placement of nearly all of them.

    Where they are more than `most`, of so many of them, to whom it is worth most.
    """
    market = _Market(candidates, clients, most)
    if not len(clients):
        return Cleared(np.full(candidates.clients, NOBODY), market.whole_prices())
    market.settle(ROUNDS[0] * effort)
    market.narrow()
    market.settle(ROUNDS[1] * effort)
    chosen = np.full(candidates.clients, NOBODY)
    chosen[clients] = market.placement(effort)
    return Cleared(chosen, market.whole_prices())


class _Market:
    def __init__(self, candidates: Candidates, clients: Whole, most: int) -> None:
        self.therapist = candidates.therapist.take(clients, axis=0)
        self.value = candidates.score.take(clients, axis=0).astype(np.float32)
        self.capacity, self.room = candidates.capacity, candidates.capacity.astype(np.float32)
        self.value[self.therapist == NOBODY] = -np.inf
        sample = self.value[:: 1 + len(clients) // SAMPLE]
        sample = sample[np.isfinite(sample)]
        self.unit = sample.std() if len(sample) else np.float32(0)
        self.rows, self.too_many = np.arange(len(clients)), max(0, len(clients) - most)
        self.prices: Single = np.zeros(len(self.room) + 1, dtype=np.float32)
        self.step: Single = np.full(len(self.room), FIRST_STEP * self.unit, dtype=np.float32)
        self.went: Single = np.zeros(len(self.room), dtype=np.float32)
        is_asked = np.zeros(len(self.prices), dtype=np.bool_)
        is_asked[self.therapist] = True
        self.is_traded = is_asked[:-1] & (self.capacity > 0)
        # With room for more than there are, some prices are nothing, and none is less.
        self.least = np.float32(0) if len(clients) < most else -DEAREST

    def settle(self, rounds: int) -> None:
        for _ in range(rounds):
            favourites = self._favourites(self._worth())[0]
            came = np.bincount(favourites, minlength=len(self.room))
            more = (came - self.room).astype(np.float32)
            goes = np.sign(more)
            self.step *= PACE.take((goes * self.went).astype(np.int8) + 1)
            self.went = goes
            self.prices[:-1] += self.step * (more / np.maximum(came + self.room, 1))
            np.clip(self.prices, self.least, DEAREST, out=self.prices)

    def narrow(self) -> None:
        """Leave in each list those in reach of the best, and make the lists as short as can be.

        Whoever is in reach of fewer than there is room stays in every list: their price would fall
        without end, and nobody see it.
        """
        worth = self._worth()
        best = worth.max(axis=1, keepdims=True)
        is_near = worth >= best - REACH * self.unit
        at = np.flatnonzero(is_near)
        near = np.bincount(self.therapist.ravel()[at] + 1, minlength=len(self.prices))[1:]
        if (is_short := self.is_traded & (near < self.capacity)).any():
            at = np.flatnonzero(is_near | np.append(is_short, False).take(self.therapist))
        row = at // worth.shape[1]
        count = np.bincount(row, minlength=len(worth))
        place = np.arange(len(at)) - (count.cumsum() - count)[row]
        therapist = np.full((len(worth), int(count.max())), NOBODY)
        value = np.full(therapist.shape, -np.inf, dtype=np.float32)
        therapist[row, place] = self.therapist.ravel()[at]
        value[row, place] = self.value.ravel()[at]
        self.therapist, self.value = therapist, value

    def placement(self, effort: int) -> Whole:
        """Shape (clients who ask,): everybody with the best for them, or nearly so."""
        worth = self._worth()
        short = worth.max(axis=1, keepdims=True) - worth
        _, who = self._favourites(worth)
        chosen = np.full(len(worth), NOBODY)
        for rung in (0.0, *LADDER):
            lists = np.where(short <= np.float32(rung / effort) * self.unit, self.therapist, NOBODY)
            seating = Seating(lists, self.capacity, chosen)
            seating.seat(seating.waiting(who))
            chosen = seating.chosen
        return chosen

    def whole_prices(self) -> Whole:
        """From 0 for the cheapest; a million where there is no place."""
        prices = self.prices[:-1].astype(np.float64)
        lowest = prices[self.is_traded].min(initial=np.inf)
        whole = np.rint(np.where(self.is_traded, prices - lowest, 0)).astype(np.int64)
        return np.where(self.capacity > 0, whole, MOST_POINTS)

    def _worth(self) -> Single:
        return self.value - self.prices.take(self.therapist)

    def _favourites(self, worth: Single) -> tuple[Whole, Whole]:
        """Whom they would rather have, and who they are: all, or those to whom it is worth most."""
        who, at = self.rows, worth.argmax(axis=1)
        if self.too_many:
            who = worth[who, at].argpartition(self.too_many)[self.too_many :]
        return self.therapist[who, at[who]], who
