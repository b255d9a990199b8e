"""What a client, a therapist and a set of weights must be before anything is computed with them."""

import re
from collections.abc import Collection, Iterable, Mapping, Set
from datetime import date, datetime
from typing import TYPE_CHECKING

from matching.errors import BadValue
from matching.hours import EVERY_HOUR, known_zone
from matching.ids import is_id
from matching.terms import (
    APPROACH,
    FULL,
    INSURANCE,
    OLDEST,
    STYLE_AXES,
    STYLE_LIMIT,
    TOP_ACUITY,
    TOP_SKILL,
    WOULD_LIKE_ONLY,
)

if TYPE_CHECKING:
    from matching.model import Client, Payment, Therapist, Vocabulary, Wish

YEARS = (2000, 2199)
MOST_MONEY = 10**9
MOST_PLACES = 10_000

# Every abstract set will do; to look for the usual one first is faster.
SETS = (frozenset, Set)

_PLACE = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


def check_client(client: "Client") -> None:
    """Raises BadValue for the first field that cannot be right."""
    _check_place(client.place, "place")
    _check_day(client.on, "on")
    _check_within(client.on.year, YEARS, "on")
    if client.birth_year is not None:
        _check_within(client.birth_year, (client.on.year - OLDEST, client.on.year), "birth_year")
    if client.acuity is not None:
        _check_within(client.acuity, (0, TOP_ACUITY), "acuity")
    _check_levels(client.concerns, "concerns")
    if client.domain is not None:
        _check_codes({client.domain}, "domain")
    _check_style(client.style)
    _check_client_hours(client)
    if client.payment is not None:
        _check_payment(client.payment)
    for name, wish in client.wishes.items():
        _check_wish(name, wish)
    for each in client.exclude:
        _check_id(each, "exclude")
    for field in ("languages", "formats", "exclude"):
        _check_codes(getattr(client, field), field)


def check_client_codes(client: "Client", vocabulary: "Vocabulary") -> None:
    """Raises BadValue for a code that the vocabulary does not have."""
    _check_known(client.concerns, vocabulary.concerns, "concerns")
    if client.domain is not None:
        _check_known([client.domain], vocabulary.domains, "domain")
    _check_known(client.languages, vocabulary.languages, "languages")
    _check_known(client.formats, vocabulary.formats, "format")
    if client.service is not None:
        _check_known([client.service], vocabulary.services, "service")
    if client.payment is not None:
        _check_known([client.payment.kind], vocabulary.payments, "payment.kind")
        if client.payment.insurer is not None:
            _check_known([client.payment.insurer], vocabulary.insurers, "payment.insurer")
    for name, wish in client.wishes.items():
        _check_known_wish(name, wish.want, vocabulary, f"wishes.{name}")


def check_therapist(therapist: "Therapist", vocabulary: "Vocabulary") -> None:
    """Raises BadValue for the first field that cannot be right."""
    _check_id(therapist.id, "id")
    for place, until in therapist.authority.items():
        _check_place(place, "authority")
        _check_day(until, f"authority.{place}")
    _check_within(therapist.capacity, (0, MOST_PLACES), "capacity")
    _check_ages(therapist.ages)
    _check_within(therapist.acuity_max, (0, TOP_ACUITY), "acuity_max")
    _check_fees(therapist)
    _check_within(therapist.hours, (0, EVERY_HOUR), "hours")
    _check_levels(therapist.concerns, "concerns")
    _check_style(therapist.style)
    _check_record(therapist, vocabulary)
    _check_therapist_codes(therapist, vocabulary)


def check_weights(by_factor: Mapping[str, int]) -> None:
    for factor, weight in by_factor.items():
        _check_within(weight, (0, 1000), factor)
    if sum(by_factor.values()) != 1000:
        raise BadValue("weights", "must sum to 1000")


def check_prices(prices: Mapping[str, int]) -> None:
    for therapist_id, price in prices.items():
        _check_id(therapist_id, "prices")
        _check_within(price, (0, MOST_MONEY), f"prices.{therapist_id}")


def _check_place(place: str, field: str) -> None:
    if not isinstance(place, str) or not _PLACE.fullmatch(place):
        raise BadValue(field, "must be an ISO 3166-2 code like US-WA")


def _check_day(day: date, field: str) -> None:
    if not isinstance(day, date) or isinstance(day, datetime):
        raise BadValue(field, "must be a day")


def _check_within(value: int, limits: tuple[int, int], field: str) -> None:
    least, most = limits
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadValue(field, f"must be a whole number from {least} to {most}")


def _check_levels(levels: Mapping[str, int], field: str) -> None:
    for code, level in levels.items():
        _check_within(level, (1, TOP_SKILL), f"{field}.{code}")


def _check_style(style: Mapping[str, float]) -> None:
    for axis, value in style.items():
        if axis not in STYLE_AXES:
            raise BadValue(f"style.{axis}", "is not a known field")
        # NaN lies within no limits.
        if not _is_number(value) or not -STYLE_LIMIT <= value <= STYLE_LIMIT:
            raise BadValue(
                f"style.{axis}", f"must be a number from −{STYLE_LIMIT} to {STYLE_LIMIT}"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_client_hours(client: "Client") -> None:
    if client.zone is not None:
        known_zone(client.zone)
    if not client.windows:
        return
    if client.zone is None:
        raise BadValue("zone", "is needed to read the hours")
    if client.hours == 0:
        raise BadValue("hours", "hold no whole hour")


def _check_payment(payment: "Payment") -> None:
    if payment.budget is not None:
        _check_within(payment.budget, (0, MOST_MONEY), "payment.budget")
    if payment.insurer is not None and payment.kind != INSURANCE:
        raise BadValue("payment.insurer", "only goes with insurance")


def _check_wish(name: str, wish: "Wish") -> None:
    _check_codes(wish.want, f"wishes.{name}.want")
    if wish.counts and not wish.want:
        raise BadValue(f"wishes.{name}.want", "names nothing")
    if wish.is_must and name in WOULD_LIKE_ONLY:
        raise BadValue(f"wishes.{name}.strength", "can be hoped for, never demanded")


def _check_id(value: str, field: str) -> None:
    if not is_id(value):
        raise BadValue(field, "must be a UUID in lower case")


def _check_ages(ages: tuple[int, int | None]) -> None:
    youngest, oldest = ages
    _check_within(youngest, (0, OLDEST), "ages")
    if oldest is not None:
        _check_within(oldest, (youngest, OLDEST), "ages")


def _check_fees(therapist: "Therapist") -> None:
    if therapist.fee is not None:
        _check_within(therapist.fee, (0, MOST_MONEY), "fee")
    if therapist.sliding_from is not None:
        if therapist.fee is None:
            raise BadValue("sliding_from", "needs a fee to slide from")
        _check_within(therapist.sliding_from, (0, therapist.fee), "sliding_from")


def _check_record(therapist: "Therapist", vocabulary: "Vocabulary") -> None:
    for domain, (score, bonus) in therapist.record.items():
        _check_within(score, (0, FULL), f"record.{domain}")
        _check_within(bonus, (0, FULL - score), f"record.{domain}")
    _check_known(therapist.record, vocabulary.domains, "record")


def _check_therapist_codes(therapist: "Therapist", vocabulary: "Vocabulary") -> None:
    for field in ("services", "languages", "formats", "payments", "insurers", "approaches"):
        codes = getattr(therapist, field)
        _check_codes(codes, field)
        _check_known(codes, getattr(vocabulary, field), field)
    _check_known(therapist.concerns, vocabulary.concerns, "concerns")
    for attribute, own in therapist.identities.items():
        _check_codes(own, f"identities.{attribute}")
        _check_known_wish(attribute, own, vocabulary, f"identities.{attribute}")


def _check_codes(codes: Set[str], field: str) -> None:
    if not isinstance(codes, SETS) or not all(isinstance(each, str) and each for each in codes):
        raise BadValue(field, "must be a set of codes")


def _check_known(codes: Iterable[str], known: Collection[str] | None, field: str) -> None:
    if known is not None and not all(code in known for code in codes):
        raise BadValue(field, "holds an unknown code")


def _check_known_wish(name: str, codes: Set[str], vocabulary: "Vocabulary", field: str) -> None:
    if name == APPROACH:
        _check_known(codes, vocabulary.approaches, field)
    elif vocabulary.identities is not None:
        _check_known([name], vocabulary.identities, field)
        _check_known(codes, vocabulary.identities[name], field)
