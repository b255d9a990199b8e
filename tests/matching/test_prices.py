"""What a place is worth to others, as a line of its own: everything still adds up."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import (
    DEFAULT_WEIGHTS,
    BadValue,
    Index,
    Prices,
    explain,
    rank,
    shown_total,
    thousandths,
    why_not,
)
from tests.matching import oracle
from tests.matching.worlds import (
    ON,
    easy_client,
    index_of,
    make_client,
    make_therapist,
    random_client,
    random_therapists,
)

seeds = st.integers(min_value=0, max_value=2**32)
steady = settings(max_examples=60, deadline=None, derandomize=True)


def test_a_priced_list_equals_the_oracles_to_the_point() -> None:
    random = Random(43)
    therapists = random_therapists(random, 500)
    index, priced, below_zero = Index(therapists, on=ON), 0, 0
    for _ in range(80):
        client, prices = easy_client(random), _prices(random, therapists)
        expected = oracle.rank(therapists, client, DEFAULT_WEIGHTS, prices).results
        for limit in (None, 7):
            found = rank(index, client, limit=limit, prices=Prices(prices)).results
            assert [*map(tuple, found)] == expected[:limit]
        priced += sum("needed_elsewhere" in points for _, points, _ in expected)
        below_zero += sum(total < 0 for *_, total in expected)
    assert priced > 1_000
    assert below_zero > 100


def test_somebody_needed_elsewhere_comes_after_one_who_is_free() -> None:
    index, client = index_of(make_therapist(1), make_therapist(2)), make_client()
    prices = Prices({make_therapist(1).id: 1})
    first, second = rank(index, client, prices=prices).results
    assert (first.id, second.id) == (make_therapist(2).id, make_therapist(1).id)
    assert "needed_elsewhere" not in first.points
    assert [*second.points][-1] == "needed_elsewhere"
    assert second.points["needed_elsewhere"] == -1 == second.total - first.total


@steady
@given(seeds)
def test_no_price_and_a_price_of_nothing_change_nothing(seed: int) -> None:
    random = Random(seed)
    therapists, client = random_therapists(random, 30), easy_client(random)
    index = Index(therapists, on=ON)
    nothing = Prices({each.id: 0 for each in therapists})
    assert not nothing
    assert repr(rank(index, client, prices=nothing).results) == repr(rank(index, client).results)
    for each in therapists:
        with_nothing = explain(index, client, each.id, prices=nothing)
        assert repr(with_nothing) == repr(explain(index, client, each.id))
        assert why_not(index, client, each.id, prices=nothing) == why_not(index, client, each.id)


@steady
@given(seeds)
def test_the_lines_add_up_wherever_a_price_is_shown(seed: int) -> None:
    random = Random(seed)
    therapists, client = random_therapists(random, 40), easy_client(random)
    index, prices = Index(therapists, on=ON), Prices(_prices(random, therapists))
    ranking = rank(index, client, limit=None, prices=prices).results
    for place, match in enumerate(ranking, start=1):
        assert match.total == sum(match.points.values())
        assert sum(thousandths(match.points).values()) == shown_total(match.total)
        explanation = explain(index, client, match.id, prices=prices)
        assert (explanation.points, explanation.total) == (match.points, match.total)
        answer = why_not(index, client, match.id, limit=3, prices=prices)
        assert (answer.place, answer.last_shown) == (place, ranking[:3][-1].id)
        assert answer.gap == ranking[:3][-1].total - match.total


def test_a_price_moves_no_other_line_and_nobody_elses_points() -> None:
    random = Random(47)
    therapists = random_therapists(random, 200)
    index, client = Index(therapists, on=ON), easy_client(random)
    free = {each.id: each for each in rank(index, client, limit=None).results}
    one = sorted(free)[0]
    for match in rank(index, client, limit=None, prices=Prices({one: 70_000})).results:
        price = match.points.pop("needed_elsewhere", 0)
        assert match.points == free[match.id].points
        assert price == (-70_000 if match.id == one else 0)


def test_a_price_for_somebody_who_is_not_there_is_nobodys() -> None:
    index, client = index_of(make_therapist(1)), make_client()
    absent = Prices({make_therapist(2).id: 5, "ffffffff-ffff-4fff-bfff-ffffffffffff": 5})
    assert rank(index, client, prices=absent) == rank(index, client)
    nobody = random_client(Random(1))
    assert rank(index_of(), nobody, prices=absent).results == ()


@pytest.mark.parametrize("price", [-1, 1.5, True, 10**9 + 1, "1", None])
def test_a_price_is_a_whole_number_of_points_and_never_negative(price: Any) -> None:
    one = make_therapist().id
    with pytest.raises(BadValue) as refusal:
        Prices({one: price})
    assert refusal.value.field == f"prices.{one}"


def test_a_price_belongs_to_an_id() -> None:
    with pytest.raises(BadValue) as refusal:
        Prices({"somebody": 1})
    assert refusal.value.field == "prices"


def _prices(random: Random, therapists: list[Any]) -> dict[str, int]:
    most = random.choice((3, 100_000, 900_000))
    return {each.id: random.randint(0, most) for each in therapists if random.random() < 0.5}
