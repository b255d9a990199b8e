"""Who may see and do what in the intake."""

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from practice.accounts.models import Client, Role, User
from practice.accounts.policy import has_role
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.intake.models import FlagOutcome, Intake, RiskFlag

FLAG_READERS = (Role.duty_clinician, Role.clinical_lead)

reads_flags = has_role(*FLAG_READERS)


def flags_visible_to(user: User) -> sa.Select[RiskFlag]:
    """Every flag for duty clinicians and the clinical lead, save one about themselves.

    A flag stays with them until it is closed, whatever is taken back meanwhile: somebody may be
    in danger. A closed one is there only while the consent to assessment and safety contact is.
    """
    if not user.has(*FLAG_READERS):
        return sa.select(RiskFlag).where(sa.false())
    about = sa.select(Client.id).where(Client.user_id == user.id)
    consented = in_force(Purpose.assessment, RiskFlag.client_id)
    return sa.select(RiskFlag).where(
        RiskFlag.client_id.not_in(about), sa.or_(is_waiting(), consented)
    )


def is_waiting() -> sa.ColumnElement[bool]:
    """Of `RiskFlag`: nobody has closed it yet."""
    # Aliased, so that a query about outcomes can hold this clause too.
    closed = aliased(FlagOutcome)
    return ~sa.select(closed.id).where(closed.flag_id == RiskFlag.id).exists()


@beyond_consent("a client's own answers")
def intakes_of(client: Client) -> sa.Select[Intake]:
    return sa.select(Intake).where(Intake.client_id == client.id)
