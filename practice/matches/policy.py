"""Who may see and do what with requests."""

import sqlalchemy as sa

from practice.accounts.models import Client, User
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist


@beyond_consent("a client's own requests")
def requests_of(client: Client) -> sa.Select[MatchRequest]:
    """What a client asked, of whomever."""
    return sa.select(MatchRequest).where(MatchRequest.client_id == client.id)


def requests_to(user: User) -> sa.Select[MatchRequest]:
    """What a therapist was asked; nobody else sees it, not even an administrator.

    Asking rests on the privacy notice: taken back, the request is not there for them any more.
    """
    own = sa.select(Therapist.id).where(Therapist.user_id == user.id)
    return sa.select(MatchRequest).where(
        MatchRequest.therapist_id.in_(own),
        in_force(Purpose.privacy_notice, MatchRequest.client_id),
    )
