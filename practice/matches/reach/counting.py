"""How often each therapist is found, and what of their own keeps others from it: rows → figures.

Two things are counted over four whole weeks. What people were shown, from the lists that were
kept; and what they looked for, asked again of everybody who may practise today, as if nobody had
wishes about the person, scores, or somebody they turned down: those are nobody's to learn.

Periods of four weeks follow one another and never overlap, so that a search is counted once and
looking again brings nothing new of it. Each person changes each figure by one at most, and of the
figures of one therapist these: how many looked, one of those they are found or kept from by, being
shown, being among the first, and `CONCERNS_OF_ONE` of what is not listed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

import matching
from core.database import db
from core.encryption import Erased
from core.noise import keyed_noise
from matching.reach import TOLD
from matching.terms import APPROACH
from practice.intake.models import Intake
from practice.matches.market.entries import all_who_may_practise
from practice.matches.market.index import client_values
from practice.matches.models import Proposal
from practice.matches.reach.policy import lists_in, searches_in
from practice.matches.search import SHOWN
from practice.places import PLACES
from practice.therapists.models import Therapist
from practice.vocabularies import vocabulary

PERIOD = timedelta(weeks=4)
A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
# One person moves the odds of any guess from one figure by exp(1 / 10) at most.
SCALE = 10
# Steps of a figure. A smaller sum is not kept at all, as there is more noise in it than people.
STEP = 10
FEWEST = 20
# Of all names of which nobody was counted, noise alone brings one so far on a page in seventeen.
FEWEST_NAMED = 70
CONCERNS_OF_ONE = 3
AT_ONCE = 500
# Of all that somebody answered only this is opened.
PAGES_READ = frozenset(
    "birth-year service format languages concerns concern-weights payment hours wishes".split()
)


class Period(NamedTuple):
    """Whole weeks from the Monday `since` to the Monday `until` (excluded), in UTC."""

    since: datetime
    until: datetime

    @classmethod
    def at(cls, at: datetime) -> "Period":
        """The last that was over at `at`; every instant has lain in one and no other."""
        until = at - (at - A_MONDAY) % PERIOD
        return cls(until - PERIOD, until)

    @property
    def last_day(self) -> datetime:
        return self.until - timedelta(days=1)


@dataclass(frozen=True)
class Counted:
    """By therapist's row id the figures, each with noise, in tens and without what is too small:

    {"searches", "found", "alone": {rule}, "places": {place}, "lacking": {concern}, "shown",
    "first"}; without "found" to "lacking" of whom no rule was asked. `searches` is everybody's.
    """

    searches: int
    therapists: dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """By public id: how many people had somebody in a list, and how many among the first."""

    shown: Mapping[str, int]
    first: Mapping[str, int]


@dataclass(frozen=True)
class Teller:
    """What may be told of counts about one therapist; `whom` is their public id, "" for all."""

    period: Period
    whom: str = ""

    def total(self, figure: str, count: int) -> int:
        """Nought for what is too small to tell."""
        return self._told(count, FEWEST, figure)

    def named(self, figure: str, names: Iterable[str], counts: Mapping[str, int]) -> dict[str, int]:
        """Of every name that could have been counted, so that none tells by being there."""
        told = (
            (name, self._told(counts.get(name, 0), FEWEST_NAMED, figure, name)) for name in names
        )
        return {name: count for name, count in told if count}

    def _told(self, count: int, fewest: int, *figure: str) -> int:
        begun = self.period.since.date().isoformat()
        noisy = count + keyed_noise(SCALE, "reach", begun, self.whom, *figure)
        return in_tens(noisy) if noisy >= fewest else 0


def counted(at: datetime) -> Counted:
    """Reads sealed answers a few hundred at a time and keeps only sums of them."""
    period = Period.at(at)
    seen, everybody = _seen(period), _Everybody.at(at)
    reach, people = everybody.index.reach(), 0
    for client in _searches(period, at):
        reach.add(client)
        people += 1
    searches = Teller(period).total("searches", people)
    # Of everybody, or that there are figures would tell that somebody was shown.
    figures = {
        row_id: {
            "searches": searches,
            **everybody.reached(Teller(period, public_id), reach),
            **_shown(Teller(period, public_id), seen),
        }
        for row_id, public_id in _therapists()
    }
    return Counted(searches, figures)


def in_tens(count: int) -> int:
    return round(count / STEP) * STEP


@dataclass(frozen=True)
class _Everybody:
    """Who may practise, hours confirmed lately or not, and what each has: by public id."""

    index: matching.Index
    places: Mapping[str, Collection[str]]
    concerns: Mapping[str, Collection[str]]

    @classmethod
    def at(cls, at: datetime) -> "_Everybody":
        """Nobody changes this index."""
        columns, places, concerns = matching.Columns(), {}, {}
        for entry in all_who_may_practise(at, at.date()):
            values = entry.values
            with suppress(matching.BadRow):
                columns.add(values)
            places[values.id], concerns[values.id] = set(values.authority), set(values.concerns)
        index = matching.Index.from_table(columns.table(), on=at.date())
        return cls(index, places, concerns)

    def reached(self, teller: Teller, reach: matching.Reach) -> dict[str, Any]:
        """Nothing of whom is not asked about."""
        whom = teller.whom
        if whom not in self.index:
            return {}
        found = reach.of(whom)
        elsewhere = [place for place in PLACES if place not in self.places[whom]]
        codes = vocabulary("concerns").codes
        unlisted = [concern for concern in codes if concern not in self.concerns[whom]]
        return {
            "found": teller.total("found", found.found),
            "alone": teller.named("alone", TOLD, found.alone),
            "places": teller.named("places", elsewhere, found.places),
            "lacking": teller.named("lacking", unlisted, found.lacking),
        }


def _shown(teller: Teller, seen: Seen) -> dict[str, int]:
    return {
        "shown": teller.total("shown", seen.shown.get(teller.whom, 0)),
        "first": teller.total("first", seen.first.get(teller.whom, 0)),
    }


def _therapists() -> Iterator[tuple[int, str]]:
    for row_id, public_id in db.session.execute(sa.select(Therapist.id, Therapist.public_id)):
        yield row_id, str(public_id)


def _searches(period: Period, at: datetime) -> Iterator[matching.Client]:
    """What each person asked for last."""
    wanted = searches_in(*period).order_by(Intake.submitted_at, Intake.id)
    columns = wanted.with_only_columns(Intake.client_id, Intake.id)
    newest = {row.client_id: row.id for row in db.session.execute(columns)}
    for some in _batches(newest.values()):
        rows = sa.select(Intake).where(Intake.id.in_(some)).order_by(Intake.id)
        for intake in db.session.scalars(rows.options(joinedload(Intake.client))):
            if intake.client.place:
                with suppress(Erased):
                    yield _asked(intake, at)
        # Nothing that was unsealed stays in memory.
        db.session.expunge_all()


def _asked(intake: Intake, at: datetime) -> matching.Client:
    answers = {each.page: each.value for each in intake.answers if each.page in PAGES_READ}
    values = client_values(intake.client, answers, at, with_scores=False)
    approach = {name: wish for name, wish in values.wishes.items() if name == APPROACH}
    return replace(values, wishes=approach, concerns=_heaviest(values.concerns))


def _heaviest(concerns: Mapping[str, int]) -> dict[str, int]:
    heaviest = sorted(concerns, key=lambda each: (-concerns[each], each))[:CONCERNS_OF_ONE]
    return {concern: concerns[concern] for concern in heaviest}


def _seen(period: Period) -> Seen:
    shown: Counter[str] = Counter()
    first: Counter[str] = Counter()
    for _, lists in groupby(_lists(period), key=lambda each: each[0]):
        of_one = [therapists for _, therapists in lists]
        shown.update({each for one in of_one for each in one})
        first.update({each for one in of_one for each in one[:SHOWN]})
    return Seen(shown, first)


def _lists(period: Period) -> Iterator[tuple[int, list[str]]]:
    """(client, the therapists in their order), client by client."""
    wanted = lists_in(*period).order_by(Proposal.client_id, Proposal.id)
    keys = db.session.scalars(wanted.with_only_columns(Proposal.id)).all()
    for some in _batches(keys):
        rows = sa.select(Proposal).where(Proposal.id.in_(some))
        ordered = rows.order_by(Proposal.client_id, Proposal.id)
        for proposal in db.session.scalars(ordered.options(joinedload(Proposal.client))):
            with suppress(Erased):
                yield proposal.client_id, [each["id"] for each in proposal.shown]
        db.session.expunge_all()


def _batches(keys: Iterable[int]) -> Iterator[Collection[int]]:
    rest = iter(list(keys))
    while some := list(islice(rest, AT_ONCE)):
        yield some
