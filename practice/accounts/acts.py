"""The row that each act about an account leaves in the log."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.audit import record
from practice.accounts.models import User


def record_about(
    session: Session,
    user: User,
    actor: User | None,
    action: str,
    at: datetime,
    **details: object,
) -> None:
    """What `actor` did about the account of `user`; None stands for the machine itself."""
    record(
        session,
        at=at,
        action=action,
        subject_kind="user",
        subject_id=user.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=actor.main_role if actor else "",
        client_id=user.client.public_id if user.client else None,
        **details,
    )
