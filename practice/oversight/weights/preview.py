"""New weights: tried out by the worker on past lists, and only then brought into force.

A preview is of exactly these weights, and is put beside those in force when it was asked for. It
is what gets published; other weights need a preview of their own, and so does a week that passed
or a version that came in between.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import matching
from core import audit
from core.alone import alone_or_elsewhere
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from core.outbox import post, was_given_up
from practice.accounts.models import User
from practice.matches.market import weighing
from practice.matches.market.in_place import newest_weights
from practice.matches.models import WeightsVersion
from practice.matches.operations import ensure_weights
from practice.oversight.models import WeightsPreview
from practice.oversight.weights.figures import Seen, figures_of
from practice.oversight.weights.people import AT_ONCE, LOOKED_BACK, findable, newest_lists, seen_by

PREVIEW = "oversight.weights_preview"
GOOD_FOR = timedelta(days=7)


class SameWeights(Refusal):
    message = "These are the weights in force. Nothing would change."


class NotPreviewed(Refusal):
    message = "The preview is not finished. Nothing is published before somebody could read it."


class TooOld(Refusal):
    message = (
        "This preview is more than a week old, or made by another version of the product. "
        "Please make a new one."
    )


class InForceAlready(Refusal):
    message = "These weights were published from this preview already."


def ask(
    session: Session, weights: Mapping[str, int], reason: str, actor: User, at: datetime
) -> WeightsPreview:
    """Let the worker try them out. Raises SameWeights and BadWeights."""
    ensure_weights(session, at)
    in_force = newest_weights()
    wanted = matching.Weights.from_mapping(in_force.version + 1, weights)
    if wanted.by_factor == in_force.by_factor:
        raise SameWeights
    preview = WeightsPreview(
        weights=wanted.by_factor,
        reason=reason,
        after_version=in_force.version,
        asked_at=at,
        asked_by=actor,
        since=at - LOOKED_BACK,
    )
    session.add(preview)
    session.flush()
    changed = weighing.in_words(weighing.changes(in_force.by_factor, wanted.by_factor))
    _record(session, preview, "weights.preview_asked", actor, at, changed=changed)
    payload = {"preview": str(preview.public_id)}
    post(session, PREVIEW, payload, dedupe_key=_work_of(preview), at=at)
    return preview


def make_asked_for(payload: dict[str, Any]) -> None:
    """The outbox handler. It may take longer than a lease, so one is made at a time."""
    with alone_or_elsewhere(PREVIEW):
        make(uuid.UUID(payload["preview"]), now())


def make(public_id: uuid.UUID, at: datetime) -> None:
    """Work it out and keep the figures, unless that is done already."""
    preview = preview_with(public_id)
    if preview is None or not preview.is_being_made:
        return
    seen = list(_looked_at(preview, at))
    figures = figures_of([one for one in seen if one], findable(at), unread=seen.count(None))
    db.session.rollback()
    with unit_of_work() as session:
        row = _locked(session, public_id)
        if row.is_being_made:
            row.figures, row.made_at, row.engine_version = figures, at, matching.ENGINE_VERSION
            _record(session, row, "weights.previewed", None, at)


def publish(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> WeightsVersion:
    """Exactly the weights that were previewed, in force from the commit on.

    Raises NotFound, InForceAlready, NotPreviewed, TooOld, and NewerWeights when others came in
    between.
    """
    preview = _locked(session, public_id)
    reason_against = obstacle(preview, at)
    if reason_against is not None:
        raise reason_against
    row = weighing.publish(
        session, preview.weights, preview.reason, actor, at, after=preview.after_version
    )
    preview.published_version = row.version
    session.flush()
    return row


def obstacle(preview: WeightsPreview, at: datetime) -> Refusal | None:
    """What stands against publishing it, if anything does."""
    if preview.published_version is not None:
        return InForceAlready()
    if preview.made_at is None:
        return NotPreviewed()
    if preview.after_version != newest_weights().version:
        return weighing.NewerWeights()
    is_old = at - preview.made_at > GOOD_FOR or preview.engine_version != matching.ENGINE_VERSION
    return TooOld() if is_old else None


def preview_with(public_id: uuid.UUID) -> WeightsPreview | None:
    wanted = sa.select(WeightsPreview).where(WeightsPreview.public_id == public_id)
    return db.session.scalars(wanted).first()


def has_failed(preview: WeightsPreview) -> bool:
    """Whether nobody is trying them out any more, though nobody has read what they would change."""
    return preview.is_being_made and was_given_up(db.session(), _work_of(preview))


def newest_unpublished() -> WeightsPreview | None:
    """The last one that was asked for, unless its weights are in force by now."""
    newest = sa.select(WeightsPreview).order_by(WeightsPreview.id.desc()).limit(1)
    found = db.session.scalars(newest).first()
    return found if found is not None and found.published_version is None else None


def _work_of(preview: WeightsPreview) -> str:
    """What the outbox knows the working out of this preview by."""
    return f"{PREVIEW}:{preview.public_id}"


def _looked_at(preview: WeightsPreview, at: datetime) -> Iterator[Seen | None]:
    """Everybody, some at a time; how far it is can be read meanwhile."""
    public_id, trial = preview.public_id, _trial(preview)
    found, keys = newest_lists(preview.since)
    _say_how_far(public_id, found=found, people=len(keys), looked_at=0)
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        yield from list(seen_by(some, trial, at))
        _say_how_far(public_id, looked_at=start + len(some))


def _trial(preview: WeightsPreview) -> tuple[matching.Weights, matching.Weights]:
    before = weighing.version_with(preview.after_version)
    assert before is not None, "versions are never deleted"
    return before, matching.Weights.from_mapping(preview.after_version + 1, preview.weights)


def _say_how_far(public_id: uuid.UUID, **figures: int) -> None:
    db.session.rollback()
    with unit_of_work() as session:
        preview = sa.update(WeightsPreview).where(WeightsPreview.public_id == public_id)
        session.execute(preview.values(**figures))


def _locked(session: Session, public_id: uuid.UUID) -> WeightsPreview:
    """As it is now, kept from others until the transaction ends. Raises NotFound."""
    wanted = sa.select(WeightsPreview).where(WeightsPreview.public_id == public_id)
    locked = wanted.with_for_update(of=WeightsPreview)
    found = session.scalars(locked.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return found


def _record(
    session: Session,
    preview: WeightsPreview,
    action: str,
    actor: User | None,
    at: datetime,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="weights_preview",
        subject_id=preview.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=actor.main_role if actor else "",
        **details,
    )
