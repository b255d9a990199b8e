"""The engine's adapter: rows → values. The one place where a client becomes a `matching.Client`."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import matching
from practice.accounts.models import Client
from practice.intake.answers import weighed_concerns
from practice.matches.market.acuity import acuity
from practice.matches.market.changes import the_version
from practice.matches.market.domains import main_domain
from practice.matches.market.in_place import Market, market_for
from practice.places import zone_of

NEEDS_A_LOWER_FEE, PAYS_THEMSELVES = "sliding", "self-pay"


class NoPlace(ValueError):
    """A client without a place cannot be matched: authority depends on where they are."""


def market_at(at: datetime, place: str) -> Market:
    """Everybody listable at `at`, for the week of that day in `place`."""
    return market_for(at, day_in(place, at), the_version())


def day_in(place: str, at: datetime) -> date:
    """The calendar day at this instant where the client is."""
    return at.astimezone(ZoneInfo(zone_of(place))).date()


def client_values(
    client: Client,
    answers: Mapping[str, Any],
    at: datetime,
    *,
    exclude: Collection[str] = (),
    with_scores: bool = True,
) -> matching.Client:
    """What the engine may know of a client: their answers in codes, without a word of their own.

    `answers` have the shapes of `practice.intake.pages`; `exclude` are therapists' public ids.
    `with_scores=False` leaves acuity out, for somebody who took back the consent to assessment.
    Raises NoPlace.
    """
    if not client.place:
        raise NoPlace
    hours, concerns = answers.get("hours") or {}, weighed_concerns(answers)
    return matching.Client(
        place=client.place,
        on=day_in(client.place, at),
        zone=hours.get("zone"),
        birth_year=answers.get("birth-year"),
        service=answers.get("service"),
        formats=frozenset(answers.get("format") or ()),
        languages=frozenset(answers.get("languages") or ()),
        concerns=concerns,
        domain=main_domain(concerns),
        acuity=acuity(answers) if with_scores else None,
        payment=_payment(answers.get("payment")),
        windows=tuple(matching.Window.parse(text) for text in hours.get("windows") or ()),
        style=answers.get("style") or {},
        wishes=_wishes(answers.get("wishes") or {}),
        exclude=frozenset(exclude),
    )


def without_scope(client: matching.Client) -> matching.Client:
    """The same person if nobody's scope counted, to see whether scope is what stands in the way."""
    return replace(client, acuity=None)


def _payment(answer: Mapping[str, Any] | None) -> matching.Payment | None:
    if not answer:
        return None
    kind, budget = answer["kind"], answer.get("budget")
    if kind == NEEDS_A_LOWER_FEE and budget is not None:
        # Whoever names a limit is served by any fee within it, sliding or not.
        kind = PAYS_THEMSELVES
    return matching.Payment(kind, answer.get("insurer"), budget, answer.get("currency"))


def _wishes(answer: Mapping[str, Any]) -> dict[str, matching.Wish]:
    return {
        name: matching.Wish(frozenset(wish["want"]), matching.Strength(wish["strength"]))
        for name, wish in answer.items()
        if wish["want"]
    }
