"""Who may see and do what in the intake."""

import sqlalchemy as sa

from practice.accounts.models import Client, Role, User
from practice.accounts.policy import has_role
from practice.intake.models import Intake, RiskFlag

FLAG_READERS = (Role.duty_clinician, Role.clinical_lead)

reads_flags = has_role(*FLAG_READERS)


def flags_visible_to(user: User) -> sa.Select[RiskFlag]:
    """Every flag for duty clinicians and the clinical lead, save one about themselves."""
    if not user.has(*FLAG_READERS):
        return sa.select(RiskFlag).where(sa.false())
    about = sa.select(Client.id).where(Client.user_id == user.id)
    return sa.select(RiskFlag).where(RiskFlag.client_id.not_in(about))


def intakes_of(client: Client) -> sa.Select[Intake]:
    return sa.select(Intake).where(Intake.client_id == client.id)
