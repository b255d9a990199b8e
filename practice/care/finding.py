"""Finding one client by what somebody was told: exactly, never by a part of it."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client
from practice.accounts.queries import user_with


def is_address_or_number(text: str) -> bool:
    return "@" in text or _uuid(text.strip()) is not None


def client_under(session: Session, text: str) -> Client | None:
    """The client with exactly this e-mail address or public id."""
    if "@" in text:
        user = user_with(session, text.strip().lower())
        return user.client if user else None
    number = _uuid(text.strip())
    if number is None:
        return None
    return session.scalars(sa.select(Client).where(Client.public_id == number)).first()


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
