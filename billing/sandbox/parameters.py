"""Stripe's form encoding: `line_items[0][price_data][unit_amount]=24000`.

A handler reads what it understands; whatever is left unread is refused, so that nothing is
accepted and then quietly ignored.
"""

import re
from collections.abc import Iterable
from typing import TypeVar

from billing.sandbox.errors import BadParameter, ParameterMissing

Tree = dict[str, "str | Tree"]
T = TypeVar("T")

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


def parse(pairs: Iterable[tuple[str, str]]) -> Tree:
    """Nest flat pairs; `a[]` appends. Raises BadParameter for a key that cannot be read."""
    tree: Tree = {}
    for key, value in pairs:
        _plant(tree, _segments(key), value, key)
    return tree


def _segments(key: str) -> list[str]:
    match = KEY.fullmatch(key)
    if match is None:
        raise BadParameter(f"{key!r} cannot be read as a parameter.", param=key)
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _plant(tree: Tree, segments: list[str], value: str, key: str) -> None:
    name = segments[0] or str(len(tree))
    if len(segments) == 1:
        tree[name] = value
        return
    branch = tree.setdefault(name, {})
    if isinstance(branch, str):
        raise BadParameter(f"{key!r} is given both as a value and as a group.", param=key)
    _plant(branch, segments[1:], value, key)


class Params:
    """Parameters being read: typed, named by their full path in every refusal."""

    def __init__(self, tree: Tree | None = None, path: str = "") -> None:
        self._tree = tree or {}
        self._path = path
        self._read: set[str] = set()
        self._children: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self._tree

    def text(self, name: str, *, longest: int = 5000) -> str | None:
        """The text of a parameter; None when it is absent or empty."""
        value = self._take(name)
        if isinstance(value, dict):
            raise BadParameter(f"{self.path(name)} must be a text.", param=self.path(name))
        if value is not None and len(value) > longest:
            raise BadParameter(
                f"{self.path(name)} is longer than {longest} characters.", param=self.path(name)
            )
        return value or None

    def need_text(self, name: str) -> str:
        return self._needed(name, self.text(name))

    def whole(self, name: str) -> int | None:
        """A whole number: minor units of money, seconds since the epoch, or a count."""
        value = self.text(name)
        if value is not None and not re.fullmatch(r"-?[0-9]{1,15}", value):
            raise BadParameter(
                f"{self.path(name)} must be a whole number.",
                param=self.path(name),
                code="parameter_invalid_integer",
            )
        return None if value is None else int(value)

    def need_whole(self, name: str) -> int:
        return self._needed(name, self.whole(name))

    def flag(self, name: str) -> bool:
        return self.one_of(name, ("true", "false")) == "true"

    def one_of(self, name: str, choices: Iterable[str]) -> str | None:
        value, allowed = self.text(name), tuple(choices)
        if value is not None and value not in allowed:
            raise BadParameter(
                f"{self.path(name)} must be one of: {', '.join(allowed)}.", param=self.path(name)
            )
        return value

    def only(self, name: str, *choices: str) -> str | None:
        """A setting of which the sandbox offers these values alone."""
        return self.one_of(name, choices)

    def group(self, name: str) -> "Params | None":
        value = self._take(name)
        if isinstance(value, str) and value:
            raise BadParameter(f"{self.path(name)} must be a group.", param=self.path(name))
        return self._child(value, name) if isinstance(value, dict) else None

    def need_group(self, name: str) -> "Params":
        return self._needed(name, self.group(name))

    def groups(self, name: str) -> list["Params"]:
        """The entries of a list of groups, in the order of their indices."""
        entries = self._entries(name)
        if not all(isinstance(value, dict) for _, value in entries):
            raise BadParameter(f"{self.path(name)} must hold groups.", param=self.path(name))
        return [
            self._child(value, f"{name}[{index}]")
            for index, value in entries
            if isinstance(value, dict)
        ]

    def texts(self, name: str) -> list[str]:
        entries = self._entries(name)
        texts = [value for _, value in entries if isinstance(value, str)]
        if len(texts) != len(entries):
            raise BadParameter(f"{self.path(name)} must hold texts.", param=self.path(name))
        return texts

    def metadata(self) -> dict[str, str]:
        """The metadata of something new; an empty text is the same as none."""
        return {key: text for key, text in self.metadata_changes().items() if text}

    def metadata_changes(self) -> dict[str, str]:
        """`metadata`: at most 50 keys of 40 characters, values of 500 (Stripe, "Metadata")."""
        value = self._take("metadata") or {}
        if isinstance(value, str):
            raise BadParameter("metadata must be a group.", param=self.path("metadata"))
        texts = {key: text for key, text in value.items() if isinstance(text, str)}
        self._check_metadata(texts, len(value))
        return texts

    def anything(self, name: str) -> "Tree | None":
        """A group that is stored and shown as it came."""
        value = self._take(name)
        return value if isinstance(value, dict) else None

    def refuse_leftovers(self) -> None:
        """Raises BadParameter for the first parameter that nothing has read."""
        for name in self._tree:
            if name not in self._read:
                raise BadParameter(
                    f"The sandbox does not know the parameter {self.path(name)}.",
                    param=self.path(name),
                    code="parameter_unknown",
                )
        for child in self._children:
            child.refuse_leftovers()

    def path(self, name: str) -> str:
        if not self._path:
            return name
        first, bracket, rest = name.partition("[")
        return f"{self._path}[{first}]{bracket}{rest}"

    def _take(self, name: str) -> "str | Tree | None":
        self._read.add(name)
        return self._tree.get(name)

    def _child(self, tree: Tree, name: str) -> "Params":
        child = Params(tree, self.path(name))
        self._children.append(child)
        return child

    def _entries(self, name: str) -> list[tuple[str, "str | Tree"]]:
        value = self._take(name)
        if value is None or value == "":
            return []
        if isinstance(value, str) or not all(index.isdigit() for index in value):
            raise BadParameter(f"{self.path(name)} must be a list.", param=self.path(name))
        return sorted(value.items(), key=lambda entry: int(entry[0]))

    def _needed(self, name: str, value: T | None) -> T:
        if value is None:
            raise ParameterMissing(self.path(name))
        return value

    def _check_metadata(self, texts: dict[str, str], given: int) -> None:
        fits = (
            len(texts) == given
            and given <= METADATA_KEYS
            and all(len(key) <= METADATA_KEY_LENGTH for key in texts)
            and all(len(text) <= METADATA_VALUE_LENGTH for text in texts.values())
        )
        if not fits:
            raise BadParameter(
                f"metadata holds at most {METADATA_KEYS} texts of {METADATA_VALUE_LENGTH} "
                f"characters under keys of {METADATA_KEY_LENGTH}.",
                param=self.path("metadata"),
            )
