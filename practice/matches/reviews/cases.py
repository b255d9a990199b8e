"""What the person who looks at a match is shown of it, and whom they can suggest."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.config import current_settings
from core.database import db
from practice.accounts.models import Client, User
from practice.intake.in_words import in_words
from practice.intake.pages import BY_KEY
from practice.matches.cards import Card, cards_of
from practice.matches.kept import ShownAs
from practice.matches.memory import keep_shown
from practice.matches.models import ProposalKind
from practice.matches.obstacles import Obstacle, obstacles
from practice.matches.reviews.models import MatchReview, ReviewState
from practice.matches.search import Offers, Search, search_for
from practice.therapists.models import Therapist
from practice.therapists.queries import listable

A_COLLEAGUE = "A colleague"

# What the match compares. Their own story and the questionnaires are no part of it.
COMPARED = (
    "concerns concern-weights place languages service format payment hours wishes style"
).split()


@dataclass(frozen=True)
class Case:
    """The wishes in words, and what the match makes of them now.

    `number`: under which the cards are kept, so that they can be worked out again.
    """

    wishes: list[tuple[str, str]]
    cards: list[Card]
    obstacles: list[Obstacle]
    number: uuid.UUID | None = None


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
    if not cards:
        return Case(wishes, [], obstacles(search))
    return Case(wishes, cards, [], _kept(client, search, offers))


def _kept(client: Client, search: Search, offers: Offers) -> uuid.UUID | None:
    shown, weights, prices = offers.therapists, offers.weights, offers.prices
    shown_as = ShownAs(ProposalKind.review)
    return keep_shown(client, search.values, shown, weights, search.at, prices, shown_as)


@dataclass(frozen=True)
class Suggested:
    """Therapists found by their names, and names under which not exactly one was found."""

    therapists: list[Therapist]
    unknown: list[str]


def listed_of(names: Iterable[str], place: str, at: datetime) -> Suggested:
    """Of those listed and licensed in this place, each under exactly the name on the profile.

    Capitals do not count; where the database knows only those of English, they do in other letters.
    """
    names = list(names)
    wanted = {name.lower(): name for name in names}
    alike = sa.or_(Therapist.name.in_(names), sa.func.lower(Therapist.name).in_(wanted.keys()))
    rows = db.session.scalars(listable(at, place).where(alike).order_by(Therapist.id)).all()
    found = {
        name: [one for one in rows if one.name.lower() == lowered]
        for lowered, name in wanted.items()
    }
    return Suggested(
        [ones[0] for ones in found.values() if len(ones) == 1],
        [name for name, ones in found.items() if len(ones) != 1],
    )


def suggested_by(review: MatchReview, at: datetime) -> list[tuple[Therapist, bool]]:
    """Each with whether they can still be asked where the client is now."""
    therapists = [each.therapist for each in review.suggestions]
    able = listable(at, review.client.place or None).where(
        Therapist.id.in_([one.id for one in therapists]), Therapist.open_places > 0
    )
    able_ids = set(db.session.scalars(able.with_only_columns(Therapist.id)))
    return [(one, one.id in able_ids) for one in therapists]


@dataclass(frozen=True)
class Ended:
    """How a look ended, and nothing of what was written: `by` answered it, "" if nobody did.

    `by` is "You" to whoever did so themselves, and comes back to the page or sends it twice.
    """

    by: str
    at: datetime | None


def ended_for(user: User, public_id: uuid.UUID) -> Ended | None:
    """How the look ended that somebody else than `user` asked for; None if there is no such."""
    asked = sa.select(MatchReview).where(
        MatchReview.public_id == public_id, MatchReview.client.has(Client.user_id != user.id)
    )
    found = db.session.scalars(asked).first()
    if found is None:
        return None
    return Ended(_answered_by(found, user), found.ended_at)


def _answered_by(review: MatchReview, user: User) -> str:
    if review.state is not ReviewState.answered:
        return ""
    return by_whom(review.answered_by, user)


def by_whom(actor: User | None, viewer: User) -> str:
    """ "You", their name, or "A colleague" where none is known."""
    if actor is not None and actor.id == viewer.id:
        return "You"
    return (actor.name if actor else "") or A_COLLEAGUE


def reviews_late(at: datetime) -> list[int]:
    """Keys of those whose promise has passed and of whom nobody was told that yet."""
    late = _overdue(at).where(MatchReview.told_late_at.is_(None))
    wanted = late.order_by(MatchReview.due_at, MatchReview.id).with_only_columns(MatchReview.id)
    return list(db.session.scalars(wanted))


def how_many_are_late(at: datetime) -> int:
    """For administrators, who appoint leads: a number, and nobody behind it."""
    late = _overdue(at).with_only_columns(sa.func.count(MatchReview.id))
    return db.session.scalar(late) or 0


def _overdue(at: datetime) -> sa.Select[MatchReview]:
    return sa.select(MatchReview).where(
        MatchReview.state == ReviewState.asked, MatchReview.due_at <= at
    )
