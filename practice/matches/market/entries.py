"""From rows to what the market is made of: the engine's values of everybody who is listable."""

import json
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
from practice.matches.market.track_record import Records, records_among
from practice.places import zone_of
from practice.therapists.models import HOURS_STAY_FRESH, Therapist, WeeklyHours
from practice.therapists.queries import authorised, authority_among, listable
from practice.vocabularies import vocabulary

# Somebody who takes no fee suits whoever pays themselves, wholly or in part.
PAYS_THEMSELVES = frozenset({"self-pay", "sliding", "free"})
COLUMNS = (
    "id public_id zone open_places youngest oldest most_acuity fee sliding_from hours_confirmed_at"
).split()
# Read as they are written: many state the same, and what one text says is decoded once.
WRITTEN = "services languages formats payments skills approaches style identities".split()
AT_ONCE = 2000
TEXTS_REMEMBERED = 4096


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
    """Whoever is listable at `at`; a few queries for every `AT_ONCE` row ids."""
    return _by_and_by(listable(at), at, on)


def all_who_may_practise(at: datetime, on: date) -> Iterator[Entry]:
    """As `everybody`, and whoever is left out only because their hours are not confirmed."""
    return _by_and_by(authorised(at), at, on)


def entries_of(therapist_ids: Collection[int], at: datetime, on: date) -> list[Entry]:
    """Those of them who are listable at `at`; a few queries. `on` is a day of the week meant."""
    return list(_entries(listable(at).where(Therapist.id.in_(therapist_ids)), at, on))


def concerned(therapist_ids: Collection[int]) -> dict[int, str]:
    """{row id: public id} of these and of whoever they supervise, whose right rests on theirs."""
    rows = sa.select(Therapist.id, Therapist.public_id).where(
        sa.or_(Therapist.id.in_(therapist_ids), Therapist.supervisor_id.in_(therapist_ids))
    )
    return {row_id: str(public_id) for row_id, public_id in db.session.execute(rows)}


def _by_and_by(chosen: sa.Select[Therapist], at: datetime, on: date) -> Iterator[Entry]:
    """Some after others, so that a nation of therapists never stands in memory twice."""
    last = db.session.scalar(sa.select(sa.func.max(Therapist.id))) or 0
    for first in range(1, last + 1, AT_ONCE):
        some = Therapist.id.between(first, first + AT_ONCE - 1)
        yield from _entries(chosen.where(some), at, on)


def _entries(chosen: sa.Select[Therapist], at: datetime, on: date) -> Iterator[Entry]:
    ids = chosen.with_only_columns(Therapist.id)
    authority, hours = authority_among(ids, at), _windows_among(ids)
    records, currency = records_among(ids, at), current_settings().currency
    for row in db.session.execute(chosen.with_only_columns(*_columns())):
        # Between two queries a right may have gone; whoever took it away has raised the version.
        if authority.get(row.id):
            bits = matching.weekly_bits(hours[row.id], row.zone, on)
            values = engine_values(row, bits, authority[row.id], records.of(row.id), currency)
            yield Entry(row.id, values, row.zone, _end_of(row, authority[row.id], records))


def _columns() -> Iterator[sa.ColumnElement[Any]]:
    yield from (getattr(Therapist, name) for name in COLUMNS)
    for name in WRITTEN:
        yield sa.type_coerce(getattr(Therapist, name), sa.Text).label(name)


def _windows_among(ids: sa.Select[int]) -> dict[int, list[matching.Window]]:
    columns = WeeklyHours.therapist_id, WeeklyHours.weekday, WeeklyHours.starts, WeeklyHours.ends
    windows = defaultdict(list)
    wanted = sa.select(*columns).where(WeeklyHours.therapist_id.in_(ids))
    for therapist_id, weekday, starts, ends in db.session.execute(wanted):
        windows[therapist_id].append(_window(weekday, starts, ends))
    return windows


_window = lru_cache(TEXTS_REMEMBERED)(matching.Window.of)


def _end_of(row: Any, authority: Mapping[str, datetime], records: Records) -> datetime:
    confirmed: datetime | None = row.hours_confirmed_at
    ends = [] if confirmed is None else [confirmed + HOURS_STAY_FRESH]
    if records.until is not None:
        ends.append(records.until)
    return min([*ends, *authority.values()])


def engine_values(
    therapist: Any,
    hours: int,
    authority: Mapping[str, datetime],
    record: Mapping[str, matching.Record],
    currency: str,
) -> matching.Therapist:
    """The engine's therapist from a row of COLUMNS and WRITTEN; licences as last days."""
    payments, plans = _payments(therapist.payments, therapist.fee == 0)
    return matching.Therapist(
        id=str(therapist.public_id),
        live=True,
        authority={place: last_day(until, place) for place, until in authority.items()},
        capacity=therapist.open_places,
        ages=(therapist.youngest, therapist.oldest),
        services=_codes(therapist.services),
        acuity_max=therapist.most_acuity,
        languages=_codes(therapist.languages),
        formats=_codes(therapist.formats),
        payments=payments,
        insurers=plans,
        fee=therapist.fee,
        sliding_from=therapist.sliding_from,
        currency=currency,
        hours=hours,
        concerns=json.loads(therapist.skills),
        approaches=_codes(therapist.approaches),
        style=_style(therapist.style),
        identities=_identities(therapist.identities),
        record=record,
    )


def last_day(until: datetime, place: str) -> date:
    """The last whole day of a right that ends at the instant `until`, where the licence is from."""
    return _day_before(until, zone_of(place))


@lru_cache(TEXTS_REMEMBERED)
def _day_before(until: datetime, zone: str) -> date:
    return (until - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()


@lru_cache(TEXTS_REMEMBERED)
def _codes(written: str) -> frozenset[str]:
    return frozenset(json.loads(written))


@lru_cache(TEXTS_REMEMBERED)
def _style(written: str) -> Mapping[str, float]:
    return {axis: value for axis, value in json.loads(written).items() if value is not None}


@lru_cache(TEXTS_REMEMBERED)
def _identities(written: str) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(own) for name, own in json.loads(written).items() if own}


@lru_cache(TEXTS_REMEMBERED)
def _payments(written: str, is_free: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Ways of paying, and the plans among them."""
    stated, plans = _codes(written), _insurance_plans()
    return (stated | PAYS_THEMSELVES if is_free else stated) - plans, stated & plans


def _insurance_plans() -> frozenset[str]:
    options = vocabulary("payments").term("insurance").options
    return frozenset(options.codes) if options else frozenset()
