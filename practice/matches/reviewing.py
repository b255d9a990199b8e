"""What the person who looks at a match is shown of it, and whom they can suggest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.config import current_settings
from core.database import db
from practice.accounts.models import Client
from practice.intake.in_words import in_words
from practice.intake.pages import BY_KEY
from practice.matches.cards import Card, cards_of
from practice.matches.obstacles import Obstacle, obstacles
from practice.matches.review import MatchReview
from practice.matches.search import search_for
from practice.therapists.models import Therapist
from practice.therapists.queries import listable

# What the match compares. Their own story and the questionnaires are no part of it.
COMPARED = (
    "concerns concern-weights place languages service format payment hours wishes style"
).split()


@dataclass(frozen=True)
class Case:
    """The wishes in words, and what the match makes of them now."""

    wishes: list[tuple[str, str]]
    cards: list[Card]
    obstacles: list[Obstacle]


def case_of(client: Client, answers: Mapping[str, Any], at: datetime) -> Case:
    """For a client who may have taken their place back meanwhile: then there is no list."""
    wishes = [
        (BY_KEY[key].asks, "\n".join(in_words(key, answers[key])))
        for key in COMPARED
        if answers.get(key)
    ]
    if not client.place:
        return Case(wishes, [], [])
    search = search_for(client, answers, at)
    offers = search.offers()
    cards = cards_of(search, offers, current_settings().currency)
    return Case(wishes, cards, [] if cards else obstacles(search))


@dataclass(frozen=True)
class Suggested:
    """Therapists found by their names, and names under which not exactly one was found."""

    therapists: list[Therapist]
    unknown: list[str]


def listed_of(names: Iterable[str], place: str, at: datetime) -> Suggested:
    """Of those listed and licensed in this place, each under exactly the name on the profile."""
    names = list(names)
    lowered = [name.lower() for name in names]
    rows = db.session.scalars(
        listable(at, place).where(sa.func.lower(Therapist.name).in_(lowered))
    ).all()
    found = [[one for one in rows if one.name.lower() == name] for name in lowered]
    return Suggested(
        [ones[0] for ones in found if len(ones) == 1],
        [name for name, ones in zip(names, found, strict=True) if len(ones) != 1],
    )


def suggested_by(review: MatchReview, at: datetime) -> list[tuple[Therapist, bool]]:
    """Each with whether they can still be asked where the client is now."""
    therapists = [each.therapist for each in review.suggestions]
    able = listable(at, review.client.place or None).where(
        Therapist.id.in_([one.id for one in therapists]), Therapist.open_places > 0
    )
    able_ids = set(db.session.scalars(able.with_only_columns(Therapist.id)))
    return [(one, one.id in able_ids) for one in therapists]
