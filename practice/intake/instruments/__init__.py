"""Questionnaires as data. One JSON file each, with its own source and terms of use.

Only instruments that may be shipped stand here, word for word; a translation enters only when it
is an authorised one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


class UnknownInstrument(LookupError):
    """No instrument has this code; the message names those there are."""


@dataclass(frozen=True)
class Item:
    """A question. `number` counts from 1, as on the printed sheet."""

    number: int
    text: str
    loinc: str


@dataclass(frozen=True)
class Option:
    value: int
    label: str
    loinc: str


@dataclass(frozen=True)
class Band:
    """A published range of totals, both ends included."""

    code: str
    label: str
    low: int
    high: int

    def holds(self, total: int) -> bool:
        return self.low <= total <= self.high


@dataclass(frozen=True)
class Instrument:
    """A questionnaire whose total is the plain sum of its answers.

    `risk_item` is the number of the item that starts the risk path when it is above zero, or
    None. `case_from` is the lowest total usually counted as a case, `reliable_change` the smallest
    difference of totals that is more than measurement error.
    """

    code: str
    name: str
    short_name: str
    version: str
    language: str
    recall: str
    items: tuple[Item, ...]
    options: tuple[Option, ...]
    bands: tuple[Band, ...]
    risk_item: int | None
    case_from: int
    reliable_change: int
    loinc_panel: str
    loinc_total: str
    source: str
    terms: str

    @property
    def highest_total(self) -> int:
        return self.bands[-1].high

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(option.value for option in self.options)

    def band_of(self, total: int) -> Band:
        """The band that holds a total; ValueError outside the instrument's range."""
        for band in self.bands:
            if band.holds(total):
                return band
        raise ValueError(f"{self.short_name} has no total of {total}")


def instrument(code: str) -> Instrument:
    """The instrument with this code, such as "phq-9"; raises UnknownInstrument."""
    try:
        return INSTRUMENTS[code]
    except KeyError:
        known = ", ".join(INSTRUMENTS)
        raise UnknownInstrument(f"unknown instrument {code!r}; known are {known}") from None


def _shipped() -> Iterator[Instrument]:
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            yield _from_data(json.loads(file.read_text(encoding="utf-8")))


def _from_data(data: Mapping[str, Any]) -> Instrument:
    lists = {
        "items": tuple(Item(number, **item) for number, item in enumerate(data["items"], 1)),
        "options": tuple(Option(**option) for option in data["options"]),
        "bands": tuple(Band(**band) for band in data["bands"]),
    }
    return Instrument(**{**data, **lists})


INSTRUMENTS: Mapping[str, Instrument] = {shipped.code: shipped for shipped in _shipped()}
