"""From rows to courses of care: how somebody was before the first meeting, and how they were later.

Reads sealed scores a few hundred clients at a time and keeps sums, headings and the therapist.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core.database import db
from core.encryption import Unreadable
from core.errors import Erased
from practice.care.models import Episode
from practice.intake.answers import weighed_concerns
from practice.intake.models import Assessment, Intake
from practice.intake.queries import answers_of
from practice.matches.market.domains import domains_of
from practice.outcomes.policy import episodes_counted

COUNTED = timedelta(days=3 * 365)
# A sheet that is older says little about how somebody began.
FRESH = timedelta(days=90)
# Before four weeks have passed a second sheet says more about the day than about the care.
AFTER_WEEKS = timedelta(weeks=4)
AT_ONCE = 300


@dataclass(frozen=True)
class Period:
    """Care that began from `since` on, long enough before an instant to have a second sheet."""

    since: datetime
    until: datetime

    @classmethod
    def at(cls, at: datetime) -> "Period":
        return cls(at - COUNTED, at - AFTER_WEEKS)


@dataclass(frozen=True)
class Course:
    """One episode: `first` and `last` total by instrument, of those answered both times.

    `domains`: heading → how much of what they came with stands under it.
    """

    therapist_id: int
    domains: Mapping[str, int]
    first: Mapping[str, int]
    last: Mapping[str, int]


def courses(period: Period) -> Iterator[Course]:
    """In the order in which the care began. Whoever has no second sheet is not there."""
    wanted = episodes_counted(period.since, period.until).order_by(Episode.opened_at, Episode.id)
    keys = iter(db.session.scalars(wanted.with_only_columns(Episode.id)).all())
    while some := list(islice(keys, AT_ONCE)):
        yield from _read(some)
        # Nothing that was unsealed stays in memory.
        db.session.expunge_all()


def has_any(period: Period) -> bool:
    """Whether there is any care that may count, with a second sheet or without."""
    some = episodes_counted(period.since, period.until).with_only_columns(Episode.id).limit(1)
    return db.session.scalar(some) is not None


def _read(keys: Sequence[int]) -> Iterator[Course]:
    episodes = db.session.scalars(
        sa.select(Episode).where(Episode.id.in_(keys)).order_by(Episode.opened_at, Episode.id)
    ).all()
    clients = {episode.client_id for episode in episodes}
    sheets, intakes = _sheets_of(clients), _intakes_of(clients)
    for episode in episodes:
        found = _course(episode, sheets[episode.client_id], intakes[episode.client_id])
        if found is not None:
            yield found


def _course(
    episode: Episode, sheets: Iterable[Assessment], intakes: Iterable[Intake]
) -> Course | None:
    """None without two sheets of the same instrument, or without a concern.

    Nor where something does not open: one damaged sheet must not end the counting, with which
    everything goes that was taken back.
    """
    try:
        first, last = _first_and_last(episode, sheets)
        domains = _domains_at(episode, intakes)
    except (Erased, Unreadable):
        return None
    both = first.keys() & last.keys()
    if not both or not domains:
        return None
    return Course(
        episode.therapist_id,
        domains,
        {name: first[name] for name in sorted(both)},
        {name: last[name] for name in sorted(both)},
    )


def _first_and_last(
    episode: Episode, sheets: Iterable[Assessment]
) -> tuple[dict[str, int], dict[str, int]]:
    """Totals by instrument: the newest before the care, and the newest within it."""
    first, last = {}, {}
    for sheet in sheets:
        if sheet.total is None:
            continue
        if episode.opened_at - FRESH <= sheet.taken_at <= episode.opened_at:
            first[sheet.instrument] = sheet.total
        elif _is_within(episode, sheet.taken_at):
            last[sheet.instrument] = sheet.total
    return first, last


def _is_within(episode: Episode, taken_at: datetime) -> bool:
    has_begun = taken_at >= episode.opened_at + AFTER_WEEKS
    return has_begun and (episode.ended_at is None or taken_at <= episode.ended_at)


def _domains_at(episode: Episode, intakes: Iterable[Intake]) -> dict[str, int]:
    """What they came with, as they said last before the care began."""
    before = [one for one in intakes if one.submitted_at and one.submitted_at <= episode.opened_at]
    return domains_of(weighed_concerns(answers_of(before[-1]))) if before else {}


def _sheets_of(clients: Iterable[int]) -> Mapping[int, list[Assessment]]:
    """The oldest first."""
    wanted = sa.select(Assessment).where(Assessment.client_id.in_(clients))
    found = defaultdict(list)
    for sheet in db.session.scalars(wanted.order_by(Assessment.taken_at, Assessment.id)):
        found[sheet.client_id].append(sheet)
    return found


def _intakes_of(clients: Iterable[int]) -> Mapping[int, list[Intake]]:
    """Those that were sent, the oldest first."""
    wanted = sa.select(Intake).where(
        Intake.client_id.in_(clients), Intake.submitted_at.is_not(None)
    )
    found = defaultdict(list)
    in_order = wanted.order_by(Intake.submitted_at, Intake.id)
    for intake in db.session.scalars(in_order.options(selectinload(Intake.answers))):
        found[intake.client_id].append(intake)
    return found
