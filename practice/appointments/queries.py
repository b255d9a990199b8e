"""Reads of meetings: what is taken, what is free, whose are whose."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import db
from practice.accounts.models import Client, User
from practice.appointments.availability import Interval, first_meetings
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.policy import appointments_of, appointments_with
from practice.care.meetings import Meeting
from practice.care.models import Episode
from practice.hours import WeeklyWindow
from practice.matches.models import MatchRequest, RequestState
from practice.therapists.models import Therapist, WeeklyHours
from practice.therapists.queries import authority_of, therapist_of


def free_times(session: Session, request: MatchRequest, at: datetime) -> list[Interval]:
    """First meetings that this client could choose now, the earliest first.

    Free for both, within the therapist's hours, and before their licence for the place ends.
    """
    therapist = request.therapist
    taken = _taken(session, request, at)
    until = authority_of([therapist.id], at)[therapist.id].get(request.client.place)
    found = first_meetings(_windows(session, therapist), therapist.zone, taken, at)
    return [meeting for meeting in found if until is not None and meeting.ends_at <= until]


def open_for_times(request: MatchRequest, at: datetime) -> bool:
    """Whether the client may choose a time: accepted, or in care with no meeting ahead."""
    if request.state is RequestState.accepted:
        return True
    return request.state is RequestState.met and _is_in_care_without_meeting(request, at)


def appointment_of(client: Client, public_id: uuid.UUID) -> Appointment | None:
    own = appointments_of(client).where(Appointment.public_id == public_id)
    return db.session.scalars(own).first()


def appointment_for(user: User, public_id: uuid.UUID) -> Appointment | None:
    """The appointment as its client or as its therapist may see it."""
    if user.client is not None and (own := appointment_of(user.client, public_id)):
        return own
    therapist = therapist_of(user)
    if therapist is None:
        return None
    theirs = appointments_with(therapist).where(Appointment.public_id == public_id)
    return db.session.scalars(theirs).first()


def episode_of(request: MatchRequest) -> Episode | None:
    """The open episode that this request led to."""
    opened = sa.select(Episode).where(Episode.request_id == request.id, Episode.ended_at.is_(None))
    return db.session.scalars(opened).first()


def held_for(session: Session, request: MatchRequest) -> list[Appointment]:
    held = sa.select(Appointment).where(
        Appointment.request_id == request.id, Appointment.state == AppointmentState.held
    )
    return list(session.scalars(held))


def holds_that_ran_out(at: datetime) -> list[int]:
    ran_out = sa.select(Appointment.id).where(
        Appointment.state == AppointmentState.held, Appointment.held_until <= at
    )
    return list(db.session.scalars(ran_out))


def meetings_ahead(session: Session, episode: Episode, at: datetime) -> list[Appointment]:
    ahead = sa.select(Appointment).where(
        Appointment.episode_id == episode.id,
        Appointment.state == AppointmentState.booked,
        Appointment.starts_at > at,
    )
    return list(session.scalars(ahead))


def meetings_of(episode_ids: Collection[int]) -> dict[int, list[Meeting]]:
    """{episode key: its meetings, the earliest first}; one query, every id is a key."""
    rows = db.session.scalars(
        sa.select(Appointment)
        .where(
            Appointment.episode_id.in_(episode_ids),
            Appointment.state != AppointmentState.held,
        )
        .options(sa.orm.lazyload("*"))
        .order_by(Appointment.starts_at)
    )
    found: dict[int, list[Meeting]] = defaultdict(list)
    for row in rows:
        if row.episode_id is not None:
            found[row.episode_id].append(_meeting(row))
    return {episode_id: found[episode_id] for episode_id in episode_ids}


def _meeting(row: Appointment) -> Meeting:
    is_cancelled = row.state is AppointmentState.cancelled
    return Meeting(row.public_id, row.starts_at, row.ends_at, row.zone, row.format, is_cancelled)


def _windows(session: Session, therapist: Therapist) -> Iterator[WeeklyWindow]:
    rows = session.scalars(sa.select(WeeklyHours).where(WeeklyHours.therapist_id == therapist.id))
    return (WeeklyWindow(row.weekday, row.starts, row.ends) for row in rows)


def _taken(session: Session, request: MatchRequest, at: datetime) -> list[Interval]:
    """What either of the two has already; a hold of this very request is theirs to move."""
    lives = sa.or_(
        Appointment.state == AppointmentState.booked,
        sa.and_(Appointment.state == AppointmentState.held, Appointment.held_until > at),
    )
    either = sa.or_(
        Appointment.therapist_id == request.therapist_id,
        Appointment.client_id == request.client_id,
    )
    own_hold = sa.and_(
        Appointment.state == AppointmentState.held,
        sa.func.coalesce(Appointment.request_id, 0) == request.id,
    )
    rows = sa.select(Appointment.starts_at, Appointment.ends_at).where(
        lives, either, Appointment.ends_at > at, ~own_hold
    )
    return [Interval(starts_at, ends_at) for starts_at, ends_at in session.execute(rows)]


def _is_in_care_without_meeting(request: MatchRequest, at: datetime) -> bool:
    episode = episode_of(request)
    return episode is not None and not meetings_ahead(db.session(), episode, at)
