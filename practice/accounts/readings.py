"""Writing down that the person who is signed in looks at clients' content."""

import uuid
from collections.abc import Iterable
from typing import Any

from flask_login import current_user
from sqlalchemy.orm import Session

from core import readings
from core.clock import now
from practice.accounts.models import Client, Role


def viewed(
    session: Session,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID,
    clients: Iterable[Client],
    role: Role | str,
    **details: Any,
) -> None:
    """One row for this page, in the transaction that reads it: no row, no page."""
    readings.viewed(
        session,
        at=now(),
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        actor_id=current_user.public_id,
        actor_role=str(role),
        clients={client.public_id for client in clients},
        **details,
    )
