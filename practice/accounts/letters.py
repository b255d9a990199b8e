"""What is done for an address that somebody typed, after the answer: known or not, all the same.

The request writes one row whatever the address is; whether it belongs to anybody comes out here,
where nobody is waiting with a watch.
"""

import uuid
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from core.clock import now
from core.database import unit_of_work
from core.outbox import handle, post
from practice.accounts import operations
from practice.accounts.models import Role

FORGOTTEN, AGAIN, SIGN_UP = "password forgotten", "confirm again", "sign up"


def connect(app: Flask) -> None:
    handle(app, FORGOTTEN, _forgotten)
    handle(app, AGAIN, _again)
    handle(app, SIGN_UP, _sign_up)


def forgotten(session: Session, email: str, at: datetime) -> None:
    """A link to choose a new password, if somebody has this address."""
    _post(session, FORGOTTEN, {"email": email}, at)


def confirm_again(session: Session, email: str, at: datetime) -> None:
    """A fresh link, if this address waits for one."""
    _post(session, AGAIN, {"email": email}, at)


def sign_up(session: Session, email: str, password_hash: str, role: Role, at: datetime) -> None:
    """A new account, or a mail that says that there is one."""
    _post(session, SIGN_UP, {"email": email, "hash": password_hash, "role": role.value}, at)


def _post(session: Session, kind: str, payload: dict[str, Any], at: datetime) -> None:
    post(session, kind, payload, dedupe_key=f"{kind}:{uuid.uuid4()}", at=at)


def _forgotten(payload: dict[str, Any]) -> None:
    with unit_of_work() as session:
        operations.forget_password(session, payload["email"], now())


def _again(payload: dict[str, Any]) -> None:
    with unit_of_work() as session:
        operations.ask_to_confirm_again(session, payload["email"], now())


def _sign_up(payload: dict[str, Any]) -> None:
    with unit_of_work() as session:
        operations.sign_up(
            session,
            payload["email"],
            password_hash=payload["hash"],
            role=Role(payload["role"]),
            at=now(),
        )
