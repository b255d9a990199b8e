"""The two mails about being forgotten: neutral words, and a reference to keep."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.config import current_settings
from core.mail import send_mail
from practice.accounts.models import User
from practice.privacy.models import ErasureRequest

WAITS = """Hello,

you asked us to close your account at {organisation}. That happens in seven days, without
anything more from you. If you did not ask for this, or think otherwise, sign in and call it off:

{base_url}/your-data/erasure
"""
GOODBYE = """Hello,

your account at {organisation} is closed, as you asked. This is our last mail to you.

Your reference, should you ever want to ask about it: {reference}
{base_url}/erasures/{reference}
"""
TO_READ = """
There is something we still have to tell you. You can read it there for thirty days.
"""


def say_it_waits(session: Session, user: User, request: ErasureRequest, at: datetime) -> None:
    _send(session, user, request, at, "Your account will be closed", WAITS, "waits")


def say_goodbye(
    session: Session, user: User, request: ErasureRequest, at: datetime, *, told: bool = False
) -> None:
    """With `told`, that something waits on the page of the erasure, and not what."""
    body = GOODBYE + TO_READ if told else GOODBYE
    _send(session, user, request, at, "Your account is closed", body, "done")


def _send(
    session: Session,
    user: User,
    request: ErasureRequest,
    at: datetime,
    subject: str,
    body: str,
    occasion: str,
) -> None:
    settings = current_settings()
    send_mail(
        session,
        to=user.email,
        subject=subject,
        body=body.format(
            organisation=settings.organisation,
            base_url=settings.base_url,
            reference=request.public_id,
        ),
        dedupe_key=f"erasure {occasion}:{request.public_id}",
        at=at,
    )
