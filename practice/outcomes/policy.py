"""Whose courses of care may count, and who decides whether track record does."""

from datetime import datetime

import sqlalchemy as sa

from practice.accounts.models import Role
from practice.accounts.policy import has_role
from practice.care.models import Episode
from practice.consent.models import Purpose
from practice.consent.policy import in_force

RESTS_ON = (Purpose.privacy_notice, Purpose.assessment, Purpose.learning)

is_lead = has_role(Role.clinical_lead)
is_administrator = has_role(Role.administrator)
may_decide = has_role(Role.clinical_lead, Role.administrator)


def episodes_counted(since: datetime, until: datetime) -> sa.Select[Episode]:
    """Care that began from `since` on and before `until`, of clients who agreed to learning.

    And whose scores may be looked at at all: what is taken back is gone with the next count.
    """
    return sa.select(Episode).where(
        Episode.opened_at >= since,
        Episode.opened_at < until,
        *(in_force(purpose, Episode.client_id) for purpose in RESTS_ON),
    )
