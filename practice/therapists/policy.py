"""Who may see and change what of therapists."""

import sqlalchemy as sa

from practice.accounts.models import Role, User
from practice.accounts.policy import has_role
from practice.consent.policy import beyond_consent
from practice.therapists.models import Licence, Therapist

is_therapist = has_role(Role.therapist)


@beyond_consent("a licence tells of no client")
def licences_of(user: User) -> sa.Select[Licence]:
    """The licences that stand on this person's own profile."""
    return (
        sa.select(Licence)
        .join(Therapist, Therapist.id == Licence.therapist_id)
        .where(Therapist.user_id == user.id, Licence.withdrawn_at.is_(None))
    )


@beyond_consent("a profile tells of no client")
def associates_of(user: User) -> sa.Select[Therapist]:
    """The associates who name this person as their supervisor."""
    supervisor = sa.orm.aliased(Therapist)
    return (
        sa.select(Therapist)
        .join(supervisor, supervisor.id == Therapist.supervisor_id)
        .where(supervisor.user_id == user.id)
    )
