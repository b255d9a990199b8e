"""Reads of the administrators' console. Nothing clinical is read here."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from core.audit import AuditEntry
from core.database import db
from core.errors import Erased
from core.mail import KeptMail
from core.outbox import OutboxMessage, was_done_later
from core.overwriting import OVERWRITE
from practice.accounts.models import STAFF_ROLES, Role, User, UserRole
from practice.consent.models import ConsentDocument, Purpose
from practice.intake.models import DutyShift
from practice.intake.policy import FLAG_READERS
from practice.oversight.rota import DAYS_AHEAD, Span, gaps, local_day
from practice.paging import Leaf, leaf_of, leaf_of_list
from practice.therapists.models import Therapist
from practice.waiting.models import WaitingRun
from practice.waiting.queries import RUN

# What administrators handle themselves; of anything else the log tells no more than that it was.
OPEN_KINDS = frozenset(
    {
        "application",
        "document",
        "licence",
        "proposal",
        "role_proposal",
        "shift",
        "therapist",
        "weights",
        "weights_preview",
    }
)
UNREADABLE_DETAILS = frozenset({"concerns", "text_hash"})


def staff(role: Role | None, page: int) -> Leaf[User]:
    """Everybody with a staff role (or this one), by name."""
    wanted = {role} if role else STAFF_ROLES
    return leaf_of_list(_by_name(sa.select(User).where(_holds(wanted))), page)


def staff_member(public_id: uuid.UUID) -> User | None:
    """A colleague; somebody who is a client and nothing else is not one."""
    found = sa.select(User).where(User.public_id == public_id, _holds(STAFF_ROLES))
    return db.session.scalars(found).first()


def duty_people() -> Sequence[User]:
    """Who can be put on the rota: able to sign in and to read flags."""
    able = sa.and_(User.disabled_at.is_(None), User.email_confirmed_at.is_not(None))
    people = sa.select(User).where(able, _holds(FLAG_READERS))
    return _by_name(people)


@dataclass(frozen=True)
class RotaDay:
    """A local day: the shifts that begin on it, those still running, and when nobody is there."""

    day: date
    shifts: list[DutyShift]
    carried_over: list[DutyShift]
    gaps: list[Span]
    whole: Span

    @property
    def is_empty(self) -> bool:
        return self.gaps == [self.whole]


def rota(at: datetime, zone: str, days: int = DAYS_AHEAD) -> list[RotaDay]:
    """The coming days from now on; the shifts of one query."""
    today = at.astimezone(ZoneInfo(zone)).date()
    spans = [local_day(today + timedelta(days=n), zone) for n in range(days)]
    shifts = _shifts_within(Span(at, spans[-1].ends_at))
    return [_rota_day(span, shifts, at, zone) for span in spans]


def counts_as_cover(shift: DutyShift) -> bool:
    """Whether this person can in fact open a flag: a promise made for others would be false."""
    user = shift.user
    return user.has(*FLAG_READERS) and user.is_confirmed and not user.is_disabled


def published() -> dict[Purpose, list[ConsentDocument]]:
    """Every version of every text, the newest first."""
    documents = sa.select(ConsentDocument).order_by(ConsentDocument.version.desc())
    by_purpose: dict[Purpose, list[ConsentDocument]] = {purpose: [] for purpose in Purpose}
    for document in db.session.scalars(documents):
        by_purpose[document.purpose].append(document)
    return by_purpose


@dataclass(frozen=True)
class LogLine:
    """An act as administrators may see it: who (colleagues by name), what, when."""

    at: datetime
    who: str
    what: str
    about: str
    details: str


def log(action: str, person: uuid.UUID | None, page: int) -> Leaf[LogLine]:
    """Who did what, the newest first."""
    entries = sa.select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if action:
        entries = entries.where(AuditEntry.action == action)
    if person:
        entries = entries.where(AuditEntry.actor_id == person)
    leaf = leaf_of(entries, page)
    names = _names(leaf.rows)
    return Leaf([_line(entry, names) for entry in leaf.rows], leaf.number, leaf.pages)


def actions() -> Sequence[str]:
    return db.session.scalars(sa.select(AuditEntry.action).distinct().order_by("action")).all()


def colleagues() -> Sequence[User]:
    """Everybody the log can be read by, by name."""
    return _by_name(sa.select(User).where(_holds(STAFF_ROLES)))


def action_words(action: str) -> str:
    """ "licence.declared" → "Licence declared"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def mails(page: int) -> Leaf[KeptMail]:
    return leaf_of(sa.select(KeptMail).order_by(KeptMail.sent_at.desc(), KeptMail.id.desc()), page)


def mail(public_id: uuid.UUID) -> KeptMail | None:
    return db.session.scalars(sa.select(KeptMail).where(KeptMail.public_id == public_id)).first()


def set_aside() -> int:
    """How much work the outbox has given up on that nobody has done since: a person must look."""
    was_done = sa.or_(was_done_later(OVERWRITE), _was_proposed_since())
    dead = sa.select(sa.func.count()).where(OutboxMessage.dead_at.is_not(None), ~was_done)
    return db.session.scalar(dead) or 0


def _was_proposed_since() -> sa.ColumnElement[bool]:
    """What is done of a proposal that was taken back is nothing, so its own row is asked."""
    made = sa.exists().where(WaitingRun.made_at >= OutboxMessage.posted_at)
    return sa.and_(OutboxMessage.kind == RUN, made)


def _by_name(people: sa.Select[tuple[User]]) -> list[User]:
    """Names are sealed, so the database cannot order by them; colleagues are few."""
    found = db.session.scalars(people).all()
    return sorted(found, key=_place_in_a_list)


def _place_in_a_list(user: User) -> tuple[str, str, int]:
    try:
        return user.name.lower(), user.email, user.id
    except Erased:
        return "\uffff", "", user.id


def _holds(roles: Iterable[Role]) -> sa.ColumnElement[bool]:
    held = sa.and_(UserRole.user_id == User.id, UserRole.role.in_(roles))
    return sa.select(UserRole.id).where(held).exists()


def _shifts_within(span: Span) -> Sequence[DutyShift]:
    overlapping = sa.select(DutyShift).where(
        DutyShift.ends_at > span.starts_at, DutyShift.starts_at < span.ends_at
    )
    return db.session.scalars(overlapping.order_by(DutyShift.starts_at, DutyShift.id)).all()


def _rota_day(span: Span, shifts: Sequence[DutyShift], at: datetime, zone: str) -> RotaDay:
    here = [s for s in shifts if s.starts_at < span.ends_at and s.ends_at > span.starts_at]
    cover = [Span(shift.starts_at, shift.ends_at) for shift in here if counts_as_cover(shift)]
    return RotaDay(
        day=span.starts_at.astimezone(ZoneInfo(zone)).date(),
        shifts=[shift for shift in here if shift.starts_at >= span.starts_at],
        carried_over=[shift for shift in here if shift.starts_at < span.starts_at],
        gaps=gaps(cover, Span(max(span.starts_at, at), span.ends_at)),
        whole=span,
    )


def _names(entries: Sequence[AuditEntry]) -> dict[uuid.UUID, str]:
    """The names of colleagues and of therapists' profiles among actors and subjects."""
    ids = {entry.actor_id for entry in entries} | {entry.subject_id for entry in entries}
    people = sa.select(User).where(User.public_id.in_(ids - {None}), _holds(STAFF_ROLES))
    therapists = sa.select(Therapist.public_id, Therapist.name).where(
        Therapist.public_id.in_(ids - {None})
    )
    names = {row.public_id: row.name for row in db.session.execute(therapists)}
    return names | {user.public_id: _called(user) for user in db.session.scalars(people)}


def _called(user: User) -> str:
    try:
        return user.name or user.email
    except Erased:
        return "somebody whose name was erased"


def _line(entry: AuditEntry, names: dict[uuid.UUID, str]) -> LogLine:
    about = names.get(entry.subject_id, "") if entry.subject_id else ""
    if entry.subject_id == entry.actor_id:
        about = "themselves" if about else ""
    return LogLine(
        at=entry.at,
        who=_who(entry, names),
        what=action_words(entry.action),
        about=about,
        details=_details(entry) if about or entry.subject_kind in OPEN_KINDS else "",
    )


def _who(entry: AuditEntry, names: dict[uuid.UUID, str]) -> str:
    if entry.actor_id is None:
        return "The system"
    return names.get(entry.actor_id, "A client")


def _details(entry: AuditEntry) -> str:
    said = {name: _words(value) for name, value in entry.details.items()}
    return " · ".join(
        f"{name.replace('_', ' ')}: {words}"
        for name, words in said.items()
        if words and name not in UNREADABLE_DETAILS
    )


def _words(value: Any) -> str:
    """A detail for a reader; ids say nothing to one."""
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if _is_id(value) else str(value).replace("_", " ")


def _is_id(value: Any) -> bool:
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True
