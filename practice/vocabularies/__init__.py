"""The words people choose from: versioned data with labels in each language.

Codes are stored and go to the engine; labels are only for people. A code is never renamed or
reused: what is no longer offered stays in its file.
"""

from collections.abc import Mapping

from practice.vocabularies.loading import UnknownCode, Vocabulary, shipped

__all__ = ["VOCABULARIES", "UnknownCode", "UnknownVocabulary", "Vocabulary", "vocabulary"]


class UnknownVocabulary(LookupError):
    """No vocabulary has this name."""


VOCABULARIES: Mapping[str, Vocabulary] = shipped()


def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of this name, such as "concerns"; raises UnknownVocabulary."""
    try:
        return VOCABULARIES[name]
    except KeyError:
        raise UnknownVocabulary(f"no vocabulary is called {name!r}") from None
