"""Reads for the pages of credentials."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import LoaderOption

from core.database import db
from practice.accounts.models import User
from practice.credentials.comparing import faults_of_npi, numbers_agree
from practice.credentials.models import Decision, LicenceCheck, NpiCheck, Reversal
from practice.credentials.policy import applications_open_to, reversals_open_to
from practice.places import place
from practice.therapists.completeness import missing_from
from practice.therapists.models import (
    Application,
    ApplicationState,
    Licence,
    LicenceState,
    Therapist,
)
from practice.therapists.queries import authority_of

WAITING_APPLICATION = (ApplicationState.submitted, ApplicationState.in_review)
WAITING_LICENCE = (LicenceState.submitted, LicenceState.in_review)
PAGE_SIZE = 20
SECOND_OPINION = {
    "application": "A second opinion on the application",
    "licence": "A second opinion on a licence",
}


@dataclass(frozen=True)
class Waiting:
    """An application that asks for something: what, and since when."""

    application: Application
    asks: list[str]
    since: datetime

    @property
    def places(self) -> str:
        codes = {licence.place for licence in self.application.therapist.declared_licences}
        return ", ".join(sorted(place(code).name for code in codes))

    def days(self, at: datetime) -> int:
        return (at - self.since).days


@dataclass(frozen=True)
class Others:
    """A page of what waits for nobody here, by name."""

    applications: list[Application]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def queue(user: User) -> list[Waiting]:
    """Everything that waits for an administrator, the longest wait first."""
    reversals = _reversals_by_therapist(user)
    applications = db.session.scalars(
        applications_open_to(user)
        .where(sa.or_(_waits(), Application.therapist_id.in_(reversals)))
        .options(_with_licences())
    )
    rows = [
        _waiting(application, reversals.get(application.therapist_id, []))
        for application in applications
    ]
    return sorted(rows, key=lambda row: (row.since, row.application.id))


def others(user: User, name: str, number: int) -> Others:
    """Applications that wait for nobody here, those whose name contains `name`."""
    fitting = applications_open_to(user).where(~_waits())
    if name:
        fitting = fitting.where(Therapist.name.icontains(name, autoescape=True))
    total = db.session.scalar(fitting.with_only_columns(sa.func.count(Application.id))) or 0
    number = min(number, max(1, -(-total // PAGE_SIZE)))
    page = (
        fitting.options(_with_licences())
        .order_by(Therapist.name, Application.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Others(list(db.session.scalars(page)), total, number)


def newest_check(licence: Licence) -> LicenceCheck | None:
    return newest_checks([licence.id]).get(licence.id)


def newest_checks(licence_ids: Collection[int]) -> dict[int, LicenceCheck]:
    """The last recorded look-up of each licence that has one; one query."""
    rows = db.session.scalars(
        sa.select(LicenceCheck)
        .where(LicenceCheck.licence_id.in_(licence_ids))
        .order_by(LicenceCheck.recorded_at, LicenceCheck.id)
    )
    return {check.licence_id: check for check in rows}


def checks_of(licence: Licence) -> list[LicenceCheck]:
    """Every look-up of a licence, the newest first."""
    rows = sa.select(LicenceCheck).where(LicenceCheck.licence_id == licence.id)
    newest_first = rows.order_by(LicenceCheck.recorded_at.desc(), LicenceCheck.id.desc())
    return list(db.session.scalars(newest_first))


def newest_npi_check(therapist: Therapist) -> NpiCheck | None:
    rows = sa.select(NpiCheck).where(NpiCheck.therapist_id == therapist.id)
    return db.session.scalars(rows.order_by(NpiCheck.id.desc()).limit(1)).first()


def decisions_about(subject_ids: Iterable[uuid.UUID]) -> list[Decision]:
    """What was decided about these applications or licences, the newest first."""
    rows = sa.select(Decision).where(Decision.subject_id.in_(list(subject_ids)))
    return list(
        db.session.scalars(
            rows.options(joinedload(Decision.confirmed_by)).order_by(
                Decision.decided_at.desc(), Decision.id.desc()
            )
        )
    )


def open_reversal(subject_id: uuid.UUID) -> Reversal | None:
    rows = sa.select(Reversal).where(
        Reversal.subject_id == subject_id, Reversal.answered_at.is_(None)
    )
    return db.session.scalars(rows).first()


def declared_elsewhere(licence: Licence) -> list[Therapist]:
    """Other therapists who declare the same number for the same place and profession."""
    others = [other.therapist for other in same_number(licence)]
    return sorted(dict.fromkeys(others), key=lambda therapist: (therapist.name, therapist.id))


def same_number(licence: Licence) -> list[Licence]:
    """Licences of other people with this number, however it is written."""
    numbers = db.session.execute(
        sa.select(Licence.id, Licence.number)
        .where(Licence.place == licence.place, Licence.profession == licence.profession)
        .where(Licence.therapist_id != licence.therapist_id, Licence.withdrawn_at.is_(None))
    )
    same = [found for found, number in numbers if numbers_agree(number, licence.number)]
    rows = sa.select(Licence).where(Licence.id.in_(same))
    related = joinedload(Licence.therapist).joinedload(Therapist.application)
    return list(db.session.scalars(rows.options(related)))


def faults_of_application(application: Application, at: datetime) -> list[str]:
    """Every reason, in a sentence each, why this application cannot be verified now."""
    therapist = application.therapist
    faults = [f"The profile lacks this: {missing.text}." for missing in missing_from(therapist)]
    faults += faults_of_npi(therapist, newest_npi_check(therapist), at)
    in_force = {licence.place for licence in therapist.declared_licences if licence.is_in_force(at)}
    if not in_force:
        faults.append("No licence has been verified and is in force.")
    if therapist.is_associate:
        faults += _faults_of_supervision(therapist, in_force, at)
    return faults


def _faults_of_supervision(therapist: Therapist, places: set[str], at: datetime) -> list[str]:
    supervisor = therapist.supervisor
    if supervisor is None:
        return ["No supervisor is named."]
    if therapist.supervisor_confirmed_at is None:
        return ["The supervisor has not agreed yet."]
    if not places & set(authority_of([supervisor.id], at)[supervisor.id]):
        return ["The supervisor has no licence in force in the same place."]
    return []


def _waits() -> sa.ColumnElement[bool]:
    waiting_licence = sa.exists().where(
        Licence.therapist_id == Application.therapist_id,
        Licence.state.in_(WAITING_LICENCE),
        Licence.withdrawn_at.is_(None),
    )
    return sa.or_(
        Application.state.in_(WAITING_APPLICATION),
        sa.and_(Application.state == ApplicationState.verified, waiting_licence),
    )


def _with_licences() -> LoaderOption:
    return joinedload(Application.therapist).selectinload(Therapist.licences)


def _reversals_by_therapist(user: User) -> dict[int, list[Reversal]]:
    found: dict[int, list[Reversal]] = {}
    for reversal in db.session.scalars(reversals_open_to(user)):
        found.setdefault(reversal.therapist_id, []).append(reversal)
    return found


def _waiting(application: Application, reversals: list[Reversal]) -> Waiting:
    asks = [*_asks_of_application(application), *_asks_of_licences(application)]
    asks += [(SECOND_OPINION[one.subject_kind], one.proposed_at) for one in reversals]
    return Waiting(application, [words for words, _ in asks], min(since for _, since in asks))


def _asks_of_application(application: Application) -> list[tuple[str, datetime]]:
    if application.state not in WAITING_APPLICATION:
        return []
    return [("To be listed", application.submitted_at or application.changed_at)]


def _asks_of_licences(application: Application) -> list[tuple[str, datetime]]:
    if application.state is not ApplicationState.verified:
        return []
    return [
        (f"A licence in {place(licence.place).name}", licence.declared_at)
        for licence in application.therapist.declared_licences
        if licence.state in WAITING_LICENCE
    ]
