"""From a therapist's rows to the values the engine ranks and to what a match card prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import matching
from practice.places import zone_of
from practice.therapists.models import Therapist
from practice.therapists.presenting import (
    formats_of,
    hours_by_daypart,
    languages_of,
    main_concerns,
    payments_of,
    profession_of,
)
from practice.therapists.queries import LicenceEvidence
from practice.vocabularies import vocabulary

# Somebody who takes no fee suits whoever pays themselves, wholly or in part.
PAYS_THEMSELVES = frozenset({"self-pay", "sliding", "free"})


@dataclass(frozen=True)
class Profile:
    """What everybody may read about a therapist. `id` is their public id as text.

    `row_id` and `user_id` are inside keys: they never reach a page. `places` are those where they
    have authority; money is minor units.
    """

    id: str
    row_id: int
    user_id: int
    name: str
    initials: str
    profession: str
    voice: str
    zone: str
    fee: int | None
    sliding_from: int | None
    formats: tuple[str, ...]
    format_codes: frozenset[str]
    services: frozenset[str]
    languages: tuple[str, ...]
    concerns: tuple[str, ...]
    payments: tuple[str, ...]
    dayparts: tuple[tuple[str, str], ...]
    places: frozenset[str]
    evidence: tuple[LicenceEvidence, ...]
    supervisor: str
    has_room: bool

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name else ""

    def evidence_in(self, place: str) -> LicenceEvidence | None:
        """The licence that counts in this place; of several the one that lasts longest."""
        here = [licence for licence in self.evidence if licence.place == place]
        return max(here, key=lambda licence: licence.in_force_until, default=None)


def profile_of(
    therapist: Therapist, authority: Mapping[str, datetime], evidence: list[LicenceEvidence]
) -> Profile:
    return Profile(
        id=str(therapist.public_id),
        row_id=therapist.id,
        user_id=therapist.user_id,
        name=therapist.name,
        initials=therapist.initials,
        profession=profession_of(therapist),
        voice=therapist.voice,
        zone=therapist.zone,
        fee=therapist.fee,
        sliding_from=therapist.sliding_from,
        formats=tuple(formats_of(therapist)),
        format_codes=frozenset(therapist.formats),
        services=frozenset(therapist.services),
        languages=tuple(languages_of(therapist)),
        concerns=tuple(main_concerns(therapist)),
        payments=tuple(payments_of(therapist)),
        dayparts=tuple(hours_by_daypart(therapist.hours)),
        places=frozenset(authority),
        evidence=tuple(evidence),
        supervisor=_supervisor_of(therapist),
        has_room=therapist.open_places > 0,
    )


def engine_values(
    therapist: Therapist, authority: Mapping[str, datetime], on: date, currency: str
) -> matching.Therapist:
    """The engine's therapist: hours as the bits of the UTC week of `on`, licences as last days."""
    plans = _insurance_plans()
    return matching.Therapist(
        id=str(therapist.public_id),
        live=True,
        authority={place: last_day(until, place) for place, until in authority.items()},
        capacity=therapist.open_places,
        ages=(therapist.youngest, therapist.oldest),
        services=frozenset(therapist.services),
        acuity_max=therapist.most_acuity,
        languages=frozenset(therapist.languages),
        formats=frozenset(therapist.formats),
        payments=_ways_of_paying(therapist) - plans,
        insurers=frozenset(therapist.payments) & plans,
        fee=therapist.fee,
        sliding_from=therapist.sliding_from,
        currency=currency,
        hours=_bits(therapist, on),
        concerns=therapist.skills,
        approaches=frozenset(therapist.approaches),
        style={axis: value for axis, value in therapist.style.items() if value is not None},
        identities={name: frozenset(own) for name, own in therapist.identities.items() if own},
    )


def last_day(until: datetime, place: str) -> date:
    """The last whole day of a right that ends at the instant `until`, where the licence is from."""
    return (until - timedelta(seconds=1)).astimezone(ZoneInfo(zone_of(place))).date()


def _supervisor_of(therapist: Therapist) -> str:
    """Whoever holds a full licence may still name the one who supervised them before."""
    supervised = therapist.is_associate and therapist.supervisor
    return supervised.name if supervised else ""


def _bits(therapist: Therapist, on: date) -> int:
    windows = [
        matching.Window.of(hours.weekday, hours.starts, hours.ends) for hours in therapist.hours
    ]
    return matching.weekly_bits(windows, therapist.zone, on)


def _ways_of_paying(therapist: Therapist) -> frozenset[str]:
    ways = frozenset(therapist.payments)
    return ways | PAYS_THEMSELVES if therapist.fee == 0 else ways


def _insurance_plans() -> frozenset[str]:
    options = vocabulary("payments").term("insurance").options
    return frozenset(options.codes) if options else frozenset()
