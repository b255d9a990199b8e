"""Joining the waiting list and leaving it, whoever or whatever ends it.

Each takes the instant, records the act and flushes; the caller commits.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

from practice.accounts.models import Client, User
from practice.consent.models import Purpose, Signature
from practice.consent.operations import lock_consents_of
from practice.consent.policy import has
from practice.matches.models import MatchRequest
from practice.matches.operations import NoPlaceYet
from practice.waiting import offers
from practice.waiting.acts import record
from practice.waiting.letting_go import let_go
from practice.waiting.models import Ending, Placement, PlacementState, WaitingEntry
from practice.waiting.policy import RESTS_ON, entries_of, placements_of
from practice.waiting.refusals import AlreadyWaiting, NoConsent


def join(session: Session, client: Client, at: datetime) -> WaitingEntry:
    """Raises NoConsent, NoPlaceYet and AlreadyWaiting."""
    lock_consents_of(session, client)
    if not all(has(purpose, client) for purpose in RESTS_ON):
        raise NoConsent
    if not client.place:
        raise NoPlaceYet
    entry = WaitingEntry(client=client, joined_at=at)
    session.add(entry)
    _flush_as_the_only_one(session)
    record(session, entry, "joined", client.user, at)
    return entry


def leave(session: Session, entry: WaitingEntry, at: datetime) -> None:
    """Raises WrongState for an entry that has ended."""
    lock_consents_of(session, entry.client)
    _end(session, entry, Ending.left, entry.client.user, at)


def leave_when_accepted(request: MatchRequest, *, session: Session, at: datetime) -> None:
    """Receiver of `request_accepted`: whoever has a therapist waits no longer."""
    _end_open(session, request.client, Ending.accepted, None, at)


def stop_with_consent(_purpose: Purpose, *, signature: Signature) -> None:
    """Receiver of `consent_revoked`: without what it rests on nobody waits."""
    session, revocation = object_session(signature), signature.revocation
    if signature.purpose in RESTS_ON and session is not None and revocation is not None:
        client, at = signature.client, revocation.revoked_at
        _end_open(session, client, Ending.consent, client.user, at)


def _end_open(
    session: Session, client: Client, why: Ending, actor: User | None, at: datetime
) -> None:
    open_ones = entries_of(client).where(WaitingEntry.left_at.is_(None))
    for entry in session.scalars(open_ones).all():
        _end(session, entry, why, actor, at)


def _end(
    session: Session, entry: WaitingEntry, why: Ending, actor: User | None, at: datetime
) -> None:
    """With what was offered, and without what was only proposed."""
    session.refresh(entry, with_for_update={"of": WaitingEntry})
    entry.end(why, at)
    theirs = placements_of(entry.client)
    offered = theirs.where(Placement.state == PlacementState.offered)
    for placement in session.scalars(offered).all():
        offers.withdraw(session, placement, actor, at)
    let_go(session, Placement.entry_id == entry.id)
    record(session, entry, "left", actor, at, ending=why.value)


def _flush_as_the_only_one(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "waiting_entries" in str(error.orig):
            raise AlreadyWaiting from error
        raise
