"""Who may see and do what with requests."""

import sqlalchemy as sa

from practice.accounts.models import Client, User
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist


def requests_of(client: Client) -> sa.Select[MatchRequest]:
    """What a client asked, of whomever."""
    return sa.select(MatchRequest).where(MatchRequest.client_id == client.id)


def requests_to(user: User) -> sa.Select[MatchRequest]:
    """What a therapist was asked; nobody else sees it, not even an administrator."""
    own = sa.select(Therapist.id).where(Therapist.user_id == user.id)
    return sa.select(MatchRequest).where(MatchRequest.therapist_id.in_(own))
