"""Who may see and do what with requests."""

import sqlalchemy as sa

from practice.accounts.models import Client, Role, User
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.matches.models import MatchRequest, Proposal, ProposalKind
from practice.matches.reviews.models import MatchReview, ReviewState
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


@beyond_consent("a client's own requests for a person's look")
def reviews_of(client: Client) -> sa.Select[MatchReview]:
    return sa.select(MatchReview).where(MatchReview.client_id == client.id)


def reviews_for(user: User) -> sa.Select[MatchReview]:
    """What waits for the clinical lead's look, never one's own.

    It rests on the privacy notice, and is there for them only until it is answered or taken back.
    """
    open_ones = sa.select(MatchReview).where(
        MatchReview.state == ReviewState.asked,
        in_force(Purpose.privacy_notice, MatchReview.client_id),
        MatchReview.client.has(Client.user_id != user.id),
    )
    return open_ones if user.has(Role.clinical_lead) else open_ones.where(sa.false())


def proposals_under_notice() -> sa.Select[Proposal]:
    """What people whose privacy notice is in force were shown: others are not worked out again.

    Of those who were erased there is none.
    """
    return sa.select(Proposal).where(in_force(Purpose.privacy_notice, Proposal.client_id))


def lists_under_notice() -> sa.Select[Proposal]:
    """Of these the lists of matches alone, for whatever counts them."""
    return proposals_under_notice().where(Proposal.kind == ProposalKind.matches)
