"""The records custodian looks a closed record up: exactly, with a reason, and for an hour."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import audit
from core.errors import Refusal
from practice.accounts.models import Client, Role, User
from practice.care.finding import client_under
from practice.care.models import Episode, LookupReason, RecordLookup
from practice.care.policy import closed_episodes

MOST_FOUND = 5


class NothingClosed(Refusal):
    message = (
        "No closed record stands under exactly this. Records of care that goes on, or that ended "
        "less than 30 days ago, are not found here."
    )


class TooManyOfThatName(Refusal):
    message = "Several people have that name. Please use their e-mail address or their number."


def look_up(
    session: Session, text: str, reason: LookupReason, words: str, actor: User, at: datetime
) -> list[RecordLookup]:
    """Whose closed records stand under exactly this name, address or public id.

    Each that is found can be opened for an hour. Raises NothingClosed, TooManyOfThatName.
    """
    found = _closed_under(session, text, actor, at)
    if not found:
        raise NothingClosed
    if len(found) > MOST_FOUND:
        raise TooManyOfThatName
    lookups = [
        RecordLookup(client=client, user_id=actor.id, at=at, reason=reason, words=words)
        for client in found
    ]
    session.add_all(lookups)
    session.flush()
    for lookup in lookups:
        _record(session, lookup, actor, at)
    return lookups


def note_miss(session: Session, actor: User, at: datetime) -> None:
    """That somebody searched and nothing was there is kept too; for what, is not."""
    audit.record(
        session,
        at=at,
        action="record.not_found",
        subject_kind="user",
        subject_id=actor.public_id,
        actor_id=actor.public_id,
        actor_role=Role.records_custodian,
    )


def _closed_under(session: Session, text: str, actor: User, at: datetime) -> list[Client]:
    holders = closed_episodes(actor, at).with_only_columns(Episode.client_id).distinct()
    closed = sa.select(Client).where(Client.id.in_(holders))
    if client := client_under(session, text):
        return list(session.scalars(closed.where(Client.id == client.id)))
    # Names are sealed, so they are compared here; an address or a number is found by an index.
    name = text.casefold()
    return [one for one in session.scalars(closed) if name in _names_of(one)]


def _names_of(client: Client) -> set[str]:
    return {client.preferred_name.casefold(), client.user.name.casefold()} - {""}


def _record(session: Session, lookup: RecordLookup, actor: User, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action="record.looked_up",
        subject_kind="record_lookup",
        subject_id=lookup.public_id,
        actor_id=actor.public_id,
        actor_role=Role.records_custodian,
        client_id=lookup.client.public_id,
        reason=lookup.reason,
    )
