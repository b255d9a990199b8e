"""What was promised against what came: honest when it is, and told when it is not."""

from dataclasses import replace

import numpy as np
import pytest

from matching.learning.calibrating import Verdict, calibrate, compared
from matching.learning.effects import Cases, effects
from tests.matching.learning.test_effects import make_world


def test_what_is_learned_here_promises_what_comes() -> None:
    found = calibrate(make_world(therapists=2000).cases)
    assert found.verdict is Verdict.honest
    assert found.low < found.ratio < found.high
    assert found.chosen == 20_000
    assert found.predicted > 0.1


def test_the_interval_holds_what_is_true_nineteen_times_in_twenty() -> None:
    found = [calibrate(make_world(seed, 150, 20).cases, seed) for seed in range(40)]
    held = sum(each.low <= 1 <= each.high for each in found)
    assert 34 <= held <= 40


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, Verdict.honest), (1.6, Verdict.boasting), (0.6, Verdict.modest)],
)
def test_promises_that_are_too_high_or_too_low_are_called_so(
    factor: float, verdict: Verdict
) -> None:
    cases = make_world(therapists=1500).cases
    learned, later = effects(cases), _later(cases)
    promised = factor * learned.predicted(later)
    found = compared(promised, learned.adjusted(later), later.therapist)
    assert found.verdict is verdict


def test_raw_means_boast() -> None:
    """Those who were lucky are chosen, and luck does not come again."""
    cases = make_world(therapists=1500, each=8).cases
    learned, later = effects(cases), _later(cases)
    raw = np.bincount(cases.therapist, cases.outcome - cases.outcome.mean()) / 8
    found = compared(raw[later.therapist], learned.adjusted(later), later.therapist)
    assert found.ratio > 2


def test_little_is_called_unclear_and_nothing_is_no_error() -> None:
    assert calibrate(make_world(therapists=6, each=10).cases).verdict is Verdict.unclear
    few_therapists = make_world(therapists=9, each=2000).cases
    assert calibrate(few_therapists).verdict is Verdict.unclear
    nothing = calibrate(Cases.of([], [], ["panic"]))
    assert nothing.verdict is Verdict.unclear
    assert (nothing.chosen, nothing.ratio) == (0, float("inf"))


def test_one_seed_gives_one_answer() -> None:
    cases = make_world(therapists=50).cases
    assert calibrate(cases, 3) == calibrate(cases, 3) != calibrate(cases, 4)


def _later(cases: Cases) -> Cases:
    """The same therapists with new clients: the same truth, other luck."""
    truth, chance = make_world(therapists=1500).truth, np.random.default_rng(99)
    severity = chance.normal(size=len(cases))
    gain = (cases.weights * truth[cases.therapist]).sum(axis=1)
    outcome = -0.5 * severity + gain + chance.normal(size=len(cases))
    return replace(cases, baseline=severity, outcome=outcome)
