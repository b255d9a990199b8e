"""The rules of the schedule at work: what each finds, from when it may go, and how it goes.

`due(session, before)` gives (key, the instant from which it goes), and may leave out what cannot be
over by `before`. `count(session, instants)` only counts, in the database.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from billing.models import Charge, Order, Payer
from billing.operations import forget_orders
from core.audit import AuditEntry
from core.blanking import blank
from core.clock import now
from core.database import db
from core.mail import KeptMail, was_sent_to
from core.outbox import OutboxMessage
from practice.accounts.models import (
    Client,
    EmailChange,
    EmailToken,
    FactorReset,
    Role,
    RoleProposal,
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
from practice.privacy.keeping import held_addresses
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
Kept = timedelta | int | None
SHORTEST_RECORD = min(DEFAULT_YEARS_OF_RECORD, *(term.years for term in YEARS_OF_RECORD.values()))


@dataclass(frozen=True)
class Rows:
    """What a rule is about: (key, since when it is counted, place), and for how long it is kept.

    `kept` is a time, a number of years, or None for the years of the place's records.
    """

    wanted: sa.Select[Any]
    since: Any
    kept: Kept


@dataclass(frozen=True)
class Duty:
    rule: Rule
    rows: Callable[[], Rows]
    let_go: Callable[[Session, Sequence[int]], None]

    def due(self, session: Session, before: datetime) -> Iterator[Due]:
        rows = self.rows()
        found = session.execute(rows.wanted.where(_maybe_over(rows, before)))
        return ((key, _goes_at(rows.kept, since, place)) for key, since, place in found)

    def count(self, session: Session, instants: Sequence[datetime]) -> list[int]:
        """How many are over at each instant, and how many there are in all.

        Years are counted back from the instant, so that around a 29 February one may be counted a
        day late; what goes, and when, is for `due`.
        """
        rows = self.rows()
        found = rows.wanted.subquery()
        over = [_is_over(rows.kept, found.c.since, found.c.place, at) for at in instants]
        sums = [sa.func.count(sa.case((one, 1))) for one in over]
        return list(session.execute(sa.select(*sums, sa.func.count()).select_from(found)).one())


def _goes_at(kept: Kept, since: datetime, place: str) -> datetime:
    if isinstance(kept, timedelta):
        return since + kept
    return record_until(since, place) if kept is None else plus_years(since, kept)


def _maybe_over(rows: Rows, before: datetime) -> sa.ColumnElement[bool]:
    """At most what may be over; of years a day more than needed, the exact day comes after."""
    if isinstance(rows.kept, timedelta):
        return rows.since <= before - rows.kept  # type: ignore[no-any-return]
    years = SHORTEST_RECORD if rows.kept is None else rows.kept
    return rows.since <= minus_years(before, years) + timedelta(days=2)  # type: ignore[no-any-return]


def _is_over(kept: Kept, since: Any, place: Any, at: datetime) -> Any:
    if isinstance(kept, timedelta):
        return since <= at - kept
    if kept is not None:
        return since <= minus_years(at, kept)
    listed = [
        sa.and_(place == one, since <= minus_years(at, term.years))
        for one, term in YEARS_OF_RECORD.items()
    ]
    others = minus_years(at, DEFAULT_YEARS_OF_RECORD)
    return sa.or_(*listed, sa.and_(place.not_in(YEARS_OF_RECORD), since <= others))


def _attempts() -> Rows:
    return _rows(SignInAttempt.id, SignInAttempt.at, ATTEMPTS_KEPT)


def _sessions() -> Rows:
    ended = sa.func.coalesce(SignInSession.ended_at, SignInSession.expires_at)
    return _rows(SignInSession.id, ended, SIGN_IN_KEPT)


def _tokens() -> Rows:
    return _rows(EmailToken.id, EmailToken.expires_at, SIGN_IN_KEPT)


def _address_changes() -> Rows:
    """Under a hold they stay: by them the mails to an earlier address are found."""
    ended = sa.func.coalesce(EmailChange.undone_at, EmailChange.confirmed_at, EmailChange.asked_at)
    held = sa.exists().where(
        Client.user_id == EmailChange.user_id,
        LegalHold.client_id == Client.id,
        LegalHold.lifted_at.is_(None),
    )
    return _rows(EmailChange.id, ended, SIGN_IN_KEPT, ~held)


def _factor_resets() -> Rows:
    ended = sa.func.coalesce(FactorReset.due_at, FactorReset.asked_at)
    return _rows(FactorReset.id, ended, SIGN_IN_KEPT)


def _role_proposals() -> Rows:
    ended = sa.func.coalesce(RoleProposal.answered_at, RoleProposal.proposed_at)
    return _rows(RoleProposal.id, ended, SIGN_IN_KEPT)


def _unconfirmed() -> Rows:
    """Sign-ups of clients who never confirmed their address, so never signed in."""
    mine = sa.exists().where(UserRole.user_id == User.id, UserRole.role == Role.client)
    others = sa.exists().where(UserRole.user_id == User.id, UserRole.role != Role.client)
    nobody = sa.and_(User.email_confirmed_at.is_(None), mine, ~others)
    signed = sa.exists().where(Signature.client_id == Client.id)
    empty = sa.exists().where(Client.user_id == User.id, ~signed, _free(Client.id))
    return _rows(User.id, User.created_at, UNCONFIRMED_KEPT, sa.and_(nobody, empty))


def _forget_unconfirmed(session: Session, keys: Sequence[int]) -> None:
    for user in session.scalars(sa.select(User).where(User.id.in_(keys))).all():
        assert user.client is not None
        deleting.delete_ways_in(session, user)
        blank(session, (user.public_id, user.client.public_id), at=now())
        deleting.delete_the_person(session, user.client)


def _unfinished() -> Rows:
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
    return _rows(Intake.id, touched, UNFINISHED_KEPT, open_)


def _forget_unfinished(session: Session, keys: Sequence[int]) -> None:
    from practice.intake.operations import forget

    for intake in session.scalars(sa.select(Intake).where(Intake.id.in_(keys))).all():
        forget(session, intake, now())


def _kept_mails() -> Rows:
    to_others = [~was_sent_to(address) for address in held_addresses(db.session())]
    nobodys = KeptMail.to_index.is_(None)
    return _rows(
        KeptMail.id, KeptMail.sent_at, MAILS_KEPT, sa.or_(nobodys, sa.and_(sa.true(), *to_others))
    )


def _done_work() -> Rows:
    done = sa.func.coalesce(OutboxMessage.done_at, OutboxMessage.dead_at)
    full = sa.and_(done.is_not(None), OutboxMessage.payload_sealed.is_not(None))
    to_others = OutboxMessage.id.not_in(_unsent_mails_under_hold(db.session(), full))
    return _rows(OutboxMessage.id, done, MAILS_KEPT, sa.and_(full, to_others))


def _unsent_mails_under_hold(session: Session, full: sa.ColumnElement[bool]) -> list[int]:
    """Mails that never left: each is opened to see whom it was for."""
    addresses = held_addresses(session)
    if not addresses:
        return []
    mails = session.scalars(sa.select(OutboxMessage).where(full, OutboxMessage.kind == "mail"))
    return [mail.id for mail in mails if mail.payload.get("to") in addresses]


def _blank_work(session: Session, keys: Sequence[int]) -> None:
    """Set aside after failing too often: what it said goes, the line stays for whoever looks."""
    _update(session, OutboxMessage, keys, payload_sealed=None)


def _episodes() -> Rows:
    ended = sa.and_(Episode.ended_at.is_not(None), _free(Episode.client_id))
    return _rows(Episode.id, Episode.ended_at, None, ended, Episode.place)


def _forget_episodes(session: Session, keys: Sequence[int]) -> None:
    episodes = session.scalars(sa.select(Episode).where(Episode.id.in_(keys))).all()
    requests = [episode.request_id for episode in episodes if episode.request_id]
    ends = [(episode.client_id, episode.ended_at) for episode in episodes]
    deleting.delete_episodes(session, keys)
    deleting.delete_these_requests(session, requests)
    for client_id, ended_at in ends:
        deleting.delete_scores_until(session, client_id, ended_at)
        deleting.delete_openings_until(session, client_id, ended_at)


def _seats() -> Rows:
    """Seats in groups led by professionals; of peer groups no record of care is kept."""
    last = (
        sa.select(sa.func.max(GroupSession.ends_at))
        .where(GroupSession.group_id == Enrolment.group_id)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    ended = sa.func.coalesce(Enrolment.left_at, last, Enrolment.changed_at)
    clinical = Enrolment.group_id.in_(sa.select(Group.id).where(Group.kind != GroupKind.peer))
    taken = sa.and_(Enrolment.seated_at.is_not(None), clinical, _free(Enrolment.client_id))
    return _rows(Enrolment.id, ended, None, taken, Enrolment.place)


def _closed_flags() -> Rows:
    rows = _rows(RiskFlag.id, FlagOutcome.at, None, _free(RiskFlag.client_id), Client.place)
    wanted = rows.wanted.join(FlagOutcome, FlagOutcome.flag_id == RiskFlag.id)
    return replace(rows, wanted=wanted.join(Client, Client.id == RiskFlag.client_id))


def _proof() -> Rows:
    """Agreements that were taken back; one that stands is not counted down."""
    free = _free(Signature.client_id)
    rows = _rows(Signature.id, Revocation.revoked_at, YEARS_OF_PROOF, free)
    wanted = rows.wanted.join(Revocation, Revocation.signature_id == Signature.id)
    return replace(rows, wanted=wanted)


def _payments() -> Rows:
    held = sa.select(Client.public_id).where(~_free(Client.id))
    free = Payer.reference.not_in(held)
    rows = _rows(Order.id, Charge.captured_at, YEARS_OF_PAYMENT, free)
    wanted = rows.wanted.join(Charge, Charge.order_id == Order.id)
    return replace(rows, wanted=wanted.join(Payer, Payer.id == Order.payer_id))


def _forget_payments(session: Session, keys: Sequence[int]) -> None:
    paid_with = sa.select(Order.public_id).where(Order.id.in_(keys))
    session.execute(
        sa.update(Enrolment).where(Enrolment.order_id.in_(paid_with)).values(order_id=None)
    )
    forget_orders(session, keys)


def _free(client_id: Any) -> sa.ColumnElement[bool]:
    """Whether the schedule is in charge: no hold stands, and the client was not forgotten."""
    held = sa.exists().where(LegalHold.client_id == client_id, LegalHold.lifted_at.is_(None))
    # An alias, and no query inside this one: a deeper one would lose sight of whose row it is.
    theirs = aliased(Client)
    forgotten = sa.exists().where(
        theirs.id == client_id,
        theirs.public_id == ErasureRequest.client_ref,
        ErasureRequest.done_at.is_not(None),
    )
    return sa.and_(~held, ~forgotten)


def _rows(key: Any, since: Any, kept: Kept, where: Any = None, place: Any = None) -> Rows:
    """Without `where`, everything; without `place`, what is kept equally long everywhere."""
    where_kept = sa.literal("") if place is None else sa.func.coalesce(place, "")
    counted = sa.type_coerce(since, _INSTANT).label("since")
    wanted = sa.select(key.label("key"), counted, where_kept.label("place"))
    # Nothing else says from which table it starts when what is counted stands in another.
    wanted = wanted.select_from(key.class_)
    return Rows(wanted if where is None else wanted.where(where), since, kept)


def _update(session: Session, table: Any, keys: Sequence[int], **values: Any) -> None:
    session.execute(sa.update(table).where(table.id.in_(keys)).values(**values))


def _delete(table: Any) -> Callable[[Session, Sequence[int]], None]:
    return lambda session, keys: deleting.delete_these(session, table, keys)


_INSTANT = AuditEntry.__table__.c.at.type

DUTIES = (
    Duty(Rule.sign_in_attempts, _attempts, _delete(SignInAttempt)),
    Duty(Rule.sign_in_ended, _sessions, _delete(SignInSession)),
    Duty(Rule.sign_in_ended, _tokens, _delete(EmailToken)),
    Duty(Rule.sign_in_ended, _address_changes, _delete(EmailChange)),
    Duty(Rule.sign_in_ended, _factor_resets, _delete(FactorReset)),
    Duty(Rule.sign_in_ended, _role_proposals, _delete(RoleProposal)),
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
