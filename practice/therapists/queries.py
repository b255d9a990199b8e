"""Reads of therapists: who may be listed, where they may practise, and on what evidence."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from core.clock import now
from core.database import db
from practice.accounts.models import User
from practice.places import place as place_of
from practice.therapists.models import (
    HOURS_STAY_FRESH,
    Application,
    ApplicationState,
    Level,
    Licence,
    LicenceKind,
    LicenceState,
    Therapist,
)
from practice.vocabularies import vocabulary

Authorities = dict[int, dict[str, datetime]]

# An associate's supervisor and that one's licences; made once, as an alias takes long to make.
_SUPERVISOR, _THEIRS = aliased(Therapist), aliased(Licence)


@dataclass(frozen=True)
class LicenceEvidence:
    """What the public may see of a verified licence: where it was looked up, and when."""

    public_id: uuid.UUID
    kind: LicenceKind
    compact: str
    place: str
    profession: str
    number: str
    source: str
    checked_at: datetime
    expires_on: date
    in_force_until: datetime

    @property
    def place_name(self) -> str:
        return place_of(self.place).name

    @property
    def title(self) -> str:
        """ "Texas", or "Texas (PSYPACT)" when the right comes from a compact."""
        return f"{self.place_name} ({self.compact})" if self.compact else self.place_name

    @property
    def zone(self) -> str:
        return place_of(self.place).zone

    @property
    def last_day(self) -> str:
        return f"{self.expires_on.day} {self.expires_on:%B %Y}"

    @property
    def profession_label(self) -> str:
        return vocabulary("professions").label(self.profession)


def listable(at: datetime, place: str | None = None) -> sa.Select[Therapist]:
    """Therapists who may be shown and offered: authorised, and their hours confirmed lately."""
    return authorised(at, place).where(Therapist.hours_confirmed_at > at - HOURS_STAY_FRESH)


def authorised(at: datetime, place: str | None = None) -> sa.Select[Therapist]:
    """Verified therapists with a licence in force at `at` (in `place`, when it is given).

    An associate also needs a supervisor who has agreed and is licensed in the same place.
    """
    right = sa.exists().where(Licence.therapist_id == Therapist.id, _counts(at))
    if place is not None:
        right = right.where(Licence.place == place)
    return sa.select(Therapist).where(_is_verified(Therapist), right)


def authority_of(therapist_ids: Collection[int], at: datetime) -> Authorities:
    """Where each of them may practise at `at`, and until which instant (UTC, exclusive).

    Everyone asked about has an entry, empty when they may practise nowhere. The right of an
    associate ends with that of their supervisor.
    """
    until: Authorities = {therapist_id: {} for therapist_id in therapist_ids}
    until.update(authority_among(sa.select(Therapist.id).where(Therapist.id.in_(until)), at))
    return until


def authority_among(chosen: sa.Select[int], at: datetime) -> Authorities:
    """As `authority_of`, for the ids that a query finds; who may practise nowhere is left out."""
    until: Authorities = defaultdict(dict)
    for therapist_id, place, instant in db.session.execute(_rights(at, chosen)):
        known = until[therapist_id].get(place)
        until[therapist_id][place] = max(known, instant) if known else instant
    return until


def has_authority(therapist_id: int, place: str, at: datetime) -> bool:
    """Whether they may practise there at `at`; asked again inside each booking's transaction."""
    return place in authority_of([therapist_id], at)[therapist_id]


def licence_evidence(
    therapist_ids: Collection[int], at: datetime | None = None
) -> dict[int, list[LicenceEvidence]]:
    """The verified licences in force of each of them, by place; one query."""
    rows = db.session.scalars(
        sa.select(Licence)
        .where(Licence.therapist_id.in_(therapist_ids), _in_force(Licence, at or now()))
        .order_by(Licence.place, Licence.number)
    )
    evidence = defaultdict(list)
    for licence in rows:
        evidence[licence.therapist_id].append(_evidence(licence))
    return {therapist_id: evidence[therapist_id] for therapist_id in therapist_ids}


def therapist_of(user: User, *, lock: bool = False) -> Therapist | None:
    """The profile of this person, with what its pages need; locked for a change to it."""
    own = sa.select(Therapist).where(Therapist.user_id == user.id)
    if lock:
        # Weaker than FOR UPDATE: rows that only refer to the profile need not wait.
        return db.session.scalars(own.with_for_update(key_share=True)).first()
    related = joinedload(Therapist.application), joinedload(Therapist.supervisor)
    return db.session.scalars(own.options(*related)).first()


def is_verified(user: User) -> bool:
    """Whether somebody has seen who they are: as a therapist anybody may sign up."""
    own = sa.select(Therapist.id).where(Therapist.user_id == user.id, _is_verified(Therapist))
    return db.session.scalar(own) is not None


def possible_supervisors(therapist: Therapist, at: datetime) -> list[Therapist]:
    """Licensed, verified therapists with a licence in a place where this one declares one."""
    places = {licence.place for licence in therapist.declared_licences}
    found = (
        authorised(at)
        .where(Therapist.level == Level.licensed, Therapist.id != therapist.id)
        .where(
            sa.exists().where(
                Licence.therapist_id == Therapist.id,
                Licence.place.in_(places),
                Licence.kind == LicenceKind.state,
                _in_force(Licence, at),
            )
        )
        .order_by(Therapist.name, Therapist.id)
    )
    return list(db.session.scalars(found))


def supervised_by(therapist: Therapist) -> list[Therapist]:
    """Associates who name this therapist, whether or not that was agreed to."""
    named = sa.select(Therapist).where(Therapist.supervisor_id == therapist.id)
    return list(db.session.scalars(named.order_by(Therapist.name, Therapist.id)))


def _rights(at: datetime, chosen: sa.Select[int]) -> sa.Select[Any]:
    """(therapist id, place, until) of every right; an associate's is cut to the supervisor's."""
    cut = sa.case(
        (_THEIRS.in_force_until < Licence.in_force_until, _THEIRS.in_force_until),
        else_=Licence.in_force_until,
    )
    return (
        sa.select(Licence.therapist_id, Licence.place, cut)
        .join(Therapist, Therapist.id == Licence.therapist_id)
        .outerjoin(_SUPERVISOR, _supervises())
        .outerjoin(_THEIRS, _covers(at))
        .where(Therapist.id.in_(chosen), _is_verified(Therapist), _in_force(Licence, at))
        .where(sa.or_(Therapist.level == Level.licensed, _supervised()))
    )


def _counts(at: datetime) -> sa.ColumnElement[bool]:
    """Whether a licence of `Therapist` gives them a right at `at`."""
    supported = (
        sa.exists()
        .where(_SUPERVISOR.id == Therapist.supervisor_id, _covers(at))
        .where(_supervised())
        .correlate(Therapist, Licence)
    )
    return sa.and_(_in_force(Licence, at), sa.or_(Therapist.level == Level.licensed, supported))


def _supervises() -> sa.ColumnElement[bool]:
    """Whoever holds a full licence may still name the one who supervised them before."""
    return sa.and_(_SUPERVISOR.id == Therapist.supervisor_id, Therapist.level == Level.associate)


def _covers(at: datetime) -> sa.ColumnElement[bool]:
    """A supervisor's own state licence, in force where the associate's is."""
    return sa.and_(
        _THEIRS.therapist_id == _SUPERVISOR.id,
        _THEIRS.place == Licence.place,
        _THEIRS.kind == LicenceKind.state,
        _in_force(_THEIRS, at),
        _SUPERVISOR.level == Level.licensed,
        _is_verified(_SUPERVISOR),
    )


def _supervised() -> sa.ColumnElement[bool]:
    """Compacts admit no supervisees, so an associate's right is a licence of the state itself."""
    return sa.and_(
        _THEIRS.id.is_not(None),
        Therapist.supervisor_confirmed_at.is_not(None),
        Licence.kind == LicenceKind.state,
    )


def _in_force(licence: Any, at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        licence.state == LicenceState.verified,
        licence.withdrawn_at.is_(None),
        licence.in_force_until > at,
    )


def _is_verified(therapist: Any) -> sa.ColumnElement[bool]:
    """The application was accepted, and the account has not been closed."""
    accepted = (
        sa.exists()
        .where(Application.therapist_id == therapist.id)
        .where(Application.state == ApplicationState.verified)
    )
    closed = sa.exists().where(User.id == therapist.user_id, User.disabled_at.is_not(None))
    return sa.and_(accepted.correlate(therapist), ~closed.correlate(therapist))


def _evidence(licence: Licence) -> LicenceEvidence:
    return LicenceEvidence(
        public_id=licence.public_id,
        kind=licence.kind,
        compact=licence.compact,
        place=licence.place,
        profession=licence.profession,
        number=licence.number,
        source=licence.found_source or licence.board,
        checked_at=licence.found_at or licence.declared_at,
        expires_on=licence.expires_on,
        in_force_until=licence.in_force_until,
    )
