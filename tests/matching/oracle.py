"""The rules and factors once more, as plainly as they can be read: loops over values, no numpy.

Written from docs/reference/matching.md alone. It shares the values with the engine and nothing
that decides or counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from matching import Client, Therapist, Weights


@dataclass(frozen=True)
class Found:
    """(id, points by factor, total) in order; live therapists; how many each rule fails."""

    results: list[tuple[str, dict[str, int], int]]
    considered: int
    excluded: dict[str, int]


def rank(
    therapists: list[Therapist],
    client: Client,
    weights: Weights,
    prices: Mapping[str, int] | None = None,
) -> Found:
    live = [therapist for therapist in therapists if therapist.live]
    excluded: Counter[str] = Counter()
    results = []
    for therapist in live:
        failing = failing_rules(client, therapist)
        excluded.update(failing)
        if not failing:
            points = points_of(client, therapist, weights)
            if prices and prices.get(therapist.id):
                points["needed_elsewhere"] = -prices[therapist.id]
            results.append((therapist.id, points, sum(points.values())))
    results.sort(key=lambda result: (-result[2], result[0]))
    return Found(results, len(live), dict(excluded))


def market(therapists: list[Therapist], client: Client) -> dict[str, int]:
    """For each rule that this client sets, how many live therapists fail it and nothing else."""
    gains = dict.fromkeys(_rules_set(client), 0)
    for therapist in therapists:
        failing = failing_rules(client, therapist)
        if therapist.live and len(failing) == 1 and failing[0] in gains:
            gains[failing[0]] += 1
    return gains


def end_of(last_day: date, zone: str) -> datetime:
    """The first instant, to the half hour, at which it is a later day in this zone."""
    at = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) - timedelta(days=1)
    while at.astimezone(ZoneInfo(zone)).date() <= last_day:
        at += timedelta(minutes=30)
    return at


def failing_rules(client: Client, therapist: Therapist) -> list[str]:
    failing = []
    if client.place not in therapist.authority or therapist.authority[client.place] < client.on:
        failing.append("licence")
    if therapist.capacity == 0:
        failing.append("capacity")
    if client.birth_year is not None and not _sees_age(client, therapist):
        failing.append("age")
    if client.service is not None and client.service not in therapist.services:
        failing.append("service")
    if client.acuity is not None and client.acuity > therapist.acuity_max:
        failing.append("scope")
    if client.languages and not any(each in therapist.languages for each in client.languages):
        failing.append("language")
    if client.payment is not None and not _can_pay(client, therapist):
        failing.append("payment")
    if client.formats and not any(each in therapist.formats for each in client.formats):
        failing.append("format")
    if client.windows and not _hours_in_common(client, therapist):
        failing.append("hours")
    if therapist.id in client.exclude:
        failing.append("exclusion")
    for name, wish in client.wishes.items():
        if wish.strength == "must_have" and not any(
            code in _stated(therapist, name) for code in wish.want
        ):
            failing.append(f"must.{name}")
    return failing


def _rules_set(client: Client) -> list[str]:
    asked = {
        "capacity": True,
        "age": client.birth_year is not None,
        "service": client.service is not None,
        "language": client.languages,
        "payment": client.payment is not None,
        "format": client.formats,
        "hours": client.windows,
        "exclusion": client.exclude,
        "must.approach": "approach" in client.wishes
        and client.wishes["approach"].strength == "must_have",
    }
    return [rule for rule, is_asked in asked.items() if is_asked]


def points_of(client: Client, therapist: Therapist, weights: Weights) -> dict[str, int]:
    scores = {
        "concerns": _concerns(client, therapist),
        "hours": _hours(client, therapist),
        "approach": _approach(client, therapist),
        "price": _price(client, therapist),
        "style": _style(client, therapist),
        "language": _part(client.languages, therapist.languages),
        "identity": _identity(client, therapist),
        "format": _part(client.formats, therapist.formats),
        "record": 500,
    }
    bonus = 0
    if client.domain is not None and client.domain in therapist.record:
        scores["record"], bonus = therapist.record[client.domain]
    points = {factor: getattr(weights, factor) * score for factor, score in scores.items()}
    if weights.record * bonus > 0:
        points["little_known"] = weights.record * bonus
    return points


def _sees_age(client: Client, therapist: Therapist) -> bool:
    assert client.birth_year is not None
    age = client.on.year - client.birth_year
    youngest, oldest = therapist.ages
    return youngest <= age and (oldest is None or age <= oldest)


def _can_pay(client: Client, therapist: Therapist) -> bool:
    payment = client.payment
    assert payment is not None
    if payment.kind not in therapist.payments:
        return False
    if payment.kind == "insurance":
        return payment.insurer is None or payment.insurer in therapist.insurers
    if payment.kind == "free" or payment.budget is None:
        return True
    return _is_affordable(client, therapist)


def _is_affordable(client: Client, therapist: Therapist) -> bool:
    payment = client.payment
    assert payment is not None
    assert payment.budget is not None
    if therapist.fee is None:
        return False
    if payment.currency and therapist.currency and payment.currency != therapist.currency:
        return False
    at_least = therapist.fee if therapist.sliding_from is None else therapist.sliding_from
    return at_least <= payment.budget


def _hours_in_common(client: Client, therapist: Therapist) -> int:
    common = 0
    for hour in range(168):
        if client.hours & (1 << hour) and therapist.hours & (1 << hour):
            common += 1
    return common


def _stated(therapist: Therapist, wish: str) -> frozenset[str]:
    if wish == "approach":
        return therapist.approaches
    return therapist.identities.get(wish, frozenset())


def _concerns(client: Client, therapist: Therapist) -> int:
    if not client.concerns:
        return 500
    weight, reached = 0, 0
    for concern, severity in client.concerns.items():
        weight += severity
        reached += severity * therapist.concerns.get(concern, 0)
    return floor(Fraction(1000 * reached, 3 * weight))


def _hours(client: Client, therapist: Therapist) -> int:
    if not client.windows:
        return 500
    stated = sum(1 for hour in range(168) if client.hours & (1 << hour))
    enough = min(5, stated)
    return floor(Fraction(1000 * min(_hours_in_common(client, therapist), enough), enough))


def _approach(client: Client, therapist: Therapist) -> int:
    wish = client.wishes.get("approach")
    if wish is None or wish.strength == "no_preference":
        return 500
    return _part(wish.want, therapist.approaches)


def _price(client: Client, therapist: Therapist) -> int:
    payment = client.payment
    if payment is None:
        return 500
    if payment.kind in ("insurance", "free"):
        return 1000 if _can_pay(client, therapist) else 0
    if payment.budget is None:
        return 500
    if not _is_affordable(client, therapist):
        return 0
    assert therapist.fee is not None
    if therapist.fee <= payment.budget:
        return 1000
    assert therapist.sliding_from is not None
    way = Fraction(payment.budget - therapist.sliding_from, therapist.fee - therapist.sliding_from)
    return floor(500 + 500 * way)


def _style(client: Client, therapist: Therapist) -> int:
    if not client.style:
        return 500
    near = Fraction(0)
    for axis, wanted in client.style.items():
        if axis not in therapist.style:
            near += Fraction(1, 2)
        else:
            apart = abs(round(100 * wanted) - round(100 * therapist.style[axis]))
            near += Fraction(600 - apart, 600)
    return floor(1000 * near / len(client.style))


def _identity(client: Client, therapist: Therapist) -> int:
    asked, met = 0, 0
    for name, wish in client.wishes.items():
        if name == "approach" or wish.strength == "no_preference":
            continue
        asked += 1
        if any(code in _stated(therapist, name) for code in wish.want):
            met += 1
    return floor(Fraction(1000 * met, asked)) if asked else 500


def _part(asked: frozenset[str], having: frozenset[str]) -> int:
    if not asked:
        return 500
    return floor(Fraction(1000 * sum(1 for each in asked if each in having), len(asked)))
