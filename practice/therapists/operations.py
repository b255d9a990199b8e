"""What therapists do with their profile: begin, fill in, send, keep up to date.

Each takes the actor and the instant, records the act and flushes; the caller commits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotAllowed, Refusal, WrongState
from practice.accounts.models import Role, User
from practice.places import in_force_until
from practice.therapists.completeness import Missing, missing_from
from practice.therapists.mails import say_something_waits
from practice.therapists.models import (
    Application,
    ApplicationState,
    Level,
    Licence,
    LicenceKind,
    LicenceState,
    Therapist,
    WeeklyHours,
)

# A change to one of these is a change of who was verified, so somebody must look again.
IDENTITY_COLUMNS = frozenset({"name", "profession", "level", "npi"})
# And to one of these, of whom or what each licence was looked up for.
LICENCE_BEARER_COLUMNS = frozenset({"name", "profession", "level"})
SENDABLE = frozenset({ApplicationState.draft, ApplicationState.needs_info})
EDITABLE = frozenset(
    {
        LicenceState.draft,
        LicenceState.submitted,
        LicenceState.in_review,
        LicenceState.needs_info,
        LicenceState.verified,
    }
)


class NoRoom(Refusal):
    message = "This therapist has no room at the moment."


class NotComplete(Refusal):
    """Something is still missing before the application can be sent; `missing` says what."""

    message = "A few things are still missing. They are listed on this page."

    def __init__(self, missing: list[Missing]) -> None:
        self.missing = missing
        super().__init__()


class LicenceKnown(Refusal):
    message = "This licence is on your profile already."


class LicenceFixed(Refusal):
    message = "This licence can no longer be changed here. Please write to us about it."


class HasProfile(Refusal):
    message = "You have begun your application already."


class NoHours(Refusal):
    message = "There are no hours to confirm yet. Please say first when you can see people."


@dataclass(frozen=True)
class LicenceDetails:
    """A licence as a therapist declares it."""

    kind: LicenceKind
    compact: str
    place: str
    profession: str
    number: str
    board: str
    expires_on: date


def begin_application(
    session: Session,
    user: User,
    *,
    name: str,
    profession: str,
    level: Level,
    zone: str,
    at: datetime,
) -> Therapist:
    """Make the empty profile and the draft of its application; raises HasProfile."""
    if not user.has(Role.therapist):
        raise NotAllowed
    if session.scalar(sa.select(Therapist.id).where(Therapist.user_id == user.id)) is not None:
        raise HasProfile
    therapist = Therapist(
        user=user, name=name, profession=profession, level=level, zone=zone, created_at=at
    )
    therapist.application = Application(changed_at=at)
    session.add(therapist)
    _flush_profile(session)
    _record(session, therapist, user, at, "application.begun")
    return therapist


def save_profile(
    session: Session, therapist: Therapist, values: Mapping[str, Any], *, actor: User, at: datetime
) -> None:
    """Set columns of the profile. A new name, profession, level or NPI asks for a new look."""
    changed = [column for column, value in values.items() if getattr(therapist, column) != value]
    for column in changed:
        setattr(therapist, column, values[column])
    if IDENTITY_COLUMNS & set(changed):
        _look_again(therapist, at)
    if LICENCE_BEARER_COLUMNS & set(changed):
        _look_up_again(therapist, at)
    if {"name", "npi"} & set(changed):
        therapist.npi_checked_at = None
    session.flush()
    _record(session, therapist, actor, at, "profile.changed", columns=sorted(changed))


def name_supervisor(
    session: Session,
    therapist: Therapist,
    supervisor: Therapist | None,
    *,
    actor: User,
    at: datetime,
) -> None:
    """Name another supervisor; until that person agrees, the associate is not listed."""
    if supervisor is therapist.supervisor:
        return
    therapist.supervisor = supervisor
    therapist.supervisor_confirmed_at = None
    session.flush()
    _record(session, therapist, actor, at, "supervisor.named")
    if supervisor is not None:
        say_something_waits(session, supervisor, at, about="supervisor named")


def answer_supervision(
    session: Session, associate: Therapist, *, agrees: bool, actor: User, at: datetime
) -> None:
    """The named supervisor agrees, or says no, now or later; raises NotAllowed for anyone else."""
    if associate.supervisor is None or associate.supervisor.user_id != actor.id:
        raise NotAllowed
    associate.supervisor_confirmed_at = at if agrees else None
    if not agrees:
        associate.supervisor = None
    session.flush()
    _record(session, associate, actor, at, "supervision.agreed" if agrees else "supervision.ended")
    say_something_waits(session, associate, at, about="supervision")


def add_licence(
    session: Session, therapist: Therapist, details: LicenceDetails, *, actor: User, at: datetime
) -> Licence:
    """Declare a licence; raises LicenceKnown when it is on the profile already."""
    licence = _withdrawn_before(therapist, details)
    if licence is None:
        licence = Licence(therapist=therapist, state=_state_of_a_new_licence(therapist))
        session.add(licence)
    elif licence.state not in EDITABLE:
        raise LicenceFixed
    licence.withdrawn_at = None
    _declare(licence, details, at)
    _flush_licence(session)
    _record(session, therapist, actor, at, "licence.declared", licence=str(licence.public_id))
    return licence


def change_licence(
    session: Session, licence: Licence, details: LicenceDetails, *, actor: User, at: datetime
) -> None:
    """Change what is declared. What was checked before stops counting until it is checked again."""
    if licence.state not in EDITABLE or licence.withdrawn_at is not None:
        raise LicenceFixed
    if _details_of(licence) == details and licence.state is not LicenceState.needs_info:
        return
    _declare(licence, details, at)
    _flush_licence(session)
    _record(
        session, licence.therapist, actor, at, "licence.changed", licence=str(licence.public_id)
    )


def withdraw_licence(session: Session, licence: Licence, *, actor: User, at: datetime) -> None:
    """Take a licence off the profile; one that was never sent leaves no trace but the act."""
    therapist, public_id = licence.therapist, str(licence.public_id)
    if licence.withdrawn_at is not None:
        raise WrongState
    if licence.state is LicenceState.draft:
        session.delete(licence)
    else:
        licence.withdrawn_at = at
    session.flush()
    _record(session, therapist, actor, at, "licence.withdrawn", licence=public_id)


def submit(session: Session, therapist: Therapist, *, actor: User, at: datetime) -> None:
    """Send the application, and every licence that waits for it; raises NotComplete."""
    if therapist.application.state not in SENDABLE:
        raise WrongState
    if missing := missing_from(therapist):
        raise NotComplete(missing)
    therapist.application.move_to(ApplicationState.submitted, at)
    therapist.application.asked = ""
    for licence in therapist.declared_licences:
        if licence.state in (LicenceState.draft, LicenceState.needs_info):
            licence.move_to(LicenceState.submitted)
            licence.asked = ""
    session.flush()
    _record(session, therapist, actor, at, "application.submitted")


def set_hours(
    session: Session,
    therapist: Therapist,
    windows: Iterable[tuple[int, time, time]],
    *,
    zone: str,
    actor: User,
    at: datetime,
) -> None:
    """Replace the weekly hours: (weekday 0–6, starts, ends) in wall time of `zone`.

    Without any there is nothing to confirm, and so nobody new is shown the profile.
    """
    therapist.hours = [
        WeeklyHours(weekday=weekday, starts=starts, ends=ends) for weekday, starts, ends in windows
    ]
    therapist.zone = zone
    therapist.hours_confirmed_at = at if therapist.hours else None
    session.flush()
    _record(session, therapist, actor, at, "hours.set")


def confirm_hours(session: Session, therapist: Therapist, *, actor: User, at: datetime) -> None:
    """Say that the hours still hold, for another fourteen days; raises NoHours."""
    if not therapist.hours:
        raise NoHours
    therapist.hours_confirmed_at = at
    session.flush()
    _record(session, therapist, actor, at, "hours.confirmed")


def set_capacity(
    session: Session, therapist: Therapist, open_places: int, *, actor: User, at: datetime
) -> None:
    therapist.open_places = open_places
    session.flush()
    _record(session, therapist, actor, at, "capacity.set", open_places=open_places)


def take_place(session: Session, therapist_id: int) -> None:
    """Take one of the open places, if there is one at this moment; raises NoRoom."""
    taken = session.execute(
        sa.update(Therapist)
        .where(Therapist.id == therapist_id, Therapist.open_places > 0)
        .values(open_places=Therapist.open_places - 1)
        .returning(Therapist.id)
        .execution_options(therapist=therapist_id)
    )
    if taken.first() is None:
        raise NoRoom


def give_back_place(session: Session, therapist_id: int) -> None:
    """Give a place back that was taken and not used after all."""
    session.execute(
        sa.update(Therapist)
        .where(Therapist.id == therapist_id)
        .values(open_places=Therapist.open_places + 1)
        .execution_options(therapist=therapist_id)
    )


def _look_again(therapist: Therapist, at: datetime) -> None:
    application = therapist.application
    if application.state in (ApplicationState.verified, ApplicationState.in_review):
        application.move_to(ApplicationState.submitted, at)


def _look_up_again(therapist: Therapist, at: datetime) -> None:
    """A board's page about somebody of another name or level proves nothing about this one."""
    for licence in therapist.declared_licences:
        _start_afresh(licence, at)


def _state_of_a_new_licence(therapist: Therapist) -> LicenceState:
    waits = therapist.application.state in (ApplicationState.draft, ApplicationState.needs_info)
    return LicenceState.draft if waits else LicenceState.submitted


def _withdrawn_before(therapist: Therapist, details: LicenceDetails) -> Licence | None:
    same = (details.place, details.profession, details.number, details.kind)
    for licence in therapist.licences:
        declared = (licence.place, licence.profession, licence.number, licence.kind)
        if licence.withdrawn_at is not None and declared == same:
            return licence
    return None


def _declare(licence: Licence, details: LicenceDetails, at: datetime) -> None:
    """Write down what is declared; whatever had been found about it counts no longer."""
    licence.kind = details.kind
    licence.compact = details.compact
    licence.place = details.place
    licence.profession = details.profession
    licence.number = details.number
    licence.board = details.board
    licence.expires_on = details.expires_on
    licence.in_force_until = in_force_until(details.expires_on, details.place)
    _start_afresh(licence, at)
    licence.asked = ""
    if licence.state is LicenceState.needs_info:
        licence.move_to(LicenceState.submitted)


def _start_afresh(licence: Licence, at: datetime) -> None:
    """Look-ups from before `at` count no longer, nor what they led to."""
    licence.declared_at = at
    licence.found_source, licence.found_at = "", None
    if licence.state in (LicenceState.in_review, LicenceState.verified):
        licence.move_to(LicenceState.submitted)


def _details_of(licence: Licence) -> LicenceDetails:
    return LicenceDetails(
        licence.kind,
        licence.compact,
        licence.place,
        licence.profession,
        licence.number,
        licence.board,
        licence.expires_on,
    )


def _flush_profile(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "therapists" in str(error.orig):
            raise HasProfile from error
        raise


def _flush_licence(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "licences" in str(error.orig):
            raise LicenceKnown from error
        raise


def _record(
    session: Session, therapist: Therapist, actor: User, at: datetime, action: str, **details: Any
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="therapist",
        subject_id=therapist.public_id,
        actor_id=actor.public_id,
        actor_role=Role.therapist,
        **details,
    )
