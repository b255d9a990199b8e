"""The weights, version after version: which are in force, what changed, and a new one.

A version is never changed. Going back is publishing what an older one held as a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import matching
from core import audit
from core.database import db
from core.errors import Refusal
from practice.accounts.models import User
from practice.matches.models import WeightsVersion
from practice.matches.words import FACTOR_LABELS

# As those who work here read them; pages of clients speak to the client.
FACTOR_NAMES: Mapping[str, str] = {**FACTOR_LABELS, "concerns": "What they would like help with"}


class NewerWeights(Refusal):
    message = (
        "Other weights came into force meanwhile. Look at what they changed, and preview yours "
        "against them."
    )


@dataclass(frozen=True)
class Change:
    """What one factor weighed, and what it weighs then."""

    label: str
    before: int
    after: int


@dataclass(frozen=True)
class Told:
    """A version with what it changed of the one before; nothing before the first."""

    row: WeightsVersion
    changes: list[Change]


def history() -> list[Told]:
    """Every version, the newest first."""
    rows = db.session.scalars(sa.select(WeightsVersion).order_by(WeightsVersion.version)).all()
    told = [Told(row, []) for row in rows[:1]]
    told += [Told(row, changes(before.weights, row.weights)) for before, row in pairwise(rows)]
    return told[::-1]


def version_with(number: int) -> matching.Weights | None:
    """The weights of a version; the engine's own stand for the first until one is written down."""
    found = db.session.scalars(
        sa.select(WeightsVersion).where(WeightsVersion.version == number)
    ).first()
    if found is not None:
        return matching.Weights.from_mapping(found.version, found.weights)
    return matching.DEFAULT_WEIGHTS if number == matching.DEFAULT_WEIGHTS.version else None


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> list[Change]:
    """The factors that weigh something else, in their order."""
    return [
        Change(FACTOR_NAMES[factor], before[factor], after[factor])
        for factor in matching.FACTORS
        if before[factor] != after[factor]
    ]


def in_words(changed: Sequence[Change]) -> str:
    """ "Hours 150 to 180, Price 110 to 80"."""
    return ", ".join(f"{one.label} {one.before} to {one.after}" for one in changed)


def publish(
    session: Session,
    weights: Mapping[str, int],
    reason: str,
    actor: User,
    at: datetime,
    *,
    after: int,
) -> WeightsVersion:
    """The version after `after`, in force for every process from the commit on.

    Raises NewerWeights when `after` is not the newest any more, BadWeights.
    """
    before = _newest(session)
    if before is None or before.version != after:
        raise NewerWeights
    row = WeightsVersion(
        version=after + 1,
        weights=matching.Weights.from_mapping(after + 1, weights).by_factor,
        reason=reason,
        decided_by_id=actor.id,
        decided_at=at,
    )
    _add_as_the_next(session, row)
    audit.record(
        session,
        at=at,
        action="weights.published",
        subject_kind="weights",
        subject_id=row.public_id,
        actor_id=actor.public_id,
        actor_role=actor.main_role,
        version=row.version,
        changed=in_words(changes(before.weights, row.weights)),
        why=reason,
    )
    return row


def _newest(session: Session) -> WeightsVersion | None:
    newest = sa.select(WeightsVersion).order_by(WeightsVersion.version.desc()).limit(1)
    return session.scalars(newest).first()


def _add_as_the_next(session: Session, row: WeightsVersion) -> None:
    """Of two at once the number goes to one; the other has seen what is no longer in force."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise NewerWeights from None
