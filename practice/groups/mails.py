"""Mails about groups say that something waits, never what: no title, no condition, no amount."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.config import current_settings
from core.mail import send_mail
from practice.accounts.models import User
from practice.groups.models import Enrolment, Group

SUBJECT = "Something is waiting for you at {organisation}"
BODY = """Hello,

something is waiting for you at {organisation}. Please sign in to see it:

{address}

Nobody needs to answer this mail.
"""


def tell_client(session: Session, enrolment: Enrolment, at: datetime, occasion: str) -> None:
    """Post the neutral mail to a client; once for each occasion of an enrolment."""
    address = f"/enrolments/{enrolment.public_id}"
    _tell(session, enrolment.client.user, address, f"{occasion}:{enrolment.public_id}", at)


def tell_leaders(session: Session, group: Group, at: datetime, occasion: str) -> None:
    for therapist in group.professionals:
        address = f"/led-groups/{group.public_id}"
        _tell(session, therapist.user, address, f"{occasion}:{therapist.public_id}", at)


def _tell(session: Session, user: User, address: str, key: str, at: datetime) -> None:
    settings = current_settings()
    organisation = settings.organisation
    send_mail(
        session,
        to=user.email,
        subject=SUBJECT.format(organisation=organisation),
        body=BODY.format(organisation=organisation, address=settings.base_url + address),
        dedupe_key=f"group:{key}",
        at=at,
    )
