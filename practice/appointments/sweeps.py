"""What time alone makes due about meetings."""

from datetime import datetime

from core.database import unit_of_work
from practice.appointments import operations
from practice.appointments.models import Appointment
from practice.appointments.queries import holds_that_ran_out


def release_what_ran_out(at: datetime) -> None:
    """Times that were kept for half an hour and not signed for are free again."""
    for key in holds_that_ran_out(at):
        with unit_of_work() as session:
            appointment = session.get(Appointment, key)
            if appointment is not None:
                operations.release_if_ran_out(session, appointment, at)
