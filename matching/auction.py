"""The auction: nearly the best total of scores, and a certificate of how near.

Objective: of the allocations that a choice leaves, the greatest Σ score.
Steps (Bertsekas 1988 and 1992; many bid at once, and a therapist has several places): (1) every
client without a place looks at score less price; (2) bids for the best what makes it as good as the
next best, and ε more; whoever must be placed does so even below 0, the others leave there; (3) a
therapist keeps the best `capacity` bids, and the price is the lowest bid kept when full, else 0;
(4) whoever is outbid is without a place again. At the end everybody has what is best for them
within the ε of their last bid. ε falls with the share of clients who are without a place: the
first bids find the rough prices, the last ones settle them.
The bound on every other total (`theorems.upper_bound_of`) is computed from the prices; only if it
is not near enough, all begins anew with a finer ε. Prices are not carried over: a place that was
dear and is then left empty would spoil the certificate. Bidding also ends as soon as the bound is
near enough, or when it has become a war of prices; whoever must be placed is then placed by chains
of moves, and the certificate says what that cost.
Where every place will be taken bidding would be such a war from the start. So a list is first
taken apart (`parting`). A part in which scores come in a few steps is settled exactly (`steps`).
For one in which every place is taken, prices are sought that clear it (`clearing`). Bidding is only
for what is left, and where the clearing prices were not near enough; where the first bids are not,
either, and scores come in steps that are not too many, these are gone through after all.
Shapes: (clients, k) lists, (therapists, most capacity) bids; prices in points of score.
Cost: O(k) a bid; bids are about 3 to 8 a client as a rule, at most MOST_BIDS_IN_ALL. The limits are
of work, not of time: the same list has the same answer on every machine.
"""

from collections.abc import Iterator
from dataclasses import replace
from heapq import heapify, heapreplace

import numpy as np

from matching.candidates import (
    MOST_POINTS,
    NOBODY,
    Allocation,
    Candidates,
    Choice,
    Flags,
    Real,
    Whole,
)
from matching.clearing import cleared
from matching.parting import joined, parts_of
from matching.placing import completed
from matching.steps import FEW as FEW_SCORES
from matching.steps import NOT_TOO_MANY, stepwise
from matching.theorems import duality_gap

GAP = 0.001
# ε when everybody is without a place, and when nobody is, as shares of the mean best score; and how
# far below 0 those go on who need not be placed, in highest scores.
STEPS = (
    (0.05, 0.008, 0),
    (0.02, 0.003, 1),
    (0.002, 0.0006, 2),
    (0.0, 0.0002, 4),
    (0.0, 0.0, 16),
)
# How much longer clearing prices are sought where the first were not near enough.
EFFORTS = 1, 3, 9
# For a client, at each step; beyond that it is a war of prices.
MOST_BIDS = 60
# For a client, at all steps together; and for a short list so many more, which take no time.
MOST_BIDS_IN_ALL, FEW_BIDS = 150, 100_000
# As MOST_BIDS, where it is not known whether everybody can be placed.
SOON = 12
# Of so many of a client's best candidates, two are nearly always better than all the others.
FIRST = 12
# How often prices are let fall at the end.
ROUNDS_DOWN = 5
# For so few bids at once, plain Python is faster.
FEW = 4


def auction(
    choice: Choice, gap: float = GAP, placed: Whole | None = None, prices: Whole | None = None
) -> Allocation:
    """See the module. Where the answer's `gap` exceeds `gap` it is `cut_short`, and says so.

    `placed` (clients,) is one of the allocations that the choice leaves, and `prices`
    (therapists,) may already be near the best.
    """
    best: Allocation | None = None
    for found in _attempts(choice, gap, placed, prices):
        if best is None or _gap_of(found) < _gap_of(best):
            best = found
        if _gap_of(best) <= gap:
            break
    assert best is not None
    return replace(best, cut_short=_gap_of(best) > gap)


def _attempts(
    choice: Choice, gap: float, placed: Whole | None, prices: Whole | None
) -> Iterator[Allocation]:
    if placed is not None and prices is not None:
        yield _at_prices(choice, placed, prices)
    parts = parts_of(choice, placed) if placed is not None else []
    if len(parts) > 1:
        yield joined(choice, parts, [auction(part.choice, gap) for part in parts])
        return
    yield from _stepwise(choice, FEW_SCORES)
    if _takes_every_place(choice):
        for effort in EFFORTS:
            yield _at_clearing_prices(choice, effort)
    sales = _sales(choice, gap)
    yield next(sales)
    yield from _stepwise(choice, NOT_TOO_MANY)
    yield from sales


def _stepwise(choice: Choice, limits: tuple[int, int]) -> Iterator[Allocation]:
    if (exact := stepwise(choice, limits)) is not None:
        yield _at_prices(choice, exact.therapist, exact.prices)


def _sales(choice: Choice, gap: float) -> Iterator[Allocation]:
    """One with each step of ε, until so much has been bid that no more is worth the time."""
    bids_left = MOST_BIDS_IN_ALL * choice.candidates.clients + FEW_BIDS
    for step in STEPS:
        sale = Sale(choice, *step, gap)
        sale.bids_left = bids = min(sale.bids_left, bids_left)
        yield sale.sold()
        bids_left -= bids - sale.bids_left
        if bids_left <= 0:
            return


def _at_clearing_prices(choice: Choice, effort: int) -> Allocation:
    asking = np.flatnonzero(choice.candidates.has_any)
    found = cleared(choice.candidates, asking, choice.placed, effort)
    return _at_prices(choice, completed(choice, found.therapist), found.prices)


def _at_prices(choice: Choice, chosen: Whole, prices: Whole) -> Allocation:
    """With the certificate. Where a place is open, it costs nothing."""
    capacity = choice.candidates.capacity
    load = np.bincount(chosen[chosen != NOBODY], minlength=len(prices))
    prices = np.where(load < capacity, 0, prices)
    found = Allocation(chosen, choice.candidates.score_of(chosen), prices, choice)
    return replace(found, gap=duality_gap(found))


def everybody_placed(candidates: Candidates, gap: float = GAP) -> Allocation | None:
    """The same with everybody placed who has a candidate; None if that is not found soon."""
    asking = candidates.has_any
    count = int(np.count_nonzero(asking))
    if candidates.places <= count:
        return None
    choice = Choice(candidates, asking, count)
    sale = Sale(choice, *STEPS[0], gap)
    sale.bids_left = SOON * sale.clients
    sale.run()
    if len(sale.free):
        return None
    found = sale.allocation()
    if _gap_of(found) <= gap:
        return found
    return auction(choice, gap, found.therapist, found.prices)


def _takes_every_place(choice: Choice) -> bool:
    """Whether nobody who is asked has a place left at the end."""
    candidates = choice.candidates
    return choice.placed == int(candidates.capacity[candidates.asked > 0].sum())


def _gap_of(allocation: Allocation) -> float:
    assert allocation.gap is not None
    return allocation.gap


class Sale:
    """One auction from the first bid to the last."""

    def __init__(
        self,
        choice: Choice,
        coarse: float,
        fine: float,
        patience: int,
        gap: float,
    ) -> None:
        self.choice, self.gap = choice, gap
        candidates = choice.candidates
        self.value: Real = np.where(candidates.is_there, candidates.score, -np.inf)
        self.therapist = candidates.therapist
        best = self.value.max(axis=1, initial=-np.inf)
        self.free: Whole = np.flatnonzero(np.isfinite(best))
        self.clients = max(len(self.free), 1)
        self.top = max(float(best.max(initial=0)), 1.0)
        unit = float(best[self.free].mean()) if len(self.free) else 0.0
        least = 1 / (self.clients + 1)
        self.coarse, self.fine = coarse * unit, max(fine * unit, least)
        # What waiting on is worth to them.
        self.outside: Real = np.where(choice.must, -np.inf, -patience * self.top)
        self.house = House(candidates)
        self.bids_left = MOST_BIDS * self.clients
        self.first = min(FIRST, self.value.shape[1])
        self.first_value = np.ascontiguousarray(self.value[:, : self.first].T)
        self.first_therapist = np.ascontiguousarray(self.therapist[:, : self.first].T)

    def sold(self) -> Allocation:
        self.run()
        return self.allocation()

    def run(self) -> None:
        look_again = self.bids_left - 2 * self.clients
        while len(self.free) and self.bids_left > 0:
            if self.bids_left < look_again:
                look_again = self.bids_left - 2 * self.clients
                if self._is_near_enough():
                    return
            if len(self.free) > FEW:
                self._bid_at_once()
            else:
                self._bid_in_turn()

    def allocation(self) -> Allocation:
        chosen = self.house.chosen
        waiting = chosen == NOBODY
        if (waiting & self.choice.must).any() or (~waiting).sum() < self.choice.placed:
            chosen = completed(self.choice, chosen)
        return self._certified(chosen)

    def _certified(self, chosen: Whole) -> Allocation:
        score = self.choice.candidates.score_of(chosen)
        prices = lowest(self.choice, chosen, score, self.house.whole_prices)
        plain = Allocation(chosen, score, prices, self.choice)
        return replace(plain, gap=duality_gap(plain))

    def _is_near_enough(self) -> bool:
        if self.choice.must[self.free].any() or self.house.taken < self.choice.placed:
            return False
        return _gap_of(self._certified(self.house.chosen)) <= self.gap

    @property
    def epsilon(self) -> float:
        return self.fine + self.coarse * len(self.free) / self.clients

    def _bid_at_once(self) -> None:
        """Everybody without a place bids, at the same prices."""
        therapist, most, next_best = self._best_two(self.free)
        next_best = np.maximum(next_best, self.outside[self.free])
        keen = most > self.outside[self.free]
        # No bid goes further than the highest score, however little else there is.
        raised = np.minimum(most[keen] - next_best[keen], self.top) + self.epsilon
        offer = self.house.prices[therapist[keen]] + raised
        self.bids_left -= len(self.free)
        self.free = self.house.take(self.free[keen], therapist[keen], offer)

    def _best_two(self, clients: Whole) -> tuple[Whole, Real, Real]:
        """Whom each would rather have, what that is worth less its price, and the next best.

        Lists fall and prices are not negative: whoever finds two among the first candidates that
        are worth more than the score of the next need not look further.
        """
        therapist = self.first_therapist.take(clients, axis=1)
        worth = self.first_value.take(clients, axis=1)
        worth -= self.house.prices.take(therapist)
        at, most, next_best = _two_highest(worth)
        chosen = therapist[at, np.arange(len(clients))]
        if self.value.shape[1] > self.first:
            unsure = np.flatnonzero(next_best < self.value[clients, self.first])
            if len(unsure):
                rows = clients[unsure]
                therapist = self.therapist.take(rows, axis=0)
                worth = self.value.take(rows, axis=0)
                worth -= self.house.prices.take(therapist)
                at, most[unsure], next_best[unsure] = _two_highest(worth.T)
                chosen[unsure] = therapist[np.arange(len(rows)), at]
        return chosen, most, next_best

    def _bid_in_turn(self) -> None:
        """The last few bid one after the other, until nobody is left or it is time to look."""
        rows: dict[int, tuple[list[int], list[float]]] = {}
        free, prices = self.free.tolist(), self.house.prices.tolist()
        counter = Counter(self.house, prices)
        left = min(self.bids_left, self.clients)
        epsilon = self.epsilon
        for done, client in enumerate(free):
            if done == left:
                break
            if client not in rows:
                rows[client] = (self.therapist[client].tolist(), self.value[client].tolist())
            therapists, values = rows[client]
            worth = [value - prices[each] for each, value in zip(therapists, values, strict=True)]
            most = max(worth)
            at = worth.index(most)
            worth[at] = outside = float(self.outside[client])
            if most > outside:
                offer = prices[therapists[at]] + min(most - max(worth), self.top) + epsilon
                free.extend(counter.take(client, therapists[at], offer))
        counter.close()
        self.bids_left -= min(left, len(free))
        self.free = np.array(free[left:], dtype=np.int64)


def lowest(choice: Choice, chosen: Whole, score: Whole, prices: Whole) -> Whole:
    """Prices that have fallen as far as nobody else would come for it, in a few rounds.

    Nobody is then worse off than before for what they have been given, and the bound falls: a price
    is what a place is worth to those who did not get it (Demange, Gale and Sotomayor 1986).
    """
    candidates = choice.candidates
    load = np.bincount(chosen[chosen != NOBODY], minlength=len(prices))
    is_full = (load == candidates.capacity) & (load > 0)
    own = _own(chosen, score, prices)
    is_other = candidates.is_there & (candidates.therapist != chosen[:, None])
    # While prices fall nobody comes to gain by another whom they would not gain by now.
    at = np.flatnonzero(is_other & (candidates.score > own[:, None]))
    client, therapist = at // max(is_other.shape[1], 1), candidates.therapist.ravel().take(at)
    theirs = candidates.score.ravel().take(at)
    for _ in range(ROUNDS_DOWN):
        wanted = np.zeros_like(prices)
        np.maximum.at(wanted, therapist, theirs - own.take(client))
        fallen = np.where(is_full, np.minimum(prices, wanted), prices)
        if (fallen == prices).all():
            break
        prices = fallen
        own = _own(chosen, score, prices)
    return prices


def _own(chosen: Whole, score: Whole, prices: Whole) -> Whole:
    """Shape (clients,): what each has of whom they were given, 0 for nobody."""
    own: Whole = np.where(chosen == NOBODY, 0, score - np.append(prices, 0)[chosen])
    return own


class House:
    """The places: `bid` (therapists, most capacity) what each is held for, `holder` by whom.

    An empty place is held for less than any bid, one that does not exist for ever. `prices` are
    the lowest bid of whoever is full, 0 for the others; without a place, out of reach. `guest_of`
    (clients,) is the therapist of those who are with somebody with room for whoever could come:
    nobody bids for that.
    """

    def __init__(self, candidates: Candidates) -> None:
        capacity = candidates.capacity
        self.has_room: Flags = np.append(capacity >= candidates.asked, False)
        self.guest_of: Whole = np.full(candidates.clients, NOBODY)
        contested = np.where(self.has_room[:-1], 0, capacity)
        # Those that do not exist stand first, here and later.
        places = np.arange(max(1, int(contested.max(initial=1))))[::-1]
        self.bid: Real = np.where(places < contested[:, None], -np.inf, np.inf)
        self.holder: Whole = np.full(self.bid.shape, NOBODY)
        # The last stands for NOBODY.
        self.least: Real = np.append(np.where(capacity > 0, 0.0, np.inf), 0.0)
        self.prices = self.least.copy()
        self.taken = 0

    def take(self, client: Whole, therapist: Whole, offer: Real) -> Whole:
        """Give each therapist the best offers; returns who is without a place now."""
        is_guest = self.has_room[therapist]
        if is_guest.any():
            self.guest_of[client[is_guest]] = therapist[is_guest]
            self.taken += int(np.count_nonzero(is_guest))
            client, therapist, offer = client[~is_guest], therapist[~is_guest], offer[~is_guest]
        order = therapist.argsort(kind="stable")
        client, therapist, offer = client[order], therapist[order], offer[order]
        is_first = np.ones(len(therapist), dtype=np.bool_)
        np.not_equal(therapist[1:], therapist[:-1], out=is_first[1:])
        self.taken += len(client)
        if is_first.all():
            lost = self._hold_one_each(therapist, client, offer)
        else:
            starts = np.flatnonzero(is_first)
            group = is_first.cumsum() - 1
            turn = np.arange(len(therapist)) - starts[group]
            lost = self._hold(therapist[starts], group, turn, client, offer)
        self.taken -= len(lost)
        return lost

    def _hold_one_each(self, therapist: Whole, client: Whole, offer: Real) -> Whole:
        bid, rows = self.bid.take(therapist, axis=0), np.arange(len(therapist))
        place = bid.argmin(axis=1)
        wins = offer > bid[rows, place]
        bid[rows, place] = np.where(wins, offer, bid[rows, place])
        self.bid[therapist] = bid
        self.prices[therapist] = np.maximum(bid.min(axis=1), self.least[therapist])
        lost: Whole = self.holder[therapist, place]
        self.holder[therapist, place] = np.where(wins, client, lost)
        return _somebody(np.where(wins, lost, client))

    def _hold(self, touched: Whole, group: Whole, turn: Whole, client: Whole, offer: Real) -> Whole:
        """`group` says which of `touched` an offer is for, `turn` counts them within one."""
        places = self.bid.shape[1]
        bid = np.full((len(touched), places + int(turn.max()) + 1), -np.inf)
        holder = np.full(bid.shape, NOBODY)
        bid[:, :places], holder[:, :places] = self.bid[touched], self.holder[touched]
        bid[group, places + turn], holder[group, places + turn] = offer, client
        # Stable: of equals, whoever is there stays.
        best = np.argsort(-bid, axis=1, kind="stable")
        rows = np.arange(len(touched))[:, None]
        bid, holder = bid[rows, best], holder[rows, best]
        self.bid[touched], self.holder[touched] = bid[:, :places], holder[:, :places]
        self.prices[touched] = np.maximum(bid[:, places - 1], self.least[touched])
        return _somebody(holder[:, places:])

    @property
    def whole_prices(self) -> Whole:
        prices = self.prices[:-1]
        whole: Whole = np.floor(np.where(np.isfinite(prices), prices, MOST_POINTS)).astype(np.int64)
        return whole

    @property
    def chosen(self) -> Whole:
        """Shape (clients,): whom each has a place with."""
        chosen = self.guest_of.copy()
        therapist, place = np.nonzero(self.holder != NOBODY)
        chosen[self.holder[therapist, place]] = therapist
        return chosen


class Counter:
    """The same house for one bid at a time, with a heap for each therapist who is asked."""

    def __init__(self, house: House, prices: list[float]) -> None:
        self.house, self.prices = house, prices
        self.heaps: dict[int, list[tuple[float, int]]] = {}

    def take(self, client: int, therapist: int, offer: float) -> list[int]:
        """Hold a place for the client; returns who has lost theirs, if anybody."""
        if self.house.has_room[therapist]:
            self.house.guest_of[client] = therapist
            self.house.taken += 1
            return []
        heap = self.heaps.get(therapist)
        if heap is None:
            heap = self.heaps[therapist] = self._opened(therapist)
        if heap[0][0] >= offer:
            return [client]
        lost = heapreplace(heap, (offer, client))[1]
        self.prices[therapist] = max(heap[0][0], float(self.house.least[therapist]))
        self.house.taken += lost == NOBODY
        return [lost] if lost != NOBODY else []

    def close(self) -> None:
        """Write everything back."""
        for therapist, heap in self.heaps.items():
            self.house.bid[therapist, -len(heap) :] = [bid for bid, _ in heap]
            self.house.holder[therapist, -len(heap) :] = [client for _, client in heap]
        self.house.prices[:] = self.prices

    def _opened(self, therapist: int) -> list[tuple[float, int]]:
        held = zip(
            self.house.bid[therapist].tolist(), self.house.holder[therapist].tolist(), strict=True
        )
        heap = [(bid, client) for bid, client in held if bid < np.inf]
        heapify(heap)
        return heap


def _somebody(clients: Whole) -> Whole:
    found: Whole = clients[clients != NOBODY]
    return found


def _two_highest(worth: Real) -> tuple[Whole, Real, Real]:
    """Of each column: where the highest stands, it, and the next. Spoils `worth` (k, clients)."""
    clients = np.arange(worth.shape[1])
    at = worth.argmax(axis=0)
    most = worth[at, clients]
    worth[at, clients] = -np.inf
    return at, most, worth.max(axis=0)
