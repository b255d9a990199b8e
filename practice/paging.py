"""Lists in pages: which page an address asks for, and what stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from flask import request

from core.database import db

PER_PAGE = 20
# Far behind the end of any list, and a row number that both databases can count to.
LAST_PAGE = 1_000_000

Row = TypeVar("Row")


@dataclass(frozen=True)
class Leaf(Generic[Row]):
    """One page of a list: which one, and of how many."""

    rows: Sequence[Row]
    number: int
    pages: int


def leaf_of(query: sa.Select[Any], page: int) -> Leaf[Any]:
    """The rows of one page of an ordered select of one kind of row."""
    rows = db.session.scalars(_on(query, page)).all()
    return Leaf(rows, page, _pages(query))


def leaf_of_columns(query: sa.Select[Any], page: int) -> Leaf[Any]:
    """As `leaf_of`, for a select of several columns."""
    return Leaf(db.session.execute(_on(query, page)).all(), page, _pages(query))


def leaf_of_list(rows: Sequence[Row], page: int) -> Leaf[Row]:
    """One page of what is ordered already, where the database could not do it."""
    start = (page - 1) * PER_PAGE
    return Leaf(rows[start : start + PER_PAGE], page, _pages_of(len(rows)))


def page_number(name: str = "page") -> int:
    """`?page=`, at least 1 and at most LAST_PAGE; 1 for whatever is no number."""
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        return 1
    return min(max(1, int(text)), LAST_PAGE) if len(text) < 12 else LAST_PAGE


def _on(query: sa.Select[Any], page: int) -> sa.Select[Any]:
    return query.limit(PER_PAGE).offset((page - 1) * PER_PAGE)


def _pages(query: sa.Select[Any]) -> int:
    counted = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
    return _pages_of(db.session.scalar(counted) or 0)


def _pages_of(rows: int) -> int:
    return max(1, -(-rows // PER_PAGE))
