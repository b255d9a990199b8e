"""Mails around meetings: something is waiting, with a calendar file in words as neutral."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.mail import Attachment
from practice.accounts.models import User
from practice.appointments.calendar import calendar_text
from practice.appointments.models import Appointment
from practice.matches.mails import say_something_waits


def tell_booked(session: Session, appointment: Appointment, at: datetime) -> None:
    """Both get the date as a file for their calendar."""
    file = Attachment("meeting.ics", "text/calendar", calendar_text(appointment))
    for user in (appointment.client.user, appointment.therapist.user):
        _tell(session, appointment, user, at, "booked", file)


def tell_cancelled(session: Session, appointment: Appointment, actor: User, at: datetime) -> None:
    """The other one is told."""
    for user in (appointment.client.user, appointment.therapist.user):
        if user.id != actor.id:
            _tell(session, appointment, user, at, "cancelled")


def _tell(
    session: Session,
    appointment: Appointment,
    user: User,
    at: datetime,
    occasion: str,
    attachment: Attachment | None = None,
) -> None:
    say_something_waits(
        session,
        user,
        at,
        path="/today",
        about=f"appointment {occasion}:{appointment.public_id}",
        attachment=attachment,
    )
