"""Noise that hides one person: of the promised shape, and the same for ever."""

from collections import Counter
from math import exp

import pytest

from core.noise import keyed_noise

SCALE = 10
DRAWS = 20_000


@pytest.fixture
def drawn(session):
    return Counter(keyed_noise(SCALE, "figure", str(number)) for number in range(DRAWS))


def share_of_at_least(least: int) -> float:
    """Of a two-sided geometric number, `least` > 0."""
    return exp(-least / SCALE) / (1 + exp(-1 / SCALE))


def test_it_is_the_same_for_the_same_names_and_another_for_others(session):
    asked = [("a", "b"), ("a", "c"), ("ab", ""), ("a", "b", ""), ("b", "a")]
    first = [keyed_noise(1000, *names) for names in asked]
    assert first == [keyed_noise(1000, *names) for names in asked]
    assert len(set(first)) == len(asked)


def test_it_is_as_broad_as_promised_and_leans_to_neither_side(drawn):
    for least in (1, 5, 10, 20, 30, 40):
        expected = DRAWS * share_of_at_least(least)
        for side in (1, -1):
            found = sum(count for noise, count in drawn.items() if noise * side >= least)
            assert abs(found - expected) < 4 * expected**0.5 + 4, (least, side)


def test_nobody_without_the_key_can_work_it_out(session, monkeypatch):
    here = [keyed_noise(SCALE, "figure", str(number)) for number in range(50)]
    monkeypatch.setattr("core.noise.derived", lambda _purpose: bytes(32))
    there = [keyed_noise(SCALE, "figure", str(number)) for number in range(50)]
    assert sum(one == other for one, other in zip(here, there, strict=True)) < 15
