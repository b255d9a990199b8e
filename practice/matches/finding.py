"""Looking for one therapist by name, and saying why they are not among the matches."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import matching
from core.database import db
from practice.matches.cards import Card, card_of
from practice.matches.reasons import ReasonWords
from practice.matches.search import SHOWN, Search, Verdict
from practice.matches.words import LINE_LABELS
from practice.therapists.models import Therapist
from practice.therapists.queries import authorised

MOST_FOUND = 10


@dataclass(frozen=True)
class Found:
    """A therapist with a public profile. `hours_are_fresh` is printed there, too."""

    id: str
    name: str
    hours_are_fresh: bool


@dataclass(frozen=True)
class Apart:
    """What lies between somebody and `name`, the last of the first list, in thousandths.

    `lines` are (what, by how much the other is ahead, negative when behind); they add up to
    `total`. `is_close` when the two are too near to call one of them closer.
    """

    name: str
    lines: list[tuple[str, int]]
    total: int
    is_close: bool


@dataclass(frozen=True)
class WhyNotAnswer:
    """`place` counts from 1 in the whole list, for somebody who may be offered; then `card` holds
    the same arithmetic as any other, `apart` the comparison with somebody who is shown, and
    `verdict` what all of it was made from. Otherwise `reasons` are the public ones, perhaps none.
    """

    found: Found
    reasons: list[str]
    place: int | None = None
    card: Card | None = None
    apart: Apart | None = None
    verdict: Verdict | None = None


def named(name: str, public_id: uuid.UUID | None, at: datetime) -> list[Found]:
    """Those whose profile is public and who are meant, at most one more than MOST_FOUND."""
    if public_id is not None:
        meant = Therapist.public_id == public_id
    elif name:
        meant = Therapist.name.icontains(name, autoescape=True)
    else:
        return []
    rows = authorised(at).where(meant).order_by(Therapist.name, Therapist.id).limit(MOST_FOUND + 1)
    return _found(db.session.scalars(rows).all(), at)


def why_not_answer(search: Search, found: Found, currency: str) -> WhyNotAnswer:
    verdict = search.verdict(found.id)
    if verdict is None:
        return WhyNotAnswer(found, [NOT_CONFIRMED] if not found.hours_are_fresh else [])
    profile = search.profiles([found.id])[found.id]
    if verdict.why.eligible:
        card = card_of(search.values, verdict.explanation, profile, currency)
        apart = _apart(search, verdict.why)
        return WhyNotAnswer(found, [], verdict.why.place, card, apart, verdict)
    words = ReasonWords(profile, search.values, currency)
    return WhyNotAnswer(found, words.public(verdict.why.failures))


def _apart(search: Search, why: matching.WhyNot) -> Apart | None:
    """None for somebody who is among the first, or when nobody is."""
    if why.last_shown is None or why.place is None or why.place <= SHOWN:
        return None
    shown = matching.thousandths(why.gaps)
    return Apart(
        search.profiles([why.last_shown])[why.last_shown].name,
        [(LINE_LABELS[factor], gap) for factor, gap in shown.items() if gap],
        matching.shown_total(why.gap),
        matching.about_as_close(why.gap, 0),
    )


NOT_CONFIRMED = "Their profile says that they have not confirmed their hours lately."


def _found(therapists: Sequence[Therapist], at: datetime) -> list[Found]:
    return [Found(str(one.public_id), one.name, one.hours_are_fresh(at)) for one in therapists]
