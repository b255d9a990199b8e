"""Placing a waiting list: the goals in their order, the certificate, and what must not matter."""

import doctest
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation.allocating import allocate, priority_of
from matching.allocation.auction import GAP
from matching.allocation.candidates import NOBODY, Allocation, Candidates, Whole
from matching.allocation.theorems import duality_gap, is_feasible, passed_over, upper_bound
from matching.errors import BadRow
from tests.matching.allocation.waiting_lists import (
    best_goals,
    every_allocation,
    exact,
    goals_of,
    make_lists,
    waiting_lists,
    with_priority,
)

steady = settings(deadline=None, derandomize=True)
REFERENCE = Path(__file__).parents[3] / "docs/reference/allocation.md"
SHORT = {"clients": 400, "therapists": 80, "k": 20}


@steady
@given(with_priority())
def test_the_goals_are_reached_in_their_order(world: tuple[Candidates, Whole]) -> None:
    candidates, priority = world
    found = allocate(candidates, priority)
    *first, total = goals_of(candidates, found.therapist, priority)
    *best, best_total = best_goals(candidates, priority)
    assert first == best
    assert best_total - total <= GAP * total


@steady
@given(waiting_lists())
def test_without_priority_the_floor_and_the_total_decide_who_is_placed(world: Candidates) -> None:
    found = allocate(world)
    *first, total = goals_of(world, found.therapist, None)
    *best, best_total = best_goals(world)
    assert first == best
    assert best_total - total <= GAP * total


@steady
@given(with_priority())
def test_without_a_floor_the_total_comes_next(world: tuple[Candidates, Whole]) -> None:
    candidates, priority = world
    found = allocate(candidates, priority, floor=False)
    best = best_goals(candidates, priority, floor=False)
    assert goals_of(candidates, found.therapist, priority)[:2] == best[:2]
    assert best[3] - found.total <= GAP * found.total


@steady
@given(with_priority())
def test_an_allocation_is_feasible_and_says_of_itself_what_is_true(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, priority = world
    found = allocate(candidates, priority)
    assert is_feasible(candidates, found.therapist)
    assert not passed_over(candidates, found.therapist, priority)
    placed, _, worst, total = goals_of(candidates, found.therapist, priority)
    assert (found.placed, found.total, found.worst or 0) == (placed, total, worst)
    assert found.gap == duality_gap(found) <= GAP


@steady
@given(waiting_lists(), st.data())
def test_no_total_is_above_the_bound_whatever_the_prices(
    world: Candidates, data: st.DataObject
) -> None:
    prices = st.lists(
        st.integers(0, 10**6), min_size=len(world.capacity), max_size=len(world.capacity)
    )
    bound = upper_bound(world, np.array(data.draw(prices), dtype=np.int64))
    assert all(world.score_of(each).sum() <= bound for each in every_allocation(world))


@steady
@given(with_priority())
def test_no_allocation_of_the_choice_is_above_the_certified_bound(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, priority = world
    found = allocate(candidates, priority)
    assert found.choice is not None
    bound = found.total * (1 + duality_gap(found)) + 0.5
    for each in every_allocation(found.choice.candidates):
        is_placed = each != NOBODY
        if is_placed.sum() == found.choice.placed and is_placed[found.choice.must].all():
            assert candidates.score_of(each).sum() <= bound


@pytest.mark.parametrize("places", [440, 400, 320])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_total_is_that_of_an_exact_solver(places: int, seed: int) -> None:
    candidates = make_lists(**SHORT, places=places, seed=seed)
    placed, best = exact(candidates)
    found = allocate(candidates, floor=False)
    assert found.placed == placed
    assert found.total <= best <= found.total * (1 + found.gap) + 0.5  # type: ignore[operator]
    assert found.gap is not None
    assert found.gap <= GAP


@pytest.mark.parametrize("places", [440, 320])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_floor_is_the_highest_at_which_as_many_can_be_placed(places: int, seed: int) -> None:
    candidates = make_lists(**SHORT, places=places, seed=seed)
    found = allocate(candidates)
    placed = exact(candidates)[0]
    assert found.worst is not None
    above = candidates.only(candidates.score > found.worst)
    assert found.placed == placed
    assert exact(above)[0] < placed


def test_where_every_place_is_needed_the_certificate_holds_too() -> None:
    candidates = make_lists(**SHORT, places=320, seed=5)
    found = allocate(candidates, np.arange(candidates.clients), floor=False)
    assert found.choice is not None
    placed, best = exact(found.choice.candidates)
    assert found.placed == placed
    assert found.total <= best <= found.total * (1 + GAP)


def test_under_a_shortage_no_severe_waits_while_a_mild_has_their_place() -> None:
    candidates = make_lists(**SHORT, places=320)
    chance = np.random.default_rng(3)
    severity = chance.integers(1, 4, candidates.clients)
    found = allocate(candidates, severity)
    by_score = allocate(candidates)
    assert not passed_over(candidates, found.therapist, severity)
    assert passed_over(candidates, by_score.therapist, severity)
    assert found.placed == by_score.placed
    assert (found.therapist[severity == 3] != NOBODY).all()
    assert not (by_score.therapist[severity == 3] != NOBODY).all()


@steady
@given(with_priority(), st.randoms(use_true_random=False))
def test_numbering_clients_otherwise_leaves_the_first_goals_and_the_total(world, random) -> None:
    candidates, priority = world
    # Among equals the list decides, so that here nobody is equal.
    distinct = priority * 10 + np.arange(len(priority))
    order = np.array(random.sample(range(len(priority)), len(priority)), dtype=np.int64)
    other = Candidates(candidates.therapist[order], candidates.score[order], candidates.capacity)
    one = goals_of(candidates, allocate(candidates, distinct).therapist, distinct)
    two = goals_of(other, allocate(other, distinct[order]).therapist, distinct[order])
    assert one[:3] == two[:3]
    assert abs(one[3] - two[3]) <= GAP * max(one[3], two[3])


@steady
@given(waiting_lists(), st.data())
def test_another_place_never_places_fewer_nor_lowers_the_total_of_so_many(
    world: Candidates, data: st.DataObject
) -> None:
    if not len(world.capacity):
        return
    at = data.draw(st.integers(0, len(world.capacity) - 1))
    more = Candidates(
        world.therapist, world.score, world.capacity + (np.arange(len(world.capacity)) == at)
    )
    before, after = allocate(world, floor=False), allocate(more, floor=False)
    assert after.placed >= before.placed
    if after.placed == before.placed:
        assert after.total * (1 + GAP) >= before.total


@pytest.mark.parametrize("score", [0, 1, 500_000])
def test_equal_scores_under_a_shortage_start_no_war_of_prices(score: int) -> None:
    candidates = make_lists(2000, 200, 20, places=1000)
    equal = Candidates(
        candidates.therapist, np.full_like(candidates.score, score), candidates.capacity
    )
    priority = np.arange(2000) % 3
    began = time.process_time()
    for found in (allocate(equal), allocate(equal, priority)):
        assert found.placed == exact_count(equal)
        assert found.gap is not None
        assert found.gap <= GAP
    assert time.process_time() - began < 20


def test_it_says_so_when_it_comes_no_nearer_within_its_limits() -> None:
    candidates = make_lists(2000, 400, 30, places=1600)
    found = allocate(candidates, gap=0.0)
    assert found.cut_short
    assert found.gap == duality_gap(found) > 0
    assert same(found, allocate(candidates, gap=0.0))
    assert not allocate(candidates).cut_short


def test_prices_are_whole_points_and_nothing_where_a_place_is_open() -> None:
    candidates = make_lists(**SHORT, places=440)
    found = allocate(candidates)
    load = np.bincount(found.therapist[found.is_placed], minlength=80)
    assert found.prices.dtype == np.int64
    assert (found.prices[load < candidates.capacity] == 0).all()
    assert (found.prices[load == candidates.capacity] > 0).any()
    assert (found.prices >= 0).all()


@pytest.mark.parametrize("clients", [0, 3])
@pytest.mark.parametrize("therapists", [0, 2])
def test_an_empty_world_has_an_empty_allocation(clients: int, therapists: int) -> None:
    empty = np.zeros((clients, 0), dtype=np.int64)
    candidates = Candidates(empty, empty, np.ones(therapists, dtype=np.int64))
    for found in (allocate(candidates), allocate(candidates, np.arange(clients))):
        assert found.therapist.tolist() == [NOBODY] * clients
        assert (found.placed, found.total, found.worst, found.gap) == (0, 0, None, 0.0)
        assert len(found.prices) == therapists


def test_the_same_list_gives_the_same_allocation() -> None:
    one, two = (allocate(make_lists(**SHORT, places=360)) for _ in range(2))
    assert same(one, two)


@pytest.mark.parametrize(
    ("priority", "row", "reason"),
    [
        ([1, 2], 0, "for every client"),
        ([1, float("nan"), 2], 1, "whole"),
        ([1, 2, -1], 2, "from 0"),
        (["a", 1, 2], 0, "whole"),
    ],
)
def test_a_priority_that_cannot_be_is_refused(
    priority: list[object], row: int, reason: str
) -> None:
    candidates = Candidates.of([[("t", 5)]] * 3, {"t": 1})
    with pytest.raises(BadRow, match=reason) as refused:
        allocate(candidates, np.array(priority))
    assert (refused.value.row, refused.value.field) == (row, "priority")


def test_a_severe_need_comes_first_and_nobody_waits_for_ever() -> None:
    severity, days = np.array([3, 1, 1]), np.array([0, 59, 61])
    late, severe, early = np.argsort(priority_of(severity, days)).tolist()
    assert [early, severe, late] == [2, 0, 1]


def test_the_reference_runs() -> None:
    results = doctest.testfile(str(REFERENCE), module_relative=False)
    assert results.attempted > 5
    assert not results.failed


def same(one: Allocation, two: Allocation) -> bool:
    return bool((one.therapist == two.therapist).all() and (one.prices == two.prices).all())


def exact_count(candidates: Candidates) -> int:
    return exact(candidates)[0]
