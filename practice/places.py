"""Places a licence can be for: the states, the district and the inhabited territories of the US."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files

from practice.local_time import instant_at


class UnknownPlace(LookupError):
    """No place has this code or name."""


@dataclass(frozen=True)
class Place:
    """`code` is ISO 3166-2, `zone` the IANA zone of the capital, where the boards sit."""

    code: str
    name: str
    capital: str
    zone: str
    adult_age: int


def place(code: str) -> Place:
    """The place with this ISO 3166-2 code, such as "US-WA"; raises UnknownPlace."""
    try:
        return PLACES[code]
    except KeyError:
        raise UnknownPlace(f"no place has the code {code!r}") from None


def place_named(name: str) -> Place:
    """The place with this name, however it is capitalised; raises UnknownPlace."""
    wanted = name.strip().casefold()
    for known in PLACES.values():
        if known.name.casefold() == wanted:
            return known
    raise UnknownPlace(f"no place is called {name!r}")


def place_choices() -> list[tuple[str, str]]:
    """(code, name) in the order of the names, for a select field."""
    return [(known.code, known.name) for known in PLACES.values()]


def zone_of(code: str) -> str:
    """The IANA zone in which a licence of this place ends its days; raises UnknownPlace."""
    return place(code).zone


def in_force_until(expires_on: date, code: str) -> datetime:
    """The instant (aware, UTC) of the midnight that ends `expires_on` where the licence is from.

    A licence is in force strictly before it.
    """
    return instant_at(expires_on + timedelta(days=1), time(), zone_of(code))


def _shipped() -> dict[str, Place]:
    data = json.loads(files("practice").joinpath("data/places.json").read_text(encoding="utf-8"))
    places = [Place(**{"adult_age": data["adult_age"], **entry}) for entry in data["places"]]
    return {known.code: known for known in sorted(places, key=lambda known: known.name)}


PLACES: Mapping[str, Place] = _shipped()
