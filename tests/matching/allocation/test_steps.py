"""Where scores come in a few steps the greatest total is found exactly, and its prices prove it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from matching.allocation import auction as bidding
from matching.allocation import steps
from matching.allocation.allocating import allocate
from matching.allocation.candidates import NOBODY, Allocation, Candidates, Choice, Whole
from matching.allocation.clearing import Cleared
from matching.allocation.placing import choice_left, placeable
from matching.allocation.steps import stepwise
from matching.allocation.theorems import is_feasible, upper_bound_of
from tests.matching.allocation.waiting_lists import (
    best_goals,
    exact,
    goals_of,
    make_lists,
    waiting_lists,
    with_priority,
)

steady = settings(deadline=None, derandomize=True)
UNEVEN = np.array([3, 250_007, 333_333, 500_009, 777_777, 1_000_000])


@steady
@given(waiting_lists(clients=5))
def test_whoever_may_wait_the_total_is_the_greatest_there_is(world: Candidates) -> None:
    candidates = world.with_places
    choice = choice_left(candidates, placeable(candidates), any_of_them=True, floor=False)
    best = best_goals(world, floor=False)
    assert proven(choice) == (best[0], best[3])


@steady
@given(with_priority())
def test_whoever_must_be_placed_is_and_the_total_is_the_greatest_there_is(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, priority = world[0].with_places, world[1]
    placed = placeable(candidates, priority)
    choice = choice_left(candidates, placed, any_of_them=False, floor=False)
    best = best_goals(*world, floor=False)
    assert proven(choice) == (best[0], best[3])
    found = stepwise(choice)
    assert found is not None
    assert goals_of(candidates, found.therapist, priority)[:2] == best[:2]


@pytest.mark.parametrize("places", [200, 320, 400, 440])
@pytest.mark.parametrize("step", [20_000, 100_000, 500_000, UNEVEN])
def test_the_total_is_that_of_an_exact_solver(places: int, step: int | Whole) -> None:
    candidates = coarse(make_lists(400, 80, 20, places=places), step).with_places
    choice = choice_left(candidates, placeable(candidates), any_of_them=True, floor=False)
    assert proven(choice) == exact(candidates)


@pytest.mark.parametrize("floor", [True, False])
@pytest.mark.parametrize("step", [100_000, 200_000, UNEVEN])
def test_coarse_scores_under_a_shortage_need_no_bids_though_nobody_comes_first(
    step: int | Whole, *, floor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(bidding, "Sale")
    candidates = coarse(make_lists(2000, 400, 30, places=1600), step)
    found = allocate(candidates, floor=floor)
    assert found.placed == (placeable(candidates) != NOBODY).sum()
    assert (found.gap, found.cut_short) == (0.0, False)


def test_many_different_scores_too_many_rounds_and_a_mixed_choice_are_left_to_others() -> None:
    world = coarse(make_lists(400, 80, 20, places=320), 100_000).with_places
    choice = choice_left(world, placeable(world), any_of_them=True, floor=False)
    some_must = replace(choice, must=np.arange(400) < 200)
    assert stepwise(choice) is not None
    assert stepwise(choice, (3, 100)) is None
    assert stepwise(choice, (64, 2)) is None
    assert stepwise(some_must) is None


def test_prices_that_would_not_fit_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a chain of moves, each of whom would give up all, the first price is the sum of them."""
    chain = [[(str(at), 1_000_000), (str(at + 1), 0)] for at in range(6)]
    world = Candidates.of([[("0", 0)], *chain], {str(at): 1 for at in range(7)})
    choice = Choice(world, np.ones(7, dtype=np.bool_), 7)
    found = stepwise(choice)
    assert found is not None
    assert found.prices.tolist() == [1_000_000 * (6 - at) for at in range(7)]
    monkeypatch.setattr(steps, "NEVER", np.int32(6_000_000))
    assert stepwise(choice) is None


def test_what_cannot_be_placed_at_all_ends_without_an_answer() -> None:
    world = Candidates.of([[("t", 4)], [("t", 3)]], {"t": 1})
    assert stepwise(Choice.of_all(world, 1)) is not None
    assert stepwise(Choice.of_all(world, 2)) is None


def proven(choice: Choice) -> tuple[int, int]:
    """How many are placed with which total, once that is feasible and as high as the bound."""
    found = stepwise(choice)
    assert found is not None
    placed = allocation(choice, found)
    assert is_feasible(choice.candidates, placed.therapist)
    assert placed.is_placed[choice.must].all()
    load = np.bincount(placed.therapist[placed.is_placed], minlength=len(found.prices))
    assert (found.prices[load < choice.candidates.capacity] == 0).all()
    assert found.prices.min(initial=0) == 0
    assert upper_bound_of(choice, found.prices) == placed.total
    return placed.placed, placed.total


def allocation(choice: Choice, found: Cleared) -> Allocation:
    score = choice.candidates.score_of(found.therapist)
    return Allocation(found.therapist, score, found.prices, choice)


def coarse(candidates: Candidates, step: int | Whole) -> Candidates:
    """Scores rounded down to multiples of a step, or to the next of some values."""
    if isinstance(step, int):
        return replace(candidates, score=candidates.score // step * step)
    at = np.searchsorted(step, candidates.score, side="right") - 1
    return replace(candidates, score=step[np.maximum(at, 0)])
