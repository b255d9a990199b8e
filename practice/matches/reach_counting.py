"""How often each therapist is found, and what of their own keeps others from it: rows → figures.

Two things are counted over the last `LONGEST` days. What people were shown, from the lists that
were kept; and what they looked for, asked again of everybody who may practise today, as if nobody
had wishes about the person, scores, or somebody they turned down: those are nobody's to learn.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

import matching
from core.database import db
from core.encryption import Erased
from matching.terms import APPROACH
from practice.intake.models import Intake
from practice.matches.entries import all_who_may_practise
from practice.matches.index import client_values
from practice.matches.models import Proposal
from practice.matches.reach_policy import lists_since, searches_since
from practice.matches.search import SHOWN
from practice.therapists.models import HOURS_STAY_FRESH, Therapist

PERIODS = (30, 90)
LONGEST = max(PERIODS)
# Steps of a figure; a smaller one is not kept at all.
STEP = 10
AT_ONCE = 500
# Of all that somebody answered only this is opened.
PAGES_READ = frozenset(
    "birth-year service format languages concerns concern-weights payment hours wishes".split()
)


@dataclass(frozen=True)
class Counted:
    """`people` searched; by therapist's row id the figures, each in tens and without noughts:

    {"searches", "found", "alone": {rule}, "places": {place}, "lacking": {concern},
    "shown": {"30", "90"}, "first": {"30", "90"}, "is_fresh": whether their hours are confirmed}.
    """

    people: int
    therapists: dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """By public id and number of days: how many people had somebody in a list, how many first."""

    shown: Mapping[tuple[str, int], int]
    first: Mapping[tuple[str, int], int]


def counted(at: datetime) -> Counted:
    """Reads sealed answers a few hundred at a time and keeps only sums of them."""
    seen, index = _seen(at), _index(at)
    reach, people = index.reach(), 0
    for client in _searches(at):
        reach.add(client)
        people += 1
    known = {each for each, _ in seen.shown}
    figures = {
        row_id: {
            "is_fresh": confirmed is not None and confirmed > at - HOURS_STAY_FRESH,
            "searches": in_tens(people),
            **(_reached(reach.of(public_id)) if public_id in index else {}),
            "shown": _by_period(seen.shown, public_id),
            "first": _by_period(seen.first, public_id),
        }
        for row_id, public_id, confirmed in _therapists()
        if public_id in index or public_id in known
    }
    return Counted(people, figures)


def in_tens(count: int) -> int:
    """Rounded down, so that one person more or less hardly ever shows; below ten it is nought."""
    return count - count % STEP


def _reached(reached: matching.Reached) -> dict[str, Any]:
    return {
        "found": in_tens(reached.found),
        "alone": _told(reached.alone),
        "places": _told(reached.places),
        "lacking": _told(reached.lacking),
    }


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: in_tens(count) for name, count in counts.items() if count >= STEP}


def _by_period(counts: Mapping[tuple[str, int], int], public_id: str) -> dict[str, int]:
    return _told({str(days): counts.get((public_id, days), 0) for days in PERIODS})


def _therapists() -> Iterator[tuple[int, str, datetime | None]]:
    columns = Therapist.id, Therapist.public_id, Therapist.hours_confirmed_at
    for row_id, public_id, confirmed in db.session.execute(sa.select(*columns)):
        yield row_id, str(public_id), confirmed


def _index(at: datetime) -> matching.Index:
    """Everybody who may practise, with hours confirmed lately or not; nobody changes this one."""
    columns = matching.Columns()
    for entry in all_who_may_practise(at, at.date()):
        with suppress(matching.BadRow):
            columns.add(entry.values)
    return matching.Index.from_table(columns.table(), on=at.date())


def _searches(at: datetime) -> Iterator[matching.Client]:
    """What each person asked for last."""
    wanted = searches_since(at - timedelta(days=LONGEST)).order_by(Intake.submitted_at, Intake.id)
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
    return replace(values, wishes=approach)


def _seen(at: datetime) -> Seen:
    shown: Counter[tuple[str, int]] = Counter()
    first: Counter[tuple[str, int]] = Counter()
    for _, lists in groupby(_lists(at), key=lambda each: each[0]):
        of_one = [(made_at, therapists) for _, made_at, therapists in lists]
        for days in PERIODS:
            lately = [shown for made_at, shown in of_one if made_at >= at - timedelta(days=days)]
            shown.update((each, days) for each in {each for one in lately for each in one})
            first.update((each, days) for each in {each for one in lately for each in one[:SHOWN]})
    return Seen(shown, first)


def _lists(at: datetime) -> Iterator[tuple[int, datetime, list[str]]]:
    """(client, when, the therapists in their order), client by client."""
    wanted = lists_since(at - timedelta(days=LONGEST)).order_by(Proposal.client_id, Proposal.id)
    keys = db.session.scalars(wanted.with_only_columns(Proposal.id)).all()
    for some in _batches(keys):
        rows = sa.select(Proposal).where(Proposal.id.in_(some))
        ordered = rows.order_by(Proposal.client_id, Proposal.id)
        for proposal in db.session.scalars(ordered.options(joinedload(Proposal.client))):
            with suppress(Erased):
                ids = [each["id"] for each in proposal.shown]
                yield proposal.client_id, proposal.made_at, ids
        db.session.expunge_all()


def _batches(keys: Iterable[int]) -> Iterator[Collection[int]]:
    rest = iter(list(keys))
    while some := list(islice(rest, AT_ONCE)):
        yield some
