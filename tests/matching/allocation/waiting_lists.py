"""Small waiting lists in which everything happens, and what is best in them, by trying it all."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from matching.allocation.candidates import NOBODY, Candidates, Whole

POINTS = st.one_of(st.integers(0, 1_000_000), st.sampled_from((0, 1, 2, 500_000, 1_000_000)))


@st.composite
def waiting_lists(draw: st.DrawFn, clients: int = 4, therapists: int = 4) -> Candidates:
    capacity = draw(st.lists(st.integers(0, 2), min_size=0, max_size=therapists))
    ids = [str(each) for each in range(len(capacity))]
    lists = []
    for _ in range(draw(st.integers(0, clients))):
        chosen = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        lists.append([(each, draw(POINTS)) for each in chosen])
    return Candidates.of(lists, dict(zip(ids, capacity, strict=True)))


@st.composite
def with_priority(draw: st.DrawFn) -> tuple[Candidates, Whole]:
    candidates = draw(waiting_lists())
    levels = draw(
        st.lists(st.integers(0, 3), min_size=candidates.clients, max_size=candidates.clients)
    )
    return candidates, np.array(levels, dtype=np.int64)


def every_allocation(candidates: Candidates) -> Iterator[Whole]:
    choices = [
        [NOBODY, *(each for each in row if each != NOBODY)] for row in candidates.therapist.tolist()
    ]
    for chosen in product(*choices):
        taken = np.array(chosen, dtype=np.int64)
        load = np.bincount(taken[taken != NOBODY], minlength=len(candidates.capacity))
        if (load <= candidates.capacity).all():
            yield taken


def goals_of(
    candidates: Candidates, therapist: Whole, priority: Whole | None
) -> tuple[int, list[bool], int, int]:
    """How many; who, from the highest priority; the lowest score; the total: higher is better."""
    is_placed = therapist != NOBODY
    fits = [
        dict(zip(*row, strict=True))
        for row in zip(candidates.therapist.tolist(), candidates.score.tolist(), strict=True)
    ]
    taken = therapist.tolist()
    score = [fit[each] for fit, each in zip(fits, taken, strict=True) if each != NOBODY]
    in_turn = [] if priority is None else is_placed[np.argsort(-priority, kind="stable")].tolist()
    return int(is_placed.sum()), in_turn, min(score, default=0), sum(score)


def best_goals(
    candidates: Candidates, priority: Whole | None = None, *, floor: bool = True
) -> tuple[int, list[bool], int, int]:
    found = (goals_of(candidates, each, priority) for each in every_allocation(candidates))
    return max(found, key=lambda goals: goals if floor else (*goals[:2], goals[3]))


def make_lists(clients: int, therapists: int, k: int, places: int, seed: int = 1) -> Candidates:
    """A larger list by seed: some therapists fit most people, and their places are few."""
    chance = np.random.default_rng(seed)
    fit = chance.normal(500_000, 120_000, (clients, therapists)) + chance.normal(
        0, 80_000, therapists
    )
    therapist = np.argsort(-fit, axis=1)[:, :k]
    score = np.clip(np.take_along_axis(fit, therapist, 1), 0, 1_000_000).astype(np.int64)
    capacity = chance.multinomial(places, np.ones(therapists) / therapists)
    return Candidates(therapist, score, capacity)


def exact(candidates: Candidates) -> tuple[int, int]:
    """How many can be placed, and the best total of so many, by a solver that knows no places."""
    owner = np.repeat(np.arange(len(candidates.capacity)), candidates.capacity)
    fit = np.zeros((candidates.clients, len(candidates.capacity)))
    rows, at = np.nonzero(candidates.is_there)
    fit[rows, candidates.therapist[rows, at]] = candidates.score[rows, at] + 10**9
    chosen = linear_sum_assignment(fit[:, owner], maximize=True)
    found = fit[:, owner][chosen]
    return int((found > 0).sum()), int((found[found > 0] - 10**9).sum())
