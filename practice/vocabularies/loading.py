"""From the JSON files beside this module to vocabularies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any

DEFAULT_LANGUAGE = "en"

Labels = Mapping[str, str]
Choice = tuple[str, str]


class UnknownCode(LookupError):
    """A vocabulary has no such code."""

    def __init__(self, vocabulary: str, code: str) -> None:
        self.vocabulary = vocabulary
        self.code = code
        super().__init__(f"{vocabulary} has no code {code!r}")


@dataclass(frozen=True)
class Group:
    code: str
    labels: Labels

    def label(self, language: str = DEFAULT_LANGUAGE) -> str:
        return in_language(self.labels, language)


@dataclass(frozen=True)
class Term:
    """One thing to choose. `texts` are longer words by name, `flags` facts that rules read."""

    code: str
    labels: Labels
    group: str | None = None
    texts: Mapping[str, Labels] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    options: "Vocabulary | None" = None

    def label(self, language: str = DEFAULT_LANGUAGE) -> str:
        return in_language(self.labels, language)

    def text(self, name: str, language: str = DEFAULT_LANGUAGE) -> str:
        """The longer words of this name, empty when the term has none."""
        return in_language(self.texts[name], language) if name in self.texts else ""

    def has(self, flag: str) -> bool:
        return flag in self.flags


@dataclass(frozen=True)
class Vocabulary:
    """Terms in the order in which they are offered."""

    name: str
    version: str
    terms: tuple[Term, ...]
    headings: tuple[Group, ...] = ()

    @cached_property
    def _by_code(self) -> Mapping[str, Term]:
        return {term.code: term for term in self.terms}

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._by_code)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def term(self, code: str) -> Term:
        """The term with this code; raises UnknownCode."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownCode(self.name, code) from None

    def label(self, code: str, language: str = DEFAULT_LANGUAGE) -> str:
        return self.term(code).label(language)

    def labels(self, codes: Iterable[str], language: str = DEFAULT_LANGUAGE) -> list[str]:
        return [self.label(code, language) for code in codes]

    def choices(self, language: str = DEFAULT_LANGUAGE) -> list[Choice]:
        """(code, label) pairs for a select, radio or checkbox field."""
        return [_choice(term, language) for term in self.terms]

    def groups(self, language: str = DEFAULT_LANGUAGE) -> dict[str, list[Choice]]:
        """Heading → (code, label) pairs, in order; a select field shows them as groups."""
        return {
            heading.label(language): [_choice(term, language) for term in self.under(heading.code)]
            for heading in self.headings
        }

    def under(self, group: str) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.group == group)

    def flagged(self, flag: str) -> frozenset[str]:
        """The codes of the terms that carry this flag."""
        return frozenset(term.code for term in self.terms if term.has(flag))


def in_language(labels: Labels, language: str) -> str:
    """The words in this language, else in its base language ("es-MX" → "es"), else in English."""
    for tag in (language, language.partition("-")[0]):
        if tag in labels:
            return labels[tag]
    return labels[DEFAULT_LANGUAGE]


def shipped() -> dict[str, Vocabulary]:
    found = {}
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            found[name] = _vocabulary(name, json.loads(file.read_text(encoding="utf-8")))
    return found


def _vocabulary(name: str, data: Mapping[str, Any]) -> Vocabulary:
    terms = tuple(_term(name, data["version"], entry) for entry in data["terms"])
    headings = tuple(Group(entry["code"], entry["label"]) for entry in data.get("groups", ()))
    return Vocabulary(name, data["version"], terms, headings)


def _term(name: str, version: str, entry: Mapping[str, Any]) -> Term:
    options = entry.get("options")
    return Term(
        code=entry["code"],
        labels=entry["label"],
        group=entry.get("group"),
        texts=entry.get("texts", {}),
        flags=frozenset(entry.get("flags", ())),
        options=_options(f"{name}/{entry['code']}", version, options) if options else None,
    )


def _options(name: str, version: str, entries: Iterable[Mapping[str, Any]]) -> Vocabulary:
    return Vocabulary(name, version, tuple(_term(name, version, entry) for entry in entries))


def _choice(term: Term, language: str) -> Choice:
    return term.code, term.label(language)
