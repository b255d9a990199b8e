"""From rows to what the market is made of: the engine's values of everybody who is listable."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import matching
from core.config import current_settings
from core.database import db
from practice.matches.track_record import records_among
from practice.places import zone_of
from practice.therapists.models import HOURS_STAY_FRESH, Therapist, WeeklyHours
from practice.therapists.queries import authority_among, listable
from practice.vocabularies import vocabulary

# Somebody who takes no fee suits whoever pays themselves, wholly or in part.
PAYS_THEMSELVES = frozenset({"self-pay", "sliding", "free"})
COLUMNS = (
    "id public_id zone open_places youngest oldest services most_acuity languages formats payments "
    "fee sliding_from skills approaches style identities hours_confirmed_at"
).split()


@dataclass(frozen=True, slots=True)
class Entry:
    """One therapist in the market, up to `ends_at` (excluded) if nothing else changes first.

    `row_id` is the key inside; `zone` is the one in which their hours were written down.
    """

    row_id: int
    values: matching.Therapist
    zone: str
    ends_at: datetime


def everybody(at: datetime, on: date) -> Iterator[Entry]:
    """Whoever is listable at `at`; a few queries, however many there are."""
    return _entries(listable(at), at, on)


def entries_of(therapist_ids: Collection[int], at: datetime, on: date) -> list[Entry]:
    """Those of them who are listable at `at`; a few queries. `on` is a day of the week meant."""
    return list(_entries(listable(at).where(Therapist.id.in_(therapist_ids)), at, on))


def concerned(therapist_ids: Collection[int]) -> dict[int, str]:
    """{row id: public id} of these and of whoever they supervise, whose right rests on theirs."""
    rows = sa.select(Therapist.id, Therapist.public_id).where(
        sa.or_(Therapist.id.in_(therapist_ids), Therapist.supervisor_id.in_(therapist_ids))
    )
    return {row_id: str(public_id) for row_id, public_id in db.session.execute(rows)}


def _entries(chosen: sa.Select[Therapist], at: datetime, on: date) -> Iterator[Entry]:
    ids = chosen.with_only_columns(Therapist.id)
    authority, hours = authority_among(ids, at), _windows_among(ids)
    records, currency = records_among(ids), current_settings().currency
    columns = (getattr(Therapist, name) for name in COLUMNS)
    for row in db.session.execute(chosen.with_only_columns(*columns)):
        # Between two queries a right may have gone; whoever took it away has raised the version.
        if authority.get(row.id):
            bits = matching.weekly_bits(hours[row.id], row.zone, on)
            values = engine_values(row, bits, authority[row.id], records[row.id], currency)
            yield Entry(row.id, values, row.zone, _end_of(row, authority[row.id]))


def _windows_among(ids: sa.Select[int]) -> dict[int, list[matching.Window]]:
    columns = WeeklyHours.therapist_id, WeeklyHours.weekday, WeeklyHours.starts, WeeklyHours.ends
    windows = defaultdict(list)
    for therapist_id, weekday, starts, ends in db.session.execute(
        sa.select(*columns).where(WeeklyHours.therapist_id.in_(ids))
    ):
        windows[therapist_id].append(matching.Window.of(weekday, starts, ends))
    return windows


def _end_of(row: Any, authority: Mapping[str, datetime]) -> datetime:
    end: datetime = min(row.hours_confirmed_at + HOURS_STAY_FRESH, *authority.values())
    return end


def engine_values(
    therapist: Any,
    hours: int,
    authority: Mapping[str, datetime],
    record: Mapping[str, matching.Record],
    currency: str,
) -> matching.Therapist:
    """The engine's therapist from a row with the columns of COLUMNS; licences as last days."""
    plans = _insurance_plans()
    return matching.Therapist(
        id=str(therapist.public_id),
        live=True,
        authority={place: last_day(until, place) for place, until in authority.items()},
        capacity=therapist.open_places,
        ages=(therapist.youngest, therapist.oldest),
        services=frozenset(therapist.services),
        acuity_max=therapist.most_acuity,
        languages=frozenset(therapist.languages),
        formats=frozenset(therapist.formats),
        payments=_ways_of_paying(therapist) - plans,
        insurers=frozenset(therapist.payments) & plans,
        fee=therapist.fee,
        sliding_from=therapist.sliding_from,
        currency=currency,
        hours=hours,
        concerns=therapist.skills,
        approaches=frozenset(therapist.approaches),
        style={axis: value for axis, value in therapist.style.items() if value is not None},
        identities={name: frozenset(own) for name, own in therapist.identities.items() if own},
        record=record,
    )


@lru_cache(maxsize=20_000)
def last_day(until: datetime, place: str) -> date:
    """The last whole day of a right that ends at the instant `until`, where the licence is from."""
    return (until - timedelta(seconds=1)).astimezone(ZoneInfo(zone_of(place))).date()


def _ways_of_paying(therapist: Any) -> frozenset[str]:
    ways = frozenset(therapist.payments)
    return ways | PAYS_THEMSELVES if therapist.fee == 0 else ways


def _insurance_plans() -> frozenset[str]:
    options = vocabulary("payments").term("insurance").options
    return frozenset(options.codes) if options else frozenset()
