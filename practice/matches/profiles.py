"""What a match card prints of a therapist, read for those who are shown."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from core.database import db
from practice.hours import Daypart
from practice.therapists.models import Therapist
from practice.therapists.presenting import (
    formats_of,
    hours_by_daypart,
    languages_of,
    payments_of,
    printed_parts,
    profession_of,
)
from practice.therapists.queries import LicenceEvidence, licence_evidence


@dataclass(frozen=True)
class Profile:
    """What everybody may read about a therapist. `id` is their public id; money is minor units.

    `parts` are those of the week that are printed, on the clock of `zone`: never exact hours.
    """

    id: str
    name: str
    initials: str
    profession: str
    voice: str
    fee: int | None
    sliding_from: int | None
    formats: tuple[str, ...]
    languages: tuple[str, ...]
    payments: tuple[str, ...]
    zone: str
    parts: tuple[tuple[int, Daypart], ...]
    dayparts: tuple[tuple[str, str], ...]
    evidence: tuple[LicenceEvidence, ...]
    supervisor: str

    def evidence_in(self, place: str) -> LicenceEvidence | None:
        """The licence that counts in this place; of several the one that lasts longest."""
        here = [licence for licence in self.evidence if licence.place == place]
        return max(here, key=lambda licence: licence.in_force_until, default=None)


def profiles_of(public_ids: Iterable[str], at: datetime) -> list[Profile]:
    """Three queries, however many are asked for; whoever has no profile is left out."""
    meant = Therapist.public_id.in_([uuid.UUID(public_id) for public_id in public_ids])
    therapists = db.session.scalars(
        sa.select(Therapist)
        .where(meant)
        .options(selectinload(Therapist.hours), joinedload(Therapist.supervisor))
    ).all()
    evidence = licence_evidence([one.id for one in therapists], at)
    return [_profile_of(one, evidence[one.id]) for one in therapists]


def _profile_of(therapist: Therapist, evidence: list[LicenceEvidence]) -> Profile:
    return Profile(
        id=str(therapist.public_id),
        name=therapist.name,
        initials=therapist.initials,
        profession=profession_of(therapist),
        voice=therapist.voice,
        fee=therapist.fee,
        sliding_from=therapist.sliding_from,
        formats=tuple(formats_of(therapist)),
        languages=tuple(languages_of(therapist)),
        payments=tuple(payments_of(therapist)),
        zone=therapist.zone,
        parts=printed_parts(therapist.hours),
        dayparts=tuple(hours_by_daypart(therapist.hours)),
        evidence=tuple(evidence),
        supervisor=_supervisor_of(therapist),
    )


def _supervisor_of(therapist: Therapist) -> str:
    """Whoever holds a full licence may still name the one who supervised them before."""
    supervised = therapist.is_associate and therapist.supervisor
    return supervised.name if supervised else ""
