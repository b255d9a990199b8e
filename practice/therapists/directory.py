"""The public list: filters, true counts, pages of twenty, the same few queries for any number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from core.database import db
from practice.therapists.models import Therapist
from practice.therapists.queries import LicenceEvidence, licence_evidence, listable

PAGE_SIZE = 20


@dataclass(frozen=True)
class Filters:
    """What a visitor asked for; None or empty leaves it open. `most` is in minor units."""

    place: str | None = None
    concern: str | None = None
    language: str | None = None
    format: str | None = None
    most: int | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in vars(self).values())


@dataclass(frozen=True)
class Page:
    """One page of the list; `total` and `with_room` count everyone who fits, on all pages."""

    therapists: list[Therapist]
    evidence: dict[int, list[LicenceEvidence]]
    total: int
    with_room: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def page_of_directory(filters: Filters, number: int, at: datetime) -> Page:
    """Those who fit: with room first, then by name. A page past the end is the last one."""
    fitting = listable(at, filters.place).where(*_conditions(filters))
    total, with_room = _count(fitting)
    number = min(number, max(1, -(-total // PAGE_SIZE)))
    therapists = list(db.session.scalars(_ordered(fitting, number)))
    evidence = licence_evidence([therapist.id for therapist in therapists], at)
    return Page(therapists, evidence, total, with_room, number)


def _count(fitting: sa.Select[Therapist]) -> tuple[int, int]:
    room = sa.func.coalesce(sa.func.sum(sa.case((Therapist.open_places > 0, 1), else_=0)), 0)
    total, with_room = db.session.execute(
        fitting.with_only_columns(sa.func.count(Therapist.id), room)
    ).one()
    return total, with_room


def _ordered(fitting: sa.Select[Therapist], number: int) -> sa.Select[Therapist]:
    return (
        fitting.options(joinedload(Therapist.supervisor))
        .order_by((Therapist.open_places > 0).desc(), Therapist.name, Therapist.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )


def _conditions(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    if filters.concern is not None:
        yield _text(Therapist.skills).contains(f'"{filters.concern}":', autoescape=True)
    if filters.language is not None:
        yield _text(Therapist.languages).contains(f'"{filters.language}"', autoescape=True)
    if filters.format is not None:
        yield _text(Therapist.formats).contains(f'"{filters.format}"', autoescape=True)
    if filters.most is not None:
        yield sa.func.coalesce(Therapist.sliding_from, Therapist.fee) <= filters.most


def _text(column: Any) -> sa.ColumnElement[str]:
    """The stored text of a JSON column: canonical, so a code in it is found as `"code"`."""
    return sa.type_coerce(column, sa.Text())
