"""A client's way into a group and out of it.

Rows are always locked in this order, so that nobody waits in a circle: order, group, enrolment,
charge. The group is locked once, late, before its seats are counted; the unique seat number
stands behind the lock.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.models import Order
from billing.operations import (
    CHECKOUT_LASTS,
    can_be_replaced,
    close_order,
    place_order,
    request_refund,
)
from billing.queries import order_of
from core import audit
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts.models import Client, Role, User
from practice.consent.models import Purpose, Signature
from practice.consent.operations import sign
from practice.consent.policy import has
from practice.groups.mails import tell_client, tell_leaders
from practice.groups.models import LIVE, Enrolment, EnrolmentState, Group, ScreeningDecision
from practice.groups.refunds import refund_due
from practice.groups.refusals import (
    GroupClosed,
    GroupFull,
    HandleTaken,
    NoLeadHere,
    RefundChanged,
    ScreeningFirst,
)
from practice.places import zone_of
from practice.therapists.queries import authority_of

# A hold outlives its payment page, so that money in time always finds its seat.
HOLD_LASTS = CHECKOUT_LASTS + timedelta(minutes=5)
MOST_AT_ONCE = 100
# The constraint behind the lock, as PostgreSQL names it and as SQLite describes it.
SECOND_WALL = (
    "uq_enrolments_group_id_seat_number",
    "enrolments.group_id, enrolments.seat_number",
)


@dataclass(frozen=True)
class Joining:
    """What somebody gives when they join. `evidence` is that of their signature."""

    handle: str
    place: str
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def ask_to_join(
    session: Session, group_id: uuid.UUID, client: Client, joining: Joining, at: datetime
) -> Enrolment:
    """Ask the leader of a screened group; asking twice is asking once.

    Raises GroupClosed, NoLeadHere, HandleTaken.
    """
    group = _locked_joinable(session, group_id, client, joining.place, at)
    live = live_enrolment(session, group.id, client.id)
    if live is not None:
        return live
    enrolment = _new_enrolment(session, group, client, joining, EnrolmentState.screening, at)
    enrolment.why = joining.why
    session.flush()
    _record(session, enrolment, client.user, at, "group.asked")
    tell_leaders(session, group, at, f"asked:{enrolment.public_id}")
    return enrolment


def take_seat(
    session: Session, group_id: uuid.UUID, client: Client, joining: Joining, at: datetime
) -> Enrolment:
    """Sign the group's consent and take a seat: at once if it is free, else held for payment.

    Taking it twice is taking it once. Raises GroupFull, GroupClosed, NoLeadHere, HandleTaken,
    ScreeningFirst.
    """
    group = _locked_joinable(session, group_id, client, joining.place, at)
    live = live_enrolment(session, group.id, client.id)
    if live is not None and live.has_seat:
        return live
    _refuse_unscreened(session, group, client)
    seat = free_seat(session, group, at)
    enrolment = live or _begun(session, group, client, joining, at)
    _sign(session, group, client, joining, at)
    _give_seat(session, enrolment, seat, at)
    return enrolment


def renew_order(session: Session, enrolment_id: uuid.UUID, client: Client, at: datetime) -> None:
    """A fresh order for a held seat whose payment page was never and can no longer be opened."""
    enrolment = _locked_enrolment(session, enrolment_id, client)
    if enrolment.state is not EnrolmentState.held or enrolment.order_id is None:
        return
    order = order_of(session, enrolment.order_id)
    if order is not None and can_be_replaced(order, at):
        close_order(session, order.public_id, at)
        enrolment.order_id = _place_order(session, enrolment, at).public_id
        enrolment.held_until = at + HOLD_LASTS


def leave(
    session: Session, enrolment_id: uuid.UUID, client: Client, expected: int, at: datetime
) -> int:
    """Give a seat or a request up; returns what goes back, in minor units.

    `expected` is what the person was shown. Raises RefundChanged when it is no longer true.
    """
    enrolment = _locked_enrolment(session, enrolment_id, client)
    refund = refund_now(session, enrolment, at)
    if enrolment.is_live and refund != expected:
        raise RefundChanged
    _give_up(session, enrolment, refund, "left", at)
    _record(session, enrolment, client.user, at, "group.left", refund=refund)
    return refund


def leave_for_withdrawn_consent(purpose: Purpose, *, signature: Signature) -> None:
    """Receiver of `consent_revoked`: without consent there is no seat; the public rules refund.

    Without the privacy notice nobody new sees anything: a request to join that waits ends too.
    """
    session = sa.orm.object_session(signature)
    if session is None:
        return
    for enrolment in _ended_with(session, purpose, signature):
        at = _revoked_at(signature)
        refund = refund_now(session, enrolment, at)
        _give_up(session, enrolment, refund, "left", at)
        _record(session, enrolment, signature.signer, at, "group.left", refund=refund)


def give_up_seat(session: Session, enrolment: Enrolment, actor: User, at: datetime) -> None:
    """End an enrolment because its group is called off: everything goes back."""
    _give_up(session, enrolment, refundable(session, enrolment), "group_cancelled", at)
    _record(session, enrolment, actor, at, "group.seat_cancelled", role=Role.therapist)
    tell_client(session, enrolment, at, "cancelled")


def seat_the_paid(order: Order, *, session: Session, at: datetime) -> None:
    """Receiver of `order_paid`: confirm the seat; late money gets a free seat or goes back."""
    enrolment = _waiting_for(session, order)
    if enrolment is None:
        _give_all_back(session, order, at)
        return
    seat = _seat_for_money(session, enrolment, at)
    if seat is None:
        _give_all_back(session, order, at)
    else:
        _confirm(session, enrolment, seat, at)
    tell_client(session, enrolment, at, f"paid:{order.public_id}")


def expire_holds(at: datetime) -> None:
    """Sweep: free the seats that were held and not paid in time."""
    due = sa.and_(Enrolment.state == EnrolmentState.held, Enrolment.held_until <= at)
    if db.session.scalar(sa.select(Enrolment.id).where(due).limit(1)) is None:
        return
    with unit_of_work() as session:
        _expire(session, session.scalars(_lapsed().where(due)), at)


def refund_now(session: Session, enrolment: Enrolment, at: datetime) -> int:
    """What would go back to this client now, by the group's public rule, in minor units."""
    if enrolment.state is not EnrolmentState.seated or enrolment.order_id is None:
        return 0
    order = order_of(session, enrolment.order_id)
    if order is None or order.charge is None:
        return 0
    starts = [meeting.starts_at for meeting in enrolment.group.sessions]
    due = refund_due(enrolment.group.refund_template, order.charge.amount, starts, at)
    return min(due, order.charge.refundable)


def refundable(session: Session, enrolment: Enrolment) -> int:
    """All that was paid for this seat and has not gone back yet, in minor units."""
    order = order_of(session, enrolment.order_id) if enrolment.order_id else None
    return order.charge.refundable if order is not None and order.charge is not None else 0


def lock_group(session: Session, group_id: int) -> Group:
    """The group as it stands now; until the commit nobody else counts or changes its seats.

    SQLite needs no row lock: its unit of work began as the only writer.
    """
    return session.scalars(
        sa.select(Group)
        .where(Group.id == group_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def free_seat(session: Session, group: Group, at: datetime) -> int:
    """The lowest free seat number, counting lapsed holds as free; raises GroupFull."""
    lapsed = _lapsed().where(Enrolment.group_id == group.id, Enrolment.held_until <= at)
    _expire(session, session.scalars(lapsed), at)
    taken = set(session.scalars(_seats_taken(group.id)))
    free = next((number for number in range(1, group.seats + 1) if number not in taken), None)
    if free is None:
        raise GroupFull
    return free


def live_enrolment(session: Session, group_id: int, client_id: int) -> Enrolment | None:
    """The client's one way into this group that still counts."""
    return session.scalars(
        sa.select(Enrolment)
        .where(Enrolment.group_id == group_id, Enrolment.client_id == client_id)
        .where(Enrolment.state.in_(LIVE))
        .execution_options(populate_existing=True)
    ).first()


def has_lead_in(group: Group, place: str, at: datetime) -> bool:
    """Whether somebody who leads it may practise where the client is; peer groups always."""
    if not group.kind.needs_licensed_lead:
        return True
    authorities = authority_of([therapist.id for therapist in group.professionals], at)
    return any(place in places for places in authorities.values())


def _locked_joinable(
    session: Session, group_id: uuid.UUID, client: Client, place: str, at: datetime
) -> Group:
    """The group, locked late: everything that needs no lock is asked before."""
    group = lock_group(session, _joinable(session, group_id, place, at).id)
    if not group.takes_people(at):
        raise GroupClosed
    _remember_place(client, place)
    return group


def _joinable(session: Session, group_id: uuid.UUID, place: str, at: datetime) -> Group:
    group = session.scalar(sa.select(Group).where(Group.public_id == group_id))
    if group is None:
        raise NotFound
    if not group.takes_people(at):
        raise GroupClosed
    if not has_lead_in(group, place, at):
        raise NoLeadHere
    return group


def _remember_place(client: Client, place: str) -> None:
    if not client.place:
        client.place, client.zone = place, zone_of(place)


def _refuse_unscreened(session: Session, group: Group, client: Client) -> None:
    if group.kind.is_screened and session.scalar(_invitation(group.id, client.id)) is None:
        raise ScreeningFirst


def _invitation(group_id: int, client_id: int) -> sa.Select[Any]:
    """An invitation that was not given up; one whose hold ran out still counts."""
    return (
        sa.select(Enrolment.id)
        .join(ScreeningDecision)
        .where(Enrolment.group_id == group_id, Enrolment.client_id == client_id)
        .where(ScreeningDecision.invited.is_(True), Enrolment.state != EnrolmentState.left)
        .limit(1)
    )


def _begun(
    session: Session, group: Group, client: Client, joining: Joining, at: datetime
) -> Enrolment:
    """The enrolment whose hold ran out, taken up again, or a new one."""
    ran_out = session.scalars(
        sa.select(Enrolment)
        .where(Enrolment.group_id == group.id, Enrolment.client_id == client.id)
        .where(Enrolment.state == EnrolmentState.expired)
        .order_by(Enrolment.id.desc())
        .limit(1)
    ).first()
    if ran_out is not None:
        _refuse_taken_handle(session, group, client, joining.handle)
        ran_out.handle, ran_out.place, ran_out.price = joining.handle, joining.place, group.price
        return ran_out
    return _new_enrolment(session, group, client, joining, EnrolmentState.invited, at)


def _new_enrolment(
    session: Session,
    group: Group,
    client: Client,
    joining: Joining,
    state: EnrolmentState,
    at: datetime,
) -> Enrolment:
    _refuse_taken_handle(session, group, client, joining.handle)
    enrolment = Enrolment(
        group=group,
        client=client,
        state=state,
        handle=joining.handle,
        place=joining.place,
        price=group.price,
        created_at=at,
        changed_at=at,
    )
    session.add(enrolment)
    return enrolment


def _refuse_taken_handle(session: Session, group: Group, client: Client, handle: str) -> None:
    if _is_taken(session, group, client, handle):
        raise HandleTaken


def _is_taken(session: Session, group: Group, client: Client, handle: str) -> bool:
    others = sa.select(Enrolment.handle).where(
        Enrolment.group_id == group.id,
        Enrolment.client_id != client.id,
        Enrolment.state.in_(LIVE),
    )
    # Compared here: SQLite folds only the letters of English.
    return handle.casefold() in {known.casefold() for known in session.scalars(others)}


def _sign(session: Session, group: Group, client: Client, joining: Joining, at: datetime) -> None:
    sign(
        session,
        Purpose.group,
        client,
        client.user,
        at,
        scope=group.scope,
        scope_label=group.title,
        place=joining.place,
        evidence=joining.evidence,
    )


def _give_seat(session: Session, enrolment: Enrolment, seat: int, at: datetime) -> None:
    try:
        if enrolment.price == 0:
            _confirm(session, enrolment, seat, at)
        else:
            order = _place_order(session, enrolment, at)
            enrolment.hold(seat, order.public_id, at + HOLD_LASTS, at)
            _record(session, enrolment, enrolment.client.user, at, "group.seat_held")
        session.flush()
    except IntegrityError as error:
        if not any(name in str(error.orig) for name in SECOND_WALL):
            raise
        raise GroupFull from error


def _place_order(session: Session, enrolment: Enrolment, at: datetime) -> Order:
    settings = current_settings()
    return place_order(
        session,
        payer_reference=enrolment.client.public_id,
        reference=uuid.uuid4(),
        amount=enrolment.price,
        currency=settings.currency,
        at=at,
        expires_at=at + CHECKOUT_LASTS,
    )


def _confirm(session: Session, enrolment: Enrolment, seat: int, at: datetime) -> None:
    enrolment.take(seat, at)
    session.flush()
    _record(session, enrolment, enrolment.client.user, at, "group.seat_taken")


def _waiting_for(session: Session, order: Order) -> Enrolment | None:
    """The enrolment that this order pays for, with its group and itself locked."""
    of_order = sa.select(Enrolment.group_id).where(Enrolment.order_id == order.public_id)
    group_id = session.scalar(of_order)
    if group_id is None:
        return None
    lock_group(session, group_id)
    found: Enrolment | None = session.scalars(
        _locking().where(Enrolment.order_id == order.public_id)
    ).first()
    return found


def _seat_for_money(session: Session, enrolment: Enrolment, at: datetime) -> int | None:
    if enrolment.state is EnrolmentState.held:
        return enrolment.seat_number
    if enrolment.state is not EnrolmentState.expired or not _may_come_late(session, enrolment, at):
        return None
    try:
        return free_seat(session, enrolment.group, at)
    except GroupFull:
        return None


def _may_come_late(session: Session, enrolment: Enrolment, at: datetime) -> bool:
    group, client = enrolment.group, enrolment.client
    return (
        group.takes_people(at)
        and has_lead_in(group, enrolment.place, at)
        and has(Purpose.group, client, group.scope)
        and live_enrolment(session, group.id, client.id) is None
        and not _is_taken(session, group, client, enrolment.handle)
    )


def _give_all_back(session: Session, order: Order, at: datetime) -> None:
    if order.charge is not None:
        request_refund(session, order.public_id, order.charge.refundable, "no_seat", at)


def _give_up(
    session: Session, enrolment: Enrolment, refund: int, because: str, at: datetime
) -> None:
    held = enrolment.state is EnrolmentState.held
    enrolment.leave(at)
    session.flush()
    if enrolment.order_id is not None and held:
        close_order(session, enrolment.order_id, at)
    if enrolment.order_id is not None and refund:
        request_refund(session, enrolment.order_id, refund, because, at)


def _expire(session: Session, enrolments: Iterable[Enrolment], at: datetime) -> None:
    for enrolment in list(enrolments):
        enrolment.expire(at)
        session.flush()
        if enrolment.order_id is not None:
            close_order(session, enrolment.order_id, at)
        _record(session, enrolment, None, at, "group.hold_ended")


def _lapsed() -> sa.Select[Any]:
    held = Enrolment.state == EnrolmentState.held
    return _locking(skip_locked=True).where(held).order_by(Enrolment.id).limit(MOST_AT_ONCE)


def _locking(*, skip_locked: bool = False) -> sa.Select[Any]:
    return (
        sa.select(Enrolment)
        .options(sa.orm.lazyload("*"))
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )


def _locked_enrolment(session: Session, enrolment_id: uuid.UUID, client: Client) -> Enrolment:
    mine = sa.and_(Enrolment.public_id == enrolment_id, Enrolment.client_id == client.id)
    enrolment: Enrolment | None = session.scalars(_locking().where(mine)).first()
    if enrolment is None:
        raise NotFound
    return enrolment


def _ended_with(session: Session, purpose: Purpose, signature: Signature) -> list[Enrolment]:
    if purpose is Purpose.group:
        return _live_under(session, signature)
    if purpose is Purpose.privacy_notice:
        return _waiting_of(session, signature.client_id)
    return []


def _waiting_of(session: Session, client_id: int) -> list[Enrolment]:
    unseated = Enrolment.state.in_((EnrolmentState.screening, EnrolmentState.invited))
    return list(session.scalars(_locking().where(Enrolment.client_id == client_id, unseated)))


def _live_under(session: Session, signature: Signature) -> list[Enrolment]:
    mine = (Enrolment.client_id == signature.client_id, Enrolment.state.in_(LIVE))
    of_group = sa.select(Group.id).where(Group.public_id == _group_in(signature.scope))
    return list(session.scalars(_locking().where(*mine, Enrolment.group_id.in_(of_group))))


def _group_in(scope: str) -> uuid.UUID:
    return uuid.UUID(scope.removeprefix("group:"))


def _revoked_at(signature: Signature) -> datetime:
    assert signature.revocation is not None
    return signature.revocation.revoked_at


def _seats_taken(group_id: int) -> sa.Select[Any]:
    return sa.select(Enrolment.seat_number).where(
        Enrolment.group_id == group_id, Enrolment.seat_number.is_not(None)
    )


def _record(
    session: Session,
    enrolment: Enrolment,
    actor: User | None,
    at: datetime,
    action: str,
    role: Role = Role.client,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="enrolment",
        subject_id=enrolment.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=role if actor else "",
        client_id=enrolment.client.public_id,
        **details,
    )
