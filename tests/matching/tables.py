"""Therapists by column, as somebody who reads them from a database would lay them out."""

from collections.abc import Sequence

import numpy as np

from matching import Therapist
from matching.ids import halves
from matching.records import Records
from matching.shards.codes import Codebook, Skillbook
from matching.shards.rows import row_of
from matching.shards.table import Table

SCALARS = {
    "capacity": np.uint16,
    "youngest": np.uint8,
    "oldest": np.uint8,
    "fee": np.int32,
    "lowest_fee": np.int32,
}


def table_of(therapists: Sequence[Therapist]) -> Table:
    """A table of live therapists; the books are filled first, so that all rows are as wide."""
    book, skills = Codebook(), Skillbook()
    for each in therapists:
        row_of(each, book, skills)
    rows = [row_of(each, book, skills) for each in therapists]
    places = sorted({place for each in therapists for place in each.authority})
    held = [
        (number, places.index(place), until.toordinal())
        for number, each in enumerate(therapists)
        for place, until in each.authority.items()
    ]
    columns = {
        name: np.array([getattr(row, name) for row in rows], dtype=kind)
        for name, kind in SCALARS.items()
    }
    tall = {
        name: np.array([getattr(row, name) for row in rows]).T.copy()
        for name in ("hours", "codes", "skills", "style")
    }
    by, at, until = (np.array(each) for each in zip(*held, strict=True))
    return Table(
        ids=halves(each.id for each in therapists),
        places=tuple(places),
        held_by=by.astype(np.uint32),
        held_in=at.astype(np.uint16),
        last_day=until.astype(np.int32),
        book=book,
        skillbook=skills,
        records=Records.of(each.record for each in therapists),
        **columns,
        **tall,
    )
