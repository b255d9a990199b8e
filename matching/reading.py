"""From JSON to plain values, refusing whatever was not expected, with the name of its field."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, TypeVar

from matching.errors import BadValue

Value = TypeVar("Value")


class Reader:
    """One JSON object. A field that is missing or null reads as None or as empty."""

    def __init__(self, data: Any, known: Collection[str], path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise BadValue(path or "(whole)", "must be an object")
        self._data = data
        self._path = path
        for key in data:
            if key not in known:
                raise BadValue(self._at(str(key)), "is not a known field")

    def required(self, field: str, read: Callable[[Any, str], Value]) -> Value:
        value = self.optional(field, read)
        if value is None:
            raise BadValue(self._at(field), "is missing")
        return value

    def optional(self, field: str, read: Callable[[Any, str], Value]) -> Value | None:
        value = self._data.get(field)
        return None if value is None else read(value, self._at(field))

    def codes(self, field: str) -> frozenset[str]:
        return self.optional(field, codes) or frozenset()

    def mapping(self, field: str, read: Callable[[Any, str], Value]) -> dict[str, Value]:
        """An object with any keys; those whose value is null are left out."""
        value = self._data.get(field)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise BadValue(self._at(field), "must be an object")
        path = self._at(field)
        stated = ((str(key), each) for key, each in value.items() if each is not None)
        return {key: read(each, f"{path}.{key}") for key, each in stated}

    def _at(self, field: str) -> str:
        return f"{self._path}.{field}" if self._path else field


def text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadValue(field, "must be words")
    return value


def whole(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(field, "must be a whole number")
    return value


def number(value: Any, field: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadValue(field, "must be a number")
    return value


def truth(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise BadValue(field, "must be true or false")
    return value


def day(value: Any, field: str) -> date:
    """A day written as ISO 8601 has it, such as 2026-12-01."""
    try:
        return date.fromisoformat(text(value, field))
    except ValueError:
        raise BadValue(field, "must be a day like 2026-12-01") from None


def codes(value: Any, field: str) -> frozenset[str]:
    return frozenset(texts(value, field))


def texts(value: Any, field: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadValue(field, "must be a list")
    return tuple(text(each, field) for each in value)
