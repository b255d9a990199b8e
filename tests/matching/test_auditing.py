"""The audit: a bias is found, a fair world is left in peace, and nobody is given away."""

import doctest
from collections import Counter
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import auditing
from matching.auditing import (
    NOBODY,
    Audit,
    Comparison,
    Placements,
    Verdict,
    audit,
    discoveries,
    kept_back,
    newcombe,
    rates_differ,
    wilson,
)
from matching.errors import BadRow, BadValue

DRAWS = 300
PEOPLE, THERAPISTS, STATES = 2000, 200, 5
RULES = {"licence": 0.9, "capacity": 0.3, "language": 0.1, "hours": 0.4, "payment": 0.3}


def make_world(
    seed: int, score_bias: float = 0.0, wait_bias: float = 0.0, placed_bias: float = 0.0
) -> Placements:
    """Five attributes, 18 groups, 144 comparisons; a sixth of the people speak Spanish.

    Therapists differ, and a state or a language has its own, so that clients of one group share
    therapists. The biases are against those who speak Spanish: points, days and share placed.
    """
    chance = np.random.default_rng(seed)
    state, spanish = chance.integers(0, STATES, PEOPLE), chance.random(PEOPLE) < 1 / 6
    own = THERAPISTS // STATES
    number = chance.integers(0, own, PEOPLE)
    who = state * own + np.where(spanish, number - number % 4, number)
    differ = chance.normal(size=THERAPISTS)[who]
    placed = chance.random(PEOPLE) < 0.85 - placed_bias * spanish
    differ = np.where(placed, differ, 0)
    score = 600_000 + 50_000 * differ + 90_000 * chance.normal(size=PEOPLE) - score_bias * spanish
    wait = np.abs(14 + 3 * differ + 8 * chance.normal(size=PEOPLE)) + wait_bias * spanish
    return Placements(
        groups={
            "state": [f"US-{each}" for each in state],
            "language": ["es" if each else "en" for each in spanish],
            "age": [f"{each}0s" for each in chance.integers(2, 7, PEOPLE)],
            "payment": list(chance.choice(["self-pay", "insurance", "free"], PEOPLE)),
            "gender": list(chance.choice(np.array(["a", "b", "c", None]), PEOPLE)),
        },
        therapist=np.where(placed, who, NOBODY),
        placed=placed,
        score=np.where(placed, score, np.nan),
        wait=np.where(placed, wait, np.nan),
        considered=np.full(PEOPLE, 500),
        excluded={
            rule: chance.binomial(500, np.clip(share + 0.02 * differ, 0, 1))
            for rule, share in RULES.items()
        },
    )


def found_against(audited: Audit, measure: str) -> list[str]:
    return [each.group for each in audited.alarms if each.measure == measure]


def test_a_fair_world_raises_no_more_alarms_than_it_may(proving: bool) -> None:
    worlds, draws = (100, 1000) if proving else (15, DRAWS)
    audits = [audit(make_world(seed), seed, draws) for seed in range(worlds)]
    assert {each.tested for each in audits} == {144}
    assert sum(bool(each.alarms) for each in audits) <= (5 if proving else 1)
    significant = sum(any(_is_real(one) for one in each.comparisons) for each in audits)
    assert significant <= (10 if proving else 3)
    uncorrected = sum(any((one.p or 1) < 0.05 for one in each.comparisons) for each in audits)
    assert uncorrected > 0.8 * worlds


def test_clients_of_one_therapist_taken_one_by_one_would_raise_many(proving: bool) -> None:
    worlds = [make_world(seed) for seed in range(50 if proving else 6)]
    alone = np.arange(PEOPLE)
    naive = [audit(replace(world, therapist=alone), 1, DRAWS) for world in worlds]
    significant = sum(any(_is_real(one) for one in each.comparisons) for each in naive)
    assert significant > 0.5 * len(worlds)


@pytest.mark.parametrize(
    ("measure", "bias", "found"),
    [("score", 60_000.0, 0.9), ("wait", 5.0, 0.9), ("placed", 0.15, 0.9)],
)
def test_a_planted_bias_is_found(measure: str, bias: float, found: float, proving: bool) -> None:
    worlds = 100 if proving else 8
    audits = [
        audit(make_world(seed, **{f"{measure}_bias": bias}), 1, DRAWS) for seed in range(worlds)
    ]
    assert sum("es" in found_against(each, measure) for each in audits) >= found * worlds


def test_a_bias_is_found_where_it_is_with_its_sign_and_about_its_size() -> None:
    audited = audit(make_world(4, score_bias=80_000), 0, DRAWS)
    assert {each.measure for each in audited.alarms} == {"score"}
    spanish, english = (_one(audited, "score", "language", group) for group in ("es", "en"))
    assert spanish.difference == pytest.approx(-80_000, abs=25_000)
    assert english.difference == pytest.approx(-(spanish.difference or 0))
    assert spanish.least is not None
    assert spanish.most is not None
    assert spanish.least < -80_000 < spanish.most < 0


def test_a_sure_but_small_difference_is_called_slight() -> None:
    world = make_world(5)
    one_more = np.array([each == "es" for each in world.groups["language"]])
    excluded = {"hours": np.where(one_more, 205, 200) + np.arange(PEOPLE) % 2}
    audited = audit(replace(world, excluded=excluded), 0, DRAWS)
    assert _one(audited, "excluded.hours", "language", "es").verdict is Verdict.slight
    assert not audited.alarms


def test_the_spread_is_that_of_a_sum_over_therapists() -> None:
    """The bootstrap against the textbook's linearisation for a ratio of sums over clusters."""
    world = make_world(7)
    shown = _one(audit(world, 0, 2000), "score", "language", "es")
    spanish = np.array([each == "es" for each in world.groups["language"]]) & world.placed
    others = ~spanish & world.placed
    pulls = np.zeros(THERAPISTS)
    for side, sign in ((spanish, 1), (others, -1)):
        away = (world.score - world.score[side].mean()) / side.sum()
        pulls += sign * np.bincount(world.therapist[side], away[side], THERAPISTS)
    assert shown.difference == pytest.approx(
        world.score[spanish].mean() - world.score[others].mean()
    )
    assert shown.least is not None
    assert shown.most is not None
    freedom = len(set(world.therapist[spanish].tolist())) - 1
    half = auditing._student(freedom) * np.sqrt((pulls**2).sum())
    assert (shown.most - shown.least) / 2 == pytest.approx(half, rel=0.08)


def test_each_figure_is_the_plain_rate_or_mean_of_the_group() -> None:
    world = make_world(2)
    audited = audit(world, 0, DRAWS)
    young = np.array([each == "20s" for each in world.groups["age"]])
    assert _value(audited, "placed", "20s") == pytest.approx(world.placed[young].mean())
    assert _value(audited, "wait", "20s") == pytest.approx(np.nanmean(world.wait[young]))
    share = world.excluded["hours"][young] / 500
    assert _value(audited, "excluded.hours", "20s") == pytest.approx(share.mean())
    counted = {each.measure: each.people for each in audited.comparisons if each.group == "20s"}
    assert counted["placed"] == counted["excluded.hours"] == young.sum()
    assert counted["score"] == counted["wait"] == (young & world.placed).sum()


def test_a_group_of_forty_nine_is_kept_back_and_so_is_the_next_smallest() -> None:
    audited = audit(_world_of({"a": 1000, "b": 60, "c": 49}), 0, DRAWS)
    for group in ("b", "c"):
        kept = _one(audited, "placed", "language", group)
        assert kept == Comparison("placed", "language", group, Verdict.few_people)
    assert _one(audited, "placed", "language", "a").people == 1000


def test_of_two_groups_neither_is_shown_when_one_is_small() -> None:
    audited = audit(_world_of({"a": 1000, "b": 49}), 0, DRAWS)
    assert {each.verdict for each in audited.comparisons} == {Verdict.few_people}


def test_a_measure_that_is_known_of_few_keeps_the_group_back_there_alone() -> None:
    world = _world_of({"a": 1000, "b": 500, "c": 60})
    few = np.where(np.arange(1560) >= 1545, np.nan, world.wait)
    audited = audit(replace(world, wait=few), 0, DRAWS)
    assert _one(audited, "score", "language", "c").people == 60
    kept = [each.group for each in audited.comparisons if each.people is None]
    assert kept == ["b", "c"]


@given(st.lists(st.integers(0, 120), min_size=1, max_size=9))
def test_what_is_kept_back_cannot_be_had_by_subtraction(people: list[int]) -> None:
    back = kept_back(np.array(people))
    small = np.array(people) < 50
    assert back[small].all()
    assert back.any() == small.any()
    if back.any() and not back.all():
        assert back.sum() > 1
        assert np.array(people)[back].sum() >= 50
        assert np.array(people)[back].max() <= np.array(people)[~back].min()


@given(st.lists(st.integers(0, 120), min_size=1, max_size=9), st.integers(1, 120))
def test_those_who_did_not_say_cannot_be_had_by_subtraction_either(
    people: list[int], unsaid: int
) -> None:
    counts = np.array(people)
    back = kept_back(counts, unsaid)
    assert back[counts < 50].all()
    assert back.all() or counts[back].sum() + unsaid >= 50
    if back.any() and not back.all():
        assert counts[back].max() <= counts[~back].min()


def test_a_few_who_did_not_say_keep_the_smallest_group_back() -> None:
    """Age tells how many of all were placed; state tells it of all but the seven."""
    world = _world_of({"a": 1000, "b": 500, "c": 60})
    states = [None if row < 7 else label for row, label in enumerate(world.groups["language"])]
    audited = audit(replace(world, groups={"state": states, **world.groups}), 0, DRAWS)
    for measure in ("placed", "score"):
        assert _one(audited, measure, "state", "c").verdict is Verdict.few_people
        assert _one(audited, measure, "language", "c").people == 60


def test_a_group_behind_whom_few_therapists_stand_is_shown_and_not_judged() -> None:
    world = make_world(1)
    few = np.where([each == "es" for each in world.groups["language"]], 0, world.therapist)
    few = np.where(world.placed, few, NOBODY)
    shown = _one(audit(replace(world, therapist=few), 0, DRAWS), "score", "language", "es")
    assert shown.verdict is Verdict.few_therapists
    assert shown.value is not None
    assert (shown.difference, shown.p) == (None, None)


def test_those_who_did_not_say_are_no_group_and_nobodys_reference() -> None:
    world = make_world(4)
    gender = world.groups["gender"]
    stated = np.array([each is not None for each in gender])
    audited = audit(world, 0, DRAWS)
    one = _one(audited, "placed", "gender", "a")
    assert {each.group for each in audited.comparisons if each.attribute == "gender"} == set("abc")
    mine = np.array([each == "a" for each in gender])
    rest = world.placed[stated & ~mine].mean()
    assert one.difference == pytest.approx(world.placed[mine].mean() - rest)


def test_a_group_without_others_is_compared_with_nobody() -> None:
    audited = audit(_world_of({"a": 100}), 0, DRAWS)
    assert {each.verdict for each in audited.comparisons} == {Verdict.alone}
    assert audited.tested == 0


def test_the_order_of_the_clients_changes_no_figure() -> None:
    world = make_world(6)
    order = np.random.default_rng(1).permutation(PEOPLE)
    shuffled = Placements(
        {name: [labels[each] for each in order] for name, labels in world.groups.items()},
        *(getattr(world, name)[order] for name in ("therapist", "placed", "score", "wait")),
        world.considered[order],
        {rule: taken[order] for rule, taken in world.excluded.items()},
    )
    for one, other in zip(
        audit(world, 0, DRAWS).comparisons, audit(shuffled, 0, DRAWS).comparisons, strict=True
    ):
        assert (one.measure, one.group, one.people) == (other.measure, other.group, other.people)
        assert one.value == pytest.approx(other.value)
        assert one.difference == pytest.approx(other.difference)


def test_one_seed_gives_one_answer_and_measures_stand_in_their_order() -> None:
    audited = audit(make_world(6), 8, DRAWS)
    assert audited == audit(make_world(6), 8, DRAWS)
    measures = list(Counter(each.measure for each in audited.comparisons))
    assert measures == ["placed", "score", "wait", *(f"excluded.{rule}" for rule in RULES)]


def test_where_all_are_the_same_nothing_differs() -> None:
    world = make_world(1)
    same = replace(world, score=np.full(PEOPLE, 7.0), wait=np.zeros(PEOPLE))
    assert not audit(same, 0, DRAWS).alarms


def test_an_empty_world_has_nothing_to_compare() -> None:
    nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    empty = Placements({"age": []}, nobody, nobody > 0, nothing, nothing, nobody, {"hours": nobody})
    assert audit(empty) == Audit((), 0)


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("therapist", -2, "therapist"),
        ("score", -1.0, "score"),
        ("score", inf, "score"),
        ("wait", -0.5, "wait"),
        ("considered", 3, "excluded.licence"),
    ],
)
def test_a_client_who_cannot_be_right_is_refused_by_row_and_field(
    column: str, value: Any, field: str
) -> None:
    world = make_world(1)
    spoilt = getattr(world, column).copy()
    spoilt[11] = value
    with pytest.raises(BadRow) as refused:
        replace(world, **{column: spoilt})
    assert (refused.value.row, refused.value.field) == (11, field)


def test_somebody_placed_with_nobody_is_refused() -> None:
    world = make_world(1)
    with pytest.raises(BadRow, match="therapist"):
        replace(world, therapist=np.full(PEOPLE, NOBODY))


@pytest.mark.parametrize("short", ["age", "excluded.hours", "wait"])
def test_columns_that_do_not_fit_are_refused(short: str) -> None:
    world = make_world(1)
    changes: dict[str, Any] = {
        "age": {"groups": {"age": ["20s"]}},
        "excluded.hours": {"excluded": {"hours": np.zeros(3, dtype=np.int64)}},
        "wait": {"wait": world.wait[1:]},
    }
    with pytest.raises(BadValue, match=short):
        replace(world, **changes[short])


@pytest.mark.parametrize(
    ("some", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(some: int, of: int, low: float, high: float) -> None:
    assert wilson(some, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ],
)
def test_newcombes_interval_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], least: float, most: float
) -> None:
    assert newcombe(*one, *other) == pytest.approx((least, most), abs=5e-5)


def test_benjamini_and_hochbergs_own_example_has_four_discoveries() -> None:
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert discoveries(p) == [True] * 4 + [False] * 11
    assert discoveries(p[::-1]) == [False] * 11 + [True] * 4
    assert discoveries([]) == []


@settings(max_examples=50, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_whatever_is_less_likely_than_a_discovery_is_one(p: list[float]) -> None:
    real = discoveries(p)
    called = [each for each, is_real in zip(p, real, strict=True) if is_real]
    assert all(
        is_real == (each <= max(called, default=-1)) for each, is_real in zip(p, real, strict=True)
    )
    assert all(each <= 0.05 for each in called)


@pytest.mark.parametrize(("freedom", "t"), [(5, 2.571), (10, 2.228), (30, 2.042), (200, 1.972)])
def test_students_limits_are_the_tables(freedom: int, t: float) -> None:
    assert auditing._student(freedom) == pytest.approx(t, abs=0.02)
    assert auditing._two_sided(t, 1.0, freedom) == pytest.approx(0.05, abs=0.001)


def test_equal_rates_do_not_differ_and_far_ones_do() -> None:
    assert rates_differ(30, 100, 60, 200) == 1.0
    assert rates_differ(0, 100, 0, 90) == 1.0
    # Chi-squared of 12.5 with one degree of freedom.
    assert rates_differ(25, 100, 50, 100) == pytest.approx(0.000261, abs=5e-6)


def test_the_example_of_the_reference_runs_as_printed() -> None:
    reference = Path(__file__).parents[2] / "docs" / "reference" / "fairness.md"
    results = doctest.testfile(str(reference), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0


def _world_of(sizes: dict[str, int]) -> Placements:
    labels = [group for group, size in sizes.items() for _ in range(size)]
    people, chance = len(labels), np.random.default_rng(2)
    return Placements(
        {"language": labels},
        therapist=chance.integers(0, 30, people),
        placed=np.ones(people, dtype=np.bool_),
        score=chance.normal(600_000, 50_000, people),
        wait=chance.random(people),
        considered=np.full(people, 50),
        excluded={},
    )


def _is_real(one: Comparison) -> bool:
    return one.verdict in {Verdict.differs, Verdict.slight}


def _one(audited: Audit, measure: str, attribute: str, group: str) -> Comparison:
    [one] = [
        each
        for each in audited.comparisons
        if (each.measure, each.attribute, each.group) == (measure, attribute, group)
    ]
    return one


def _value(audited: Audit, measure: str, age: str) -> float | None:
    return _one(audited, measure, "age", age).value
