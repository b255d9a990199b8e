"""Who may work on credentials: administrators, and nobody on their own."""

import sqlalchemy as sa

from practice.accounts.models import Role, User
from practice.accounts.policy import has_role
from practice.consent.policy import beyond_consent
from practice.credentials.models import Reversal
from practice.therapists.models import (
    Application,
    ApplicationState,
    Licence,
    LicenceState,
    Therapist,
)

is_administrator = has_role(Role.administrator)


@beyond_consent("an application tells of no client")
def applications_open_to(user: User) -> sa.Select[Application]:
    """Everything that was ever sent, but for one's own application."""
    return (
        sa.select(Application)
        .join(Therapist, Therapist.id == Application.therapist_id)
        .where(Application.state != ApplicationState.draft, Therapist.user_id != user.id)
    )


@beyond_consent("a licence tells of no client")
def licences_open_to(user: User) -> sa.Select[Licence]:
    """The licences of those applications that were sent, but for what was taken back."""
    mine_to_see = applications_open_to(user).with_only_columns(Application.therapist_id)
    sent = sa.and_(Licence.state != LicenceState.draft, Licence.withdrawn_at.is_(None))
    return sa.select(Licence).where(Licence.therapist_id.in_(mine_to_see), sent)


@beyond_consent("a reversal tells of no client")
def reversals_open_to(user: User) -> sa.Select[Reversal]:
    """Reversals that wait for a second administrator; the operation refuses the first one.

    What a therapist has taken back meanwhile needs no answer any more.
    """
    applications = applications_open_to(user).with_only_columns(Application.public_id)
    licences = licences_open_to(user).with_only_columns(Licence.public_id)
    subject = sa.or_(Reversal.subject_id.in_(applications), Reversal.subject_id.in_(licences))
    return sa.select(Reversal).where(subject, Reversal.answered_at.is_(None))
