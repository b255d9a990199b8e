"""What is read back as it was written, and what is refused with the name of its field."""

import json
import math
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest

from matching import (
    BadClient,
    BadRow,
    BadWeights,
    Client,
    Index,
    Payment,
    Strength,
    Therapist,
    Vocabulary,
    Weights,
    Wish,
)
from tests.matching.worlds import ON, make_therapist, random_client, random_therapist

SETTLED = """
{"place": "US-WA", "on": "2026-12-01", "zone": "America/Los_Angeles", "birth_year": 1990,
 "service": "individual", "format": ["online"], "languages": ["en", "es"],
 "concerns": {"panic": 3, "grief": 1}, "acuity": 1,
 "payment": {"kind": "self-pay", "budget": 10000, "currency": "USD"},
 "hours": ["tue 18:00-21:00", "thu 18:00-21:00"],
 "style": {"directive": 1.5, "intensity": null, "past": null, "warm": 2},
 "wishes": {"gender": {"want": ["woman"], "strength": "would_like"},
            "approach": {"want": ["cbt"], "strength": "must_have"}},
 "exclude": []}
"""

ONE_OF_EACH = Vocabulary(
    concerns=frozenset({"panic", "grief"}),
    approaches=frozenset({"cbt"}),
    languages=frozenset({"en", "es"}),
    services=frozenset({"individual"}),
    formats=frozenset({"online"}),
    payments=frozenset({"self-pay", "insurance"}),
    insurers=frozenset({"medicaid"}),
    identities={"gender": frozenset({"woman"})},
)


def settled(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SETTLED) | changes
    return read


def test_the_settled_shape_is_read_whole() -> None:
    client = Client.from_json(settled(), ONE_OF_EACH)
    assert (client.place, client.on, client.age) == ("US-WA", ON, 36)
    assert client.formats == {"online"}
    assert client.hours.bit_count() == 6
    assert client.style == {"directive": 1.5, "warm": 2}
    assert client.payment == Payment("self-pay", budget=10000, currency="USD")
    assert client.wishes["approach"] == Wish(frozenset({"cbt"}), Strength.must_have)


def test_only_place_and_day_are_needed() -> None:
    assert Client.from_json({"place": "US-WA", "on": "2026-12-01"}) == Client("US-WA", ON)


def test_null_and_empty_are_the_same_as_skipped() -> None:
    empty: dict[str, Any] = {
        "hours": [],
        "languages": [],
        "concerns": {},
        "wishes": {},
        "payment": None,
    }
    assert Client.from_json({"place": "US-WA", "on": "2026-12-01"} | empty) == Client("US-WA", ON)


def test_clients_and_therapists_read_back_equal_through_json() -> None:
    random = Random(5)
    for _ in range(100):
        client, therapist = random_client(random), random_therapist(random)
        assert Client.from_json(json.loads(json.dumps(client.to_json()))) == client
        assert Therapist.from_json(json.loads(json.dumps(therapist.to_json()))) == therapist


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "somebody"}, "name"),
        ({"place": None}, "place"),
        ({"place": "Washington"}, "place"),
        ({"on": "next week"}, "on"),
        ({"on": "1926-12-01"}, "on"),
        ({"zone": "America/Nowhere"}, "zone"),
        ({"zone": None}, "zone"),
        ({"birth_year": 2027}, "birth_year"),
        ({"birth_year": "1990"}, "birth_year"),
        ({"birth_year": True}, "birth_year"),
        ({"service": ["individual"]}, "service"),
        ({"service": "coaching"}, "service"),
        ({"format": "online"}, "format"),
        ({"format": ["fax"]}, "format"),
        ({"languages": ["en", 7]}, "languages"),
        ({"languages": ["tlh"]}, "languages"),
        ({"concerns": ["panic"]}, "concerns"),
        ({"concerns": {"panic": 4}}, "concerns.panic"),
        ({"concerns": {"panic": 0}}, "concerns.panic"),
        ({"concerns": {"panic": 1.5}}, "concerns.panic"),
        ({"concerns": {"unheard-of": 1}}, "concerns"),
        ({"acuity": 4}, "acuity"),
        ({"acuity": -1}, "acuity"),
        ({"payment": {"budget": 10}}, "payment.kind"),
        ({"payment": {"kind": "barter"}}, "payment.kind"),
        ({"payment": {"kind": "self-pay", "budget": -1}}, "payment.budget"),
        ({"payment": {"kind": "self-pay", "budget": 99.5}}, "payment.budget"),
        ({"payment": {"kind": "self-pay", "card": "4242"}}, "payment.card"),
        ({"payment": {"kind": "self-pay", "insurer": "medicaid"}}, "payment.insurer"),
        ({"payment": {"kind": "insurance", "insurer": "nobody"}}, "payment.insurer"),
        ({"hours": ["tue 21:00-18:00"]}, "hours"),
        ({"hours": ["tue 18:30-19:15"]}, "hours"),
        ({"hours": "tue 18:00-21:00"}, "hours"),
        ({"style": {"loud": 1}}, "style.loud"),
        ({"style": {"warm": 3.1}}, "style.warm"),
        ({"style": {"warm": math.nan}}, "style.warm"),
        ({"style": {"warm": "very"}}, "style.warm"),
        ({"wishes": {"gender": {"want": []}}}, "wishes.gender.want"),
        ({"wishes": {"gender": {"want": "woman"}}}, "wishes.gender.want"),
        ({"wishes": {"gender": {"want": ["x"]}}}, "wishes.gender"),
        (
            {"wishes": {"gender": {"want": ["woman"], "strength": "badly"}}},
            "wishes.gender.strength",
        ),
        ({"wishes": {"gender": {"want": ["woman"], "strength": ["a"]}}}, "wishes.gender.strength"),
        ({"wishes": {"height": {"want": ["tall"]}}}, "wishes.height"),
        ({"wishes": {"approach": {"want": ["hypnosis"]}}}, "wishes.approach"),
        ({"exclude": ["Dr No"]}, "exclude"),
    ],
)
def test_a_bad_client_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadClient) as refusal:
        Client.from_json(settled(**changes), ONE_OF_EACH)
    assert refusal.value.field == field


@pytest.mark.parametrize("attribute", ["race", "ethnicity", "faith", "orientation"])
def test_birth_belief_and_love_can_be_hoped_for_but_never_demanded(attribute: str) -> None:
    wish = {attribute: {"want": ["any"], "strength": "must_have"}}
    with pytest.raises(BadClient) as refusal:
        Client.from_json(settled(wishes=wish))
    assert refusal.value.field == f"wishes.{attribute}.strength"
    hoped_for = {attribute: {"want": ["any"], "strength": "would_like"}}
    assert not Client.from_json(settled(wishes=hoped_for)).musts


@pytest.mark.parametrize("data", [None, [], "US-WA", 7])
def test_what_is_not_an_object_is_no_client(data: Any) -> None:
    with pytest.raises(BadClient):
        Client.from_json(data)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "7"}, "id"),
        ({"id": str(UUID(int=1)).replace("-", "")}, "id"),
        ({"id": "ABCDEF00-0000-4000-8000-000000000000"}, "id"),
        ({"authority": {"Washington": ON}}, "authority"),
        ({"authority": {"US-WA": "2026-12-01"}}, "authority.US-WA"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": math.nan}, "capacity"),
        ({"ages": (-1, None)}, "ages"),
        ({"ages": (40, 30)}, "ages"),
        ({"acuity_max": 4}, "acuity_max"),
        ({"fee": -1}, "fee"),
        ({"fee": math.nan}, "fee"),
        ({"fee": None, "sliding_from": 100}, "sliding_from"),
        ({"fee": 5000, "sliding_from": 5001}, "sliding_from"),
        ({"hours": 1 << 168}, "hours"),
        ({"hours": -1}, "hours"),
        ({"concerns": {"panic": 4}}, "concerns.panic"),
        ({"concerns": {"sleep": 1}}, "concerns"),
        ({"style": {"warm": math.nan}}, "style.warm"),
        ({"style": {"warm": math.inf}}, "style.warm"),
        ({"record": {"mood": (1001, 0)}}, "record.mood"),
        ({"languages": frozenset({"tlh"})}, "languages"),
        ({"languages": "en"}, "languages"),
        ({"services": frozenset({""})}, "services"),
        ({"identities": {"height": frozenset({"tall"})}}, "identities.height"),
        ({"identities": {"gender": frozenset({"x"})}}, "identities.gender"),
    ],
)
def test_a_bad_therapist_is_refused_by_row_and_field(changes: dict[str, Any], field: str) -> None:
    good, bad = make_therapist(1), replace(make_therapist(2), **changes)
    with pytest.raises(BadRow) as refusal:
        Index([good, bad], on=ON, vocabulary=ONE_OF_EACH)
    assert (refusal.value.row, refusal.value.field) == (1, field)
    assert str(refusal.value).startswith(f"row 1, {field}: ")


def test_an_id_that_comes_twice_is_refused_even_when_not_live() -> None:
    twice = [make_therapist(1), make_therapist(2), make_therapist(1, live=False)]
    with pytest.raises(BadRow) as refusal:
        Index(twice, on=ON)
    assert (refusal.value.row, refusal.value.field) == (2, "id")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": "xyz"}, "hours"),
        ({"hours": "f" * 43}, "hours"),
        ({"ages": [18]}, "ages"),
        ({"live": 1}, "live"),
        ({"capacity": None}, "capacity"),
        ({"authority": {"US-WA": "soon"}}, "authority.US-WA"),
        ({"name": "Naledi Brandt"}, "name"),
    ],
)
def test_a_therapist_that_cannot_be_read_names_row_and_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadRow) as refusal:
        Therapist.from_json(make_therapist().to_json() | changes, row=4)
    assert (refusal.value.row, refusal.value.field) == (4, field)


@pytest.mark.parametrize(
    "changes",
    [{"concerns": 301}, {"concerns": -300}, {"concerns": 300.0}, {"record": 0}],
)
def test_weights_that_do_not_sum_to_1000_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadWeights):
        Weights.from_mapping(2, Weights().by_factor | changes)


def test_weights_need_every_factor_and_no_other() -> None:
    by_factor = Weights().by_factor
    assert Weights.from_mapping(1, by_factor) == Weights()
    with pytest.raises(BadWeights):
        Weights.from_mapping(2, by_factor | {"looks": 0})
    with pytest.raises(BadWeights):
        Weights.from_mapping(2, {"concerns": 1000})
