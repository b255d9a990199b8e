"""Reads shaped for the pages of groups."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, lazyload, selectinload

from billing.queries import Paid, paid_for
from core.database import db
from practice.accounts.models import Client, User
from practice.groups.models import (
    Enrolment,
    EnrolmentState,
    Group,
    GroupKind,
    GroupLead,
    GroupSession,
    GroupState,
)
from practice.groups.policy import groups_led_by, groups_visible_to, roster_of
from practice.therapists.queries import LicenceEvidence, licence_evidence

PAGE_SIZE = 20


@dataclass(frozen=True)
class Filters:
    """What a visitor asked for; None leaves it open. `most` is a price in minor units."""

    kind: str | None = None
    topic: str | None = None
    most: int | None = None
    format: str | None = None
    language: str | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in vars(self).values())


@dataclass(frozen=True)
class Card:
    """A group in the catalogue. `left` is counted now, lapsed holds being free."""

    group: Group
    left: int
    sessions: int
    evidence: dict[int, list[LicenceEvidence]]

    @property
    def is_full(self) -> bool:
        return self.left == 0


@dataclass(frozen=True)
class CataloguePage:
    cards: list[Card]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True)
class Shown:
    """A group's own page for one visitor: `client` is who they are, `mine` their last word here."""

    group: Group
    left: int
    client: Client | None
    mine: Enrolment | None


@dataclass(frozen=True)
class RosterLine:
    """Somebody in a group, as its leaders see them; `paid` holds amounts and nothing else."""

    enrolment: Enrolment
    paid: Paid | None


@dataclass(frozen=True)
class LedGroup:
    group: Group
    taken: int
    asking: int


def catalogue(filters: Filters, number: int, at: datetime) -> CataloguePage:
    """Groups that can be joined, the soonest first. A page past the end is the last one.

    Three queries, however many groups there are.
    """
    rows = _catalogue_rows(filters, number, at)
    if not rows and number > 1:
        return catalogue(filters, _last_page(filters, at), at)
    leads = [lead.id for group, *_ in rows for lead in group.professionals]
    evidence = licence_evidence(leads, at)
    cards = [Card(group, _left(group, taken), held, evidence) for group, taken, held, _ in rows]
    return CataloguePage(cards, rows[0][3] if rows else 0, number)


def group_to_show(group_id: uuid.UUID, user: User | None) -> Group | None:
    """A group with its leaders and sessions; None when it is not there or not to be seen."""
    wanted = groups_visible_to(user).where(Group.public_id == group_id).options(*_whole())
    return db.session.scalar(wanted)


def shown(group_id: uuid.UUID, user: User | None, at: datetime) -> Shown | None:
    """Everything of a group's page but the licences, in two queries."""
    row = db.session.execute(_shown(group_id, user, at)).unique().one_or_none()
    if row is None:
        return None
    group, taken, client, mine = row
    return Shown(group, _left(group, taken), client, mine)


def seats_left(group: Group, at: datetime) -> int:
    """Counted now: neither seated nor held; a hold that has run out is free."""
    taken = db.session.scalar(
        sa.select(sa.func.count()).where(Enrolment.group_id == group.id, _takes_a_seat(at))
    )
    return _left(group, taken or 0)


def enrolment_in(group: Group, client_id: int) -> Enrolment | None:
    """The client's last word with this group: the live one, else the most recent."""
    return db.session.scalars(
        sa.select(Enrolment)
        .where(Enrolment.group_id == group.id, Enrolment.client_id == client_id)
        .order_by(Enrolment.id.desc())
        .limit(1)
    ).first()


def led_by(user: User, at: datetime) -> list[LedGroup]:
    """The groups of a leader, the coming ones first, with seats taken and people who ask."""
    taken, asking = _count(_takes_a_seat(at)), _count(_is_asking())
    rows = db.session.execute(
        groups_led_by(user).add_columns(taken, asking).order_by(Group.starts_at.desc())
    )
    return [LedGroup(group, taken, asking) for group, taken, asking in rows]


def led_group(group_id: uuid.UUID, user: User) -> Group | None:
    wanted = groups_led_by(user).where(Group.public_id == group_id).options(*_whole())
    return db.session.scalar(wanted)


def roster(group: Group) -> list[RosterLine]:
    """Everyone who has or had to do with the group, as consented, in the order they came."""
    enrolments = db.session.scalars(
        roster_of(group)
        .options(joinedload(Enrolment.screening))
        .order_by(Enrolment.created_at, Enrolment.id)
    ).all()
    paid = paid_for(db.session(), [one.order_id for one in enrolments if one.order_id])
    return [RosterLine(one, paid.get(one.order_id) if one.order_id else None) for one in enrolments]


def _shown(group_id: uuid.UUID, user: User | None, at: datetime) -> sa.Select[Any]:
    of_user = Client.user_id == (user.id if user is not None else None)
    return (
        groups_visible_to(user)
        .where(Group.public_id == group_id)
        .add_columns(_count(_takes_a_seat(at)), Client, Enrolment)
        .outerjoin_from(Group, Client, of_user)
        .outerjoin_from(Client, Enrolment, Enrolment.id == _last_enrolment())
        .options(
            joinedload(Group.leads).joinedload(GroupLead.therapist),
            selectinload(Group.sessions),
            lazyload(Client.user),
            lazyload(Enrolment.group),
            lazyload(Enrolment.client),
        )
    )


def _last_enrolment() -> sa.ScalarSelect[int]:
    """The id of the last enrolment of the `Client` around in the `Group` around."""
    any_ = aliased(Enrolment)
    return (
        sa.select(sa.func.max(any_.id))
        .where(any_.group_id == Group.id, any_.client_id == Client.id)
        .correlate(Group, Client)
        .scalar_subquery()
    )


def _catalogue_rows(filters: Filters, number: int, at: datetime) -> list[Any]:
    held = (
        sa.select(sa.func.count())
        .where(GroupSession.group_id == Group.id)
        .correlate(Group)
        .scalar_subquery()
    )
    wanted = (
        sa.select(Group, _count(_takes_a_seat(at)), held, sa.func.count().over())
        .where(*_conditions(filters, at))
        .options(selectinload(Group.leads).joinedload(GroupLead.therapist))
        .order_by(Group.starts_at, Group.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return list(db.session.execute(wanted))


def _last_page(filters: Filters, at: datetime) -> int:
    counted = sa.select(sa.func.count()).select_from(Group).where(*_conditions(filters, at))
    return max(1, -(-(db.session.scalar(counted) or 0) // PAGE_SIZE))


def _conditions(filters: Filters, at: datetime) -> list[sa.ColumnElement[bool]]:
    conditions = [Group.state == GroupState.open, Group.starts_at > at]
    if filters.kind is not None:
        conditions.append(Group.kind == GroupKind(filters.kind))
    if filters.topic is not None:
        listed = sa.type_coerce(Group.topics, sa.Text)
        conditions.append(listed.contains(f'"{filters.topic}"', autoescape=True))
    if filters.most is not None:
        conditions.append(Group.price <= filters.most)
    if filters.format is not None:
        conditions.append(Group.format == filters.format)
    if filters.language is not None:
        conditions.append(Group.language == filters.language)
    return conditions


def _count(which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(Enrolment.group_id == Group.id, which)
        .correlate(Group)
        .scalar_subquery()
    )


def _takes_a_seat(at: datetime) -> sa.ColumnElement[bool]:
    lapsed = sa.and_(Enrolment.state == EnrolmentState.held, Enrolment.held_until <= at)
    return sa.and_(Enrolment.seat_number.is_not(None), ~lapsed)


def _is_asking() -> sa.ColumnElement[bool]:
    return Enrolment.state == EnrolmentState.screening


def _left(group: Group, taken: int) -> int:
    return max(group.seats - taken, 0)


def _whole() -> tuple[Any, ...]:
    leads = selectinload(Group.leads).joinedload(GroupLead.therapist)
    return leads, selectinload(Group.sessions)
