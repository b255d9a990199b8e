"""What may be said of therapists: only from fifteen, adjusted, and of nobody's single course."""

import json
from random import Random
from statistics import fmean, pstdev, pvariance

import pytest

from practice.matches.market.domains import DOMAINS, domains_of, main_domain
from practice.outcomes.courses import Course
from practice.outcomes.learning import RELIABILITY, Learned

PHQ, GAD = "phq-9", "gad-7"


def clinic(random, effects, cases=30, domain="worry", severity=None):
    """Courses of therapists 1, 2, …, each with an effect in points, and a `severity` of caseload.

    How unwell people begin is measured with the error that the questionnaire has.
    """
    means = severity or [14] * len(effects)
    spread = 16 + pvariance(means)
    error = (spread * (1 - RELIABILITY) / RELIABILITY) ** 0.5
    for number, (effect, mean) in enumerate(zip(effects, means, strict=True), 1):
        for _ in range(cases):
            unwell = random.gauss(mean, 4)
            began, ended = random.gauss(unwell, error), 0.5 * unwell - effect + random.gauss(3, 3)
            yield Course(number, {domain: 3}, {PHQ: round(began)}, {PHQ: round(ended)})


def spread_out(random, therapists=30, cases=30, span=4):
    effects = [span * (number / (therapists - 1) - 0.5) for number in range(therapists)]
    return list(clinic(random, effects, cases))


def test_whoever_does_better_by_those_who_began_alike_has_the_higher_record():
    learned = Learned.of(spread_out(Random(1)))
    worst, best = (learned.of_therapist(each)["counting"]["worry"] for each in (1, 30))
    assert worst[0] < 500 < best[0]
    assert all(score + bonus <= 1000 for score, bonus in (worst, best))


def test_a_severe_caseload_does_not_set_anybody_back():
    severity = [9] * 10 + [19] * 10
    learned = Learned.of(list(clinic(Random(2), [0] * 20, severity=severity)))
    severe = learned.of_therapist(20)
    assert severe["severity"] > 0.5
    assert severe["adjustment"] > 0.2
    scores = [learned.of_therapist(each)["counting"]["worry"][0] for each in (1, 20)]
    assert abs(scores[0] - scores[1]) < 120


def test_under_fifteen_cases_nothing_counts_and_nothing_is_kept():
    found = [*spread_out(Random(3)), *clinic(Random(4), [0] * 30 + [3], 14)][: 30 * 30]
    few = [Course(99, {"mood": 1}, {PHQ: 15}, {PHQ: 2}) for _ in range(14)]
    learned = Learned.of([*found, *few])
    assert learned.of_therapist(99) == {
        "cases": None,
        "severity": None,
        "adjustment": None,
        "overall": None,
        "domains": {},
        "counting": {},
    }
    more = [*few, Course(99, {"mood": 1}, {PHQ: 15}, {PHQ: 2})]
    assert set(Learned.of([*found, *more]).of_therapist(99)["counting"]) == {"mood"}


def test_a_heading_with_too_few_cases_of_its_own_counts_for_nothing():
    other = [Course(1, {"mood": 1}, {PHQ: 15}, {PHQ: 2}) for _ in range(14)]
    kept = Learned.of([*spread_out(Random(5)), *other]).of_therapist(1)
    assert set(kept["counting"]) == set(kept["domains"]) == {"worry"}
    assert kept["cases"] == 44


def test_somebody_unknown_is_given_more_than_somebody_known():
    learned = Learned.of(spread_out(Random(6)))
    _, bonus = learned.of_therapist(1)["counting"]["worry"]
    assert 0 < bonus < learned.bonus < 500


def test_both_questionnaires_count_as_one_case():
    one = [Course(number % 9, {"worry": 1}, {PHQ: number % 20}, {PHQ: 5}) for number in range(180)]
    two = [
        Course(each.therapist_id, each.domains, {**each.first, GAD: 9}, {**each.last, GAD: 4})
        for each in one
    ]
    assert len(Learned.of(two).cases) == len(Learned.of(one).cases) == 180


@pytest.mark.parametrize("found", [[], [Course(1, {"worry": 1}, {PHQ: 9}, {PHQ: 3})]])
def test_next_to_nothing_is_no_error_and_unclear(found):
    learned = Learned.of(found)
    assert learned.figures["verdict"] == "unclear"
    assert learned.bonus == 0
    json.dumps(learned.figures, allow_nan=False)


def test_of_fewer_cases_than_may_decide_anything_no_mean_is_kept():
    found = spread_out(Random(8), therapists=15, cases=20, span=8)
    assert Learned.of(found).figures["actual"] is not None
    figures = Learned.of(found[:299]).figures
    said = {name: figure for name, figure in figures.items() if figure is not None}
    assert said == {"therapists": 15, "verdict": "unclear", "bonus": 0}


def test_how_unwell_they_came_is_against_the_average_of_all():
    found = list(clinic(Random(9), [0, 0], severity=[9, 19]))
    began = [course.first[PHQ] for course in found]
    mean, deviation = fmean(began), pstdev(began)
    learned = Learned.of(found)
    for number, own in ((1, began[:30]), (2, began[30:])):
        expected = (fmean(own) - mean) / deviation
        assert learned.of_therapist(number)["severity"] == pytest.approx(expected, abs=0.001)


def test_an_honest_clinic_is_found_honest():
    figures = Learned.of(spread_out(Random(7), therapists=40, span=8)).figures
    assert figures["verdict"] == "honest"
    assert 0.85 <= figures["ratio"] <= 1.15
    json.dumps(figures, allow_nan=False)


def test_the_main_heading_is_the_one_that_weighs_most_and_of_equals_the_first():
    assert main_domain({"panic": 1, "depression": 1, "loneliness": 1}) == "mood"
    assert main_domain({"depression": 2, "panic": 2}) == "worry"
    assert main_domain({}) is None
    assert list(domains_of({"grief": 1, "panic": 1})) == ["worry", "loss"]
    assert len(DOMAINS) == 10
