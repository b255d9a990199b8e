"""Checking and deciding. Nobody works on their own application; undoing takes two people.

Each takes the actor and the instant, records the act and flushes; the caller commits.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotAllowed, Refusal, WrongState
from practice.accounts.models import Role, User
from practice.accounts.two_people import require_two
from practice.credentials.comparing import faults_of_licence, faults_of_npi
from practice.credentials.deciding import (
    TOLD,
    Subject,
    can_take_up,
    kind_of,
    open_choices,
    takes_two,
    waiting_to_be_taken_up,
)
from practice.credentials.models import Decision, LicenceCheck, NpiCheck, Reversal
from practice.credentials.queries import (
    faults_of_application,
    newest_check,
    open_reversal,
    same_number,
)
from practice.npi import is_valid_npi
from practice.therapists.mails import say_something_waits
from practice.therapists.models import (
    Application,
    ApplicationState,
    Licence,
    LicenceState,
    Therapist,
)


class OwnApplication(NotAllowed):
    message = "Nobody works on their own application."


class NotReady(Refusal):
    """Verifying is refused; `faults` says why, a sentence each."""

    message = "This cannot be verified yet."

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(" ".join(["This cannot be verified yet.", *faults]))


class ChangedMeanwhile(Refusal):
    message = "This licence was changed while you looked it up. Please compare the two again."


class AlreadyProposed(Refusal):
    message = "This waits for a second administrator already."


class VerifiedElsewhere(Refusal):
    message = "This licence is verified on another profile. One of the two cannot be right."


@dataclass(frozen=True)
class LicenceFinding:
    """What somebody saw at the primary source of a licence, word for word."""

    source: str
    source_address: str
    retrieved_at: datetime
    verbatim_status: str
    found_name: str
    found_number: str
    found_expires_on: date | None
    discipline: bool
    same_person: str = ""


@dataclass(frozen=True)
class NpiFinding:
    """What somebody saw in the NPI registry under `npi`."""

    npi: str
    source: str
    retrieved_at: datetime
    found_name: str
    found_taxonomy: str
    same_person: str = ""


def take_up(session: Session, application: Application, *, actor: User, at: datetime) -> None:
    """Take an application, or the licences sent after it was verified, into review."""
    _refuse_own(application.therapist, actor)
    if not can_take_up(application):
        raise WrongState
    for subject in waiting_to_be_taken_up(application):
        _decide(session, subject, "in_review", "Taken into review.", "", actor, None, at)
    session.flush()


def record_licence_check(
    session: Session,
    licence: Licence,
    finding: LicenceFinding,
    *,
    actor: User,
    at: datetime,
    declared_at: datetime | None = None,
) -> LicenceCheck:
    """Keep what was found at the primary source, with a hash of all of it.

    `declared_at` says which declaration was looked up; raises ChangedMeanwhile for an older one.
    """
    _refuse_own(licence.therapist, actor)
    if declared_at not in (None, licence.declared_at):
        raise ChangedMeanwhile
    check = LicenceCheck(
        licence=licence,
        looked_by=actor,
        recorded_at=at,
        evidence_hash=hash_of(finding),
        **asdict(finding),
    )
    session.add(check)
    session.flush()
    _record(session, licence.therapist, actor, at, "licence.checked", check=str(check.public_id))
    return check


def record_npi_check(
    session: Session, therapist: Therapist, finding: NpiFinding, *, actor: User, at: datetime
) -> NpiCheck:
    """Keep what the registry shows. When nothing differs, the profile says that it was seen."""
    _refuse_own(therapist, actor)
    check = NpiCheck(
        therapist=therapist,
        check_digit_valid=is_valid_npi(finding.npi),
        looked_by=actor,
        **asdict(finding),
    )
    session.add(check)
    therapist.npi_checked_at = None if faults_of_npi(therapist, check, at) else check.retrieved_at
    session.flush()
    _record(session, therapist, actor, at, "npi.checked", check=str(check.public_id))
    return check


def decide(
    session: Session,
    subject: Subject,
    to: str,
    *,
    reason: str,
    missing: str = "",
    actor: User,
    at: datetime,
) -> Decision:
    """Decide alone what one person may decide; `missing` is what the therapist is told.

    Raises OwnApplication, WrongState for a step that is not open (or takes two), NotReady when
    something stands against verifying, VerifiedElsewhere.
    """
    _refuse_own(_therapist_of(subject), actor)
    _refuse_unless_open(subject, to, alone=True)
    if to == "verified":
        _refuse_faults(subject, at)
        _refuse_verified_elsewhere(subject)
    decision = _decide(session, subject, to, reason, missing, actor, None, at)
    _flush_verified(session)
    _tell(session, subject, to, at)
    return decision


def propose_reversal(
    session: Session, subject: Subject, to: str, *, reason: str, actor: User, at: datetime
) -> Reversal:
    """Ask for a second administrator; raises AlreadyProposed while one is being asked."""
    _refuse_own(_therapist_of(subject), actor)
    _refuse_unless_open(subject, to, alone=False)
    reversal = Reversal(
        subject_kind=kind_of(subject),
        subject_id=subject.public_id,
        therapist_id=_therapist_of(subject).id,
        to_state=to,
        reason=reason,
        proposed_by=actor,
        proposed_at=at,
    )
    session.add(reversal)
    try:
        session.flush()
    except IntegrityError as error:
        if "reversals" in str(error.orig):
            raise AlreadyProposed from error
        raise
    _record_about(session, subject, actor, at, "reversal.proposed", to=to)
    return reversal


def answer_reversal(
    session: Session,
    reversal: Reversal,
    subject: Subject,
    *,
    confirms: bool,
    actor: User,
    at: datetime,
) -> None:
    """The second administrator agrees, and it is done; or does not, and nothing changes."""
    _refuse_own(_therapist_of(subject), actor)
    if reversal.answered_at is not None:
        raise WrongState
    require_two(session, reversal.proposed_by, actor, at)
    reversal.answered_by, reversal.answered_at, reversal.confirmed = actor, at, confirms
    if confirms:
        first = reversal.proposed_by
        _decide(session, subject, reversal.to_state, reversal.reason, "", first, actor, at)
        _tell(session, subject, reversal.to_state, at)
    session.flush()
    answer = "reversal.confirmed" if confirms else "reversal.declined"
    _record_about(session, subject, actor, at, answer, to=reversal.to_state)


def hash_of(finding: LicenceFinding) -> str:
    """SHA-256 (hex) of the finding as canonical JSON: sorted keys, no blanks, ISO 8601 dates."""
    canonical = json.dumps(
        asdict(finding),
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        default=lambda moment: moment.isoformat(),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_own(therapist: Therapist, actor: User) -> None:
    if therapist.user_id == actor.id:
        raise OwnApplication


def _refuse_unless_open(subject: Subject, to: str, *, alone: bool) -> None:
    if alone is takes_two(to) or to not in {choice.to for choice in open_choices(subject)}:
        raise WrongState
    if not alone and open_reversal(subject.public_id) is not None:
        raise AlreadyProposed


def _refuse_faults(subject: Subject, at: datetime) -> None:
    if isinstance(subject, Licence):
        faults = faults_of_licence(subject, newest_check(subject), at)
    else:
        faults = faults_of_application(subject, at)
    if faults:
        raise NotReady(faults)


def _refuse_verified_elsewhere(subject: Subject) -> None:
    """The index of the table is the second wall: it sees only numbers written alike."""
    if isinstance(subject, Licence) and any(
        other.state is LicenceState.verified and other.kind is subject.kind
        for other in same_number(subject)
    ):
        raise VerifiedElsewhere


def _decide(
    session: Session,
    subject: Subject,
    to: str,
    reason: str,
    missing: str,
    actor: User,
    second: User | None,
    at: datetime,
) -> Decision:
    decision = Decision(
        subject_kind=kind_of(subject),
        subject_id=subject.public_id,
        therapist_id=_therapist_of(subject).id,
        from_state=subject.state.value,
        to_state=to,
        reason=reason,
        missing=missing,
        decided_by=actor,
        confirmed_by=second,
        decided_at=at,
    )
    _move(subject, to, actor, at)
    subject.asked = missing if to in TOLD else ""
    session.add(decision)
    _record_about(session, subject, actor, at, f"{kind_of(subject)}.{to}")
    return decision


def _move(subject: Subject, to: str, actor: User, at: datetime) -> None:
    if isinstance(subject, Application):
        subject.move_to(ApplicationState(to), at)
        if to == ApplicationState.verified:
            _note_who_took_them_in(subject.therapist.user, actor, at)
        return
    if to == LicenceState.verified:
        check = newest_check(subject)
        assert check is not None, "a licence without a look-up was about to be verified"
        subject.found_source, subject.found_at = check.source, check.retrieved_at
    subject.move_to(LicenceState(to))


def _note_who_took_them_in(user: User, actor: User, at: datetime) -> None:
    """Whoever signed up by themselves has their role from here: see `accounts.two_people`."""
    for row in user.role_rows:
        if row.role is Role.therapist and row.granted_by_id is None:
            row.granted_at, row.granted_by_id = at, actor.id


def _flush_verified(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "licences" in str(error.orig):
            raise VerifiedElsewhere from error
        raise


def _tell(session: Session, subject: Subject, to: str, at: datetime) -> None:
    say_something_waits(
        session, _therapist_of(subject), at, about=f"decision:{subject.public_id}:{to}"
    )


def _therapist_of(subject: Subject) -> Therapist:
    return subject.therapist


def _record_about(
    session: Session, subject: Subject, actor: User, at: datetime, action: str, **details: Any
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind=kind_of(subject),
        subject_id=subject.public_id,
        actor_id=actor.public_id,
        actor_role=Role.administrator,
        **details,
    )


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
        actor_role=Role.administrator,
        **details,
    )
