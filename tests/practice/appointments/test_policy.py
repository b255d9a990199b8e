"""Whose meetings are whose, asked of the scoped queries themselves."""

import sqlalchemy as sa

from practice.appointments.models import Appointment
from practice.appointments.policy import appointments_of, appointments_with
from practice.consent.models import Purpose, Revocation, Signature
from tests.builders.accounts import make_client
from tests.builders.appointments import make_booked
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def test_a_therapist_sees_meetings_of_their_own_episodes(session):
    booked = make_booked(session)
    assert found(session, appointments_with(booked.therapist)) == [booked.id]
    assert found(session, appointments_with(make_therapist(session, name="Somebody Else"))) == []


def test_the_consent_stands_in_the_query_of_meetings_itself(session):
    """Even were the episode left open, nothing would show."""
    booked = make_booked(session)
    [signature] = session.scalars(
        sa.select(Signature).where(Signature.purpose == Purpose.treatment)
    ).all()
    taken_back = Revocation(revoked_at=NOW, revoked_by_id=booked.client.user_id, effect="")
    signature.revocation = taken_back
    session.flush()
    assert booked.episode.ended_at is None
    assert found(session, appointments_with(booked.therapist)) == []


def test_a_client_sees_their_own_meetings(session):
    booked = make_booked(session)
    assert found(session, appointments_of(booked.client)) == [booked.id]
    assert found(session, appointments_of(make_client(session))) == []


def found(session, query: sa.Select[Appointment]) -> list[int]:
    return list(session.scalars(query.with_only_columns(Appointment.id)))
