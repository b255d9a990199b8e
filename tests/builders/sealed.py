"""Sealed rows for tests."""

from collections.abc import Iterable
from typing import TypeVar

from core.database import Base
from core.encryption import sealed_columns

Row = TypeVar("Row", bound=Base)


def opened(rows: Iterable[Row]) -> list[Row]:
    """The rows with everything sealed in them opened, to be read outside their session."""
    found = list(rows)
    for row in found:
        for column in sealed_columns(type(row)):
            getattr(row, column.name)
    return found
