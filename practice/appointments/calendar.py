"""A meeting as a calendar file (RFC 5545). It says "Meeting": no name, no profession, no reason."""

from datetime import UTC

from icalendar import Calendar, Event

from core.config import current_settings
from practice.appointments.models import Appointment, AppointmentState


def calendar_text(appointment: Appointment) -> str:
    """One event in UTC, with where to be; the same bytes for the same appointment."""
    calendar = Calendar()
    calendar.add("prodid", "-//Attune//Meetings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(appointment))
    text: str = calendar.to_ical().decode()
    return text


def _event(appointment: Appointment) -> Event:
    settings = current_settings()
    event = Event()
    event.add("uid", f"{appointment.public_id}@attune")
    event.add("dtstamp", (appointment.booked_at or appointment.starts_at).astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("summary", "Meeting")
    event.add("url", f"{settings.base_url}/appointments/{appointment.public_id}")
    if appointment.format != "telephone" and appointment.where:
        event.add("location", appointment.where)
    cancelled = appointment.state is AppointmentState.cancelled
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
