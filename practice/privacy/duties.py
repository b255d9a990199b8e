"""The rules of the schedule at work: what each finds, from when it may go, and how it goes.

`due(session, before)` gives (key, the instant from which it goes). With `before` it may leave out
what cannot be over by then; without, it gives everything that the rule is about.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from billing.models import Charge, Order, Payer
from billing.operations import forget_orders
from core.audit import AuditEntry
from core.blanking import blank
from core.clock import now
from core.mail import KeptMail
from core.outbox import OutboxMessage
from practice.accounts.models import (
    Client,
    EmailToken,
    Role,
    SignInAttempt,
    SignInSession,
    User,
    UserRole,
)
from practice.care.models import Episode
from practice.consent.models import Revocation, Signature
from practice.groups.models import Enrolment, Group, GroupKind, GroupSession
from practice.intake.models import FlagOutcome, Intake, IntakeAnswer, RiskFlag
from practice.privacy import deleting
from practice.privacy.models import ErasureRequest, LegalHold
from practice.privacy.retention import (
    ATTEMPTS_KEPT,
    DEFAULT_YEARS_OF_RECORD,
    MAILS_KEPT,
    SIGN_IN_KEPT,
    UNCONFIRMED_KEPT,
    UNFINISHED_KEPT,
    YEARS_OF_PAYMENT,
    YEARS_OF_PROOF,
    YEARS_OF_RECORD,
    Rule,
    minus_years,
    plus_years,
    record_until,
)

Due = tuple[int, datetime]
SHORTEST_RECORD = min(DEFAULT_YEARS_OF_RECORD, *(term.years for term in YEARS_OF_RECORD.values()))


@dataclass(frozen=True)
class Duty:
    rule: Rule
    due: Callable[[Session, datetime | None], Iterable[Due]]
    let_go: Callable[[Session, Sequence[int]], None]


def _attempts(session: Session, before: datetime | None) -> Iterator[Due]:
    return _plus(session, SignInAttempt.id, SignInAttempt.at, ATTEMPTS_KEPT, before)


def _sessions(session: Session, before: datetime | None) -> Iterator[Due]:
    ended = sa.func.coalesce(SignInSession.ended_at, SignInSession.expires_at)
    return _plus(session, SignInSession.id, ended, SIGN_IN_KEPT, before)


def _tokens(session: Session, before: datetime | None) -> Iterator[Due]:
    return _plus(session, EmailToken.id, EmailToken.expires_at, SIGN_IN_KEPT, before)


def _unconfirmed(session: Session, before: datetime | None) -> Iterator[Due]:
    """Sign-ups of clients who never confirmed their address, so never signed in."""
    mine = sa.exists().where(UserRole.user_id == User.id, UserRole.role == Role.client)
    others = sa.exists().where(UserRole.user_id == User.id, UserRole.role != Role.client)
    nobody = sa.and_(User.email_confirmed_at.is_(None), mine, ~others)
    signed = sa.exists().where(Signature.client_id == Client.id)
    empty = sa.exists().where(Client.user_id == User.id, ~signed, _free(Client.id))
    return _plus(
        session, User.id, User.created_at, UNCONFIRMED_KEPT, before, sa.and_(nobody, empty)
    )


def _forget_unconfirmed(session: Session, keys: Sequence[int]) -> None:
    for user in session.scalars(sa.select(User).where(User.id.in_(keys))).all():
        assert user.client is not None
        deleting.delete_ways_in(session, user)
        blank(session, (user.public_id, user.client.public_id), at=now())
        deleting.delete_the_person(session, user.client)


def _unfinished(session: Session, before: datetime | None) -> Iterator[Due]:
    last = sa.func.coalesce(
        sa.select(sa.func.max(IntakeAnswer.answered_at))
        .where(IntakeAnswer.intake_id == Intake.id)
        .correlate(Intake)
        .scalar_subquery(),
        Intake.started_at,
    )
    # A run that starts from the last one's answers has not been touched since it began.
    touched = sa.case((last > Intake.started_at, last), else_=Intake.started_at)
    open_ = sa.and_(Intake.submitted_at.is_(None), _free(Intake.client_id))
    return _plus(session, Intake.id, touched, UNFINISHED_KEPT, before, open_)


def _forget_unfinished(session: Session, keys: Sequence[int]) -> None:
    from practice.intake.operations import forget

    for intake in session.scalars(sa.select(Intake).where(Intake.id.in_(keys))).all():
        forget(session, intake, now())


def _kept_mails(session: Session, before: datetime | None) -> Iterator[Due]:
    return _plus(session, KeptMail.id, KeptMail.sent_at, MAILS_KEPT, before)


def _done_work(session: Session, before: datetime | None) -> Iterator[Due]:
    done = sa.func.coalesce(OutboxMessage.done_at, OutboxMessage.dead_at)
    full = sa.and_(done.is_not(None), OutboxMessage.payload_sealed.is_not(None))
    return _plus(session, OutboxMessage.id, done, MAILS_KEPT, before, full)


def _blank_work(session: Session, keys: Sequence[int]) -> None:
    """Set aside after failing too often: what it said goes, the line stays for whoever looks."""
    _update(session, OutboxMessage, keys, payload_sealed=None)


def _episodes(session: Session, before: datetime | None) -> Iterator[Due]:
    ended = sa.and_(Episode.ended_at.is_not(None), _free(Episode.client_id))
    rows = _rows(session, (Episode.id, Episode.ended_at, Episode.place), ended, before)
    return ((key, record_until(at, place)) for key, at, place in rows)


def _forget_episodes(session: Session, keys: Sequence[int]) -> None:
    episodes = session.scalars(sa.select(Episode).where(Episode.id.in_(keys))).all()
    requests = [episode.request_id for episode in episodes if episode.request_id]
    ends = [(episode.client_id, episode.ended_at) for episode in episodes]
    deleting.delete_episodes(session, keys)
    deleting.delete_these_requests(session, requests)
    for client_id, ended_at in ends:
        deleting.delete_scores_until(session, client_id, ended_at)
        deleting.delete_openings_until(session, client_id, ended_at)


def _seats(session: Session, before: datetime | None) -> Iterator[Due]:
    """Seats in groups led by professionals; of peer groups no record of care is kept."""
    last = (
        sa.select(sa.func.max(GroupSession.ends_at))
        .where(GroupSession.group_id == Enrolment.group_id)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    ended = sa.func.coalesce(Enrolment.left_at, last, Enrolment.changed_at)
    columns = (Enrolment.id, ended, Enrolment.place)
    clinical = Enrolment.group_id.in_(sa.select(Group.id).where(Group.kind != GroupKind.peer))
    taken = sa.and_(Enrolment.seated_at.is_not(None), clinical, _free(Enrolment.client_id))
    rows = _rows(session, columns, taken, before)
    return ((key, record_until(at, place)) for key, at, place in rows)


def _closed_flags(session: Session, before: datetime | None) -> Iterator[Due]:
    rows = session.execute(
        sa.select(RiskFlag.id, FlagOutcome.at, Client.place)
        .join(FlagOutcome, FlagOutcome.flag_id == RiskFlag.id)
        .join(Client, Client.id == RiskFlag.client_id)
        .where(_free(RiskFlag.client_id), *_early(FlagOutcome.at, before))
    )
    return ((key, record_until(at, place)) for key, at, place in rows)


def _proof(session: Session, before: datetime | None) -> Iterator[Due]:
    """Agreements that were taken back; one that stands is not counted down."""
    rows = session.execute(
        sa.select(Signature.id, Revocation.revoked_at)
        .join(Revocation, Revocation.signature_id == Signature.id)
        .where(_free(Signature.client_id), *_early(Revocation.revoked_at, before, YEARS_OF_PROOF))
    )
    return ((key, plus_years(at, YEARS_OF_PROOF)) for key, at in rows)


def _payments(session: Session, before: datetime | None) -> Iterator[Due]:
    held = sa.select(Client.public_id).where(~_free(Client.id))
    rows = session.execute(
        sa.select(Order.id, Charge.captured_at)
        .join(Charge, Charge.order_id == Order.id)
        .join(Payer, Payer.id == Order.payer_id)
        .where(Payer.reference.not_in(held))
        .where(*_early(Charge.captured_at, before, YEARS_OF_PAYMENT))
    )
    return ((key, plus_years(at, YEARS_OF_PAYMENT)) for key, at in rows)


def _forget_payments(session: Session, keys: Sequence[int]) -> None:
    paid_with = sa.select(Order.public_id).where(Order.id.in_(keys))
    session.execute(
        sa.update(Enrolment).where(Enrolment.order_id.in_(paid_with)).values(order_id=None)
    )
    forget_orders(session, keys)


def _free(client_id: Any) -> sa.ColumnElement[bool]:
    """Whether the schedule is in charge: no hold stands, and the client was not forgotten."""
    held = sa.exists().where(LegalHold.client_id == client_id, LegalHold.lifted_at.is_(None))
    forgotten = sa.exists().where(
        sa.select(Client.public_id).where(Client.id == client_id).scalar_subquery()
        == ErasureRequest.client_ref,
        ErasureRequest.done_at.is_not(None),
    )
    return sa.and_(~held, ~forgotten)


def _plus(
    session: Session,
    key: Any,
    since: Any,
    kept: timedelta,
    before: datetime | None,
    where: sa.ColumnElement[bool] | None = None,
) -> Iterator[Due]:
    wanted = sa.select(key, sa.type_coerce(since, _INSTANT))
    if where is not None:
        wanted = wanted.where(where)
    if before is not None:
        wanted = wanted.where(since <= before - kept)
    return ((row[0], row[1] + kept) for row in session.execute(wanted))


def _rows(
    session: Session, columns: tuple[Any, ...], where: Any, before: datetime | None
) -> sa.Result[Any]:
    """(key, when it ended, place), the longest ended first where only those are wanted."""
    key, ended, place = columns
    wanted = sa.select(key, sa.type_coerce(ended, _INSTANT), place).where(where)
    return session.execute(wanted.where(*_early(ended, before)))


def _early(
    column: Any, before: datetime | None, years: int = SHORTEST_RECORD
) -> list[sa.ColumnElement[bool]]:
    """At most what may be over; a day more than needed, the exact day is worked out after."""
    if before is None:
        return []
    return [column <= minus_years(before, years) + timedelta(days=2)]


def _update(session: Session, table: Any, keys: Sequence[int], **values: Any) -> None:
    session.execute(sa.update(table).where(table.id.in_(keys)).values(**values))


def _delete(table: Any) -> Callable[[Session, Sequence[int]], None]:
    return lambda session, keys: deleting.delete_these(session, table, keys)


_INSTANT = AuditEntry.__table__.c.at.type

DUTIES = (
    Duty(Rule.sign_in_attempts, _attempts, _delete(SignInAttempt)),
    Duty(Rule.sign_in_ended, _sessions, _delete(SignInSession)),
    Duty(Rule.sign_in_ended, _tokens, _delete(EmailToken)),
    Duty(Rule.unconfirmed_accounts, _unconfirmed, _forget_unconfirmed),
    Duty(Rule.unfinished_intakes, _unfinished, _forget_unfinished),
    Duty(Rule.mails, _kept_mails, _delete(KeptMail)),
    Duty(Rule.mails, _done_work, _blank_work),
    Duty(Rule.clinical_records, _episodes, _forget_episodes),
    Duty(Rule.clinical_records, _seats, deleting.delete_seats),
    Duty(Rule.clinical_records, _closed_flags, deleting.delete_closed_flags),
    Duty(Rule.consent_proof, _proof, deleting.delete_proof),
    Duty(Rule.payment_records, _payments, _forget_payments),
)
