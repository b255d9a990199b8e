"""The list itself: equal to the oracle to the point, and steady under what must not matter."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import (
    DEFAULT_WEIGHTS,
    Client,
    Index,
    Payment,
    Ranking,
    Strength,
    Therapist,
    Weights,
    Wish,
    explain,
    rank,
)
from tests.matching import oracle
from tests.matching.worlds import (
    ON,
    an_id,
    easy_client,
    index_of,
    make_client,
    make_therapist,
    random_client,
    random_therapist,
    random_therapists,
)

seeds = st.integers(min_value=0, max_value=2**32)
steady = settings(max_examples=60, deadline=None, derandomize=True)


def test_the_list_equals_the_oracles_to_the_point(proving: bool) -> None:
    random = Random(20261201)
    therapists = random_therapists(random, 10_000 if proving else 2_000)
    index = Index(therapists, on=ON)
    found = 0
    for _ in range(2_000 if proving else 200):
        client, weights = random_client(random, therapists), _random_weights(random)
        expected = oracle.rank(therapists, client, weights)
        ranking = rank(index, client, weights, limit=None)
        assert _plain(ranking) == expected.results
        assert ranking.considered == expected.considered
        assert _counted(ranking) == expected.excluded
        found += len(expected.results)
    assert found > 5_000


def test_a_short_list_is_the_beginning_of_the_long_one() -> None:
    random = Random(7)
    index = Index(random_therapists(random, 800), on=ON)
    for _ in range(60):
        client = random_client(random)
        everyone = rank(index, client, limit=None).results
        for limit in (0, 1, 3, 10, len(everyone), len(everyone) + 1):
            assert rank(index, client, limit=limit).results == everyone[:limit]


def test_the_first_of_very_many_are_those_of_the_whole_list() -> None:
    """Of thousands nearly all are put aside unsorted; many are equal, also across the cut."""
    random = Random(61)
    index = Index((_one_of_few_kinds(random) for _ in range(4_000)), on=ON)
    for concerns in ({"panic": 1}, {"panic": 3, "grief": 1}, {}):
        client = Client(place="US-WA", on=ON, concerns=concerns)
        everyone = rank(index, client, limit=None).results
        in_order = sorted(everyone, key=lambda match: (-match.total, match.id))
        assert [*everyone] == in_order
        assert len(everyone) == 4_000
        for limit in (1, 2, 10, 31, 500, 3_999):
            assert rank(index, client, limit=limit).results == everyone[:limit]


def test_equals_stand_in_order_of_id_even_across_the_cut() -> None:
    twins = [make_therapist(number) for number in (5, 3, 9, 1, 7)]
    shown = rank(index_of(*twins), make_client(), limit=3).results
    assert [each.id[-1] for each in shown] == ["1", "3", "5"]
    assert len({each.total for each in shown}) == 1


@steady
@given(seeds)
def test_an_unrelated_therapist_never_changes_anothers_points(seed: int) -> None:
    random = Random(seed)
    therapists, client = random_therapists(random, 40), easy_client(random)
    newcomer = random_therapist(random)
    before = rank(Index(therapists, on=ON), client, limit=None)
    after = rank(Index([*therapists, newcomer], on=ON), client, limit=None)
    assert _plain(before) == [each for each in _plain(after) if each[0] != newcomer.id]


@steady
@given(seeds)
def test_the_order_of_the_rows_never_changes_the_list(seed: int) -> None:
    random = Random(seed)
    therapists, client = random_therapists(random, 40), easy_client(random)
    shuffled = random.sample(therapists, len(therapists))
    assert rank(Index(therapists, on=ON), client) == rank(Index(shuffled, on=ON), client)


@steady
@given(seeds)
def test_making_a_wish_a_must_never_adds_anyone_and_never_moves_a_point(seed: int) -> None:
    random = Random(seed)
    index = Index(random_therapists(random, 60), on=ON)
    soft = replace(easy_client(random), wishes={"gender": Wish(frozenset({"woman"}))})
    hard = replace(soft, wishes={"gender": Wish(frozenset({"woman"}), Strength.must_have)})
    loose, strict = (_plain(rank(index, client, limit=None)) for client in (soft, hard))
    assert strict == [each for each in loose if each in strict]


@steady
@given(seeds)
def test_a_stricter_rule_never_adds_anyone(seed: int) -> None:
    random = Random(seed)
    index = Index(random_therapists(random, 60), on=ON)
    client = replace(easy_client(random), payment=Payment("self-pay", budget=10000))
    # To demand one thing instead of another is other, not stricter.
    wishes = {name: wish for name, wish in client.wishes.items() if name != "approach"}
    client = replace(client, wishes=wishes)
    ids = _ids(rank(index, client, limit=None))
    for stricter in _stricter(client, unwanted=frozenset(sorted(ids)[:2])):
        assert _ids(rank(index, stricter, limit=None)) <= ids


@steady
@given(seeds)
def test_points_are_never_negative_and_sum_to_the_total(seed: int) -> None:
    random = Random(seed)
    therapists, weights = random_therapists(random, 40), _random_weights(random)
    ranking = rank(Index(therapists, on=ON), easy_client(random), weights, limit=None)
    for match in ranking.results:
        assert min(match.points.values()) >= 0
        assert match.total == sum(match.points.values()) <= 1_000_000


def test_a_world_of_nobody_gives_an_empty_list() -> None:
    ranking = rank(index_of(), make_client())
    assert ranking.results == ()
    assert ranking.considered == 0
    assert set(ranking.excluded.values()) == {0}


def test_one_who_is_not_live_is_neither_shown_nor_counted() -> None:
    index = index_of(make_therapist(1), make_therapist(2, live=False, capacity=0))
    ranking = rank(index, make_client())
    assert len(index) == ranking.considered == len(ranking.results) == 1
    assert ranking.excluded["capacity"] == 0


def test_one_who_fails_several_rules_is_counted_under_each() -> None:
    ranking = rank(index_of(make_therapist(capacity=0, fee=20000)), make_client())
    assert _counted(ranking) == {"capacity": 1, "payment": 1}


def test_a_client_who_skipped_everything_is_offered_all_who_may_see_them() -> None:
    bare = make_therapist(authority={"US-WA": ON}, capacity=1, hours=0, fee=None, concerns={})
    [match] = rank(index_of(bare), Client(place="US-WA", on=ON)).results
    assert match.total == 500_000


def test_a_skipped_answer_gives_everyone_the_same_500() -> None:
    random = Random(3)
    index = Index(random_therapists(random, 200), on=ON)
    client = replace(make_client(), concerns={}, style={}, wishes={}, languages=frozenset())
    for match in rank(index, client, limit=None).results:
        points = {factor: match.points[factor] for factor in ("concerns", "style", "identity")}
        assert points == {"concerns": 150_000, "style": 40_000, "identity": 35_000}
        assert match.points["language"] == 35_000


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        rank(index_of(make_therapist()), make_client(), limit=-1)


def test_a_licence_counts_on_its_last_day_and_not_on_the_next() -> None:
    index = index_of(make_therapist(authority={"US-WA": date(2026, 12, 1)}))
    assert len(rank(index, make_client(on=date(2026, 12, 1))).results) == 1
    assert rank(index, make_client(on=date(2026, 12, 2))).excluded["licence"] == 1


def test_the_explanation_carries_the_points_of_the_list() -> None:
    random = Random(11)
    therapists = random_therapists(random, 400)
    index = Index(therapists, on=ON)
    explained = 0
    for _ in range(40):
        client, weights = random_client(random), _random_weights(random)
        for match in rank(index, client, weights, limit=20).results:
            explanation = explain(index, client, match.id, weights)
            assert explanation.points == match.points
            assert explanation.total == match.total
            assert explanation.eligible
            explained += 1
    assert explained > 100


def test_every_rule_that_excludes_is_a_rule_that_explains(proving: bool) -> None:
    random = Random(13)
    therapists = random_therapists(random, 1_000 if proving else 200)
    index = Index(therapists, on=ON)
    for _ in range(40):
        client = random_client(random, therapists)
        explained: dict[str, int] = {}
        for therapist in (each for each in therapists if each.live):
            for failure in explain(index, client, therapist.id).failures:
                explained[failure.rule] = explained.get(failure.rule, 0) + 1
        assert _counted(rank(index, client)) == explained


def _one_of_few_kinds(random: Random) -> Therapist:
    skills = {"panic": random.choice((1, 1, 1, 1, 1, 3)), "grief": random.randint(1, 2)}
    return make_therapist(id=an_id(random), concerns=skills, fee=None)


def _plain(ranking: Ranking) -> list[tuple[str, dict[str, int], int]]:
    return [(match.id, match.points, match.total) for match in ranking.results]


def _counted(ranking: Ranking) -> dict[str, int]:
    return {rule: count for rule, count in ranking.excluded.items() if count}


def _ids(ranking: Ranking) -> set[str]:
    return {match.id for match in ranking.results}


def _stricter(client: Client, unwanted: frozenset[str]) -> list[Client]:
    return [
        replace(client, payment=Payment("self-pay", budget=6000)),
        replace(client, acuity=3),
        replace(client, exclude=client.exclude | unwanted),
        replace(client, wishes={**client.wishes, "approach": _must("cbt")}),
        replace(client, windows=client.windows[:1]) if client.windows else client,
    ]


def _must(code: str) -> Wish:
    return Wish(frozenset({code}), Strength.must_have)


def _random_weights(random: Random) -> Weights:
    cuts = sorted(random.sample(range(1001), len(DEFAULT_WEIGHTS.by_factor) - 1))
    parts = (high - low for low, high in zip([0, *cuts], [*cuts, 1000], strict=True))
    return Weights.from_mapping(2, dict(zip(DEFAULT_WEIGHTS.by_factor, parts, strict=True)))
