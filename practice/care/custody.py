"""The records custodian looks a closed record up: exactly, with a reason, and for an hour.

An address or a number is found by an index. Names have none (docs/reference/encryption.md says
why): they are opened and compared here, and the row of the search says how many were.
"""

import enum
import unicodedata
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from core import audit
from core.errors import Erased, Refusal
from practice.accounts.models import Client, Role, User
from practice.care.finding import client_under, is_address_or_number
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


class SoughtBy(enum.StrEnum):
    """What was typed, for the log: never the text itself."""

    name = "name"
    address_or_number = "address_or_number"


@dataclass(frozen=True)
class Search:
    """Whose closed records stand under a text; `opened` counts the people whose names were read."""

    by: SoughtBy
    opened: int
    found: list[Client]

    @property
    def refusal(self) -> type[Refusal] | None:
        if not self.found:
            return NothingClosed
        return TooManyOfThatName if len(self.found) > MOST_FOUND else None


def look_up(
    session: Session, text: str, reason: LookupReason, words: str, actor: User, at: datetime
) -> list[RecordLookup]:
    """Whose closed records stand under exactly this name, address or public id.

    Each that is found can be opened for an hour. Raises NothingClosed, TooManyOfThatName.
    """
    found = search(session, text, actor, at)
    if found.refusal:
        raise found.refusal
    return open_for_an_hour(session, found, reason, words, actor, at)


def search(session: Session, text: str, actor: User, at: datetime) -> Search:
    """Search and write it down, whatever comes of it; for what, is not written."""
    found = _closed_under(session, text, actor, at)
    _record_search(session, found, actor, at)
    return found


def open_for_an_hour(
    session: Session, search: Search, reason: LookupReason, words: str, actor: User, at: datetime
) -> list[RecordLookup]:
    lookups = [
        RecordLookup(client=client, user_id=actor.id, at=at, reason=reason, words=words)
        for client in search.found
    ]
    session.add_all(lookups)
    session.flush()
    for lookup in lookups:
        _record(session, lookup, actor, at)
    return lookups


def _closed_under(session: Session, text: str, actor: User, at: datetime) -> Search:
    holders = closed_episodes(actor, at).with_only_columns(Episode.client_id)
    closed = sa.select(Client).where(Client.id.in_(holders)).options(joinedload(Client.user))
    if is_address_or_number(text):
        client = client_under(session, text)
        wanted = closed.where(Client.id == client.id) if client else closed.where(sa.false())
        return Search(SoughtBy.address_or_number, 0, list(session.scalars(wanted)))
    people, name = session.scalars(closed.order_by(Client.id)).all(), plain(text)
    found = [one for one in people if name and name in _names_of(one)]
    return Search(SoughtBy.name, len(people), found)


def plain(name: str) -> str:
    """A name as it is compared, without capitals and accents: "jose ruiz" for "José  Ruiz"."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(one for one in apart if not unicodedata.combining(one))
    return " ".join(letters.split())


def _names_of(client: Client) -> set[str]:
    return {plain(_read(client, "preferred_name")), plain(_read(client.user, "name"))}


def _read(row: Client | User, name: str) -> str:
    try:
        return str(getattr(row, name))
    except Erased:
        return ""


def _record_search(session: Session, search: Search, actor: User, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action="records.searched",
        subject_kind="user",
        subject_id=actor.public_id,
        actor_id=actor.public_id,
        actor_role=Role.records_custodian,
        by=search.by,
        names_opened=search.opened,
        found=len(search.found),
    )


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
