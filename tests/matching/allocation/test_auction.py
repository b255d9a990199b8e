"""Bidding, clearing prices and the parts of a list: each near the best, and each certified."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from matching.allocation import auction as bidding
from matching.allocation.allocating import allocate
from matching.allocation.auction import FIRST, GAP, STEPS, Sale, auction
from matching.allocation.candidates import NOBODY, Allocation, Candidates, Choice, Whole
from matching.allocation.clearing import cleared
from matching.allocation.parting import joined, parts_of
from matching.allocation.placing import choice_left, placeable
from matching.allocation.theorems import is_feasible, upper_bound_of
from tests.matching.allocation.waiting_lists import (
    best_goals,
    every_allocation,
    make_lists,
    waiting_lists,
    with_priority,
)

steady = settings(deadline=None, derandomize=True)


def test_whoever_could_wait_bids_below_nothing_where_only_that_makes_room_for_as_many() -> None:
    world = Candidates.of(
        [
            [("t", 4), ("u", 0)],
            [("t", 3)],
            [("t", 0)],
            [("t", 0)],
        ],
        {"t": 1, "u": 2},
    )
    choice = Choice.of_all(world, 2)
    patient = [Sale(choice, *step, GAP).sold() for step in STEPS]
    at_once = [Sale(choice, coarse, fine, 0, GAP).sold() for coarse, fine, _ in STEPS]
    assert {found.therapist.tolist()[0] for found in patient} == {1}
    assert min(found.gap or 0.0 for found in patient) <= GAP
    assert min(found.gap or 0.0 for found in at_once) > GAP


@steady
@given(waiting_lists(clients=5))
def test_bidding_alone_is_certified_or_says_that_it_is_not(world: Candidates) -> None:
    candidates = world.with_places
    choice = choice_left(candidates, placeable(candidates), any_of_them=True, floor=False)
    best = best_goals(world, floor=False)
    for step in STEPS:
        found = Sale(choice, *step, GAP).sold()
        assert found.placed == best[0]
        assert found.gap is not None
        assert best[3] <= found.total + found.gap * max(found.total, 1) + 0.5


def test_whoever_is_outbid_finds_the_last_in_a_long_list_beyond_one_without_places() -> None:
    score = np.array([*range(900_000, 900_000 - FIRST, -1), 800_000, 700_000])
    listed = np.tile(np.arange(FIRST + 2), (100, 1))
    capacity = np.array([*[1] * FIRST, 0, 100])
    world = Candidates(listed, np.tile(score, (100, 1)), capacity).with_places
    sale = Sale(Choice(world, world.has_any, 100), *STEPS[0], GAP)
    sale.run()
    assert len(sale.free) == 0
    assert np.bincount(sale.house.chosen).tolist() == [*[1] * FIRST, 0, 100 - FIRST]


def test_bidding_ends_after_so_many_bids_and_the_answer_says_that_it_was_cut_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    candidates = make_lists(400, 80, 20, places=440)
    choice = choice_left(candidates, placeable(candidates), any_of_them=False, floor=False)
    assert not auction(choice).cut_short
    monkeypatch.setattr(bidding, "MOST_BIDS_IN_ALL", 1)
    monkeypatch.setattr(bidding, "FEW_BIDS", 0)
    bids, take = [], bidding.House.take
    monkeypatch.setattr(
        bidding.House, "take", lambda *asked: bids.append(len(asked[1])) or take(*asked)
    )
    found = auction(choice)
    assert sum(bids) <= 400
    assert found.cut_short
    assert found.placed == 400
    assert (found.gap or 0) > GAP


@steady
@given(with_priority())
def test_every_allocation_of_a_choice_keeps_to_its_parts(world: tuple[Candidates, Whole]) -> None:
    candidates = world[0].with_places
    placed = placeable(candidates)
    choice = choice_left(candidates, placed, any_of_them=True, floor=False)
    parts = parts_of(choice, placed)
    for each in every_allocation(candidates):
        if (each != NOBODY).sum() == choice.placed:
            for part in parts:
                mine = each[part.clients]
                assert part.therapists[mine[mine != NOBODY]].all()
                assert (mine[part.choice.must] != NOBODY).all()
                assert (mine != NOBODY).sum() == part.choice.placed
    together = np.sort(np.concatenate([part.clients for part in parts] or [np.array([])]))
    assert together.tolist() == np.flatnonzero(candidates.has_any).tolist()


def test_a_list_has_a_part_where_places_are_short_one_where_they_are_just_enough_and_a_rest() -> (
    None
):
    world = Candidates.of(
        [
            [("short", 9), ("exact", 9)],
            [("short", 8)],
            [("short", 7)],
            [("exact", 6), ("short", 5), ("ample", 4)],
            [("exact", 3)],
            [("ample", 2), ("exact", 9)],
        ],
        {"short": 1, "exact": 2, "ample": 3},
    )
    placed = np.array([1, 0, NOBODY, 2, 1, 2])
    parts = parts_of(Choice.of_all(world, 5), placed)
    assert [part.clients.tolist() for part in parts] == [[1, 2], [0, 4], [3, 5]]
    assert [part.choice.must.all() for part in parts] == [False, True, True]


def test_parts_are_joined_under_one_certificate() -> None:
    candidates = make_lists(400, 80, 4, places=400)
    placed = placeable(candidates)
    choice = choice_left(candidates, placed, any_of_them=True, floor=False)
    parts = parts_of(choice, placed)
    assert len(parts) > 1
    found = joined(choice, parts, [auction(part.choice) for part in parts])
    assert found.choice is not None
    assert is_feasible(candidates, found.therapist)
    assert found.placed == choice.placed
    bound = upper_bound_of(found.choice, found.prices)
    assert bound == pytest.approx(found.total * (1 + (found.gap or 0)))
    assert found.gap is not None
    assert found.gap <= GAP


@pytest.mark.parametrize("places", [200, 320, 400])
def test_clearing_prices_bound_the_total_closely_and_nearly_everybody_has_what_is_best(
    places: int,
) -> None:
    candidates = make_lists(400, 80, 60, places=places)
    placed = placeable(candidates, np.arange(400))
    choice = choice_left(candidates, placed, any_of_them=False, floor=False)
    found = cleared(choice.candidates, np.flatnonzero(choice.must), places)
    bound = upper_bound_of(choice, found.prices)
    best = auction(choice, 0.0002).total
    assert best <= bound <= best * 1.01
    assert is_feasible(choice.candidates, found.therapist)
    assert (found.therapist != NOBODY).sum() >= 0.97 * choice.placed


@pytest.mark.parametrize(("places", "step"), [(1600, 1), (1600, 100_000), (2000, 200_000)])
def test_under_a_shortage_hardly_anything_is_left_to_bid_for(
    places: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bids = []
    take = bidding.House.take
    monkeypatch.setattr(
        bidding.House, "take", lambda *asked: bids.append(len(asked[1])) or take(*asked)
    )
    candidates = make_lists(2000, 400, 30, places=places)
    candidates = replace(candidates, score=candidates.score // step * step)
    found = allocate(candidates, np.arange(2000) % 7, floor=False)
    assert found.placed == (placeable(candidates) != NOBODY).sum()
    assert found.gap is not None
    assert found.gap <= GAP
    assert sum(bids) < 400
    load = np.bincount(found.therapist[found.is_placed], minlength=400)
    assert (found.prices[load < candidates.capacity] % 1_000_000 == 0).all()


def test_where_anybody_may_wait_clearing_prices_are_for_those_to_whom_it_is_worth_most() -> None:
    candidates = make_lists(400, 80, 60, places=200)
    found = cleared(candidates, np.arange(400), 200)
    choice = Choice.of_all(candidates, 200)
    best = auction(choice, 0.0002).total
    assert best <= upper_bound_of(choice, found.prices) <= best * 1.01


@pytest.mark.parametrize("score", [0, 7, 1_000_000])
@pytest.mark.parametrize("with_a_priority", [True, False])
def test_equal_scores_need_no_bidding_at_all(
    score: int, with_a_priority: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(bidding, "STEPS")
    candidates = make_lists(600, 100, 20, places=400)
    equal = replace(candidates, score=np.full_like(candidates.score, score))
    found = allocate(equal, np.arange(600) % 3 if with_a_priority else None)
    assert (found.placed, found.gap, found.total) == (400, 0.0, 400 * score)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_price_runs_away_however_long_prices_are_sought(seed: int) -> None:
    choice = coarse(make_lists(400, 80, 20, places=320, seed=seed), 200_000)
    best = auction(choice)
    found = cleared(choice.candidates, np.flatnonzero(choice.must), choice.placed, effort=9)
    assert found.prices.min() >= 0
    assert found.prices.max() <= 2_000 * 1_000_000
    assert upper_bound_of(choice, found.prices) >= best.total
    assert best.gap is not None
    assert best.gap >= 0


def coarse(candidates: Candidates, step: int) -> Choice:
    """Scores in steps, and who is to be placed under a priority of few levels."""
    rounded = replace(candidates, score=candidates.score // step * step).with_places
    placed = placeable(rounded, np.arange(rounded.clients) % 7)
    return choice_left(rounded, placed, any_of_them=False, floor=False)


def test_an_open_place_costs_nothing_whatever_it_cost_before() -> None:
    world = Candidates.of([[("t", 9), ("u", 4)]], {"t": 1, "u": 1})
    choice = Choice(world, np.array([True]), 1)
    found = auction(choice, 10, np.array([0]), np.array([3, 5]))
    assert found.prices.tolist() == [3, 0]
    assert found.gap == 0


@pytest.mark.parametrize("places", [300, 10_000])
def test_one_therapist_with_room_for_everybody_spoils_nothing(places: int) -> None:
    candidates = make_lists(300, 60, 12, places=150)
    capacity = candidates.capacity.copy()
    capacity[7] = places
    lists = candidates.therapist.copy()
    lists[~(lists == 7).any(axis=1), -1] = 7
    world = Candidates(lists, candidates.score, capacity)
    found = allocate(world, np.arange(300))
    assert found.placed == 300
    assert is_feasible(world, found.therapist)
    assert found.prices[7] == 0
    assert found.gap is not None
    assert found.gap <= GAP
    sale: Allocation = Sale(Choice.of_all(world.with_places, 300), *STEPS[0], GAP).sold()
    assert sale.placed == 300
    assert bidding.House(world.with_places).bid.shape[1] < 20
