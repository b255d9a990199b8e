"""Deleting rows and blanking columns, in the order in which tables refer to each other."""

import json
import re
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.operations import forget_orders
from core import mail
from core.audit import AuditEntry
from core.blanking import blank
from core.database import Base
from core.readings import AuditConcern
from practice.accounts.models import (
    STAFF_ROLES,
    AuthenticatorApp,
    Client,
    EmailChange,
    EmailToken,
    FactorReset,
    HalfSignIn,
    KeptForm,
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
    SignInSession,
    User,
    UserRole,
)
from practice.append_only import kept_long_enough
from practice.appointments.models import Appointment
from practice.care.emergency.models import (
    EmergencyOpening,
    NoticeDelay,
    OpeningDecision,
    OpeningReview,
)
from practice.care.models import ClosingNote, Episode, RecordLookup
from practice.consent.models import Revocation, Signature
from practice.groups.models import Enrolment, ScreeningDecision
from practice.intake.models import (
    Assessment,
    FlagContact,
    FlagOutcome,
    FlagReading,
    Intake,
    IntakeAnswer,
    RiskFlag,
)
from practice.matches.models import MatchAlert, MatchRequest, Proposal
from practice.matches.reviews.models import MatchReview, MatchReviewSuggestion
from practice.payments.queries import payment_lines
from practice.privacy.keeping import Stays
from practice.privacy.models import LegalHold, Restriction
from practice.waiting.models import Placement, WaitingEntry

NOBODYS_PASSWORD = "erased"
AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIGN_IN_TABLES = (
    SignInSession,
    EmailToken,
    KeptForm,
    Passkey,
    AuthenticatorApp,
    RecoveryCode,
    PasskeyChallenge,
    HalfSignIn,
    EmailChange,
    FactorReset,
)


def close_account(session: Session, user: User, at: datetime) -> None:
    """Nobody signs in with it any more, whatever else has to stay."""
    user.disabled_at = user.disabled_at or at
    user.password_hash = NOBODYS_PASSWORD
    session.flush()


def blank_traces(session: Session, client: Client, at: datetime) -> None:
    """What was written down beside the record: mails, and their names in the log."""
    mail.forget_address(session, client.user.email)
    session.execute(sa.delete(AuditConcern).where(AuditConcern.client_id == client.public_id))
    person = {client.public_id, client.user.public_id}
    blank(session, person, at=at, spares=lambda row: _was_for_others(row, person))


def _was_for_others(row: AuditEntry, person: set[uuid.UUID]) -> bool:
    """What they did when they worked here is others' to ask about; nobody's name is in it."""
    named = {row.client_id, row.subject_id, *_ids_in(row.details)}
    return row.actor_id in person and row.actor_role in STAFF_ROLES and not named & person


def _ids_in(details: dict[str, Any]) -> set[uuid.UUID]:
    return {uuid.UUID(found) for found in AN_ID.findall(json.dumps(details))}


def delete_what_may_go(session: Session, client: Client, stays: Stays) -> None:
    session.flush()
    delete_care(session, client.id, stays.keys("care"))
    delete_requests(session, client.id, stays.keys("requests"))
    _delete(session, MatchAlert, client.id)
    _delete_reviews(session, client.id)
    _delete(session, Placement, client.id)
    _delete(session, WaitingEntry, client.id)
    _delete(session, Proposal, client.id)
    delete_assessments(session, client.id, stays.keys("scores"))
    delete_flags(session, client.id, stays.keys("flags"))
    delete_intakes(session, sa.select(Intake.id).where(Intake.client_id == client.id))
    delete_enrolments(session, client.id, stays.keys("groups"))
    delete_signatures(session, client.id, stays.keys("consents"))
    _forget_orders(session, client, stays.keys("payments"))
    _blank_person(session, client, stays)
    _delete_sign_in(session, client.user, stays)


def delete_the_person(session: Session, client: Client) -> None:
    """The two rows that everything hung on, once nothing hangs on them."""
    user = client.user
    _delete_openings(session, client.id)
    for table in (Restriction, LegalHold):
        session.execute(sa.delete(table).where(table.client_id == client.id))
    session.execute(sa.delete(Client).where(Client.id == client.id))
    session.execute(sa.delete(UserRole).where(UserRole.user_id == user.id))
    if _is_named(session, user):
        user.email_confirmed_at = None
        session.flush()
    else:
        session.execute(sa.delete(User).where(User.id == user.id))
    session.expunge(client)
    session.expunge(user)


def _is_named(session: Session, user: User) -> bool:
    """Whether rows of others name them, for what they did when they worked here.

    Then the account stays as an empty shell: without address, name, password or roles.
    """
    users = User.__table__
    bonds = [
        bond.parent
        for table in Base.metadata.tables.values()
        for bond in table.foreign_keys
        if bond.column is users.c.id
    ]
    named = (sa.select(sa.exists().where(bond == user.id)) for bond in bonds)
    return any(session.scalar(query) for query in named)


def delete_care(session: Session, client_id: int, kept: Collection[int]) -> None:
    """Episodes with their meetings and notes, and times that were held and led to none."""
    loose = sa.and_(Appointment.client_id == client_id, Appointment.episode_id.is_(None))
    session.execute(sa.delete(Appointment).where(loose))
    theirs = sa.select(Episode.id).where(Episode.client_id == client_id, Episode.id.not_in(kept))
    delete_episodes(session, list(session.scalars(theirs)))


def delete_episodes(session: Session, keys: Sequence[int]) -> None:
    amending = sa.and_(ClosingNote.episode_id.in_(keys), ClosingNote.amends_id.is_not(None))
    session.execute(sa.delete(ClosingNote).where(amending))
    session.execute(sa.delete(ClosingNote).where(ClosingNote.episode_id.in_(keys)))
    session.execute(sa.delete(Appointment).where(Appointment.episode_id.in_(keys)))
    delete_these(session, Episode, keys)


def delete_these_requests(session: Session, keys: Sequence[int]) -> None:
    """With the times that were kept for them and led to no meeting."""
    session.execute(sa.delete(Appointment).where(Appointment.request_id.in_(keys)))
    delete_these(session, MatchRequest, keys)


def delete_requests(session: Session, client_id: int, kept: Collection[int]) -> None:
    _delete(session, MatchRequest, client_id, kept)
    theirs = MatchRequest.client_id == client_id
    session.execute(sa.update(MatchRequest).where(theirs).values(proposal_id=None))


def _delete_reviews(session: Session, client_id: int) -> None:
    theirs = sa.select(MatchReview.id).where(MatchReview.client_id == client_id)
    suggested = MatchReviewSuggestion.review_id.in_(theirs)
    session.execute(sa.delete(MatchReviewSuggestion).where(suggested))
    _delete(session, MatchReview, client_id)


def delete_assessments(session: Session, client_id: int, kept: Collection[int]) -> None:
    _delete(session, Assessment, client_id, kept)
    theirs = Assessment.client_id == client_id
    session.execute(sa.update(Assessment).where(theirs).values(intake_id=None))


def delete_scores_until(session: Session, client_id: int, ended_at: datetime) -> None:
    """Scores of a care that is over for long, unless a later care rests on them too."""
    later = sa.exists().where(
        Episode.client_id == client_id,
        sa.or_(Episode.ended_at.is_(None), Episode.ended_at >= Assessment.taken_at),
    )
    old = sa.and_(Assessment.client_id == client_id, Assessment.taken_at <= ended_at)
    session.execute(sa.delete(Assessment).where(old, ~later))


def delete_flags(session: Session, client_id: int, kept: Collection[int]) -> None:
    gone = sa.select(RiskFlag.id).where(RiskFlag.client_id == client_id, RiskFlag.id.not_in(kept))
    delete_closed_flags(session, list(session.scalars(gone)))
    theirs = RiskFlag.client_id == client_id
    session.execute(sa.update(RiskFlag).where(theirs).values(intake_id=None))


def delete_closed_flags(session: Session, keys: Sequence[int]) -> None:
    for table in (FlagReading, FlagContact, FlagOutcome):
        session.execute(sa.delete(table).where(table.flag_id.in_(keys)))
    delete_these(session, RiskFlag, keys)


def delete_intakes(session: Session, intakes: sa.Select[Any]) -> None:
    """Runs through the questions, with their answers; `intakes` selects keys."""
    session.execute(sa.delete(IntakeAnswer).where(IntakeAnswer.intake_id.in_(intakes)))
    session.execute(sa.delete(Intake).where(Intake.id.in_(intakes)))


def delete_enrolments(session: Session, client_id: int, kept: Collection[int]) -> None:
    gone = sa.and_(Enrolment.client_id == client_id, Enrolment.id.not_in(kept))
    delete_seats(session, list(session.scalars(sa.select(Enrolment.id).where(gone))))


def delete_seats(session: Session, keys: Sequence[int]) -> None:
    decided = ScreeningDecision.enrolment_id.in_(keys)
    session.execute(sa.delete(ScreeningDecision).where(decided))
    delete_these(session, Enrolment, keys)


def delete_signatures(session: Session, client_id: int, kept: Collection[int]) -> None:
    gone = sa.and_(Signature.client_id == client_id, Signature.id.not_in(kept))
    delete_proof(session, list(session.scalars(sa.select(Signature.id).where(gone))))


def delete_proof(session: Session, keys: Sequence[int]) -> None:
    with kept_long_enough(session):
        session.execute(sa.delete(Revocation).where(Revocation.signature_id.in_(keys)))
        delete_these(session, Signature, keys)


def delete_these(session: Session, table: Any, keys: Sequence[int]) -> None:
    session.execute(sa.delete(table).where(table.id.in_(keys)))


def delete_openings_until(session: Session, client_id: int, ended_at: datetime) -> None:
    """What was written down about opening a record stays no longer than the last of the record."""
    goes_on = sa.select(Episode.id).where(Episode.client_id == client_id).limit(1)
    if session.scalar(goes_on) is None:
        _delete_openings(session, client_id, EmergencyOpening.asked_at <= ended_at)


def _delete_openings(
    session: Session, client_id: int, which: sa.ColumnElement[bool] | None = None
) -> None:
    theirs = EmergencyOpening.client_id == client_id
    wanted = theirs if which is None else sa.and_(theirs, which)
    gone = list(session.scalars(sa.select(EmergencyOpening.id).where(wanted)))
    for table in (OpeningDecision, OpeningReview, NoticeDelay):
        session.execute(sa.delete(table).where(table.opening_id.in_(gone)))
    delete_these(session, EmergencyOpening, gone)
    session.execute(sa.delete(RecordLookup).where(RecordLookup.client_id == client_id))


def _forget_orders(session: Session, client: Client, kept: Collection[int]) -> None:
    lines = payment_lines(session, client)
    forget_orders(session, [line.order.id for line in lines if line.key not in kept])


def _blank_person(session: Session, client: Client, stays: Stays) -> None:
    if not stays.keys("person"):
        client.preferred_name, client.place = "", ""
        client.zone = Client.__table__.c.zone.default.arg
    if not stays.has_open_flag:
        client.phone = ""
        _blank_numbers(session, client.id)


def _blank_numbers(session: Session, client_id: int) -> None:
    """A meeting by telephone says where it is by the client's own number."""
    by_telephone = sa.and_(Appointment.client_id == client_id, Appointment.format == "telephone")
    session.execute(sa.update(Appointment).where(by_telephone).values(where_sealed=None))


def delete_ways_in(session: Session, user: User) -> None:
    """Browsers, passkeys, codes and links: whatever signs somebody in, and what they had typed."""
    for table in SIGN_IN_TABLES:
        session.execute(sa.delete(table).where(table.user_id == user.id))


def _delete_sign_in(session: Session, user: User, stays: Stays) -> None:
    delete_ways_in(session, user)
    if not stays.keys("account"):
        user.name = user.email = ""


def _delete(session: Session, table: Any, client_id: int, kept: Collection[int] = ()) -> None:
    gone = sa.and_(table.client_id == client_id, table.id.not_in(kept))
    session.execute(sa.delete(table).where(gone))
