"""Holding a time, signing with it, booking it, and giving it back.

Times are scarce: the therapist's row is locked late, the free times are worked out again under the
lock, and a unique index on therapist and start stands behind both.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import WrongState
from practice.accounts.models import User
from practice.appointments.mails import take_back_date, tell_booked, tell_cancelled
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.policy import is_client_of
from practice.appointments.queries import (
    episode_of,
    free_times,
    held_for,
    meetings_ahead,
    open_for_times,
)
from practice.appointments.refusals import (
    CannotMeetThatWay,
    HoldRanOut,
    NotLicensedThere,
    NotOpenForTimes,
    SlotTaken,
)
from practice.care.models import Episode
from practice.care.operations import open_episode
from practice.consent.models import Purpose
from practice.consent.operations import lock_consents_of, sign
from practice.consent.policy import has
from practice.consent.purposes import therapist_scope
from practice.matches.models import MatchRequest, RequestState
from practice.matches.operations import is_due, lock, meet
from practice.therapists.models import Therapist
from practice.therapists.queries import authority_of

HOLD = timedelta(minutes=30)


def choose(
    session: Session,
    request: MatchRequest,
    starts_at: datetime,
    format_: str,
    actor: User,
    at: datetime,
) -> Appointment:
    """Keep a time for half an hour while the client reads and signs.

    Somebody whose consent with this therapist stands already has nothing to sign: for them the
    time is booked at once. Raises NotOpenForTimes, SlotTaken, NotLicensedThere, CannotMeetThatWay.
    """
    # Always the request before the therapist, as in accepting and withdrawing.
    lock(session, request)
    _lock_the_times_of(session, request.therapist_id)
    if not open_for_times(request, at) or is_due(request, at):
        raise NotOpenForTimes
    _release_what_ran_out(session, request.therapist_id, at)
    for earlier in held_for(session, request):
        _release(session, earlier)
    appointment = _held(session, request, starts_at, format_, at)
    _record(session, appointment, actor, at, "appointment.held")
    episode = episode_of(request)
    if episode is not None and _consent_stands(appointment):
        _book(session, appointment, episode, actor, at)
    return appointment


def sign_and_book(
    session: Session,
    appointment: Appointment,
    evidence: Mapping[str, Any],
    actor: User,
    at: datetime,
) -> Episode:
    """One transaction: the consent is signed, the episode opened and the meeting booked.

    A second signing of what is booked changes nothing.

    The hold, the acceptance (and with it the place), the licence for where the client is now and
    at that time are looked at once more. Raises HoldRanOut, NotOpenForTimes, NotLicensedThere.
    """
    lock_consents_of(session, appointment.client)
    request = _request_behind(session, appointment)
    if appointment.episode is not None and appointment.state is AppointmentState.booked:
        return appointment.episode
    if not appointment.is_held_at(at):
        raise HoldRanOut
    if request.state is not RequestState.accepted:
        raise NotOpenForTimes
    client = appointment.client
    _require_licence(appointment.therapist_id, client.place, at, appointment.ends_at)
    sign(
        session,
        Purpose.treatment,
        client,
        actor,
        at,
        scope=therapist_scope(appointment.therapist.public_id),
        scope_label=appointment.therapist.name,
        place=client.place,
        evidence=evidence,
    )
    episode = open_episode(session, request, client.place, actor, at)
    meet(session, request, at)
    _book(session, appointment, episode, actor, at)
    return episode


def cancel(session: Session, appointment: Appointment, actor: User, at: datetime) -> None:
    """Cancel a meeting that has not begun; raises WrongState otherwise. The care goes on."""
    session.refresh(appointment, with_for_update={"of": Appointment})
    if not appointment.is_ahead(at):
        raise WrongState
    _cancel(session, appointment, actor, at)


def release_if_ran_out(session: Session, appointment: Appointment, at: datetime) -> None:
    session.refresh(appointment, with_for_update={"of": Appointment})
    if appointment.state is AppointmentState.held and not appointment.is_held_at(at):
        _release(session, appointment)
        _record(session, appointment, None, at, "appointment.released")


def release_for_closed_request(request: MatchRequest, *, session: Session, at: datetime) -> None:
    """A request that ended without a meeting keeps no time."""
    for appointment in held_for(session, request):
        _release(session, appointment)
        _record(session, appointment, None, at, "appointment.released")


def cancel_for_ended_episode(
    episode: Episode, *, session: Session, actor: User, at: datetime
) -> None:
    """No care, no meetings: those still ahead are cancelled, and what waits to be sent stays."""
    for appointment in meetings_ahead(session, episode, at):
        take_back_date(session, appointment, at)
        _cancel(session, appointment, actor, at)


def _held(
    session: Session, request: MatchRequest, starts_at: datetime, format_: str, at: datetime
) -> Appointment:
    therapist = request.therapist
    if format_ not in therapist.formats:
        raise CannotMeetThatWay
    chosen = [one for one in free_times(session, request, at) if one.starts_at == starts_at]
    if not chosen:
        _require_licence(therapist.id, request.client.place, at, starts_at)
        raise SlotTaken
    appointment = Appointment(
        client=request.client,
        therapist=therapist,
        request=request,
        starts_at=chosen[0].starts_at,
        ends_at=chosen[0].ends_at,
        zone=therapist.zone,
        format=format_,
        where=_where(request, format_),
        state=AppointmentState.held,
        held_until=at + HOLD,
    )
    _add(session, appointment)
    return appointment


def _where(request: MatchRequest, format_: str) -> str:
    """The link, the address, or the number at which the client is called."""
    therapist = request.therapist
    places = {"online": therapist.meeting_link, "in-person": therapist.office}
    return places.get(format_, request.client.phone)


def _book(
    session: Session, appointment: Appointment, episode: Episode, actor: User, at: datetime
) -> None:
    appointment.move_to(AppointmentState.booked)
    appointment.episode = episode
    appointment.booked_at, appointment.held_until = at, None
    session.flush()
    _record(session, appointment, actor, at, "appointment.booked")
    tell_booked(session, appointment, at)


def _cancel(session: Session, appointment: Appointment, actor: User, at: datetime) -> None:
    appointment.move_to(AppointmentState.cancelled)
    appointment.cancelled_at, appointment.cancelled_by_id = at, actor.id
    session.flush()
    _record(session, appointment, actor, at, "appointment.cancelled")
    tell_cancelled(session, appointment, actor, at)


def _release(session: Session, appointment: Appointment) -> None:
    appointment.move_to(AppointmentState.cancelled)
    session.flush()


def _release_what_ran_out(session: Session, therapist_id: int, at: datetime) -> None:
    """The index knows no clock: a hold that ran out must go before its time can be kept again."""
    session.execute(
        sa.update(Appointment)
        .where(
            Appointment.therapist_id == therapist_id,
            Appointment.state == AppointmentState.held,
            Appointment.held_until <= at,
        )
        .values(state=AppointmentState.cancelled)
    )


def _lock_the_times_of(session: Session, therapist_id: int) -> None:
    """One writer of a therapist's times at a time (SQLite has only one writer anyway)."""
    row = sa.select(Therapist.id).where(Therapist.id == therapist_id)
    # Weaker than FOR UPDATE: an episode that only refers to the therapist need not wait.
    session.execute(row.with_for_update(key_share=True))


def _request_behind(session: Session, appointment: Appointment) -> MatchRequest:
    if appointment.request is None:
        raise WrongState
    lock(session, appointment.request)
    session.refresh(appointment, with_for_update={"of": Appointment})
    return appointment.request


def _require_licence(therapist_id: int, place: str, at: datetime, until: datetime) -> None:
    """In force now and for the whole meeting, for the place where the client is."""
    ends = authority_of([therapist_id], at)[therapist_id].get(place)
    if ends is None or ends < until:
        raise NotLicensedThere


def _consent_stands(appointment: Appointment) -> bool:
    scope = therapist_scope(appointment.therapist.public_id)
    return has(Purpose.treatment, appointment.client, scope)


def _add(session: Session, appointment: Appointment) -> None:
    session.add(appointment)
    try:
        session.flush()
    except IntegrityError as error:
        if "appointments" in str(error.orig):
            raise SlotTaken from error
        raise


def _record(
    session: Session, appointment: Appointment, actor: User | None, at: datetime, action: str
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="appointment",
        subject_id=appointment.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=_role(appointment, actor),
        client_id=appointment.client.public_id,
    )


def _role(appointment: Appointment, actor: User | None) -> str:
    if actor is None:
        return ""
    return "client" if is_client_of(actor, appointment) else "therapist"
