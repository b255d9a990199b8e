"""The market turned round says of each therapist what asking about each client alone says."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from matching import Client, Index, Reached, Therapist, UnknownTherapist
from matching.reach import TOLD
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


def counted(index: Index, *clients: Client, of: Therapist) -> Reached:
    reach = index.reach()
    for client in clients:
        reach.add(client)
    return reach.of(of.id)


def test_every_figure_is_what_the_oracle_counts_one_by_one(proving: bool) -> None:
    random = Random(61)
    therapists = random_therapists(random, 400 if proving else 120)
    index = Index(therapists, on=ON)
    asking = [ask(random) for _ in range(100 if proving else 25) for ask in askers(therapists)]
    reach = index.reach()
    for client in asking:
        reach.add(client)
    living = [each for each in therapists if each.live]
    said = {each.id: reach.of(each.id) for each in living}
    assert said == {each.id: one_by_one(each, asking) for each in living}
    assert sum(each.found for each in said.values()) > 100
    for figures in ("alone", "places", "lacking"):
        assert sum(sum(getattr(each, figures).values()) for each in said.values()) > 100


def askers(therapists):
    return (
        lambda random: random_client(random, therapists),
        easy_client,
        lambda random: replace(easy_client(random), windows=(), payment=None),
    )


def one_by_one(therapist: Therapist, asking: list[Client]) -> Reached:
    found, alone, places, lacking = 0, Counter(), Counter(), Counter()
    for client in asking:
        failing = set(oracle.failing_rules(client, therapist))
        if not failing:
            found += 1
            lacking.update(each for each in client.concerns if each not in therapist.concerns)
        elif failing == {"licence"}:
            places[client.place] += 1
        elif len(failing) == 1 and failing <= set(TOLD):
            alone.update(failing)
    return Reached(found, dict(alone), dict(places), dict(lacking))


def test_what_two_rules_fail_counts_for_neither() -> None:
    one = make_therapist(capacity=0, languages=frozenset({"vi"}))
    assert counted(index_of(one), make_client(), of=one) == Reached(0, {}, {}, {})
    one = make_therapist(capacity=0)
    asked_twice = make_client(), make_client()
    assert counted(index_of(one), *asked_twice, of=one).alone == {"capacity": 2}


def test_who_somebody_is_and_how_unwell_a_client_is_are_not_told_of() -> None:
    wish = {"gender": make_client().wishes["approach"]}
    for client in (make_client(wishes=wish), make_client(acuity=3), make_client(birth_year=2020)):
        one = make_therapist()
        assert counted(index_of(one), client, of=one) == Reached(0, {}, {}, {})


def test_authority_that_has_ended_is_a_licence_away() -> None:
    one = make_therapist(authority={"US-WA": ON - timedelta(days=1), "US-OR": ON})
    index = index_of(one, make_therapist(2))
    assert counted(index, make_client(), of=one).places == {"US-WA": 1}
    assert counted(index, make_client(place="US-OR"), of=one).found == 1
    assert counted(index, make_client(place="US-HI"), of=one).places == {"US-HI": 1}


def test_of_somebody_unknown_nothing_is_said() -> None:
    with pytest.raises(UnknownTherapist):
        counted(index_of(), make_client(), of=make_therapist())
