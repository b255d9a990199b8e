"""Mails to therapists: they say that something waits, never what."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.config import current_settings
from core.mail import send_mail
from practice.therapists.models import Therapist

SUBJECT = "Something is waiting for you at Attune"
BODY = """Hello,

something is waiting for you at Attune. Please sign in to see it:

{address}

Nobody needs to answer this mail.
"""


def say_something_waits(
    session: Session, therapist: Therapist, at: datetime, *, about: str
) -> None:
    """Post the neutral mail; `about` tells this occasion from others and never leaves us."""
    settings = current_settings()
    send_mail(
        session,
        to=therapist.user.email,
        subject=SUBJECT,
        body=BODY.format(address=f"{settings.base_url}/profile"),
        dedupe_key=f"{about}:{therapist.public_id}:{at.isoformat()}",
        at=at,
    )
