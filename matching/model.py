"""The engine's values: a client, a therapist, the weights. No names, no contact, no record ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from matching import checking, reading
from matching.errors import BadClient, BadRow, BadValue, BadWeights
from matching.hours import EVERY_HOUR, Window, weekly_bits
from matching.reading import Reader
from matching.records import Record
from matching.terms import APPROACH, FACTORS, FREE, INSURANCE


class Strength(StrEnum):
    must_have = "must_have"
    would_like = "would_like"
    no_preference = "no_preference"


@dataclass(frozen=True)
class Wish:
    """Any of these codes, and how much it matters."""

    want: frozenset[str]
    strength: Strength = Strength.would_like

    @property
    def is_must(self) -> bool:
        return self.strength is Strength.must_have

    @property
    def counts(self) -> bool:
        return self.strength is not Strength.no_preference

    @classmethod
    def read(cls, value: Any, path: str) -> Self:
        found = Reader(value, ("want", "strength"), path)
        strength = found.optional("strength", _strength) or Strength.would_like
        return cls(found.codes("want"), strength)

    def to_json(self) -> dict[str, Any]:
        return {"want": sorted(self.want), "strength": str(self.strength)}


@dataclass(frozen=True)
class Payment:
    """How a client pays. `budget` is minor units a session; `insurer` goes with insurance."""

    kind: str
    insurer: str | None = None
    budget: int | None = None
    currency: str | None = None

    @classmethod
    def read(cls, value: Any, path: str) -> Self:
        found = Reader(value, ("kind", "insurer", "budget", "currency"), path)
        return cls(
            kind=found.required("kind", reading.text),
            insurer=found.optional("insurer", reading.text),
            budget=found.optional("budget", reading.whole),
            currency=found.optional("currency", reading.text),
        )

    def to_json(self) -> dict[str, Any]:
        stated = {"insurer": self.insurer, "budget": self.budget, "currency": self.currency}
        return {"kind": self.kind} | {key: each for key, each in stated.items() if each is not None}

    @property
    def has_price(self) -> bool:
        """Whether the client pays the fee, or part of it, and said how much at most."""
        return self.budget is not None and self.kind not in (INSURANCE, FREE)


@dataclass(frozen=True)
class Vocabulary:
    """The codes that exist; None takes any. `identities`: attribute → its codes."""

    concerns: frozenset[str] | None = None
    domains: frozenset[str] | None = None
    approaches: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    services: frozenset[str] | None = None
    formats: frozenset[str] | None = None
    payments: frozenset[str] | None = None
    insurers: frozenset[str] | None = None
    identities: Mapping[str, frozenset[str]] | None = None


ANY_CODE = Vocabulary()


@dataclass(frozen=True)
class Client:
    """What one person asks for. Whatever is empty or None was skipped and costs nobody anything.

    `place` is ISO 3166-2; `on` the day the match is for; `zone` an IANA name, needed with
    `windows`; severities are 1–3, acuity 0–3, style −3…+3 on the axes of STYLE_AXES. `domain` is
    the heading under which their main concern stands: the one whose records count. `exclude` holds
    the ids of therapists they do not want. Raises BadClient.
    """

    place: str
    on: date
    zone: str | None = None
    birth_year: int | None = None
    service: str | None = None
    formats: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    concerns: Mapping[str, int] = field(default_factory=dict)
    domain: str | None = None
    acuity: int | None = None
    payment: Payment | None = None
    windows: tuple[Window, ...] = ()
    style: Mapping[str, float] = field(default_factory=dict)
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        try:
            checking.check_client(self)
        except BadValue as bad:
            raise BadClient(bad.field, bad.reason) from None

    @classmethod
    def from_json(cls, data: Any, vocabulary: Vocabulary = ANY_CODE) -> Self:
        """Read the shape of `docs/reference/matching.md`. Raises BadClient, naming the field."""
        try:
            client = cls._read(data)
            checking.check_client_codes(client, vocabulary)
        except BadValue as bad:
            raise BadClient(bad.field, bad.reason) from None
        return client

    @classmethod
    def _read(cls, data: Any) -> Self:
        found = Reader(data, CLIENT_KEYS)
        windows = found.optional("hours", reading.texts) or ()
        return cls(
            place=found.required("place", reading.text),
            on=found.required("on", reading.day),
            zone=found.optional("zone", reading.text),
            birth_year=found.optional("birth_year", reading.whole),
            service=found.optional("service", reading.text),
            formats=found.codes("format"),
            languages=found.codes("languages"),
            concerns=found.mapping("concerns", reading.whole),
            domain=found.optional("domain", reading.text),
            acuity=found.optional("acuity", reading.whole),
            payment=found.optional("payment", Payment.read),
            windows=tuple(Window.parse(each) for each in windows),
            style=found.mapping("style", reading.number),
            wishes=found.mapping("wishes", Wish.read),
            exclude=found.codes("exclude"),
        )

    def to_json(self) -> dict[str, Any]:
        """The same shape without what was skipped; reads back as an equal client."""
        stated = {
            "zone": self.zone,
            "birth_year": self.birth_year,
            "service": self.service,
            "format": sorted(self.formats),
            "languages": sorted(self.languages),
            "concerns": dict(self.concerns),
            "domain": self.domain,
            "acuity": self.acuity,
            "payment": self.payment.to_json() if self.payment else None,
            "hours": [str(window) for window in self.windows],
            "style": dict(self.style),
            "wishes": {name: wish.to_json() for name, wish in self.wishes.items()},
            "exclude": sorted(self.exclude),
        }
        place_and_day = {"place": self.place, "on": self.on.isoformat()}
        return place_and_day | {
            key: each for key, each in stated.items() if each not in (None, [], {})
        }

    @cached_property
    def hours(self) -> int:
        """The 168 UTC bits of the week of `on`; 0 when no hours were stated."""
        return weekly_bits(self.windows, self.zone, self.on) if self.zone else 0

    @property
    def age(self) -> int | None:
        """The age reached in the year of `on`; nobody has to give a birthday."""
        return None if self.birth_year is None else self.on.year - self.birth_year

    @property
    def wished_approaches(self) -> frozenset[str]:
        wish = self.wishes.get(APPROACH)
        return wish.want if wish and wish.counts else frozenset()

    @property
    def wished_identities(self) -> dict[str, frozenset[str]]:
        """Attribute → the codes of which any will do, in alphabetical order of attributes."""
        counting = {name: wish for name, wish in self.wishes.items() if wish.counts}
        return {name: counting[name].want for name in sorted(counting) if name != APPROACH}

    @property
    def musts(self) -> dict[str, frozenset[str]]:
        """Wish → the codes of which a therapist must have one, in alphabetical order of wishes."""
        return {
            name: self.wishes[name].want
            for name in sorted(self.wishes)
            if self.wishes[name].is_must
        }


CLIENT_KEYS = (
    "place",
    "on",
    "zone",
    "birth_year",
    "service",
    "format",
    "languages",
    "concerns",
    "domain",
    "acuity",
    "payment",
    "hours",
    "style",
    "wishes",
    "exclude",
)


@dataclass(frozen=True)
class Therapist:
    """What the engine may know of one therapist.

    `id` is a UUID in its canonical form; `live` says whether they may be found at all.
    `authority`: place → the last day on which they may practise there. `capacity` is open places,
    `ages` youngest and oldest (None: no limit), `acuity_max` the most acute client within scope
    (0–3). `fee` and `sliding_from` are minor units a session. `hours` are 168 UTC bits of the week
    the index is for (see `matching.hours`). `concerns`: code → skill 1–3; `style`: axis → −3…+3,
    what is not stated left out; `identities`: attribute → published codes; `record`: domain → what
    outcomes say, empty while track record is off. Not checked here: an index refuses bad rows,
    saying which.
    """

    id: str
    live: bool = True
    authority: Mapping[str, date] = field(default_factory=dict)
    capacity: int = 0
    ages: tuple[int, int | None] = (18, None)
    services: frozenset[str] = frozenset()
    acuity_max: int = 0
    languages: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    payments: frozenset[str] = frozenset()
    insurers: frozenset[str] = frozenset()
    fee: int | None = None
    sliding_from: int | None = None
    currency: str | None = None
    hours: int = 0
    concerns: Mapping[str, int] = field(default_factory=dict)
    approaches: frozenset[str] = frozenset()
    style: Mapping[str, float] = field(default_factory=dict)
    identities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    record: Mapping[str, Record] = field(default_factory=dict)

    @property
    def lowest_fee(self) -> int | None:
        return self.fee if self.sliding_from is None else self.sliding_from

    def having(self, wish: str) -> frozenset[str]:
        """The codes stated under a wish: the approaches, or a published identity."""
        return self.approaches if wish == APPROACH else self.identities.get(wish, frozenset())

    @classmethod
    def from_json(cls, data: Any, row: int = 0) -> Self:
        """Read what `to_json` wrote. Raises BadRow, naming the row given and the field."""
        try:
            return cls._read(data)
        except BadValue as bad:
            raise BadRow(row, bad.field, bad.reason) from None

    @classmethod
    def _read(cls, data: Any) -> Self:
        found = Reader(data, cls.__dataclass_fields__)
        return cls(
            id=found.required("id", reading.text),
            live=found.required("live", reading.truth),
            authority=found.mapping("authority", reading.day),
            capacity=found.required("capacity", reading.whole),
            ages=found.required("ages", _ages),
            services=found.codes("services"),
            acuity_max=found.required("acuity_max", reading.whole),
            languages=found.codes("languages"),
            formats=found.codes("formats"),
            payments=found.codes("payments"),
            insurers=found.codes("insurers"),
            fee=found.optional("fee", reading.whole),
            sliding_from=found.optional("sliding_from", reading.whole),
            currency=found.optional("currency", reading.text),
            hours=found.optional("hours", _hex_week) or 0,
            concerns=found.mapping("concerns", reading.whole),
            approaches=found.codes("approaches"),
            style=found.mapping("style", reading.number),
            identities=found.mapping("identities", reading.codes),
            record=found.mapping("record", _record),
        )

    def to_json(self) -> dict[str, Any]:
        """Everything the engine knew, for a replay; the hours as 42 hexadecimal digits."""
        return {
            "id": self.id,
            "live": self.live,
            "authority": {place: day.isoformat() for place, day in sorted(self.authority.items())},
            "capacity": self.capacity,
            "ages": list(self.ages),
            "services": sorted(self.services),
            "acuity_max": self.acuity_max,
            "languages": sorted(self.languages),
            "formats": sorted(self.formats),
            "payments": sorted(self.payments),
            "insurers": sorted(self.insurers),
            "fee": self.fee,
            "sliding_from": self.sliding_from,
            "currency": self.currency,
            "hours": f"{self.hours:042x}",
            "concerns": dict(sorted(self.concerns.items())),
            "approaches": sorted(self.approaches),
            "style": dict(sorted(self.style.items())),
            "identities": {name: sorted(own) for name, own in sorted(self.identities.items())},
            "record": {domain: [*each] for domain, each in sorted(self.record.items())} or None,
        }


@dataclass(frozen=True)
class Weights:
    """How much each factor counts: whole numbers that sum to 1000, with the version they are."""

    version: int = 1
    concerns: int = 300
    hours: int = 150
    approach: int = 120
    price: int = 110
    style: int = 80
    language: int = 70
    identity: int = 70
    format: int = 50
    record: int = 50

    def __post_init__(self) -> None:
        try:
            checking.check_weights(self.by_factor)
        except BadValue as bad:
            raise BadWeights(bad.field, bad.reason) from None

    @classmethod
    def from_mapping(cls, version: int, by_factor: Mapping[str, int]) -> Self:
        """Raises BadWeights unless there is exactly one whole weight a factor."""
        if set(by_factor) != set(FACTORS):
            raise BadWeights("weights", "there must be one for each factor and no other")
        return cls(version, **by_factor)

    @cached_property
    def by_factor(self) -> dict[str, int]:
        return {factor: getattr(self, factor) for factor in FACTORS}


DEFAULT_WEIGHTS = Weights()


def _strength(value: Any, path: str) -> Strength:
    if value not in list(Strength):
        raise BadValue(path, f"must be one of {', '.join(Strength)}")
    return Strength(value)


def _ages(value: Any, path: str) -> tuple[int, int | None]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadValue(path, "must be the youngest and the oldest")
    youngest, oldest = value
    return reading.whole(youngest, path), None if oldest is None else reading.whole(oldest, path)


def _record(value: Any, path: str) -> Record:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadValue(path, "must be a score and a bonus")
    score, bonus = value
    return Record(reading.whole(score, path), reading.whole(bonus, path))


def _hex_week(value: Any, path: str) -> int:
    try:
        bits = int(reading.text(value, path), 16)
    except ValueError:
        raise BadValue(path, "must be 42 hexadecimal digits") from None
    if not 0 <= bits <= EVERY_HOUR:
        raise BadValue(path, "must be 42 hexadecimal digits")
    return bits
