"""What a leader does with a group: announce it, change it, screen people, call it off."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, WrongState
from practice.accounts.models import Role, User
from practice.groups.mails import tell_client
from practice.groups.models import (
    LIVE,
    Enrolment,
    EnrolmentState,
    Group,
    GroupKind,
    GroupLead,
    GroupSession,
    GroupState,
    LeadKind,
    RefundTemplate,
    ScreeningDecision,
)
from practice.groups.operations import give_up_seat, lock_group
from practice.groups.policy import groups_led_by
from practice.groups.refusals import (
    GroupOver,
    InThePast,
    NobodyMayLead,
    NotForYouToScreen,
    NotYours,
    TermsAreFixed,
)
from practice.groups.timetable import weekly
from practice.therapists.models import Therapist
from practice.therapists.queries import authority_of, therapist_of


@dataclass(frozen=True)
class Words:
    """What can change at any time."""

    title: str
    summary: str
    about: str
    where: str


@dataclass(frozen=True)
class Terms:
    """What people join on. `price` is for the whole, minor units; wall time is the zone's."""

    kind: GroupKind
    topics: list[str]
    language: str
    format: str
    seats: int
    price: int
    refund_template: RefundTemplate
    zone: str
    first_day: date
    at: time
    minutes: int
    sessions: int
    leads: list[Therapist]
    peer_leaders: list[str]


def create_group(session: Session, words: Words, terms: Terms, actor: User, at: datetime) -> Group:
    """A draft that only its leaders see. Raises InThePast."""
    group = Group(state=GroupState.draft, created_by_id=actor.id, created_at=at)
    _write_words(group, words)
    _write_terms(group, terms, at)
    session.add(group)
    session.flush()
    _record(session, group, actor, at, "group.drafted")
    return group


def change_group(
    session: Session,
    group_id: uuid.UUID,
    words: Words,
    terms: Terms | None,
    actor: User,
    at: datetime,
) -> Group:
    """Change a group; its terms only while nobody has joined on them, else TermsAreFixed.

    Raises NobodyMayLead when it is open and could not be opened like that, WrongState when it
    was called off.
    """
    group = _led_group(session, group_id, actor)
    if group.state is GroupState.cancelled:
        raise WrongState
    _write_words(group, words)
    if terms is not None:
        if has_people(session, group):
            raise TermsAreFixed
        _replace_terms(session, group, terms, at)
        if group.state is GroupState.open:
            _refuse_unlicensed(group, actor, at)
    session.flush()
    _record(session, group, actor, at, "group.changed", terms=terms is not None)
    return group


def publish_group(session: Session, group_id: uuid.UUID, actor: User, at: datetime) -> Group:
    """Put a draft into the catalogue. Raises NobodyMayLead, InThePast, WrongState."""
    group = _led_group(session, group_id, actor)
    if group.state is not GroupState.draft:
        raise WrongState
    if group.has_begun(at):
        raise InThePast
    _refuse_unlicensed(group, actor, at)
    group.state = GroupState.open
    session.flush()
    _record(session, group, actor, at, "group.published")
    return group


def cancel_group(session: Session, group_id: uuid.UUID, actor: User, at: datetime) -> int:
    """Call a group off; everybody gets everything back. Returns how many people were told.

    Raises WrongState when it was called off, GroupOver after its last session.
    """
    group = _led_group(session, group_id, actor)
    if group.state is GroupState.cancelled:
        raise WrongState
    if group.is_over(at):
        raise GroupOver
    group.state = GroupState.cancelled
    enrolments = _live_of(session, group)
    for enrolment in enrolments:
        give_up_seat(session, enrolment, actor, at)
    session.flush()
    _record(session, group, actor, at, "group.cancelled", people=len(enrolments))
    return len(enrolments)


def decide_screening(
    session: Session,
    group_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    *,
    invited: bool,
    reason: str,
    actor: User,
    at: datetime,
) -> Enrolment:
    """The leader's answer to somebody who asked to join.

    Raises NotForYouToScreen, and WrongState when it was given.
    """
    group = _led_group(session, group_id, actor)
    if not may_screen(group, actor, at):
        raise NotForYouToScreen
    enrolment = _asked(session, group, enrolment_id)
    enrolment.move_to(EnrolmentState.invited if invited else EnrolmentState.declined, at)
    enrolment.screening = ScreeningDecision(
        decided_by_id=actor.id, decided_at=at, invited=invited, reason=reason
    )
    session.flush()
    client = enrolment.client.public_id
    _record(session, group, actor, at, "group.screened", client, enrolment=str(enrolment_id))
    tell_client(session, enrolment, at, "screened")
    return enrolment


def has_people(session: Session, group: Group) -> bool:
    """Whether anybody has asked, was invited, or has a seat."""
    live = sa.exists().where(Enrolment.group_id == group.id, Enrolment.state.in_(LIVE))
    return bool(session.scalar(sa.select(live)))


def may_screen(group: Group, actor: User, at: datetime) -> bool:
    """Whether this person leads the group under a licence in force, not only set it up."""
    own = [lead.id for lead in group.professionals if lead.user_id == actor.id]
    return any(authority_of(own, at).values())


def _led_group(session: Session, group_id: uuid.UUID, actor: User) -> Group:
    led = session.scalar(groups_led_by(actor).where(Group.public_id == group_id))
    if led is None:
        raise NotFound
    return lock_group(session, led.id)


def _asked(session: Session, group: Group, enrolment_id: uuid.UUID) -> Enrolment:
    enrolment = session.scalars(
        sa.select(Enrolment)
        .options(sa.orm.lazyload("*"))
        .where(Enrolment.public_id == enrolment_id, Enrolment.group_id == group.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if enrolment is None:
        raise NotFound
    return enrolment


def _live_of(session: Session, group: Group) -> list[Enrolment]:
    return list(
        session.scalars(
            sa.select(Enrolment)
            .options(sa.orm.lazyload("*"))
            .where(Enrolment.group_id == group.id, Enrolment.state.in_(LIVE))
            .order_by(Enrolment.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _write_words(group: Group, words: Words) -> None:
    group.title, group.summary = words.title, words.summary
    group.about, group.where = words.about, words.where


def _write_terms(group: Group, terms: Terms, at: datetime) -> None:
    group.kind, group.topics = terms.kind, terms.topics
    group.language, group.format = terms.language, terms.format
    group.seats, group.price = terms.seats, terms.price
    group.refund_template, group.zone = terms.refund_template, terms.zone
    group.sessions = _sessions(terms)
    group.starts_at = group.sessions[0].starts_at
    group.leads = _leads(terms)
    if group.has_begun(at):
        raise InThePast


def _replace_terms(session: Session, group: Group, terms: Terms, at: datetime) -> None:
    for gone in (*group.sessions, *group.leads):
        session.delete(gone)
    session.flush()
    session.expire(group, ["sessions", "leads"])
    _write_terms(group, terms, at)


def _sessions(terms: Terms) -> list[GroupSession]:
    meetings = weekly(
        terms.first_day, terms.at, terms.zone, minutes=terms.minutes, count=terms.sessions
    )
    return [
        GroupSession(number=one.number, starts_at=one.starts_at, ends_at=one.ends_at)
        for one in meetings
    ]


def _leads(terms: Terms) -> list[GroupLead]:
    professionals = [
        GroupLead(kind=LeadKind.professional, therapist=lead, name=lead.name)
        for lead in terms.leads
    ]
    peers = [GroupLead(kind=LeadKind.lived_experience, name=name) for name in terms.peer_leaders]
    return professionals + peers


def _refuse_unlicensed(group: Group, actor: User, at: datetime) -> None:
    if not _may_be_led(group, at):
        raise NobodyMayLead
    own = therapist_of(actor)
    if own is None or not authority_of([own.id], at)[own.id]:
        raise NotYours


def _may_be_led(group: Group, at: datetime) -> bool:
    if not group.kind.needs_licensed_lead:
        return bool(group.leads)
    return any(authority_of([lead.id for lead in group.professionals], at).values())


def _record(
    session: Session,
    group: Group,
    actor: User,
    at: datetime,
    action: str,
    client_id: uuid.UUID | None = None,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="group",
        subject_id=group.public_id,
        actor_id=actor.public_id,
        actor_role=Role.therapist,
        client_id=client_id,
        **details,
    )
