"""The auction: nearly the best total of scores, and a certificate of how near.

Objective: of the allocations that a choice leaves, the greatest Σ score.
Steps (Bertsekas 1988 and 1992; many bid at once, and a therapist has several places): (1) clients
without a place, a thousand at a time, look at score less price; (2) each bids for the best what
makes it as good as the next best, and ε more; whoever must be placed does so even below 0, the
others leave there; (3) a therapist keeps the best `capacity` bids, and the price is the lowest bid
kept when full, else 0; (4) whoever is outbid is without a place again, and the last in turn. At the
end everybody has what is best for them within the ε of their last bid. ε falls with the share of
clients who are without a place: the first bids find the rough prices, the last ones settle them.
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

from matching.allocation.candidates import (
    MOST_POINTS,
    NOBODY,
    Allocation,
    Candidates,
    Choice,
    Flags,
    Real,
    Whole,
)
from matching.allocation.clearing import cleared
from matching.allocation.parting import joined, parts_of
from matching.allocation.placing import completed
from matching.allocation.steps import FEW as FEW_SCORES
from matching.allocation.steps import NOT_TOO_MANY, stepwise
from matching.allocation.theorems import duality_gap
from matching.ordering import rising

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
# So many bid at once at most; whoever comes after them sees what they have bid.
AT_ONCE = 1000
# One therapist looks at so many bids at once; the others come again.
HEARD = 16
# For so few bids at once, plain Python is faster.
FEW = 4
# Of so many of a client's best candidates, two are nearly always better than all the others; for
# fewer clients than that there is no use in looking at these by themselves.
FIRST, FIRST_FOR = 12, 64
# How often prices are let fall at the end.
ROUNDS_DOWN = 5


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
        self.therapist, self.score = candidates.therapist, candidates.score
        best = candidates.best
        self.free: Whole = np.flatnonzero(best != NOBODY)
        self.clients = max(len(self.free), 1)
        self.top = max(float(best.max(initial=0)), 1.0)
        unit = float(best[self.free].mean()) if len(self.free) else 0.0
        least = 1 / (self.clients + 1)
        self.coarse, self.fine = coarse * unit, max(fine * unit, least)
        # What waiting on is worth to them.
        self.outside: Real = np.where(choice.must, -np.inf, -patience * self.top)
        self.house = House(candidates)
        self.bids_left = MOST_BIDS * self.clients
        self.first_therapist = np.ascontiguousarray(self.therapist[:, :FIRST].T)
        self.first_score: Real = self.score[:, :FIRST].T.astype(np.float64, order="C")
        # Nobody who is not among the first has a higher score.
        self.others = self.score[:, FIRST : FIRST + 1].max(axis=1, initial=NOBODY)

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
        """Those who have been without a place for longest bid, at the same prices."""
        clients, rest = self.free[:AT_ONCE], self.free[AT_ONCE:]
        therapist, most, next_best = self._best_two(clients)
        outside = self.outside.take(clients)
        keen = np.flatnonzero(most > outside)
        therapist, next_best = therapist.take(keen), np.maximum(next_best, outside).take(keen)
        # No bid goes further than the highest score, however little else there is.
        raised = np.minimum(most.take(keen) - next_best, self.top) + self.epsilon
        offer = self.house.prices.take(therapist) + raised
        lost = self.house.take(clients.take(keen), therapist, offer)
        self.bids_left -= len(clients)
        self.free = np.concatenate([rest, lost])

    def _best_two(self, clients: Whole) -> tuple[Whole, Real, Real]:
        """Whom each would rather have, what that is worth less its price, and the next best.

        Lists fall and prices are not negative: whoever finds two among the first candidates that
        are worth more than the score of the next need not look further.
        """
        if len(clients) < FIRST_FOR:
            return self._best_two_of_all(clients)
        therapist = self.first_therapist.take(clients, axis=1)
        worth = self.first_score.take(clients, axis=1)
        worth -= self.house.prices.take(therapist)
        chosen, most, next_best = _two_best(therapist.T, worth.T)
        unsure = np.flatnonzero(next_best < self.others.take(clients))
        found = self._best_two_of_all(clients.take(unsure))
        chosen[unsure], most[unsure], next_best[unsure] = found
        return chosen, most, next_best

    def _best_two_of_all(self, clients: Whole) -> tuple[Whole, Real, Real]:
        therapist = self.therapist.take(clients, axis=0)
        worth = self.score.take(clients, axis=0) - self.house.prices.take(therapist)
        return _two_best(therapist, worth)

    def _bid_in_turn(self) -> None:
        """The last few bid one after the other, until nobody is left or it is time to look."""
        rows: dict[int, tuple[list[int], list[int]]] = {}
        free, prices = self.free.tolist(), self.house.prices.tolist()
        counter = Counter(self.house, prices)
        left = min(self.bids_left, self.clients)
        epsilon = self.epsilon
        for done, client in enumerate(free):
            if done == left:
                break
            if client not in rows:
                rows[client] = (self.therapist[client].tolist(), self.score[client].tolist())
            therapists, scores = rows[client]
            worth = [score - prices[each] for each, score in zip(therapists, scores, strict=True)]
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
    client, therapist, theirs = _tempted(candidates, chosen, own)
    for _ in range(ROUNDS_DOWN):
        # The last stands for NOBODY.
        wanted = np.zeros(len(prices) + 1, dtype=np.int64)
        np.maximum.at(wanted, therapist, theirs - own.take(client))
        fallen = np.where(is_full, np.minimum(prices, wanted[:-1]), prices)
        if (fallen == prices).all():
            break
        prices = fallen
        own = _own(chosen, score, prices)
    return prices


def _tempted(candidates: Candidates, chosen: Whole, own: Whole) -> tuple[Whole, Whole, Whole]:
    """Who would rather have whom, if it cost nothing, and with what score. Shapes (pairs,).

    While prices fall nobody comes to gain by another whom they would not gain by now.
    """
    at = np.flatnonzero(candidates.score > own[:, None])
    client = at // max(candidates.score.shape[1], 1)
    therapist = candidates.therapist.ravel().take(at)
    is_own = therapist == chosen.take(client)
    return client, therapist, np.where(is_own, 0, candidates.score.ravel().take(at))


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
        self.prices: Real = np.append(np.where(capacity > 0, 0.0, np.inf), np.inf)
        self.taken = 0

    def take(self, client: Whole, therapist: Whole, offer: Real) -> Whole:
        """Give each therapist the best offers; returns who is without a place now."""
        is_guest = self.has_room[therapist]
        if is_guest.any():
            self.guest_of[client[is_guest]] = therapist[is_guest]
            self.taken += int(np.count_nonzero(is_guest))
            client, therapist, offer = client[~is_guest], therapist[~is_guest], offer[~is_guest]
        left, lost = rising(therapist, len(self.prices)), []
        for _ in range(HEARD):
            asked = therapist.take(left)
            is_first = np.ones(len(left), dtype=np.bool_)
            np.not_equal(asked[1:], asked[:-1], out=is_first[1:])
            first, left = left[is_first], left[~is_first]
            lost.append(self._hold(client.take(first), therapist.take(first), offer.take(first)))
            if not len(left):
                break
        without = _somebody(np.concatenate([*lost, client.take(left)]))
        self.taken += len(client) - len(without)
        return without

    def _hold(self, client: Whole, therapist: Whole, offer: Real) -> Whole:
        """One offer for each, for the place that is held for least; returns whoever is without."""
        bids, holders = self.bid.ravel(), self.holder.ravel()
        at = self._cheapest(therapist)
        held, holder = bids.take(at), holders.take(at)
        wins = offer > held
        bids[at], holders[at] = np.where(wins, offer, held), np.where(wins, client, holder)
        self.prices[therapist] = np.maximum(bids.take(self._cheapest(therapist)), 0)
        return np.where(wins, holder, client)

    def _cheapest(self, therapist: Whole) -> Whole:
        """The place of each that is held for least, counted through all places."""
        rows = self.bid.take(therapist, axis=0)
        place: Whole = rows.argmin(axis=1) + therapist * rows.shape[1]
        return place

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
        self.prices[therapist] = max(heap[0][0], 0.0)
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


def _two_best(therapist: Whole, worth: Real) -> tuple[Whole, Real, Real]:
    """Of each row: who is worth most, how much, and how much the next. Spoils `worth`."""
    rows = np.arange(len(worth))
    at = worth.argmax(axis=1)
    most = worth[rows, at]
    worth[rows, at] = -np.inf
    return therapist[rows, at], most, worth.max(axis=1)
