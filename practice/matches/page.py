"""What every page of a client's search begins with, each looked up once a request."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from core.clock import now
from core.config import current_settings
from practice.accounts.models import Client
from practice.accounts.policy import the_client
from practice.intake.models import Intake
from practice.intake.presenting import crisis_words
from practice.intake.queries import answers_of
from practice.matches import queries
from practice.matches.forms import PlaceForm
from practice.matches.models import MatchRequest
from practice.matches.search import Search, search_for
from practice.matches.standing import Standing, standing_of

Answer = str | Response | tuple[str, int]
Found = TypeVar("Found")


def after_intake(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """First the privacy notice, then the questions, then a place; each is asked for kindly."""

    @wraps(view)
    def guarded(**values: Any) -> Answer:
        if not footing().has_notice:
            return redirect(url_for("consent.begin"), 303)
        if intake() is None:
            return render_template("matches/begin.html")
        if not the_client().place:
            return render_template("matches/place.html", form=PlaceForm())
        return view(**values)

    return guarded


def search() -> Search:
    return search_for(the_client(), answers(), now(), footing=footing(), history=history())


def danger_words(search: Search) -> str | None:
    """Who reads an answer that tells of danger; None without one, or without consent to scores."""
    return crisis_words(intake(), now(), lasting=True) if search.values.acuity else None


def standing() -> Standing:
    return standing_of(history(), the_client().zone, now())


def answers() -> dict[str, Any]:
    return answers_of(intake())


def intake() -> Intake | None:
    return _once("submitted_intake", queries.submitted_intake)


def footing() -> queries.Footing:
    return _once("footing", queries.footing_of)


def history() -> Sequence[MatchRequest]:
    return _once("history", queries.history_of) if footing().has_asked else ()


def _once(name: str, look_up: Callable[[Client], Found]) -> Found:
    """Looked up once a request."""
    if name not in g:
        setattr(g, name, look_up(the_client()))
    found: Found = getattr(g, name)
    return found


def currency() -> str:
    return current_settings().currency
