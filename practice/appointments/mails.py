"""Mails around meetings: something is waiting, with a calendar file in words as neutral."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.mail import Attachment
from core.outbox import withdraw
from practice.accounts.models import User
from practice.accounts.neutral_mail import say_something_waits
from practice.appointments.calendar import calendar_text
from practice.appointments.models import Appointment


def tell_booked(session: Session, appointment: Appointment, at: datetime) -> None:
    """Both get the date as a file for their calendar."""
    file = Attachment("meeting.ics", "text/calendar", calendar_text(appointment))
    for user in (appointment.client.user, appointment.therapist.user):
        _tell(session, appointment, user, at, "booked", file)


def take_back_date(session: Session, appointment: Appointment, at: datetime) -> None:
    """A date that has not left for the therapist's calendar yet stays here."""
    user = appointment.therapist.user
    withdraw(session, f"mail:{_about(appointment, 'booked')}:{user.public_id}", at)


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
        about=_about(appointment, occasion),
        attachment=attachment,
    )


def _about(appointment: Appointment, occasion: str) -> str:
    return f"appointment {occasion}:{appointment.public_id}"
