"""Why, and why not: each rule with its distance, each line with what it is made of."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from matching import (
    Client,
    Finding,
    Index,
    Payment,
    Standing,
    Strength,
    Therapist,
    UnknownTherapist,
    Window,
    Wish,
    explain,
    rank,
    weekly_bits,
    why_not,
)
from tests.matching.worlds import (
    ON,
    easy_client,
    index_of,
    make_client,
    make_therapist,
    random_therapists,
)

TUE, WED = 24, 48
INSURED = Payment("insurance", insurer="medicaid")


@pytest.mark.parametrize(
    ("therapist", "client", "rule", "why", "facts"),
    [
        ({"authority": {}}, {}, "licence", "no_authority", {"place": "US-WA"}),
        (
            {"authority": {"US-WA": date(2026, 11, 30)}},
            {},
            "licence",
            "ended",
            {"place": "US-WA", "ended_on": "2026-11-30"},
        ),
        ({"capacity": 0}, {}, "capacity", "full", {"open": 0}),
        ({"ages": (40, None)}, {}, "age", "too_young", {"age": 36, "youngest": 40, "years": 4}),
        ({"ages": (18, 30)}, {}, "age", "too_old", {"age": 36, "oldest": 30, "years": 6}),
        (
            {"services": frozenset({"couple"})},
            {},
            "service",
            "not_offered",
            {"wanted": "individual", "offered": ("couple",)},
        ),
        ({}, {"acuity": 3}, "scope", "beyond", {"acuity": 3, "up_to": 2}),
        (
            {},
            {"languages": frozenset({"vi", "asl"})},
            "language",
            "none_shared",
            {"wanted": ("asl", "vi"), "spoken": ("en", "es")},
        ),
        (
            {"payments": frozenset()},
            {},
            "payment",
            "kind_not_accepted",
            {"wanted": "self-pay"},
        ),
        (
            {"payments": frozenset({"insurance"})},
            {"payment": INSURED},
            "payment",
            "insurer_not_accepted",
            {"wanted": "medicaid"},
        ),
        (
            {"fee": 12000},
            {},
            "payment",
            "above_budget",
            {"lowest": 12000, "budget": 10000, "above": 2000},
        ),
        (
            {"fee": 14000, "sliding_from": 10001},
            {},
            "payment",
            "above_budget",
            {"lowest": 10001, "budget": 10000, "above": 1},
        ),
        ({"fee": None}, {}, "payment", "fee_not_stated", {"budget": 10000}),
        ({"currency": "CAD"}, {}, "payment", "other_currency", {"wanted": "USD"}),
        (
            {"formats": frozenset({"in-person"})},
            {},
            "format",
            "none_shared",
            {"wanted": ("online",), "offered": ("in-person",)},
        ),
        ({"hours": 0}, {}, "hours", "not_stated", {}),
        (
            {"hours": weekly_bits(["tue 14:00-16:00"], "America/Los_Angeles", ON)},
            {},
            "hours",
            "none_in_common",
            {"nearest_hour": TUE + 23, "hours_away": 3},
        ),
        (
            {"approaches": frozenset({"act"})},
            {},
            "must.approach",
            "other",
            {"wanted": ("cbt",), "stated": ("act",)},
        ),
        (
            {"approaches": frozenset()},
            {},
            "must.approach",
            "not_stated",
            {"wanted": ("cbt",), "stated": ()},
        ),
        (
            {},
            {"wishes": {"trans": Wish(frozenset({"transgender"}), Strength.must_have)}},
            "must.trans",
            "not_stated",
            {"wanted": ("transgender",), "stated": ()},
        ),
    ],
)
def test_each_rule_says_no_alone_and_by_how_far(
    therapist: dict[str, Any], client: dict[str, Any], rule: str, why: str, facts: dict[str, Any]
) -> None:
    index = index_of(make_therapist(**therapist))
    answer = why_not(index, make_client(**client), make_therapist().id)
    [failure] = answer.failures
    assert (failure.rule, failure.why, failure.facts) == (rule, why, facts)
    assert not answer.eligible
    assert rank(index, make_client(**client)).excluded[rule] == 1


def test_whoever_the_client_asked_not_to_see_is_never_offered() -> None:
    index = index_of(make_therapist(1), make_therapist(2))
    client = make_client(exclude=frozenset({make_therapist(1).id, make_therapist(9).id}))
    assert [each.id for each in rank(index, client).results] == [make_therapist(2).id]
    [failure] = why_not(index, client, make_therapist(1).id).failures
    assert failure.rule == "exclusion"


def test_every_failing_rule_is_named_at_once() -> None:
    index = index_of(make_therapist(capacity=0, fee=20000, languages=frozenset()))
    answer = why_not(index, make_client(), make_therapist().id)
    assert [failure.rule for failure in answer.failures] == ["capacity", "language", "payment"]


@pytest.mark.parametrize(
    ("skipped", "rule"),
    [
        ({"birth_year": None}, "age"),
        ({"service": None}, "service"),
        ({"acuity": None}, "scope"),
        ({"languages": frozenset()}, "language"),
        ({"payment": None}, "payment"),
        ({"formats": frozenset()}, "format"),
        ({"windows": ()}, "hours"),
        ({"wishes": {}}, "must.approach"),
        (
            {"wishes": {"approach": Wish(frozenset({"cbt"}), Strength.no_preference)}},
            "must.approach",
        ),
    ],
)
def test_a_question_skipped_excludes_nobody(skipped: dict[str, Any], rule: str) -> None:
    silent = Therapist(make_therapist().id, ages=(60, None))
    must = make_client(wishes={"approach": Wish(frozenset({"cbt"}), Strength.must_have)})
    before = rank(index_of(silent), must).excluded
    after = rank(index_of(silent), replace(must, **skipped)).excluded
    assert before[rule] == 1
    assert [each for each in before if before[each] != after.get(each, 0)] == [rule]


def test_the_full_fee_counts_full_and_a_sliding_one_by_how_far_it_slides() -> None:
    scores = [_score("price", fee=fee, sliding_from=low) for fee, low in _FEES]
    assert scores == [1000, 1000, 750, 500, 0]


_FEES = ((10000, None), (10000, 4000), (12000, 8000), (12000, 10000), (12000, None))


def test_a_way_of_paying_that_is_not_the_clients_money_counts_whole_or_not_at_all() -> None:
    insured = {"payment": INSURED}
    taken = {"payments": frozenset({"insurance"}), "insurers": frozenset({"medicaid"})}
    assert _score("price", insured, **taken) == 1000
    assert _score("price", insured, **taken | {"insurers": frozenset()}) == 0
    assert _score("price", {"payment": Payment("insurance")}, **taken) == 1000
    assert _score("price", {"payment": Payment("free")}, payments=frozenset({"free"})) == 1000
    assert _score("price", {"payment": Payment("self-pay")}) == 500


def test_five_hours_in_common_are_as_good_as_any_number() -> None:
    evenings = {"windows": (Window.parse("tue 14:00-22:00"),)}
    counted = [_score("hours", evenings, hours=_tuesday(until)) for until in (15, 18, 19, 22)]
    assert counted == [200, 800, 1000, 1000]


def test_a_client_with_one_free_hour_can_be_met_in_full() -> None:
    assert _score("hours", {"windows": (Window.parse("tue 18:00-19:00"),)}) == 1000


def test_severity_weighs_concerns_by_skill() -> None:
    assert _score("concerns", concerns={"panic": 3}) == 750
    assert _score("concerns", concerns={"grief": 3}) == 250
    assert _score("concerns", concerns={"sleep": 3}) == 0


def test_style_left_open_counts_half_and_opposites_nothing() -> None:
    asked = {"style": {"directive": 3, "warm": -3}}
    assert _score("style", asked, style={"directive": 3}) == 750
    assert _score("style", asked, style={"directive": -3, "warm": 3}) == 0
    assert _score("style", asked, style={}) == 500


def test_an_explanation_says_what_is_met_partly_and_not() -> None:
    client = make_client(
        languages=frozenset({"en", "vi"}),
        style={"directive": 3, "warm": -2, "past": 1},
        wishes={"gender": Wish(frozenset({"man", "woman"})), "faith": Wish(frozenset({"none"}))},
        payment=None,
        exclude=frozenset(),
    )
    explanation = explain(index_of(make_therapist()), client, make_therapist().id)
    lines = {line.factor: line for line in explanation.lines}
    assert [(line.factor, str(line.standing)) for line in explanation.lines] == [
        ("concerns", "met"),
        ("hours", "partly"),
        ("approach", "not_asked"),
        ("price", "not_asked"),
        ("style", "partly"),
        ("language", "partly"),
        ("identity", "partly"),
        ("format", "met"),
        ("record", "not_asked"),
    ]
    assert lines["concerns"].findings[0] == Finding(
        "panic", Standing.met, {"severity": 3, "skill": 3}
    )
    assert lines["hours"].findings[0].facts == {
        "common": (WED + 2, WED + 3),
        "stated": 3,
        "enough": 3,
    }
    assert _standings(lines["language"].findings) == {"en": "met", "vi": "not_met"}
    assert _standings(lines["identity"].findings) == {"gender": "met", "faith": "not_stated"}
    assert _standings(lines["style"].findings) == {
        "directive": "met",
        "past": "not_stated",
        "warm": "not_met",
    }


def test_the_explanation_of_one_who_may_not_be_offered_still_adds_up() -> None:
    index = index_of(make_therapist(capacity=0, live=False))
    explanation = explain(index, make_client(), make_therapist().id)
    assert explanation.total == sum(line.weight * line.score for line in explanation.lines) > 0
    assert not explanation.live
    assert not explanation.eligible
    assert [failure.rule for failure in explanation.failures] == ["capacity"]


def test_the_gap_to_the_last_one_shown_sums_exactly() -> None:
    random = Random(17)
    index = Index(random_therapists(random, 300), on=ON)
    compared = 0
    for _ in range(40):
        client = easy_client(random)
        everyone = rank(index, client, limit=None).results
        for place, match in enumerate(everyone[:12], start=1):
            answer = why_not(index, client, match.id, limit=3)
            last = everyone[:3][-1]
            assert (answer.place, answer.last_shown) == (place, last.id)
            assert answer.gap == sum(answer.gaps.values()) == last.total - match.total
            assert answer.gaps == {
                line: last.points.get(line, 0) - match.points.get(line, 0)
                for line in last.points | match.points
            }
            compared += 1
    assert compared > 200


def test_where_nobody_is_shown_there_is_a_place_and_no_gap() -> None:
    answer = why_not(index_of(make_therapist()), make_client(), make_therapist().id, limit=0)
    assert (answer.eligible, answer.place, answer.last_shown, answer.gaps) == (True, 1, None, {})


def test_one_who_is_not_live_is_not_eligible_whatever_the_rules_say() -> None:
    answer = why_not(index_of(make_therapist(live=False)), make_client(), make_therapist().id)
    assert (answer.live, answer.failures, answer.place) == (False, (), None)
    assert not answer.eligible


def test_a_therapist_nobody_knows_is_refused_by_name() -> None:
    index = index_of(make_therapist(1))
    for ask in (explain, why_not):
        with pytest.raises(UnknownTherapist):
            ask(index, make_client(), make_therapist(2).id)
    assert make_therapist(1).id in index
    assert make_therapist(2).id not in index


def _score(factor: str, client: dict[str, Any] | None = None, **therapist: Any) -> int:
    index = index_of(make_therapist(**therapist))
    explanation = explain(index, _client(client or {}), make_therapist().id)
    return next(line.score for line in explanation.lines if line.factor == factor)


def _client(changes: dict[str, Any]) -> Client:
    return make_client(**changes)


def _tuesday(until: int) -> int:
    return weekly_bits([f"tue 14:00-{until}:00"], "America/Los_Angeles", ON)


def _standings(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.code: str(finding.standing) for finding in findings}
