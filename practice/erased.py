"""What was erased is a word on the page that lists it, not an error of the page."""

from typing import Any

from flask import Flask
from flask.templating import Environment

from core.encryption import Erased


class ErasedWords(str):
    """Stands for an erased value: the word where it is printed, nothing where it is looked into."""

    __slots__ = ()

    def __getattr__(self, name: str) -> "ErasedWords":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Any:
        return iter(())


ERASED = ErasedWords("erased")


class ErasedAware(Environment):
    """Templates read confidential columns as any other attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        try:
            return super().getattr(obj, attribute)
        except Erased:
            return ERASED

    def getitem(self, obj: Any, argument: Any) -> Any:
        if obj is ERASED:
            return ERASED
        try:
            return super().getitem(obj, argument)
        except Erased:
            return ERASED


def install(app: Flask) -> None:
    app.jinja_environment = ErasedAware
