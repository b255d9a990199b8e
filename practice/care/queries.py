"""Reads of episodes, shaped for the caseload: the same few queries for any number of clients."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from core.database import db
from practice.accounts.models import User
from practice.care.meetings import Meeting, meetings_of
from practice.care.models import Episode
from practice.care.policy import episodes_visible_to, own_episodes, scores_stay_open
from practice.care.scores import ScoreSeries
from practice.intake.instruments import INSTRUMENTS
from practice.intake.models import Assessment

SHOWN = ("phq-9", "gad-7")


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


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (joinedload(Episode.request),)


def _lines(episodes: Sequence[Episode]) -> list[CaseloadLine]:
    ids = [episode.id for episode in episodes]
    assessments, meetings = _assessments_of(ids), meetings_of(ids)
    return [
        CaseloadLine(episode, _series(assessments[episode.id]), meetings[episode.id])
        for episode in episodes
    ]


def _series(assessments: list[Assessment]) -> dict[str, ScoreSeries]:
    found = {
        code: ScoreSeries(INSTRUMENTS[code], [one for one in assessments if one.instrument == code])
        for code in SHOWN
    }
    return {code: series for code, series in found.items() if series.assessments}


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
