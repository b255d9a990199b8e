"""Reading what was posted to an address, and the links in it."""

import re

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from core.clock import now
from core.outbox import OutboxMessage
from practice.accounts.letters import AGAIN, FORGOTTEN, SIGN_UP
from tests.builders.accounts import look_again


def mails_to(session: Session, address: str) -> list[dict[str, str]]:
    """The mails posted to this address, the oldest first, after what waits was done."""
    carry_out(session)
    posted = sa.select(OutboxMessage).where(OutboxMessage.kind == "mail").order_by(OutboxMessage.id)
    return [m.payload for m in session.scalars(posted) if m.payload["to"] == address]


def carry_out(session: Session) -> None:
    """Do for each address that somebody typed what the worker does after the answer."""
    look_again(session)
    waiting = sa.select(OutboxMessage.id).where(
        OutboxMessage.kind.in_([FORGOTTEN, AGAIN, SIGN_UP]), OutboxMessage.done_at.is_(None)
    )
    for key in session.scalars(waiting.order_by(OutboxMessage.id)).all():
        message = session.get_one(OutboxMessage, key)
        handler = current_app.extensions["outbox_handlers"][message.kind]
        handler(message.payload)
        session.get_one(OutboxMessage, key).done_at = now()
        session.commit()
    look_again(session)


def link_in(mail: dict[str, str]) -> str:
    """The path of the first address in a mail."""
    return re.search(r"http://localhost(/\S+)", mail["body"]).group(1)
