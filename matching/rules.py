"""The rules: who may be offered to a client at all, and by how far the others miss.

Each rule takes (client, therapist) and gives None for yes, or a Failure with the distance. A
question that the client skipped lets everyone pass; a fact that the therapist has not stated
cannot satisfy a demand.
"""

from collections.abc import Callable, Iterator

from matching.hours import nearest
from matching.model import Client, Payment, Therapist
from matching.reasons import Facts, Failure
from matching.terms import INSURANCE, MUST

Rule = Callable[[Client, Therapist], Failure | None]


def failures(client: Client, therapist: Therapist) -> tuple[Failure, ...]:
    """Every rule that says no, in the order of RULES, then the must-haves."""
    answers = (rule(client, therapist) for rule in RULES.values())
    found = tuple(answer for answer in answers if answer is not None)
    return found + tuple(_missing_musts(client, therapist))


def names_for(client: Client) -> tuple[str, ...]:
    """The rules that apply to this client: the ten, and one for each must-have."""
    return (*RULES, *(MUST + wish for wish in client.musts))


def licence(client: Client, therapist: Therapist) -> Failure | None:
    """Authority to practise where the client is, in force on the day asked about."""
    until = therapist.authority.get(client.place)
    if until is None:
        return Failure("licence", "no_authority", {"place": client.place})
    if until < client.on:
        return Failure("licence", "ended", {"place": client.place, "ended_on": until.isoformat()})
    return None


def capacity(_client: Client, therapist: Therapist) -> Failure | None:
    """At least one open place."""
    return None if therapist.capacity > 0 else Failure("capacity", "full", {"open": 0})


def age(client: Client, therapist: Therapist) -> Failure | None:
    """The age the client reaches this year lies within the ages the therapist sees."""
    if client.age is None:
        return None
    youngest, oldest = therapist.ages
    if client.age < youngest:
        facts: Facts = {"age": client.age, "youngest": youngest, "years": youngest - client.age}
        return Failure("age", "too_young", facts)
    if oldest is not None and client.age > oldest:
        facts = {"age": client.age, "oldest": oldest, "years": client.age - oldest}
        return Failure("age", "too_old", facts)
    return None


def service(client: Client, therapist: Therapist) -> Failure | None:
    """The service asked for is offered."""
    if client.service is None or client.service in therapist.services:
        return None
    facts: Facts = {"wanted": client.service, "offered": _listed(therapist.services)}
    return Failure("service", "not_offered", facts)


def scope(client: Client, therapist: Therapist) -> Failure | None:
    """The client is not more acutely unwell than the therapist's scope allows.

    Where this fails everywhere the answer is a step up with a person to call, never nothing.
    """
    if client.acuity is None or client.acuity <= therapist.acuity_max:
        return None
    return Failure("scope", "beyond", {"acuity": client.acuity, "up_to": therapist.acuity_max})


def language(client: Client, therapist: Therapist) -> Failure | None:
    """At least one language in common."""
    if not client.languages or client.languages & therapist.languages:
        return None
    facts: Facts = {"wanted": _listed(client.languages), "spoken": _listed(therapist.languages)}
    return Failure("language", "none_shared", facts)


def payment(client: Client, therapist: Therapist) -> Failure | None:
    """The way of paying is accepted, and the lowest fee lies within the budget."""
    paying = client.payment
    if paying is None:
        return None
    if paying.kind not in therapist.payments:
        return Failure("payment", "kind_not_accepted", {"wanted": paying.kind})
    if paying.kind == INSURANCE:
        return _insurer(paying, therapist)
    return _fee(paying, therapist) if paying.has_price else None


def format_(client: Client, therapist: Therapist) -> Failure | None:
    """At least one way of meeting in common."""
    if not client.formats or client.formats & therapist.formats:
        return None
    facts: Facts = {"wanted": _listed(client.formats), "offered": _listed(therapist.formats)}
    return Failure("format", "none_shared", facts)


def hours(client: Client, therapist: Therapist) -> Failure | None:
    """At least one whole hour of the week in common."""
    if not client.hours or client.hours & therapist.hours:
        return None
    closest = nearest(client.hours, therapist.hours)
    if closest is None:
        return Failure("hours", "not_stated")
    facts: Facts = {"nearest_hour": closest.hour, "hours_away": closest.away}
    return Failure("hours", "none_in_common", facts)


def exclusion(client: Client, therapist: Therapist) -> Failure | None:
    """Not somebody whom the client asked not to see."""
    return Failure("exclusion", "by_client") if therapist.id in client.exclude else None


RULES: dict[str, Rule] = {
    "licence": licence,
    "capacity": capacity,
    "age": age,
    "service": service,
    "scope": scope,
    "language": language,
    "payment": payment,
    "format": format_,
    "hours": hours,
    "exclusion": exclusion,
}


def _missing_musts(client: Client, therapist: Therapist) -> Iterator[Failure]:
    """A must-have: one of the codes wanted, and said so; silence does not satisfy it."""
    for wish, want in client.musts.items():
        having = therapist.having(wish)
        if not want & having:
            why = "other" if having else "not_stated"
            facts: Facts = {"wanted": _listed(want), "stated": _listed(having)}
            yield Failure(MUST + wish, why, facts)


def _insurer(paying: Payment, therapist: Therapist) -> Failure | None:
    if paying.insurer is None or paying.insurer in therapist.insurers:
        return None
    return Failure("payment", "insurer_not_accepted", {"wanted": paying.insurer})


def _fee(paying: Payment, therapist: Therapist) -> Failure | None:
    lowest, budget = therapist.lowest_fee, paying.budget or 0
    if lowest is None:
        return Failure("payment", "fee_not_stated", {"budget": budget})
    if in_other_money(paying, therapist):
        return Failure("payment", "other_currency", {"wanted": paying.currency})
    if lowest <= budget:
        return None
    facts: Facts = {"lowest": lowest, "budget": budget, "above": lowest - budget}
    return Failure("payment", "above_budget", facts)


def in_other_money(paying: Payment, therapist: Therapist) -> bool:
    """Whether both named a currency and not the same one."""
    named = {paying.currency, therapist.currency} - {None}
    return len(named) > 1


def _listed(codes: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(codes))
