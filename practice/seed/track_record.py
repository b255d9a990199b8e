"""Every third therapist has agreed that their record may count; there are too few cases yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from practice.matches.market.track_record import TrackRecordAgreement
from practice.therapists.models import Therapist

AGO = timedelta(days=20)


def let_some_agree(session: Session, therapists: Sequence[Therapist], at: datetime) -> None:
    session.add_all(
        TrackRecordAgreement(therapist_id=one.id, agreed_at=at - AGO) for one in therapists[::3]
    )
