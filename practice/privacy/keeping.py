"""What may not go when somebody asks to be forgotten: which rows, until when, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.encryption import Erased
from practice.accounts.models import Client, EmailChange, User
from practice.care.models import Episode
from practice.consent.models import Revocation, Signature
from practice.groups.models import Enrolment, Group, GroupSession
from practice.intake.models import Assessment, FlagOutcome, Intake, RiskFlag
from practice.matches.models import MatchRequest, Proposal
from practice.matches.reviews.models import MatchReview
from practice.payments.queries import PaymentLine, payment_lines
from practice.privacy.models import Because, LegalHold
from practice.privacy.retention import (
    YEARS_OF_PAYMENT,
    YEARS_OF_PROOF,
    plus_years,
    record_until,
)
from practice.waiting.models import WaitingEntry


@dataclass(frozen=True)
class Stay:
    """Why something stays, and until when; None while an event is waited for."""

    because: Because
    until: datetime | None


@dataclass
class Stays:
    """Rows that stay, by holding and key. What is not in here may go at once."""

    rows: list[tuple[str, int, Stay]] = field(default_factory=list)

    def add(self, holding: str, key: int, stay: Stay) -> None:
        self.rows.append((holding, key, stay))

    def keys(self, holding: str) -> list[int]:
        return list({key for of, key, _ in self.rows if of == holding})

    def __bool__(self) -> bool:
        return bool(self.rows)

    def all(self) -> Iterator[tuple[str, Stay]]:
        for holding, _, stay in self.rows:
            yield holding, stay

    @property
    def clinical(self) -> list[Stay]:
        """Whatever needs to be known as a record of this person's care."""
        return [stay for _, stay in self.all() if stay.because is Because.clinical_record]

    @property
    def has_open_flag(self) -> bool:
        return any(stay.because is Because.open_flag for _, stay in self.all())


def is_held(session: Session, client: Client) -> bool:
    """Whether a legal hold stands."""
    standing = sa.select(LegalHold.id).where(
        LegalHold.client_id == client.id, LegalHold.lifted_at.is_(None)
    )
    return session.scalar(standing) is not None


def stands_a_hold(client_id: Any) -> sa.ColumnElement[bool]:
    """Of a column of clients' keys in the query around: a legal hold stands."""
    return sa.exists().where(LegalHold.client_id == client_id, LegalHold.lifted_at.is_(None))


def held_addresses(session: Session) -> set[str]:
    """Every address of clients under a legal hold, those they had before as well."""
    held = sa.exists().where(
        LegalHold.client_id == Client.id, LegalHold.lifted_at.is_(None), Client.user_id == User.id
    )
    users = session.scalars(sa.select(User).where(held)).all()
    theirs = EmailChange.user_id.in_([user.id for user in users])
    changes = session.scalars(sa.select(EmailChange).where(theirs)).all()
    found = {_unless_erased(user, "email") for user in users}
    for change in changes:
        found |= {_unless_erased(change, "old_email"), _unless_erased(change, "new_email")}
    return found - {""}


def stays_of(session: Session, client: Client, at: datetime) -> Stays:
    """What of this client's would stay if they were forgotten at `at`, open care ending then."""
    stays = Stays()
    if is_held(session, client):
        _keep_everything(session, client, stays)
        return stays
    _keep_care(session, client, at, stays)
    _keep_groups(session, client, at, stays)
    _keep_flags(session, client, at, stays)
    _keep_proof(session, client, at, stays)
    _keep_payments(session, client, at, stays)
    _keep_the_person(client, stays)
    return stays


def _keep_care(session: Session, client: Client, at: datetime, stays: Stays) -> None:
    """An episode, the request that led to it, and the scores its therapist could see."""
    ends: list[tuple[datetime, Stay]] = []
    for episode in session.scalars(sa.select(Episode).where(Episode.client_id == client.id)):
        ended_at = episode.ended_at or at
        stay = Stay(Because.clinical_record, record_until(ended_at, episode.place))
        if _is_over(stay, at):
            continue
        stays.add("care", episode.id, stay)
        if episode.request_id is not None:
            stays.add("requests", episode.request_id, stay)
        ends.append((ended_at, stay))
    for key, taken_at in session.execute(_rows(Assessment, Assessment.taken_at, client)):
        seen = [stay for ended_at, stay in ends if taken_at <= ended_at]
        if seen:
            stays.add("scores", key, max(seen, key=_until))


def _keep_groups(session: Session, client: Client, at: datetime, stays: Stays) -> None:
    """Seats that were taken in groups led by professionals: care in company."""
    last = (
        sa.select(sa.func.max(GroupSession.ends_at))
        .where(GroupSession.group_id == Enrolment.group_id)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    taken = (
        sa.select(Enrolment, Group.kind, last)
        .join(Group, Group.id == Enrolment.group_id)
        .where(Enrolment.client_id == client.id, Enrolment.seated_at.is_not(None))
    )
    for enrolment, kind, last_session in session.execute(taken):
        if not kind.needs_licensed_lead:
            continue
        ended_at = enrolment.left_at or min(last_session or at, at)
        stay = Stay(Because.clinical_record, record_until(ended_at, enrolment.place))
        if not _is_over(stay, at):
            stays.add("groups", enrolment.id, stay)


def _keep_flags(session: Session, client: Client, at: datetime, stays: Stays) -> None:
    """An open one until somebody has closed it, a closed one as a record of care."""
    outcome = sa.select(RiskFlag.id, FlagOutcome.at).outerjoin(
        FlagOutcome, FlagOutcome.flag_id == RiskFlag.id
    )
    for key, closed_at in session.execute(outcome.where(RiskFlag.client_id == client.id)):
        if closed_at is None:
            stays.add("flags", key, Stay(Because.open_flag, None))
            continue
        stay = Stay(Because.clinical_record, record_until(closed_at, client.place))
        if not _is_over(stay, at):
            stays.add("flags", key, stay)


def _keep_proof(session: Session, client: Client, at: datetime, stays: Stays) -> None:
    signed = sa.select(Signature.id, Revocation.revoked_at).outerjoin(
        Revocation, Revocation.signature_id == Signature.id
    )
    for key, revoked_at in session.execute(signed.where(Signature.client_id == client.id)):
        stay = Stay(Because.consent_proof, plus_years(revoked_at or at, YEARS_OF_PROOF))
        if not _is_over(stay, at):
            stays.add("consents", key, stay)


def _keep_payments(session: Session, client: Client, at: datetime, stays: Stays) -> None:
    for line in payment_lines(session, client):
        stay = _payment_stay(line)
        if stay is not None and not _is_over(stay, at):
            stays.add("payments", line.key, stay)


def _payment_stay(line: PaymentLine) -> Stay | None:
    if line.paid_at is not None:
        return Stay(Because.payment_record, plus_years(line.paid_at, YEARS_OF_PAYMENT))
    return None if line.is_settled else Stay(Because.open_payment, None)


def _keep_the_person(client: Client, stays: Stays) -> None:
    """A record of care needs a name; an open worry a way to reach them."""
    if stays.clinical:
        stays.add("person", client.id, max(stays.clinical, key=_until))
    if stays.has_open_flag:
        stays.add("person", client.id, Stay(Because.open_flag, None))
        if not _has_phone(client):
            stays.add("account", client.user_id, Stay(Because.open_flag, None))


def _has_phone(client: Client) -> bool:
    return bool(_unless_erased(client, "phone"))


def _unless_erased(row: Any, name: str) -> str:
    try:
        return str(getattr(row, name))
    except Erased:  # A restored backup has it, sealed under a key that is gone.
        return ""


def _keep_everything(session: Session, client: Client, stays: Stays) -> None:
    hold = Stay(Because.legal_hold, None)
    for holding, table in (
        ("answers", Intake),
        ("scores", Assessment),
        ("flags", RiskFlag),
        ("matches", Proposal),
        ("matches", MatchReview),
        ("waiting", WaitingEntry),
        ("requests", MatchRequest),
        ("care", Episode),
        ("groups", Enrolment),
        ("consents", Signature),
    ):
        for key in session.scalars(sa.select(table.id).where(table.client_id == client.id)):
            stays.add(holding, key, hold)
    for line in payment_lines(session, client):
        stays.add("payments", line.key, hold)
    stays.add("person", client.id, hold)
    stays.add("account", client.user_id, hold)


def _rows(table: type, column: sa.orm.InstrumentedAttribute[datetime], client: Client):  # type: ignore[no-untyped-def]
    return sa.select(table.id, column).where(table.client_id == client.id)


def _is_over(stay: Stay, at: datetime) -> bool:
    return stay.until is not None and stay.until <= at


def _until(stay: Stay) -> datetime:
    assert stay.until is not None
    return stay.until
