"""The true numbers of the home page and what waits for each person today."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa

from core.database import db
from core.outbox import OutboxMessage
from practice.accounts.models import Client, User
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.policy import appointments_of, appointments_with
from practice.care.models import Episode
from practice.groups.models import Enrolment, EnrolmentState, Group, GroupSession, GroupState
from practice.matches.models import MatchRequest, RequestState
from practice.matches.policy import requests_of, requests_to, reviews_of
from practice.matches.reviews.models import MatchReview, ReviewState
from practice.therapists.models import Licence, LicenceState, Therapist
from practice.therapists.queries import listable

SOON = timedelta(days=14)
LOOKING_BACK = timedelta(days=90)
ENDS_SOON = timedelta(days=60)
# A typical wait is only said when enough people waited.
FEWEST_WAITS = 5
MOST_SHOWN = 12
# An outbox in which something is due for so long is not well.
WAITS_TOO_LONG = timedelta(minutes=10)
ANSWER_IS_NEWS = timedelta(days=14)


@dataclass(frozen=True)
class RightNow:
    """Counted at the moment of asking. Prices are minor units of a session, None without any."""

    with_room: int
    listed: int
    lowest_price: int | None
    highest_price: int | None
    groups_soon: int
    days_to_first_meeting: int | None


def right_now(at: datetime) -> RightNow:
    listed = listable(at).with_only_columns(
        Therapist.id, Therapist.open_places, Therapist.fee, Therapist.sliding_from
    )
    rows = listed.order_by(None).subquery()
    price = sa.func.coalesce(rows.c.sliding_from, rows.c.fee)
    counted = db.session.execute(
        sa.select(
            sa.func.count().filter(rows.c.open_places > 0),
            sa.func.count(),
            sa.func.min(price),
            sa.func.max(rows.c.fee),
        )
    ).one()
    return RightNow(*counted, _groups_soon(at), _typical_wait(at))


def _groups_soon(at: datetime) -> int:
    soon = sa.and_(Group.starts_at > at, Group.starts_at <= at + SOON)
    open_ = Group.state == GroupState.open
    return db.session.scalar(sa.select(sa.func.count()).where(soon, open_)) or 0


def _typical_wait(at: datetime) -> int | None:
    """Median days from the request to the first meeting, of the last ninety days' requests."""
    met = (
        sa.select(MatchRequest.sent_at, Appointment.starts_at)
        .join(Appointment, Appointment.request_id == MatchRequest.id)
        .where(Appointment.state == AppointmentState.booked)
        .where(MatchRequest.sent_at > at - LOOKING_BACK)
    )
    waits = [(starts - sent).days for sent, starts in db.session.execute(met)]
    return round(median(waits)) if len(waits) >= FEWEST_WAITS else None


def meetings_of_client(client: Client, at: datetime) -> list[Appointment]:
    """The next ones, and one that is running."""
    ahead = _booked(appointments_of(client)).where(Appointment.ends_at > at)
    return list(db.session.scalars(ahead.limit(MOST_SHOWN)))


def meetings_of_therapist(therapist: Therapist, since: datetime, at: datetime) -> list[Appointment]:
    """From `since`, when the therapist's day began, to two weeks after `at`.

    Only of those whose consent to treatment stands; of others not even a name is shown.
    """
    near = sa.and_(Appointment.starts_at >= since, Appointment.starts_at < at + SOON)
    return list(db.session.scalars(_booked(appointments_with(therapist)).where(near)))


def _booked(wanted: sa.Select[Appointment]) -> sa.Select[Appointment]:
    booked = wanted.where(Appointment.state == AppointmentState.booked)
    return booked.order_by(Appointment.starts_at)


def therapists_caring_for(client_id: int) -> list[Therapist]:
    """In whose care a client is now."""
    open_ = sa.select(Episode.therapist_id).where(
        Episode.client_id == client_id, Episode.ended_at.is_(None)
    )
    wanted = sa.select(Therapist).where(Therapist.id.in_(open_))
    return list(db.session.scalars(wanted.order_by(Therapist.name)))


def was_looked_at(client: Client, at: datetime) -> bool:
    """Whether the newest look that they asked for was answered in the fortnight before `at`."""
    newest = db.session.scalars(reviews_of(client).order_by(MatchReview.id.desc()).limit(1)).first()
    if newest is None or newest.state is not ReviewState.answered or newest.ended_at is None:
        return False
    return at - newest.ended_at < ANSWER_IS_NEWS


def sessions_of_client(client_id: int, at: datetime) -> list[tuple[GroupSession, Group]]:
    """The coming sessions of the groups in which a client has a seat."""
    wanted = (
        sa.select(GroupSession, Group)
        .join(Group, Group.id == GroupSession.group_id)
        .join(Enrolment, Enrolment.group_id == Group.id)
        .where(Enrolment.client_id == client_id, Enrolment.state == EnrolmentState.seated)
        .where(Group.state == GroupState.open)
    )
    return _coming(wanted, at)


def sessions_of_leader(therapist_id: int, at: datetime) -> list[tuple[GroupSession, Group]]:
    wanted = (
        sa.select(GroupSession, Group)
        .join(Group, Group.id == GroupSession.group_id)
        .where(Group.leads.any(therapist_id=therapist_id), Group.state == GroupState.open)
    )
    return _coming(wanted, at)


def _coming(
    wanted: sa.Select[GroupSession, Group], at: datetime
) -> list[tuple[GroupSession, Group]]:
    soon = wanted.where(GroupSession.ends_at > at, GroupSession.starts_at < at + SOON)
    found = db.session.execute(soon.order_by(GroupSession.starts_at).limit(MOST_SHOWN))
    return [(session, group) for session, group in found]


def requests_waiting_for(user: User) -> list[MatchRequest]:
    waiting = requests_to(user).where(MatchRequest.state == RequestState.sent)
    return list(db.session.scalars(waiting.order_by(MatchRequest.answer_due_at)))


def request_of(client: Client) -> MatchRequest | None:
    """The client's request that is out, or the last one that ended."""
    newest = requests_of(client).order_by(MatchRequest.sent_at.desc())
    return db.session.scalars(newest.limit(1)).first()


def seats_of(client_id: int, at: datetime) -> list[Enrolment]:
    """A client's seats, and their ways into groups that still want something of them."""
    goes_on = sa.exists().where(
        GroupSession.group_id == Enrolment.group_id, GroupSession.ends_at > at
    )
    live = (
        EnrolmentState.screening,
        EnrolmentState.invited,
        EnrolmentState.held,
        EnrolmentState.seated,
    )
    of_client = sa.select(Enrolment).where(
        Enrolment.client_id == client_id, Enrolment.state.in_(live), goes_on
    )
    return list(db.session.scalars(of_client.order_by(Enrolment.created_at)))


def licences_ending(therapist_id: int, at: datetime) -> list[Licence]:
    """Verified licences that end within sixty days, the first to end first."""
    mine = sa.select(Licence).where(Licence.therapist_id == therapist_id)
    ending = mine.where(
        Licence.state == LicenceState.verified,
        Licence.withdrawn_at.is_(None),
        Licence.in_force_until < at + ENDS_SOON,
    )
    return list(db.session.scalars(ending.order_by(Licence.in_force_until)))


def outbox_is_late(at: datetime) -> bool:
    """Whether something has been due for too long; what was set aside is not waited for."""
    waiting = sa.and_(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))
    oldest = db.session.scalar(sa.select(sa.func.min(OutboxMessage.due_at)).where(waiting))
    return oldest is not None and at - oldest > WAITS_TOO_LONG
