from datetime import UTC, date, datetime
from zoneinfo import available_timezones

import pytest

from practice.places import PLACES, UnknownPlace, in_force_until, place, place_named, zone_of


def test_every_state_the_district_and_the_inhabited_territories_are_there() -> None:
    territories = {"US-AS", "US-GU", "US-MP", "US-PR", "US-VI"}
    assert len(PLACES) == 50 + 1 + 5
    assert territories | {"US-DC"} <= set(PLACES)


def test_every_zone_is_one_the_machine_knows() -> None:
    assert {known.zone for known in PLACES.values()} <= available_timezones()


def test_places_are_offered_in_the_order_of_their_names() -> None:
    names = [known.name for known in PLACES.values()]
    assert names == sorted(names)


def test_washington_is_the_state_and_not_the_district() -> None:
    assert place_named(" washington ").code == "US-WA"


@pytest.mark.parametrize("code", ["US-XX", "WA", "us-wa", ""])
def test_an_unknown_code_is_refused(code: str) -> None:
    with pytest.raises(UnknownPlace):
        place(code)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownPlace):
        place_named("Cascadia")


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("US-WA", datetime(2026, 3, 9, 7, tzinfo=UTC)),  # the clocks went forward that day
        ("US-AZ", datetime(2026, 3, 9, 7, tzinfo=UTC)),  # no summer time
        ("US-NY", datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("US-PR", datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("US-GU", datetime(2026, 3, 8, 14, tzinfo=UTC)),
        ("US-AS", datetime(2026, 3, 9, 11, tzinfo=UTC)),
    ],
)
def test_a_licence_ends_at_midnight_in_its_own_zone(code: str, ends: datetime) -> None:
    assert in_force_until(date(2026, 3, 8), code) == ends


def test_a_licence_that_ends_with_the_year_ends_in_the_next_one() -> None:
    assert in_force_until(date(2026, 12, 31), "US-CA") == datetime(2027, 1, 1, 8, tzinfo=UTC)


def test_the_zone_is_that_of_the_capital_where_a_state_has_two() -> None:
    assert zone_of("US-TN") == "America/Chicago"
    assert zone_of("US-IN") == "America/Indiana/Indianapolis"
