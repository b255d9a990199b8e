"""A client's record as it is read outside their care: by the custodian, or in an emergency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from core.database import db
from practice.accounts.models import Client, User
from practice.care.emergency.models import EmergencyOpening
from practice.care.meetings import Meeting, meetings_of
from practice.care.models import ClosingNote, Episode, RecordLookup
from practice.care.policy import closed_episodes
from practice.care.scores import ScoreSeries, series_of
from practice.intake.models import Assessment, RiskFlag
from practice.matches.sharing import SharedItem, in_lines


@dataclass(frozen=True)
class RecordPart:
    """One episode: what was shared for it, its meetings, and the closing notes."""

    episode: Episode
    shared: list[SharedItem]
    meetings: list[Meeting]
    notes: list[ClosingNote]


@dataclass(frozen=True)
class ClosedRecord:
    """What the custodian holds: ended care only, with the scores taken until the last of it."""

    lookup: RecordLookup
    client: Client
    parts: list[RecordPart]
    scores: list[ScoreSeries]


@dataclass(frozen=True)
class EmergencyRecord:
    """What an emergency opening shows; `scores` end with the latest."""

    opening: EmergencyOpening
    client: Client
    flags: Sequence[RiskFlag]
    parts: list[RecordPart]
    scores: list[ScoreSeries]


def closed_record(user: User, lookup: RecordLookup, at: datetime) -> ClosedRecord | None:
    """None when nothing of it is closed any longer, or not yet."""
    theirs = closed_episodes(user, at).where(Episode.client_id == lookup.client_id)
    parts = _parts(theirs)
    if not parts:
        return None
    last = max(part.episode.ended_at or at for part in parts)
    return ClosedRecord(lookup, lookup.client, parts, _scores(lookup.client, last))


def record_under(opening: EmergencyOpening, at: datetime) -> EmergencyRecord:
    """The caller has the opening from `openings_read_by`."""
    client = opening.client
    return EmergencyRecord(
        opening,
        client,
        _flags_of(client),
        _parts(sa.select(Episode).where(Episode.client_id == client.id)),
        _scores(client, at),
    )


def _parts(wanted: sa.Select[Episode]) -> list[RecordPart]:
    whole = wanted.options(joinedload(Episode.request), selectinload(Episode.closing_notes))
    episodes = db.session.scalars(whole.order_by(Episode.opened_at, Episode.id)).all()
    meetings = meetings_of([one.id for one in episodes])
    return [
        RecordPart(
            one,
            in_lines(one.request.shared) if one.request else [],
            meetings[one.id],
            list(one.closing_notes),
        )
        for one in episodes
    ]


def _scores(client: Client, until: datetime) -> list[ScoreSeries]:
    taken = sa.select(Assessment).where(
        Assessment.client_id == client.id, Assessment.taken_at <= until
    )
    ordered = taken.order_by(Assessment.taken_at, Assessment.id)
    return list(series_of(list(db.session.scalars(ordered))).values())


def _flags_of(client: Client) -> Sequence[RiskFlag]:
    raised = sa.select(RiskFlag).where(RiskFlag.client_id == client.id)
    return db.session.scalars(raised.order_by(RiskFlag.raised_at.desc(), RiskFlag.id.desc())).all()
