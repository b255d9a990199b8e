from datetime import date

import pytest

import matching
from practice.matches.market.entries import last_day
from practice.matches.obstacles import TOLD as OBSTACLES
from practice.matches.reasons import ReasonWords
from practice.matches.words import FACTOR_LABELS, WishWords, tally
from practice.places import in_force_until

ON = date(2026, 12, 1)
ZONE = "America/Los_Angeles"


def client(**fields):
    return matching.Client.from_json({"place": "US-WA", "on": ON.isoformat(), **fields})


def told(wanted, **offered):
    """{name: (state, sentence)} of what this client asks and this therapist offers."""
    therapist = matching.Therapist(id="00000000-0000-4000-8000-000000000001", **offered)
    lines = matching.Index([therapist], on=ON).explain(wanted, therapist.id).lines
    found = WishWords(wanted, "USD").all(lines)
    return {name: (state, sentence) for state, name, sentence in found}


def test_every_factor_has_its_words():
    assert tuple(FACTOR_LABELS) == matching.FACTORS


def test_concerns_are_told_by_how_well_they_are_known():
    words = told(client(concerns={"panic": 3, "grief": 1}), concerns={"panic": 3})
    state, sentence = words["What you would like help with"]
    assert state == "partly"
    assert sentence.startswith("Knows best: Panic attacks.")
    assert "Does not list: " in sentence


def test_shared_hours_are_told_on_the_clients_own_clock():
    wanted = client(zone=ZONE, hours=["tue 18:00-21:00", "thu 09:00-10:00"])
    hours = matching.weekly_bits(["tue 20:00-23:59", "thu 12:00-13:00"], "America/New_York", ON)
    assert told(wanted, hours=hours)["Hours"] == (
        "partly",
        "You share three hours a week: Thursday in the morning; Tuesday in the evening.",
    )


def test_no_shared_hour_is_said_plainly():
    wanted = client(zone=ZONE, hours=["tue 18:00-21:00"])
    hours = matching.weekly_bits(["mon 08:00-10:00"], ZONE, ON)
    assert told(wanted, hours=hours)["Hours"][1] == "No whole hour of the week suits you both."


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        ({"fee": 9000}, ("met", "$90, within your $100.")),
        ({"fee": 0}, ("met", "Free, within your $100.")),
        (
            {"fee": 12000, "sliding_from": 6000},
            ("partly", "$120, sliding from $60; your limit is $100."),
        ),
        ({"fee": 12000}, ("not met", "From $120, above your $100.")),
        ({}, ("not said", "No price is stated.")),
    ],
)
def test_prices_are_compared_with_the_limit(fees, expected):
    wanted = client(payment={"kind": "self-pay", "budget": 10000})
    assert told(wanted, payments=frozenset({"self-pay"}), **fees)["Price"] == expected


def test_insurance_is_told_by_its_plan():
    wanted = client(payment={"kind": "insurance", "insurer": "medicaid"})
    accepting = {"payments": frozenset({"insurance"}), "insurers": frozenset({"medicaid"})}
    assert told(wanted, **accepting)["Price"] == ("met", "Lists: Medicaid.")
    assert told(wanted)["Price"] == ("not met", "Does not list: Medicaid.")


def test_a_wish_about_the_person_never_says_who_they_are_instead():
    wanted = client(wishes={"gender": {"want": ["woman"]}})
    other = {"identities": {"gender": frozenset({"man"})}}
    assert told(wanted, **other)["About the person"] == ("not met", "Gender: not this.")
    assert told(wanted)["About the person"] == ("not said", "Gender: not said.")


def test_what_was_left_open_is_no_wish():
    assert told(client()) == {}


def test_the_tally_counts_wishes():
    wanted = client(languages=["en"], format=["online", "in-person"])
    therapist = matching.Therapist(
        id="00000000-0000-4000-8000-000000000001",
        languages=frozenset({"en"}),
        formats=frozenset({"online"}),
    )
    lines = matching.Index([therapist], on=ON).explain(wanted, therapist.id).lines
    assert tally(lines) == "Fits one of your two wishes, one partly"
    assert tally(()) == "You left everything open, so nothing sets anyone apart"


def test_private_failures_have_no_words():
    private = ("scope", "age", "exclusion")
    words = ReasonWords(None, client(), "USD")
    assert words.public(matching.Failure(rule, "any") for rule in private) == []
    assert not set(private) & set(OBSTACLES)


def test_a_demand_is_compared_with_the_profile():
    words = ReasonWords(None, client(), "USD")
    silent = matching.Failure("must.gender", "not_stated", {"wanted": ("woman",), "stated": ()})
    assert words.public([silent]) == ["Gender: you must have Woman; their profile does not say."]


def test_the_last_day_of_a_licence_is_the_day_it_expires_where_it_is_from():
    expires_on = date(2027, 6, 30)
    for place in ("US-WA", "US-NY", "US-HI", "US-GU"):
        assert last_day(in_force_until(expires_on, place), place) == expires_on
