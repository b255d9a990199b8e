"""Whose appointments are whose."""

import sqlalchemy as sa

from practice.accounts.models import Client, User
from practice.appointments.models import Appointment
from practice.care.models import Episode
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.consent.purposes import therapist_scope
from practice.therapists.models import Therapist


@beyond_consent("a client's own meetings")
def appointments_of(client: Client) -> sa.Select[Appointment]:
    """A client's own, held ones among them."""
    return sa.select(Appointment).where(Appointment.client_id == client.id)


def appointments_with(therapist: Therapist) -> sa.Select[Appointment]:
    """A therapist's, while the care goes on and the client's consent to it stands.

    A time that was only held belongs to no episode, so it shows neither then nor later.
    """
    scope = therapist_scope(therapist.public_id)
    return (
        sa.select(Appointment)
        .join(Episode, Episode.id == Appointment.episode_id)
        .where(
            Appointment.therapist_id == therapist.id,
            Episode.ended_at.is_(None),
            in_force(Purpose.treatment, Appointment.client_id, scope),
        )
    )


def is_client_of(user: User, appointment: Appointment) -> bool:
    return appointment.client.user_id == user.id
