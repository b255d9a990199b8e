"""Whose searches and lists count when therapists are told how they are found."""

from datetime import datetime

import sqlalchemy as sa

from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.intake.models import Intake
from practice.matches.models import Proposal


def searches_since(since: datetime) -> sa.Select[Intake]:
    """What was submitted from then on, under the privacy notice."""
    return sa.select(Intake).where(
        Intake.submitted_at >= since, in_force(Purpose.privacy_notice, Intake.client_id)
    )


def lists_since(since: datetime) -> sa.Select[Proposal]:
    """What was shown for the first time from then on, under the privacy notice."""
    return sa.select(Proposal).where(
        Proposal.made_at >= since, in_force(Purpose.privacy_notice, Proposal.client_id)
    )
