"""Stable placement: nobody would leave, and the package that others use says the same."""

import numpy as np
from hypothesis import given, settings

from bench.packaged import stable_by_package
from matching.allocation.candidates import NOBODY, Candidates, Whole
from matching.allocation.stability import stable
from matching.allocation.theorems import blocking_pairs, is_feasible
from tests.matching.allocation.waiting_lists import every_allocation, make_lists, with_priority


@settings(deadline=None, derandomize=True)
@given(with_priority())
def test_nobody_would_leave_and_every_client_has_the_best_that_stands(
    world: tuple[Candidates, Whole],
) -> None:
    candidates, priority = world
    found = stable(candidates, priority).therapist
    assert is_feasible(candidates, found)
    assert not blocking_pairs(candidates, found, priority)
    for other in every_allocation(candidates):
        if not blocking_pairs(candidates, other, priority):
            assert (place_of(candidates, found) <= place_of(candidates, other)).all()


def test_a_priority_comes_before_a_score() -> None:
    world = Candidates.of([[("t", 9)], [("t", 5)]], {"t": 1})
    assert stable(world).therapist.tolist() == [0, NOBODY]
    assert stable(world, np.array([1, 2])).therapist.tolist() == [NOBODY, 0]


def test_the_package_that_others_use_says_the_same() -> None:
    candidates = make_lists(300, 60, 12, places=280)
    priority = np.random.default_rng(5).integers(0, 50, 300)
    found = stable(candidates, priority).therapist
    assert stable_by_package(candidates, priority).therapist == found.tolist()


def place_of(candidates: Candidates, therapist: Whole) -> Whole:
    mine = candidates.is_with(therapist)
    own: Whole = np.where(mine.any(axis=1), mine.argmax(axis=1) if mine.shape[1] else 0, 99)
    return own
