"""What each wish costs alone: the count of those whom only that rule fails."""

from dataclasses import replace
from datetime import date
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Client, Index, Payment, Strength, Wish, rank
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


def test_each_figure_is_what_the_oracle_counts(proving: bool) -> None:
    random = Random(53)
    therapists = random_therapists(random, 10_000 if proving else 1_000)
    index, counted = Index(therapists, on=ON), 0
    for ask in (random_client, lambda random, _: easy_client(random)) * (500 if proving else 30):
        client = ask(random, therapists)
        market = index.market(client)
        assert market.gains == oracle.market(therapists, client)
        assert market.eligible == len(rank(index, client, limit=None).results)
        counted += sum(market.gains.values())
    assert counted > 1_000


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_a_gain_is_what_dropping_the_wish_brings(seed: int) -> None:
    random = Random(seed)
    index = Index(random_therapists(random, 60), on=ON)
    client = replace(easy_client(random), payment=Payment("self-pay", budget=10000))
    market = index.market(client)
    for rule, dropped in _dropping(client).items():
        if rule in market.gains:
            found = len(rank(index, dropped, limit=None).results)
            assert market.gains[rule] == found - market.eligible


def test_licence_and_risk_and_who_somebody_is_are_never_up_for_trade() -> None:
    alone = make_therapist(
        authority={"US-WA": date(2020, 1, 1)}, acuity_max=0, identities={}, capacity=0
    )
    wishes = {
        "gender": Wish(frozenset({"woman"}), Strength.must_have),
        "approach": Wish(frozenset({"cbt"}), Strength.must_have),
    }
    gains = index_of(alone).market(make_client(wishes=wishes, acuity=3)).gains
    assert [*gains] == [
        *("capacity", "age", "service", "language", "payment", "format", "hours"),
        "must.approach",
    ]
    only_gender = make_therapist(identities={})
    assert set(index_of(only_gender).market(make_client(wishes=wishes)).gains.values()) == {0}


def test_where_nobody_has_authority_nothing_is_gained() -> None:
    for index in (index_of(make_therapist()), index_of()):
        market = index.market(make_client(place="US-HI"))
        assert market.eligible == 0
        assert "hours" in market.gains
        assert set(market.gains.values()) == {0}


def _dropping(client: Client) -> dict[str, Client]:
    return {
        "age": replace(client, birth_year=None),
        "service": replace(client, service=None),
        "language": replace(client, languages=frozenset()),
        "payment": replace(client, payment=None),
        "format": replace(client, formats=frozenset()),
        "hours": replace(client, windows=()),
        "exclusion": replace(client, exclude=frozenset()),
        "must.approach": replace(
            client,
            wishes={name: wish for name, wish in client.wishes.items() if name != "approach"},
        ),
    }
