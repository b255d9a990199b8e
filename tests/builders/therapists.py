"""Therapists for tests: verified, with room and with hours, unless the test says otherwise."""

import itertools
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from practice.accounts.models import Role, User, UserRole
from practice.npi import check_digit
from practice.places import in_force_until, zone_of
from practice.therapists.models import (
    Application,
    ApplicationState,
    Level,
    Licence,
    LicenceState,
    Therapist,
    WeeklyHours,
)
from tests.builders.kept import kept
from tests.conftest import NOW

EXPIRES_ON = date(2027, 11, 30)
BOARD = "The state board"
WEEKDAYS = range(5)

_numbers = itertools.count(1)


@kept
def make_therapist(
    session: Session,
    name: str = "Rosa Almeida",
    *,
    places: Iterable[str] = ("US-WA",),
    state: ApplicationState = ApplicationState.verified,
    licence_state: LicenceState | None = None,
    expires_on: date = EXPIRES_ON,
    supervisor: Therapist | None = None,
    hours: Iterable[tuple[int, time, time]] | None = None,
    user: User | None = None,
    at: datetime = NOW,
    **columns: Any,
) -> Therapist:
    """A flushed therapist with one licence a place and hours Monday to Friday, 9 to 17.

    `supervisor` makes an associate. `licence_state` is verified exactly when `state` is, unless
    given. Any column of Therapist can be given by name.
    """
    number = next(_numbers)
    therapist = Therapist(
        **_columns(number, name, tuple(places), at, supervisor)
        | {"user": user or make_therapist_user(session, name, at=at)}
        | columns
    )
    therapist.application = Application(
        state=state, submitted_at=at - timedelta(days=9), changed_at=at - timedelta(days=2)
    )
    therapist.hours = [
        WeeklyHours(weekday=weekday, starts=starts, ends=ends)
        for weekday, starts, ends in (hours if hours is not None else working_week())
    ]
    session.add(therapist)
    for place in places:
        make_licence(
            session,
            therapist,
            place,
            state=licence_state or _fitting(state),
            expires_on=expires_on,
            at=at,
        )
    session.flush()
    return therapist


@kept
def make_licence(
    session: Session,
    therapist: Therapist,
    place: str = "US-WA",
    *,
    state: LicenceState = LicenceState.verified,
    expires_on: date = EXPIRES_ON,
    at: datetime = NOW,
    **columns: Any,
) -> Licence:
    """A licence of the therapist; a verified one carries where and when it was found."""
    values: dict[str, Any] = {
        "place": place,
        "profession": therapist.profession,
        "number": f"LX{next(_numbers):06d}",
        "board": BOARD,
        "expires_on": expires_on,
        "in_force_until": in_force_until(expires_on, place),
        "state": state,
        "declared_at": at - timedelta(days=10),
    }
    if state is LicenceState.verified:
        values |= {"found_source": BOARD, "found_at": at - timedelta(days=2)}
    licence = Licence(**values | columns)
    therapist.licences.append(licence)
    session.add(licence)
    session.flush()
    return licence


@kept
def make_therapist_user(session: Session, name: str, *, at: datetime = NOW) -> User:
    """Somebody with a confirmed address and the role of a therapist."""
    user = User(
        email=f"therapist{next(_numbers)}@example.test",
        name=name,
        password_hash="no password opens this",
        created_at=at,
        email_confirmed_at=at,
        role_rows=[UserRole(role=Role.therapist, granted_at=at)],
    )
    session.add(user)
    session.flush()
    return user


def working_week() -> list[tuple[int, time, time]]:
    return [(weekday, time(9), time(17)) for weekday in WEEKDAYS]


def valid_npi(number: int) -> str:
    """An NPI whose check digit fits; the same number gives the same NPI."""
    nine = f"1{number:08d}"
    return nine + check_digit(nine)


def _columns(
    number: int, name: str, places: tuple[str, ...], at: datetime, supervisor: Therapist | None
) -> dict[str, Any]:
    return {
        "supervisor": supervisor,
        "supervisor_confirmed_at": at - timedelta(days=3) if supervisor else None,
        "name": name,
        "profession": "psychologist",
        "level": Level.associate if supervisor else Level.licensed,
        "npi": valid_npi(number),
        "voice": "We go at your pace and keep an eye on what helps.",
        "about": "I have worked with adults for many years, most often with worry and low mood.",
        "practising_since": 2012,
        "zone": zone_of(places[0]) if places else "America/Los_Angeles",
        "office": "12 Alder Street",
        "meeting_link": "https://meet.example.test/room",
        "services": ["individual"],
        "formats": ["online", "in-person"],
        "languages": ["en"],
        "skills": {"panic": 3, "worry": 2},
        "approaches": ["cbt"],
        "style": {"directive": 1, "intensity": 0, "past": -1, "warm": 2},
        "payments": ["self-pay"],
        "fee": 12000,
        "open_places": 3,
        "hours_confirmed_at": at - timedelta(days=1),
        "created_at": at - timedelta(days=30),
    }


def _fitting(state: ApplicationState) -> LicenceState:
    if state is ApplicationState.verified:
        return LicenceState.verified
    return LicenceState.draft if state is ApplicationState.draft else LicenceState.submitted
