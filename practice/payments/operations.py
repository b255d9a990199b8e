"""What a client and the administrators learn of money that goes back."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.models import Refund
from core import audit
from practice.groups.mails import tell_client
from practice.groups.models import Enrolment


def tell_of_refund(refund: Refund, *, session: Session, at: datetime) -> None:
    """Receiver of `refund_done`: a neutral mail to whoever had the seat."""
    enrolment = session.scalar(
        sa.select(Enrolment).where(Enrolment.order_id == refund.charge.order.public_id)
    )
    if enrolment is not None:
        tell_client(session, enrolment, at, f"refund:{refund.public_id}")


def note_failed_refund(refund: Refund, *, session: Session, at: datetime) -> None:
    """Receiver of `refund_failed`: a line in "who did what", for an administrator to act on."""
    audit.record(
        session,
        at=at,
        action="refund.failed",
        subject_kind="refund",
        subject_id=refund.public_id,
        actor_id=None,
        amount=refund.amount,
    )
