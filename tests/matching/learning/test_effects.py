"""What is learned of a therapist: the truth where there is one, little where little is known."""

import doctest
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Record, rank
from matching.errors import BadRow, BadValue
from matching.learning.effects import ENOUGH_CASES, Case, Cases, Effects, Real, effects
from matching.learning.variances import Turned, Variances, likelihood, maximised
from tests.matching.worlds import index_of, make_client, make_therapist

DOMAINS = 6
SLOPE, RELIABILITY = -0.5, 0.8
GENERAL, SPECIAL = 0.05, 0.04


@dataclass(frozen=True)
class World:
    truth: Real
    cases: Cases


def make_world(
    seed: int = 1,
    therapists: int = 300,
    each: int = 40,
    general: float = GENERAL,
    special: float = SPECIAL,
    reliability: float = RELIABILITY,
    sicker_domains: float = 0.0,
) -> World:
    """Sicker clients go to some therapists; `sicker_domains` lets them also be in some domains."""
    chance = np.random.default_rng(seed)
    truth = chance.normal(size=(therapists, 1)) * np.sqrt(general)
    truth = truth + chance.normal(size=(therapists, DOMAINS)) * np.sqrt(special)
    who = np.repeat(np.arange(therapists), each)
    weights = mixes(chance, len(who))
    domains = sicker_domains * np.arange(DOMAINS) / DOMAINS
    severity = (0.7 * chance.normal(size=therapists))[who] + weights @ domains
    severity = severity + chance.normal(size=len(who))
    outcome = SLOPE * severity - 2 * weights @ domains + (weights * truth[who]).sum(axis=1)
    outcome = outcome + chance.normal(size=len(who))
    wrong = np.sqrt(np.var(severity) * (1 - reliability) / reliability)
    baseline = severity + wrong * chance.normal(size=len(who))
    return World(truth, Cases(who, weights, baseline, outcome, reliability))


def mixes(chance: np.random.Generator, count: int) -> Real:
    """One, two or three domains a case."""
    weights = np.zeros((count, DOMAINS))
    for share in (0.5, 0.3, 0.2):
        weights[np.arange(count), chance.integers(0, DOMAINS, count)] += share
    return weights


def only(domain: int) -> Real:
    return np.eye(DOMAINS)[domain]


def test_the_variances_and_the_slope_that_were_planted_are_found() -> None:
    found = effects(make_world(therapists=2000, each=30).cases)
    assert found.slope == pytest.approx(SLOPE, abs=0.03)
    assert found.variances.general == pytest.approx(GENERAL, abs=0.01)
    assert found.variances.special == pytest.approx(SPECIAL, abs=0.01)
    # What is measured wrongly in the baseline stays in the outcome as noise.
    assert found.variances.noise == pytest.approx(1.05, abs=0.1)


def test_what_is_said_of_therapists_is_on_average_what_is_true() -> None:
    slopes = []
    for seed in range(8):
        world = make_world(seed)
        said = effects(world.cases).mean
        said, true = said - said.mean(axis=0), world.truth - world.truth.mean(axis=0)
        slopes.append((said * true).sum() / (said * said).sum())
    assert np.mean(slopes) == pytest.approx(1, abs=0.06)


def test_a_domain_whose_clients_come_sicker_does_not_turn_the_slope() -> None:
    assert effects(make_world(sicker_domains=3).cases).slope == pytest.approx(SLOPE, abs=0.04)


def test_what_is_usual_in_a_domain_is_not_taken_for_chance() -> None:
    even, uneven = (effects(make_world(sicker_domains=each).cases) for each in (0.0, 3.0))
    assert np.ptp(uneven.intercepts) > 3 > np.ptp(even.intercepts)
    assert uneven.variances.noise == pytest.approx(even.variances.noise, abs=0.1)


def test_an_unreliable_baseline_would_flatten_the_slope_if_it_were_taken_as_exact() -> None:
    cases = make_world(therapists=1000, reliability=0.6).cases
    assert effects(cases).slope == pytest.approx(SLOPE, abs=0.04)
    assert effects(replace(cases, reliability=1.0)).slope > SLOPE + 0.12


def test_each_posterior_is_the_textbooks_from_the_cases_themselves() -> None:
    cases = make_world(therapists=40).cases
    found = effects(cases, 41)
    now = found.variances
    prior = now.general + now.special * np.eye(DOMAINS)
    rest = found.adjusted(cases)
    for who in range(41):
        mine = cases.therapist == who
        weights = cases.weights[mine]
        spread = np.linalg.inv(weights.T @ weights / now.noise + np.linalg.inv(prior))
        np.testing.assert_allclose(found.spread[who], spread, atol=1e-9)
        expected = spread @ weights.T @ rest[mine] / now.noise
        np.testing.assert_allclose(found.mean[who], expected, atol=1e-9)
    np.testing.assert_allclose(cases.weights.T @ rest, 0, atol=1e-7)


def test_the_likelihood_is_that_of_the_normal_distribution_itself() -> None:
    world, now = make_world(therapists=5, each=12), Variances(0.9, 0.07, 0.03)
    turned, dense = _turned(world.cases), 0.0
    for who in range(5):
        mine = world.cases.therapist == who
        weights = world.cases.weights[mine]
        prior = now.general + now.special * np.eye(DOMAINS)
        covariance = now.noise * np.eye(len(weights)) + weights @ prior @ weights.T
        rest = world.cases.outcome[mine]
        dense -= 0.5 * np.linalg.slogdet(covariance)[1]
        dense -= 0.5 * rest @ np.linalg.solve(covariance, rest)
    assert likelihood(turned, now) == pytest.approx(dense, abs=1e-6)


def test_no_step_of_the_variances_makes_what_was_seen_less_likely() -> None:
    turned = _turned(make_world().cases)
    now = Variances(3.0, 1.0, 0.001)
    for _ in range(30):
        after = maximised(turned, now)
        assert likelihood(turned, after) >= likelihood(turned, now) - 1e-7
        now = after


@pytest.mark.parametrize("part", ["noise", "general", "special"])
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_no_other_variances_are_likelier(part: str, factor: float) -> None:
    cases = make_world().cases
    found = effects(cases)
    turned = _turned(replace(cases, outcome=found.adjusted(cases)))
    other = replace(found.variances, **{part: factor * getattr(found.variances, part)})
    assert likelihood(turned, found.variances) > likelihood(turned, other)


@pytest.mark.parametrize("seed", range(4))
def test_where_nobody_differs_nobody_is_said_to(seed: int) -> None:
    found = effects(make_world(seed, general=0, special=0).cases)
    assert found.variances.between < 0.01
    assert np.abs(found.mean).max() < 0.1
    assert np.sqrt((found.mean**2).mean()) < 0.03


def test_the_order_of_the_cases_means_nothing() -> None:
    cases = make_world().cases
    order = np.random.default_rng(5).permutation(len(cases))
    _same(effects(cases), effects(cases.only(order)))


def test_the_numbers_of_the_therapists_mean_nothing() -> None:
    cases = make_world().cases
    other = np.random.default_rng(6).permutation(300)
    found, renamed = effects(cases), effects(replace(cases, therapist=other[cases.therapist]))
    np.testing.assert_allclose(renamed.mean[other], found.mean, atol=1e-6)
    np.testing.assert_allclose(renamed.spread[other], found.spread, atol=1e-6)


def test_the_numbers_of_the_domains_mean_nothing() -> None:
    cases = make_world().cases
    other = np.random.default_rng(7).permutation(DOMAINS)
    renamed = effects(replace(cases, weights=cases.weights[:, other]))
    np.testing.assert_allclose(renamed.mean, effects(cases).mean[:, other], atol=1e-6)


def test_few_cases_say_less_than_many_that_went_as_well() -> None:
    world = _joined_by(lucky=0.8, cases=(4, 40))
    few, many = effects(world).expected(only(0))[-2:]
    assert 0 < few < many / 2


def test_a_domain_never_seen_is_expected_to_go_as_things_go_in_general() -> None:
    found = effects(_joined_by(lucky=0.8, cases=(40,)))
    seen, *unseen = found.mean[-1]
    assert seen > unseen[0] > 0.1
    np.testing.assert_allclose(unseen, unseen[0], atol=1e-9)
    assert found.bonus(only(1))[-1] > found.bonus(only(0))[-1]


def test_those_who_take_only_severe_clients_are_not_punished_for_it() -> None:
    cases = _mild_and_severe(better=0.0)
    mild, severe = effects(cases).expected(only(0))[-2:]
    assert severe == pytest.approx(mild, abs=0.06)
    assert np.subtract(*effects(cases).records(only(0))[-2:]) == pytest.approx(0, abs=60)


def test_without_the_adjustment_the_better_of_two_would_stand_below() -> None:
    cases = _mild_and_severe(better=0.5)
    mild, severe = effects(cases).expected(only(0))[-2:]
    assert severe > mild + 0.2
    unadjusted = effects(replace(cases, baseline=np.zeros(len(cases))))
    mild, severe = unadjusted.expected(only(0))[-2:]
    assert severe < 0 < mild


def test_whoever_does_better_with_sicker_clients_is_ranked_first_by_their_record() -> None:
    cases = _mild_and_severe(better=0.5)
    unadjusted = replace(cases, baseline=np.zeros(len(cases)))
    assert _first_by_record(cases) == "severe"
    assert _first_by_record(unadjusted) == "mild"


def test_the_adjustment_that_a_page_shows_lifts_whoever_has_the_sicker_clients() -> None:
    cases = _mild_and_severe(better=0.0)
    found = effects(cases)
    for who in (-2, -1):
        mine = cases.therapist == cases.therapist.max() + 1 + who
        sicker = cases.baseline[mine].mean() - cases.baseline.mean()
        assert found.adjustment[who] == pytest.approx(-found.slope * sicker)
    assert found.adjustment[-1] > 0.5 > -0.5 > found.adjustment[-2]


def test_a_record_counts_from_fifteen_cases_in_the_domain_and_is_neutral_before() -> None:
    for cases, counts in ((ENOUGH_CASES - 1, False), (ENOUGH_CASES, True)):
        found = effects(_joined_by(lucky=0.8, cases=(cases,)))
        record = int(found.records(only(0))[-1])
        assert record == (round(500 + 1000 * found.mean[-1, 0]) if counts else 500)
        assert (record > 520) is counts
        assert found.records(only(1))[-1] == 500


def test_a_mix_counts_only_in_the_domains_that_are_known() -> None:
    found = effects(_joined_by(lucky=0.8, cases=(60,)))
    half = (only(0) + only(1)) / 2
    assert found.records(half)[-1] - 500 == pytest.approx(found.mean[-1, 0] / 2 * 1000, abs=1)


def test_whoever_is_unknown_gets_the_most_for_being_unknown() -> None:
    found = effects(_joined_by(lucky=0.0, cases=(60,)), 302)
    known, unknown = found.bonuses(only(0))[-2:]
    assert unknown > 2 * known > 0
    assert found.records(only(0))[-1] == 500
    prior = found.variances.general + found.variances.special
    assert found.bonus(only(0))[-1] == pytest.approx(0.5 * np.sqrt(prior))
    assert found.bonus(only(0), curiosity=0.0).max() == 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 30), st.floats(0.2, 9))
def test_a_record_and_its_bonus_stay_whole_and_within_a_thousand(
    seed: int, therapists: int, each: int, spread: float
) -> None:
    world = make_world(seed, therapists, each, general=spread, special=spread)
    found = effects(world.cases)
    mix = mixes(np.random.default_rng(seed), 1)[0]
    records, bonuses = found.records(mix), found.bonuses(mix)
    assert records.dtype == bonuses.dtype == np.int64
    assert records.min() >= 0 <= bonuses.min()
    assert (records + bonuses).max() <= 1000
    assert np.isfinite(found.mean).all()


def test_an_empty_world_says_nothing_of_anybody() -> None:
    nobody = Cases.of([], [], ["panic"])
    assert effects(nobody).mean.shape == (0, 1)
    found = effects(nobody, 3)
    assert found.mean.tolist() == [[0.0]] * 3
    assert found.records(np.array([1.0])).tolist() == [500] * 3
    assert found.bonuses(np.array([1.0])).tolist() == [0] * 3


@pytest.mark.parametrize("same", ["baseline", "outcome"])
def test_clients_who_are_all_alike_teach_nothing_and_break_nothing(same: str) -> None:
    cases = make_world(therapists=20).cases
    found = effects(replace(cases, **{same: np.ones(len(cases))}))
    assert np.isfinite(found.mean).all()
    assert found.slope == pytest.approx(0, abs=1e-9)


def test_one_therapist_alone_is_the_average() -> None:
    found = effects(make_world(therapists=1, each=30).cases)
    assert np.abs(found.mean).max() < 0.3
    assert np.isfinite(found.spread).all()


def test_names_become_numbers_in_the_order_given() -> None:
    rows = [Case("b", {"grief": 3, "panic": 1}, 0.5, -0.2), Case("a", {"panic": 2}, 0.1, 0.3)]
    cases = Cases.of(rows, ["a", "b"], ["panic", "grief"], 0.9)
    assert cases.therapist.tolist() == [1, 0]
    assert cases.weights.tolist() == [[0.25, 0.75], [1, 0]]
    assert (cases.baseline.tolist(), cases.outcome.tolist()) == ([0.5, 0.1], [-0.2, 0.3])
    assert cases.reliability == 0.9


GOOD = Case("a", {"panic": 1}, 0.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"therapist": "c"}, "therapist"),
        ({"domains": {"anger": 1}}, "domains.anger"),
        ({"domains": {"panic": 0}}, "domains.panic"),
        ({"domains": {"panic": float("nan")}}, "domains.panic"),
        ({"domains": {}}, "domains"),
        ({"baseline": float("nan")}, "baseline"),
        ({"outcome": float("inf")}, "outcome"),
    ],
)
def test_a_case_that_cannot_be_right_is_refused_by_row_and_field(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadRow) as refused:
        Cases.of([GOOD, replace(GOOD, **wrong)], ["a", "b"], ["panic", "grief"])
    assert (refused.value.row, refused.value.field) == (1, field)


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("therapist", -1, "therapist"),
        ("therapist", 300, "therapist"),
        ("weights", np.nan, "weights"),
        ("weights", np.array([1.5, -0.5, 0, 0, 0, 0]), "weights"),
        ("weights", np.array([0.5, 0, 0, 0, 0, 0]), "weights"),
        ("baseline", np.nan, "baseline"),
        ("outcome", np.inf, "outcome"),
    ],
)
def test_a_bad_entry_of_a_column_is_refused_by_row_and_field(
    column: str, value: Any, field: str
) -> None:
    cases = make_world().cases
    spoilt = getattr(cases, column).copy()
    spoilt[17] = value
    with pytest.raises(BadRow) as refused:
        effects(replace(cases, **{column: spoilt}), 300)
    assert (refused.value.row, refused.value.field) == (17, field)


@pytest.mark.parametrize("reliability", [-0.1, 0.0, 1.01, float("nan")])
def test_an_impossible_reliability_is_refused(reliability: float) -> None:
    with pytest.raises(BadValue, match="reliability"):
        Cases(np.array([0]), np.ones((1, 1)), np.zeros(1), np.zeros(1), reliability)


def test_columns_that_do_not_fit_are_refused() -> None:
    cases = make_world(therapists=2).cases
    with pytest.raises(BadValue, match="cases"):
        replace(cases, baseline=cases.baseline[1:])


def test_the_example_of_the_reference_runs_as_printed() -> None:
    reference = Path(__file__).parents[3] / "docs" / "reference" / "learning.md"
    results = doctest.testfile(str(reference), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0


def _turned(cases: Cases) -> Turned:
    """From the outcomes as they are, one therapist at a time."""
    sums = []
    for who in range(int(cases.therapist.max()) + 1):
        mine = cases.therapist == who
        weights, rest = cases.weights[mine], cases.outcome[mine]
        sums.append((weights.T @ weights, weights.T @ rest, rest @ rest, float(len(rest))))
    return Turned.of(*(np.array(each) for each in zip(*sums, strict=True)))


def _joined_by(lucky: float, cases: tuple[int, ...]) -> Cases:
    """A world that others join whose every case, in the first domain, goes so much better."""
    world, first = make_world().cases, 300
    who = np.repeat(np.arange(first, first + len(cases)), cases)
    alike = np.zeros(len(who))
    usual = effects(world).intercepts[0] + lucky
    return Cases(
        np.concatenate((world.therapist, who)),
        np.concatenate((world.weights, np.tile(only(0), (len(who), 1)))),
        np.concatenate((world.baseline, alike)),
        np.concatenate((world.outcome, alike + usual)),
        world.reliability,
    )


def _mild_and_severe(better: float) -> Cases:
    """A world that two join with the same luck: mild clients the one, only severe the other.

    Whoever has the severe ones does so much better with them than the other with the mild.
    """
    world, chance = make_world().cases, np.random.default_rng(9)
    luck = chance.normal(size=60)
    severity = np.concatenate((-1.5 + 0.4 * luck, 1.5 + 0.4 * luck))
    usual = effects(world).intercepts[0]
    outcome = usual + SLOPE * severity + np.repeat([0.0, better], 60)
    return Cases(
        np.concatenate((world.therapist, np.repeat([300, 301], 60))),
        np.concatenate((world.weights, np.tile(only(0), (120, 1)))),
        np.concatenate((world.baseline, severity)),
        np.concatenate((world.outcome, outcome)),
        world.reliability,
    )


def _first_by_record(cases: Cases) -> str:
    """Of the two, otherwise alike, whom a ranking puts first for a case of the first domain."""
    mild, severe = (int(each) for each in effects(cases).records(only(0))[-2:])
    two = {
        "severe": make_therapist(1, record={"worry": Record(severe)}),
        "mild": make_therapist(2, record={"worry": Record(mild)}),
    }
    first, last = rank(index_of(*two.values()), make_client(domain="worry")).results
    assert first.points["record"] > last.points["record"]
    return next(name for name, therapist in two.items() if therapist.id == first.id)


def _same(one: Effects, other: Effects) -> None:
    for name in ("mean", "spread", "cases", "slope", "intercepts", "adjustment"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-6)
