"""Groups for tests: a paid course of eight evenings that begins in ten days, led and open."""

import uuid
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.operations import CHECKOUT_LASTS, place_order
from practice.accounts.models import Client
from practice.groups.models import (
    Enrolment,
    EnrolmentState,
    Group,
    GroupKind,
    GroupLead,
    GroupSession,
    GroupState,
    LeadKind,
    RefundTemplate,
)
from practice.groups.operations import HOLD_LASTS
from practice.groups.timetable import weekly
from practice.therapists.models import Therapist
from tests.builders.kept import kept
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

ZONE = "America/Los_Angeles"
SEAT_STATES = {EnrolmentState.held, EnrolmentState.seated}


@kept
def make_group(
    session: Session,
    *,
    lead: Therapist | None = None,
    leads: Iterable[Therapist] = (),
    peers: Iterable[str] = (),
    kind: GroupKind = GroupKind.psychoeducation,
    sessions: int = 8,
    days: int = 10,
    at: datetime = NOW,
    **columns: Any,
) -> Group:
    """A flushed open group; `lead` is made when nobody is given. `days` is the way to its start."""
    professionals = [lead] if lead else list(leads)
    if not professionals and not peers:
        professionals = [make_therapist(session, at=at)]
    values = {"zone": ZONE, "price": 24000, "seats": 10, "topics": ["panic"]} | columns
    meetings = _meetings(sessions, at + timedelta(days=days), str(values["zone"]))
    group = Group(
        **{
            "title": "Breathing room",
            "summary": "Eight evenings for people who know what panic is like.",
            "kind": kind,
            "where": "https://meet.example.test/breathing",
            "refund_template": RefundTemplate.by_session,
            "starts_at": meetings[0].starts_at,
            "state": GroupState.open,
            "created_by_id": professionals[0].user_id if professionals else None,
            "created_at": at - timedelta(days=20),
            "sessions": meetings,
        }
        | values
    )
    if group.created_by_id is None:
        group.created_by_id = make_therapist(session, at=at).user_id
    group.leads = [
        GroupLead(kind=LeadKind.professional, therapist=one, name=one.name) for one in professionals
    ] + [GroupLead(kind=LeadKind.lived_experience, name=name) for name in peers]
    session.add(group)
    session.flush()
    return group


@kept
def make_enrolment(
    session: Session,
    group: Group,
    client: Client,
    state: EnrolmentState = EnrolmentState.seated,
    *,
    at: datetime = NOW,
    **columns: Any,
) -> Enrolment:
    """A flushed enrolment; a held one has an order, a seated one has not paid with us."""
    enrolment = Enrolment(
        **{
            "group": group,
            "client": client,
            "state": state,
            "handle": f"Member {client.id}",
            "place": client.place,
            "price": group.price,
            "created_at": at,
            "changed_at": at,
        }
        | columns
    )
    session.add(enrolment)
    session.flush()
    _give_what_the_state_needs(session, enrolment, columns, at)
    session.flush()
    return enrolment


def _give_what_the_state_needs(
    session: Session, enrolment: Enrolment, columns: dict[str, Any], at: datetime
) -> None:
    if enrolment.state in SEAT_STATES and "seat_number" not in columns:
        enrolment.seat_number = enrolment.id % 100_000
    if enrolment.state is EnrolmentState.held:
        enrolment.held_until = columns.get("held_until", at + HOLD_LASTS)
        enrolment.order_id = _order_of(session, enrolment, at)


def _order_of(session: Session, enrolment: Enrolment, at: datetime) -> uuid.UUID:
    order = place_order(
        session,
        payer_reference=enrolment.client.public_id,
        reference=uuid.uuid4(),
        amount=enrolment.price,
        currency="USD",
        at=at,
        expires_at=at + CHECKOUT_LASTS,
    )
    return order.public_id


def _meetings(count: int, first: datetime, zone: str) -> list[GroupSession]:
    day = first.astimezone(ZoneInfo(zone)).date()
    return [
        GroupSession(number=one.number, starts_at=one.starts_at, ends_at=one.ends_at)
        for one in weekly(day, time(18, 30), zone, minutes=75, count=count)
    ]
