"""The factors: how closely somebody who may be offered fits, in whole numbers from 0 to 1000.

Each factor takes (client, therapist) and gives a Measure: the score s and what it is made of.
points = weight · s. Divisions round down, so that every figure is exact and the same everywhere.
A question that the client skipped gives everyone 500; nothing is renormalised. A must-have counts
here as much as a would-like: making a wish stricter changes who is in the list, never the points.
"""

from collections.abc import Callable, Iterable

from matching.hours import hours_in
from matching.model import Client, Payment, Therapist, Weights
from matching.reasons import Facts, Finding, Line, Measure, Standing
from matching.records import UNKNOWN, Record
from matching.rules import in_other_money
from matching.terms import FREE, FULL, INSURANCE, NEUTRAL, STYLE_LIMIT, TOP_SKILL

Factor = Callable[[Client, Therapist], Measure]

# One meeting a week needs one hour; five to choose from is as good as any number.
ENOUGH_HOURS = 5
# Hours count as met from this score: four of five.
HOURS_MET_FROM = 800
SKILL_MET_FROM = 2

# Style is measured in hundredths of a step, from −300 to +300.
STEP = 100
STYLE_SPAN = 2 * STYLE_LIMIT * STEP
STYLE_UNKNOWN = STYLE_SPAN // 2
STYLE_MET_WITHIN = 3 * STEP // 2
STYLE_PARTLY_WITHIN = 3 * STEP

# What a fee scores that only fits at its lowest.
HALF = FULL // 2

SKIPPED = Measure(NEUTRAL)


def lines(client: Client, therapist: Therapist, weights: Weights) -> tuple[Line, ...]:
    """The whole arithmetic for one therapist, in the order of FACTORS."""
    return tuple(
        _line(name, MEASURES[name](client, therapist), weight)
        for name, weight in weights.by_factor.items()
    )


def little_known(client: Client, therapist: Therapist, weights: Weights) -> int:
    """Points, a line of their own: what not knowing somebody's outcomes yet is worth.

    In the unit of the factor `record`, with its weight; the two never pass what it can give.
    """
    return weights.record * _recorded(client, therapist).bonus


def concerns(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · Σ severity·skill / (3 · Σ severity) over the client's concerns; skill 0 if none.

    A concern is met from skill 2, partly at 1.
    """
    if not client.concerns:
        return SKIPPED
    skills = {code: therapist.concerns.get(code, 0) for code in client.concerns}
    reached = sum(severity * skills[code] for code, severity in client.concerns.items())
    score = share(reached, TOP_SKILL * sum(client.concerns.values()))
    findings = (
        _concern(code, client.concerns[code], skills[code]) for code in _worst_first(client)
    )
    return Measure(score, tuple(findings))


def hours(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · min(common, enough) / enough, where enough = min(5, hours the client stated)."""
    if not client.hours:
        return SKIPPED
    common = client.hours & therapist.hours
    enough = enough_hours(client)
    score = share(min(common.bit_count(), enough), enough)
    facts: Facts = {
        "common": tuple(hours_in(common)),
        "stated": client.hours.bit_count(),
        "enough": enough,
    }
    standing = _standing(score, HOURS_MET_FROM) if therapist.hours else Standing.not_stated
    return Measure(score, (Finding("hours", standing, facts),))


def approach(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · approaches wished for and offered / approaches wished for.

    Each counts, because one therapist can work in several ways.
    """
    return _each_counts(client.wished_approaches, therapist.approaches)


def price(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 when the full fee lies within the budget.

    When it does not but the lowest does, s = 500 + 500 · (budget − lowest) / (fee − lowest). A
    lowest fee above the budget, another currency or no fee stated: 0. Insurance or a place without
    a fee: 1000 where accepted, 0 elsewhere. No budget: skipped.
    """
    paying = client.payment
    if paying is None or not (paying.has_price or paying.kind in (INSURANCE, FREE)):
        return SKIPPED
    if not paying.has_price:
        return _covered(paying, therapist)
    score = _affordable(paying, therapist)
    facts: Facts = {"budget": paying.budget, "fee": therapist.fee, "lowest": therapist.lowest_fee}
    standing = _standing(score, FULL) if therapist.fee is not None else Standing.not_stated
    return Measure(score, (Finding("fee", standing, facts),))


def style(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · mean of (600 − distance) / 600 over the axes on which the client said something.

    Distance in hundredths of a step, at most 600; an axis the therapist left open counts as 300.
    Within a step and a half is met, within three partly.
    """
    if not client.style:
        return SKIPPED
    distances = {axis: style_distance(client, therapist, axis) for axis in sorted(client.style)}
    known = (STYLE_UNKNOWN if away is None else away for away in distances.values())
    score = share(sum(STYLE_SPAN - away for away in known), STYLE_SPAN * len(distances))
    return Measure(score, tuple(_axis(axis, away) for axis, away in distances.items()))


def language(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · languages shared / languages the client named: naming two asks for the choice."""
    return _each_counts(client.languages, therapist.languages)


def identity(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · attributes met / attributes asked about; within one attribute any code will do.

    What a therapist does not publish is not met.
    """
    asked = client.wished_identities
    if not asked:
        return SKIPPED
    findings = tuple(_attribute(name, want, therapist) for name, want in asked.items())
    met = sum(finding.standing is Standing.met for finding in findings)
    return Measure(share(met, len(asked)), findings)


def format_(client: Client, therapist: Therapist) -> Measure:
    """s = 1000 · ways of meeting shared / ways the client named: naming two asks for the choice."""
    return _each_counts(client.formats, therapist.formats)


def record(client: Client, therapist: Therapist) -> Measure:
    """The measured record in the client's domain, 0…1000; 500 where none counts."""
    return Measure(_recorded(client, therapist).score)


MEASURES: dict[str, Factor] = {
    "concerns": concerns,
    "hours": hours,
    "approach": approach,
    "price": price,
    "style": style,
    "language": language,
    "identity": identity,
    "format": format_,
    "record": record,
}


def share(part: int, whole: int) -> int:
    """The part of a whole, in thousandths, rounded down."""
    return FULL * part // whole


def enough_hours(client: Client) -> int:
    return min(ENOUGH_HOURS, client.hours.bit_count())


def hundredths(value: float) -> int:
    """A place on a style axis in hundredths of a step, −300…+300."""
    return round(value * STEP)


def style_distance(client: Client, therapist: Therapist, axis: str) -> int | None:
    """How far apart the two are, in hundredths of a step; None when the therapist left it open."""
    if axis not in therapist.style:
        return None
    return abs(hundredths(client.style[axis]) - hundredths(therapist.style[axis]))


def _recorded(client: Client, therapist: Therapist) -> Record:
    return therapist.record.get(client.domain or "", UNKNOWN)


def _line(name: str, measure: Measure, weight: int) -> Line:
    return Line(name, measure.score, weight, measure.standing, measure.findings)


def _standing(score: int, met_from: int) -> Standing:
    if score >= met_from:
        return Standing.met
    return Standing.partly if score else Standing.not_met


def _worst_first(client: Client) -> Iterable[str]:
    return sorted(client.concerns, key=lambda code: (-client.concerns[code], code))


def _concern(code: str, severity: int, skill: int) -> Finding:
    return Finding(code, _standing(skill, SKILL_MET_FROM), {"severity": severity, "skill": skill})


def _each_counts(asked: frozenset[str], having: frozenset[str]) -> Measure:
    if not asked:
        return SKIPPED
    findings = (Finding(code, _has(code, having)) for code in sorted(asked))
    return Measure(share(len(asked & having), len(asked)), tuple(findings))


def _has(code: str, having: frozenset[str]) -> Standing:
    if not having:
        return Standing.not_stated
    return Standing.met if code in having else Standing.not_met


def _covered(paying: Payment, therapist: Therapist) -> Measure:
    """A way of paying in which the fee is not the client's: accepted or not."""
    plan_accepted = paying.insurer is None or paying.insurer in therapist.insurers
    accepted = paying.kind in therapist.payments and plan_accepted
    standing = Standing.met if accepted else Standing.not_met
    return Measure(FULL if accepted else 0, (Finding(paying.insurer or paying.kind, standing),))


def _affordable(paying: Payment, therapist: Therapist) -> int:
    budget, fee, lowest = paying.budget or 0, therapist.fee, therapist.lowest_fee
    if fee is None or lowest is None or lowest > budget or in_other_money(paying, therapist):
        return 0
    return FULL if fee <= budget else HALF + HALF * (budget - lowest) // (fee - lowest)


def _axis(axis: str, away: int | None) -> Finding:
    if away is None:
        return Finding(axis, Standing.not_stated)
    if away <= STYLE_MET_WITHIN:
        return Finding(axis, Standing.met, {"hundredths_apart": away})
    standing = Standing.partly if away <= STYLE_PARTLY_WITHIN else Standing.not_met
    return Finding(axis, standing, {"hundredths_apart": away})


def _attribute(name: str, want: frozenset[str], therapist: Therapist) -> Finding:
    published = therapist.identities.get(name, frozenset())
    facts: Facts = {"wanted": tuple(sorted(want)), "found": tuple(sorted(want & published))}
    if not published:
        return Finding(name, Standing.not_stated, facts)
    return Finding(name, Standing.met if want & published else Standing.not_met, facts)
