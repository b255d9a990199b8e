"""The theorems tell what is true from what is not, on lists where everything was tried."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation.arrival import by_arrival
from matching.allocation.candidates import NOBODY, Candidates, Choice, Whole
from matching.allocation.theorems import (
    blocking_pairs,
    is_feasible,
    passed_over,
    upper_bound,
    upper_bound_of,
)
from tests.matching.allocation.waiting_lists import (
    best_goals,
    every_allocation,
    goals_of,
    with_priority,
)

steady = settings(deadline=None, derandomize=True)

TWO_FOR_ONE = Candidates.of([[("t", 9)], [("t", 5), ("u", 4)]], {"t": 1, "u": 1})


@steady
@given(with_priority(), st.data())
def test_what_was_tried_is_feasible_and_nothing_else_is(
    world: tuple[Candidates, Whole], data: st.DataObject
) -> None:
    candidates, _ = world
    anybody = st.integers(NOBODY, len(candidates.capacity) - 1)
    size = candidates.clients
    given_ = np.array(data.draw(st.lists(anybody, min_size=size, max_size=size)), dtype=np.int64)
    tried = {tuple(each.tolist()) for each in every_allocation(candidates)}
    assert is_feasible(candidates, given_) == (tuple(given_.tolist()) in tried)


@steady
@given(with_priority())
def test_nobody_is_passed_over_exactly_where_the_first_goals_are_reached(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, priority = world
    # Equal priorities: how many of each level, whoever of them.
    best = max(levels(each, priority) for each in every_allocation(candidates))
    for each in every_allocation(candidates):
        assert (passed_over(candidates, each, priority) == 0) == (levels(each, priority) == best)


@steady
@given(with_priority())
def test_without_priority_nobody_is_passed_over_where_most_are_placed(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, _ = world
    most = best_goals(candidates)[0]
    for each in every_allocation(candidates):
        assert (passed_over(candidates, each) == 0) == (goals_of(candidates, each, None)[0] == most)


@steady
@given(with_priority())
def test_pairs_that_block_are_those_who_would_both_gain(world: tuple[Candidates, Whole]) -> None:
    candidates, priority = world
    for each in every_allocation(candidates):
        assert blocking_pairs(candidates, each, priority) == who_would_leave(
            candidates, each.tolist(), priority.tolist()
        )


def test_the_bound_of_a_choice_counts_no_more_than_are_placed() -> None:
    both_would = Candidates.of([[("t", 9)], [("t", 8)]], {"t": 1})
    free = np.zeros(1, dtype=np.int64)
    assert upper_bound(both_would, free) == 17
    assert upper_bound_of(Choice.of_all(both_would, 1), free) == 9


def test_the_bound_of_a_choice_counts_whoever_must_be_placed_below_nothing_too() -> None:
    prices = np.array([9, 0])
    must = Choice(TWO_FOR_ONE, np.array([True, True]), 2)
    assert upper_bound_of(must, prices) == 9 + 0 + 4
    dear = np.array([20, 0])
    assert upper_bound_of(must, dear) == 20 - 11 + 4
    assert upper_bound(TWO_FOR_ONE, dear) == 20 + 0 + 4


def test_the_bound_is_exact_beyond_64_bits_too() -> None:
    world = Candidates.of([[("t", 9), ("u", 4)]] * 2, {"t": 10_000, "u": 10_000})
    prices = np.array([2**49, 2**49 + 1])
    both = Choice(world, np.array([True, True]), 2)
    assert upper_bound(world, prices) == 10_000 * (2**50 + 1)
    assert upper_bound_of(both, prices) == 10_000 * (2**50 + 1) - 2 * (2**49 - 9)


def test_first_come_first_served_passes_over_whoever_came_late() -> None:
    late = Candidates.of([[("t", 5), ("u", 4)], [("t", 9)]], {"t": 1, "u": 1})
    found = by_arrival(late)
    assert found.therapist.tolist() == [0, NOBODY]
    assert passed_over(late, found.therapist) == 1
    assert by_arrival(TWO_FOR_ONE).therapist.tolist() == [0, 1]


def levels(therapist: Whole, priority: Whole) -> list[int]:
    """How many of the highest level are placed, of the two highest, and so on."""
    is_placed = therapist != NOBODY
    return [int(is_placed[priority >= level].sum()) for level in (3, 2, 1, 0)]


def who_would_leave(candidates: Candidates, chosen: list[int], priority: list[int]) -> int:
    """As Gale and Shapley say it, pair by pair."""
    lists = candidates.therapist.tolist()
    fit = [
        dict(zip(row, scores, strict=True))
        for row, scores in zip(lists, candidates.score.tolist(), strict=True)
    ]

    def liking(client: int, therapist: int) -> tuple[int, int, int]:
        return priority[client], fit[client][therapist], -client

    count = 0
    for client, row in enumerate(lists):
        for therapist in row:
            if therapist == NOBODY or therapist == chosen[client]:
                break
            kept = [other for other, each in enumerate(chosen) if each == therapist]
            has_room = len(kept) < candidates.capacity[therapist]
            gives_way = any(liking(client, therapist) > liking(o, therapist) for o in kept)
            count += has_room or gives_way
    return count
