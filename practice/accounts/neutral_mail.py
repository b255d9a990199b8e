"""The one mail about anything in a room: it says that something waits, never what."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.config import current_settings
from core.mail import Attachment, send_mail
from practice.accounts.models import User

SUBJECT = "Something is waiting for you at {organisation}"
BODY = """Hello,

something is waiting for you at {organisation}. Please sign in to see it:

{address}

Nobody needs to answer this mail.
"""


def say_something_waits(
    session: Session,
    user: User,
    at: datetime,
    *,
    path: str,
    about: str,
    attachment: Attachment | None = None,
) -> None:
    """Post the neutral mail; `about` names the occasion, once each, and never leaves us."""
    settings = current_settings()
    words = {"organisation": settings.organisation, "address": settings.base_url + path}
    send_mail(
        session,
        to=user.email,
        subject=SUBJECT.format(**words),
        body=BODY.format(**words),
        dedupe_key=f"{about}:{user.public_id}",
        at=at,
        attachment=attachment,
    )
