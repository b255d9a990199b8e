"""Reading what was posted to an address, and the links in it."""

import re

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.outbox import OutboxMessage
from tests.builders.accounts import look_again


def mails_to(session: Session, address: str) -> list[dict[str, str]]:
    """The mails posted to this address, the oldest first."""
    look_again(session)
    posted = sa.select(OutboxMessage).where(OutboxMessage.kind == "mail").order_by(OutboxMessage.id)
    return [m.payload for m in session.scalars(posted) if m.payload["to"] == address]


def link_in(mail: dict[str, str]) -> str:
    """The path of the first address in a mail."""
    return re.search(r"http://localhost(/\S+)", mail["body"]).group(1)
