"""Whose searches and lists count when therapists are told how they are found."""

from datetime import datetime

import sqlalchemy as sa

from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.intake.models import Intake
from practice.matches.models import Proposal, ProposalKind


def searches_in(since: datetime, until: datetime) -> sa.Select[Intake]:
    """What was submitted from `since` on and before `until`, under the privacy notice."""
    return sa.select(Intake).where(
        Intake.submitted_at >= since,
        Intake.submitted_at < until,
        in_force(Purpose.privacy_notice, Intake.client_id),
    )


def lists_in(since: datetime, until: datetime) -> sa.Select[Proposal]:
    """The lists first shown from then on and before `until`, under the same."""
    return sa.select(Proposal).where(
        Proposal.kind == ProposalKind.matches,
        Proposal.made_at >= since,
        Proposal.made_at < until,
        in_force(Purpose.privacy_notice, Proposal.client_id),
    )
