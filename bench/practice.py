"""Many invented therapists in the practice's own tables, a few statements for all of them.

They are what the market needs and no more: an account nobody can sign in to, an accepted
application, licences by the population of the states (`bench.world`), hours and a profile.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.world import COMPACT_SHARE, MOST_FURTHER, PLACES, SHARES
from practice.accounts.models import User
from practice.places import in_force_until, zone_of
from practice.seed.therapists import COMMON_APPROACHES, COMMON_CONCERNS, FURTHER_LANGUAGES
from practice.therapists.models import (
    Application,
    ApplicationState,
    Level,
    Licence,
    LicenceKind,
    LicenceState,
    Therapist,
    WeeklyHours,
)

FEES = (0, 4000, 6000, 8000, 10000, 12000, 14000, 16000, 20000)


def add_therapists(session: Session, count: int, chance: Random, at: datetime) -> None:
    first_user, first = _next_key(session, User), _next_key(session, Therapist)
    keys = [*zip(range(first_user, first_user + count), range(first, first + count), strict=True)]
    homes = chance.choices(PLACES, SHARES, k=count)
    pairs = [*zip(keys, homes, strict=True)]
    _insert(session, User, (_user(key, at) for (key, _), _ in pairs))
    _insert(session, Therapist, (_therapist(chance, *key, home, at) for key, home in pairs))
    _insert(session, Application, (_application(key, at) for (_, key), _ in pairs))
    _insert(session, Licence, _licences(chance, pairs, at))
    _insert(session, WeeklyHours, (row for (_, key), _ in pairs for row in _hours(chance, key)))


def _next_key(session: Session, model: Any) -> int:
    return (session.scalar(sa.select(sa.func.max(model.id))) or 0) + 1


def _insert(session: Session, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    session.execute(sa.insert(model.__table__), list(rows))


def _user(key: int, at: datetime) -> dict[str, Any]:
    return {
        "id": key,
        "public_id": uuid.uuid4(),
        "password_hash": "no password opens this",
        "created_at": at,
        "email_confirmed_at": at,
    }


def _therapist(chance: Random, user: int, key: int, home: str, at: datetime) -> dict[str, Any]:
    fee = chance.choice(FEES)
    return {
        "id": key,
        "public_id": uuid.UUID(int=chance.getrandbits(128), version=4),
        "user_id": user,
        "name": f"Person {key}",
        "profession": "psychologist",
        "level": Level.licensed,
        "voice": "We go at your pace and keep an eye on what helps.",
        "about": "",
        "npi": "",
        "zone": zone_of(home),
        "office": "",
        "meeting_link": "",
        "services": ["individual"],
        "formats": chance.choice((["online"], ["online", "in-person"])),
        "languages": ["en", *chance.sample(FURTHER_LANGUAGES, chance.randrange(2))],
        "skills": {each: chance.randint(1, 3) for each in chance.sample(COMMON_CONCERNS, 9)},
        "approaches": chance.sample(COMMON_APPROACHES, 3),
        "identities": {"gender": [chance.choice(("woman", "man"))]},
        "style": {"directive": chance.randint(-3, 3), "warm": chance.randint(-3, 3)},
        "payments": ["self-pay", "sliding"] if fee else ["free"],
        "fee": fee,
        "sliding_from": fee // 2,
        "youngest": 18,
        "most_acuity": chance.choice((1, 2, 2, 3)),
        "open_places": chance.choice((0, 1, 2, 2, 3, 4)),
        "hours_confirmed_at": at - timedelta(minutes=chance.randrange(13 * 24 * 60)),
        "created_at": at,
    }


def _application(key: int, at: datetime) -> dict[str, Any]:
    return {
        "public_id": uuid.uuid4(),
        "therapist_id": key,
        "state": ApplicationState.verified,
        "submitted_at": at,
        "changed_at": at,
        "asked": "",
    }


def _licences(chance: Random, pairs: list[Any], at: datetime) -> Iterator[dict[str, Any]]:
    for (_, key), home in pairs:
        yield _licence(chance, key, home, LicenceKind.state, at)
        if chance.random() < COMPACT_SHARE:
            for place in chance.sample(PLACES, chance.randint(1, MOST_FURTHER)):
                yield _licence(chance, key, place, LicenceKind.compact, at)


def _licence(
    chance: Random, key: int, place: str, kind: LicenceKind, at: datetime
) -> dict[str, Any]:
    expires_on = (at + timedelta(days=chance.randint(20, 700))).date()
    return {
        "public_id": uuid.uuid4(),
        "therapist_id": key,
        "kind": kind,
        "compact": "PSYPACT" if kind is LicenceKind.compact else "",
        "place": place,
        "profession": "psychologist",
        "number": f"LX{key}",
        "board": "The board",
        "expires_on": expires_on,
        "in_force_until": in_force_until(expires_on, place),
        "state": LicenceState.verified,
        "declared_at": at,
        "found_source": "The board",
        "found_at": at,
        "asked": "",
    }


def _hours(chance: Random, key: int) -> Iterator[dict[str, Any]]:
    starts = chance.choice((8, 9, 10, 12, 14))
    for day in chance.sample(range(6), chance.randint(3, 5)):
        yield {
            "therapist_id": key,
            "weekday": day,
            "starts": time(starts),
            "ends": time(starts + 7),
        }
