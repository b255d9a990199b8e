"""Reads of care, shaped for its pages: the same few queries for any number of clients."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from core.audit import AuditEntry
from core.clock import now
from core.database import db
from core.readings import readings_of
from practice.accounts.models import Client, User
from practice.care.emergency.models import WAITS_FOR, EmergencyOpening, OpeningKind
from practice.care.emergency.policy import (
    openings_asked_by,
    openings_in_danger,
    openings_read_by,
    openings_to_decide,
    openings_visible_to,
)
from practice.care.meetings import Meeting, meetings_of
from practice.care.models import ClosingNote, Episode, RecordLookup
from practice.care.opened import Opening, opening_of
from practice.care.policy import (
    closed_episodes,
    episodes_handed_on,
    episodes_of,
    episodes_to_close,
    episodes_visible_to,
    lookups_of,
    own_episodes,
    scores_stay_open,
)
from practice.care.scores import ScoreSeries, series_of
from practice.intake.models import Assessment
from practice.paging import Leaf, leaf_of
from practice.therapists.models import Level, Therapist

# How long a client's first page tells of an emergency opening; the list of readings keeps it.
TOLD_FOR = timedelta(days=30)
LATE_LISTED_FOR = timedelta(days=30)
EMERGENCY = "emergency_opening"


@dataclass(frozen=True)
class CaseloadLine:
    """One client in care. `scores` has an entry for each instrument they answered."""

    episode: Episode
    scores: dict[str, ScoreSeries]
    meetings: list[Meeting]

    def next_meeting(self, at: datetime) -> Meeting | None:
        coming = (one for one in self.meetings if one.ends_at > at and not one.is_cancelled)
        return next(coming, None)


def caseload_of(user: User) -> list[CaseloadLine]:
    """Everybody this person may see, by name of the client."""
    episodes = db.session.scalars(episodes_visible_to(user).options(*_whole())).all()
    lines = _lines(episodes)
    return sorted(lines, key=lambda line: (line.episode.client.called.casefold(), line.episode.id))


def line_of(user: User, episode_id: uuid.UUID) -> CaseloadLine | None:
    """One of them; None for what is not there and for what is somebody else's."""
    wanted = episodes_visible_to(user).where(Episode.public_id == episode_id).options(*_whole())
    return next(iter(_lines(db.session.scalars(wanted).all())), None)


def own_episode(user: User, episode_id: uuid.UUID) -> Episode | None:
    wanted = own_episodes(user).where(Episode.public_id == episode_id)
    return db.session.scalars(wanted).first()


def to_close(user: User, at: datetime) -> Sequence[Episode]:
    """Ended care about which this clinician may still write, the last to close first."""
    return db.session.scalars(episodes_to_close(user, at).order_by(Episode.ended_at)).all()


def closing_episode(user: User, episode_id: uuid.UUID, at: datetime) -> Episode | None:
    wanted = episodes_to_close(user, at).where(Episode.public_id == episode_id)
    return db.session.scalars(wanted).first()


def handed_on_episode(user: User, episode_id: uuid.UUID, at: datetime) -> Episode | None:
    """One that the custodian holds by now, for its clinician to hand a late note over."""
    wanted = episodes_handed_on(user, at).where(Episode.public_id == episode_id)
    return db.session.scalars(wanted).first()


def notes_of(episode: Episode) -> Sequence[ClosingNote]:
    """In the order in which they were written."""
    written = sa.select(ClosingNote).where(ClosingNote.episode_id == episode.id)
    return db.session.scalars(written.order_by(ClosingNote.id)).all()


def late_notes(user: User, at: datetime) -> list[ClosingNote]:
    """What came to this custodian too late within thirty days, the newest first."""
    theirs = closed_episodes(user, at).with_only_columns(Episode.id)
    lately = sa.select(ClosingNote).where(
        ClosingNote.episode_id.in_(theirs), ClosingNote.written_at > at - LATE_LISTED_FOR
    )
    whole = lately.options(joinedload(ClosingNote.episode)).order_by(ClosingNote.id.desc())
    return [one for one in db.session.scalars(whole) if one.is_late]


def client_behind(user: User, note: str, at: datetime) -> Client | None:
    """In whose record this late note is, None if it is none of this custodian's."""
    theirs = (one for one in late_notes(user, at) if str(one.public_id) == note)
    return next((one.episode.client for one in theirs), None)


def lookups(user: User, at: datetime) -> Sequence[RecordLookup]:
    """What this custodian found within the hour, the last first."""
    return db.session.scalars(lookups_of(user, at).order_by(RecordLookup.id.desc())).all()


def lookup(user: User, lookup_id: uuid.UUID, at: datetime) -> RecordLookup | None:
    wanted = lookups_of(user, at).where(RecordLookup.public_id == lookup_id)
    return db.session.scalars(wanted).first()


@dataclass(frozen=True)
class Emergencies:
    """What a colleague meets on their page of emergency openings.

    What waits for their word is whole, the longest waiting first; the rest comes in pages, the
    newest first.
    """

    to_decide: Sequence[EmergencyOpening]
    to_review: Sequence[EmergencyOpening]
    mine: Leaf[EmergencyOpening]
    reviewed: Leaf[EmergencyOpening]


def emergencies(user: User, at: datetime, mine: int = 1, reviewed: int = 1) -> Emergencies:
    """`mine` and `reviewed` say which page of each list."""
    in_danger = openings_in_danger(user)
    return Emergencies(
        _waiting(openings_to_decide(user, at)),
        _waiting(in_danger.where(~EmergencyOpening.review.has())),
        leaf_of(_newest_first(openings_asked_by(user)), mine),
        leaf_of(_newest_first(in_danger.where(EmergencyOpening.review.has())), reviewed),
    )


def emergency(user: User, opening_id: uuid.UUID, at: datetime) -> EmergencyOpening | None:
    """One that this person asked for, decides, has decided or reviews."""
    wanted = openings_visible_to(user, at).where(EmergencyOpening.public_id == opening_id)
    return db.session.scalars(_whole_opening(wanted)).first()


def emergency_to_read(user: User, opening_id: uuid.UUID, at: datetime) -> EmergencyOpening | None:
    """The opening under which this person reads at `at`; None a minute too late."""
    wanted = openings_read_by(user, at).where(EmergencyOpening.public_id == opening_id)
    return db.session.scalars(wanted).first()


def readings_under(opening: EmergencyOpening) -> Sequence[datetime]:
    """When the record was read under this opening, the first time first."""
    read = sa.select(AuditEntry.at).where(
        AuditEntry.subject_id == opening.public_id, AuditEntry.action == "emergency.viewed"
    )
    return db.session.scalars(read.order_by(AuditEntry.at, AuditEntry.id)).all()


def emergencies_waiting(user: User, at: datetime) -> int:
    """How many of them want this person's word: a decision, or a review."""
    unreviewed = openings_in_danger(user).where(~EmergencyOpening.review.has())
    parts = (openings_to_decide(user, at).subquery(), unreviewed.subquery())
    counts = (sa.select(sa.func.count()).select_from(part) for part in parts)
    return sum(db.session.scalar(one) or 0 for one in counts)


def reviews_overdue(at: datetime) -> int:
    """How many openings in danger nobody has reviewed within their day."""
    unreviewed = sa.select(EmergencyOpening).where(~EmergencyOpening.review.has())
    opened = db.session.scalars(unreviewed.where(EmergencyOpening.opened_at.is_not(None)))
    return sum(one.review_is_overdue(at) for one in opened)


def told_lately(client: Client, at: datetime) -> Sequence[EmergencyOpening]:
    """Emergency openings of this client's record of which they were told within thirty days."""
    told = sa.select(EmergencyOpening).where(
        EmergencyOpening.client_id == client.id, EmergencyOpening.told_at > at - TOLD_FOR
    )
    return db.session.scalars(told.order_by(EmergencyOpening.opened_at.desc())).all()


def openings_of(client: Client, most: int | None = None) -> Sequence[Opening]:
    """Who opened something of this client's, when, in what role and why; the newest first.

    Built from the log's rows whose action ends in ".viewed" and that name this client, alone or
    among others on one page (a caseload, a roster, the list of flags; `core.readings`). What the
    client opened themselves is not in it. An emergency opening of which the client has not been
    told stays out, with everything that was read under it or about it, until `told_at` is set; a
    request that was refused or has expired, of which nobody is told, shows from then on.
    With `most`, only so many.
    """
    newest_first = _told_readings(client).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    rows = db.session.scalars(newest_first.limit(most)).all()
    names = _names({row.actor_id for row in rows if row.actor_id})
    return [opening_of(row, names.get(row.actor_id, "")) for row in rows]


def openings_tally(client: Client) -> tuple[int, datetime | None]:
    """How many lines `openings_of` has, and the instant of the newest."""
    told = _told_readings(client).subquery()
    count, last = db.session.execute(sa.select(sa.func.count(), sa.func.max(told.c.at))).one()
    return count, last


def _told_readings(client: Client) -> sa.Select[AuditEntry]:
    entries = readings_of(client.public_id)
    # Whoever is not named any more, or was no person, has opened it all the same.
    theirs = AuditEntry.actor_id.is_distinct_from(client.user.public_id)
    untold = AuditEntry.subject_id.in_(untold_openings(client))
    return entries.where(theirs, ~sa.and_(AuditEntry.subject_kind == EMERGENCY, untold))


def untold_openings(client: Client) -> sa.Select[uuid.UUID]:
    """Public ids of openings that no page, export or download may tell this client of yet."""
    untold = sa.select(EmergencyOpening.public_id).where(
        EmergencyOpening.client_id == client.id, EmergencyOpening.told_at.is_(None)
    )
    return untold.where(~_came_to_nothing(now()))


def _came_to_nothing(at: datetime) -> sa.ColumnElement[bool]:
    """Refused or expired requests: no notice ever follows them, so nothing waits for one."""
    over = sa.or_(EmergencyOpening.decision.has(), EmergencyOpening.asked_at <= at - WAITS_FOR)
    ordinary = EmergencyOpening.kind == OpeningKind.ordinary
    return sa.and_(ordinary, EmergencyOpening.opened_at.is_(None), over)


@dataclass(frozen=True)
class NewSupervisor:
    """An associate who treats this client has a supervisor the client has not agreed to."""

    episode: Episode
    supervisor: Therapist


def new_supervisors(client: Client) -> list[NewSupervisor]:
    episodes = _supervised_episodes(client).where(
        sa.or_(Episode.supervisor_id.is_(None), Episode.supervisor_id != Therapist.supervisor_id)
    )
    return [
        NewSupervisor(one, one.therapist.supervisor)
        for one in db.session.scalars(episodes)
        if one.therapist.supervisor is not None
    ]


def supervised_episode(client: Client, episode_id: uuid.UUID) -> Episode | None:
    """The client's own open episode with an associate whose supervisor has agreed."""
    wanted = _supervised_episodes(client).where(Episode.public_id == episode_id)
    return db.session.scalars(wanted).first()


def _supervised_episodes(client: Client) -> sa.Select[Episode]:
    return (
        episodes_of(client)
        .join(Therapist, Therapist.id == Episode.therapist_id)
        .where(
            Episode.ended_at.is_(None),
            Therapist.level == Level.associate,
            Therapist.supervisor_id.is_not(None),
            Therapist.supervisor_confirmed_at.is_not(None),
        )
    )


def _waiting(wanted: sa.Select[EmergencyOpening]) -> Sequence[EmergencyOpening]:
    return db.session.scalars(_whole_opening(wanted).order_by(EmergencyOpening.id)).all()


def _newest_first(wanted: sa.Select[EmergencyOpening]) -> sa.Select[EmergencyOpening]:
    return _whole_opening(wanted).order_by(EmergencyOpening.id.desc())


def _whole_opening(wanted: sa.Select[EmergencyOpening]) -> sa.Select[EmergencyOpening]:
    return wanted.options(
        joinedload(EmergencyOpening.decision),
        joinedload(EmergencyOpening.review),
        selectinload(EmergencyOpening.delays),
    )


def _names(people: Collection[uuid.UUID]) -> dict[uuid.UUID | None, str]:
    users = db.session.scalars(sa.select(User).where(User.public_id.in_(people)))
    return {user.public_id: user.name for user in users}


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (joinedload(Episode.request),)


def _lines(episodes: Sequence[Episode]) -> list[CaseloadLine]:
    ids = [episode.id for episode in episodes]
    assessments, meetings = _assessments_of(ids), meetings_of(ids)
    return [
        CaseloadLine(episode, series_of(assessments[episode.id]), meetings[episode.id])
        for episode in episodes
    ]


def _assessments_of(episode_ids: Collection[int]) -> dict[int, list[Assessment]]:
    """{episode key: assessments of its client that may be read in it, in order}."""
    taken = (
        sa.select(Episode.id, Assessment)
        .join(Assessment, Assessment.client_id == Episode.client_id)
        .where(Episode.id.in_(episode_ids), scores_stay_open())
        .order_by(Assessment.taken_at, Assessment.id)
    )
    found: dict[int, list[Assessment]] = defaultdict(list)
    for episode_id, assessment in db.session.execute(taken):
        found[episode_id].append(assessment)
    return found
