"""What is written down and said of each act."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from practice.accounts.models import Role, User
from practice.accounts.neutral_mail import say_something_waits
from practice.waiting.models import Placement, WaitingEntry, WaitingRun

Subject = WaitingEntry | Placement | WaitingRun
KINDS: dict[type, str] = {
    WaitingEntry: "waiting_entry",
    Placement: "waiting_placement",
    WaitingRun: "waiting_run",
}


def record(
    session: Session,
    subject: Subject,
    action: str,
    actor: User | None,
    at: datetime,
    **details: Any,
) -> None:
    """`actor` is None when time alone did it."""
    if subject.public_id is None:
        session.flush()
    client = None if isinstance(subject, WaitingRun) else subject.client
    is_own = actor is not None and client is not None and actor.id == client.user_id
    role = "" if actor is None else Role.client if is_own else Role.clinical_lead
    audit.record(
        session,
        at=at,
        action=f"waiting.{action}",
        subject_kind=KINDS[type(subject)],
        subject_id=subject.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=role,
        client_id=client.public_id if client else None,
        **details,
    )


def tell_client(session: Session, placement: Placement, about: str, at: datetime) -> None:
    """The neutral mail."""
    about = f"waiting {about}:{placement.public_id}"
    say_something_waits(session, placement.client.user, at, path="/waiting", about=about)
