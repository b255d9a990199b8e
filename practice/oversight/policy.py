"""Who may open the administrators' console, who the audit of fairness, and whom it counts."""

from datetime import datetime

import sqlalchemy as sa

from practice.accounts.models import Role
from practice.accounts.policy import has_role, only_in_demo
from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.intake.models import Intake

__all__ = ["intakes_audited", "is_administrator", "is_clinical_lead", "only_in_demo"]

is_administrator = has_role(Role.administrator)
is_clinical_lead = has_role(Role.clinical_lead)


def intakes_audited(since: datetime, until: datetime) -> sa.Select[Intake]:
    """What was submitted from `since` on and before `until`, under the privacy notice."""
    return sa.select(Intake).where(
        Intake.submitted_at >= since,
        Intake.submitted_at < until,
        in_force(Purpose.privacy_notice, Intake.client_id),
    )
