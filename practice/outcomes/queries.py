"""Reads of the switch and of a therapist's own record."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.matches.market.track_record import TrackRecord, TrackRecordDecision, agrees
from practice.therapists.models import Therapist

MOST_STEPS = 20


def history(session: Session) -> Sequence[TrackRecordDecision]:
    """The steps of the switch, the newest first."""
    steps = sa.select(TrackRecordDecision).order_by(TrackRecordDecision.id.desc())
    return session.scalars(steps.limit(MOST_STEPS)).all()


def own_record(session: Session, therapist: Therapist) -> TrackRecord | None:
    """Theirs, while their agreement stands."""
    wanted = sa.select(TrackRecord).join(TrackRecord.therapist)
    return session.scalars(wanted.where(Therapist.id == therapist.id, agrees())).first()
