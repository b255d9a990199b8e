"""Who sees the waiting list: each client their own entry, the clinical lead everybody's."""

import sqlalchemy as sa

from practice.accounts.models import Client, Role, User
from practice.accounts.policy import has_role
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.waiting.models import Placement, WaitingEntry

is_lead = has_role(Role.clinical_lead)

# What being placed rests on: one taken back, and they are not there for anybody else.
RESTS_ON = (Purpose.privacy_notice, Purpose.assessment)


@beyond_consent("a client's own place on the waiting list")
def entries_of(client: Client) -> sa.Select[WaitingEntry]:
    return sa.select(WaitingEntry).where(WaitingEntry.client_id == client.id)


@beyond_consent("what was found for a client, and that client alone")
def placements_of(client: Client) -> sa.Select[Placement]:
    return sa.select(Placement).where(Placement.client_id == client.id)


def entries_for(user: User) -> sa.Select[WaitingEntry]:
    """Who waits now, for the clinical lead; never oneself."""
    theirs = sa.select(WaitingEntry).where(
        WaitingEntry.left_at.is_(None),
        WaitingEntry.client.has(Client.user_id != user.id),
        *(in_force(purpose, WaitingEntry.client_id) for purpose in RESTS_ON),
    )
    return theirs if user.has(Role.clinical_lead) else theirs.where(sa.false())


def placements_for(user: User) -> sa.Select[Placement]:
    """What is proposed and offered to those who wait, for the clinical lead; never to oneself."""
    theirs = sa.select(Placement).where(
        Placement.entry.has(WaitingEntry.left_at.is_(None)),
        Placement.client.has(Client.user_id != user.id),
        *(in_force(purpose, Placement.client_id) for purpose in RESTS_ON),
    )
    return theirs if user.has(Role.clinical_lead) else theirs.where(sa.false())


def may_be_placed() -> sa.Select[WaitingEntry]:
    """Everybody who waits and whom a run may place, whoever asks for it."""
    return sa.select(WaitingEntry).where(
        WaitingEntry.left_at.is_(None),
        *(in_force(purpose, WaitingEntry.client_id) for purpose in RESTS_ON),
    )
