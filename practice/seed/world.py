"""A whole invented world of any size, the same for the same seed."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core.config import Settings
from practice.accounts.models import Client, Role, User
from practice.consent.operations import ensure_documents
from practice.groups.models import Group
from practice.intake.models import DutyShift
from practice.local_time import instant_at
from practice.seed.clients import ClientMaker, published_documents
from practice.seed.groups import GroupMaker
from practice.seed.people import Passwords, add_user
from practice.seed.seats import SeatMaker
from practice.seed.therapists import FATES, LIVE, ROUND, Maker
from practice.seed.track_record import let_some_agree
from practice.therapists.models import Therapist

STAFF = (
    ("admin@attune.example", "Judith Amari", (Role.administrator,)),
    ("admin2@attune.example", "Colm Ferris", (Role.administrator,)),
    ("duty@attune.example", "Mireille Aydın", (Role.duty_clinician,)),
    ("duty2@attune.example", "Benedikt Osei", (Role.duty_clinician,)),
    ("lead@attune.example", "Constance Whitfield", (Role.clinical_lead,)),
    ("records@attune.example", "Idris Vaughan", (Role.records_custodian,)),
)
ROTA_DAYS = range(-60, 10)


@dataclass(frozen=True)
class World:
    staff: dict[str, User]
    therapists: list[Therapist]
    groups: list[Group]
    clients: list[Client]


@dataclass(frozen=True)
class Size:
    therapists: int
    groups: int
    clients: int
    waiting: int = 0
    past: int = 0


def make_world(session: Session, settings: Settings, size: Size, seed: int, at: datetime) -> World:
    """Add staff, a rota, therapists, groups and clients to the running transaction."""
    chance = Random(seed)
    passwords = Passwords(
        PasswordHasher(settings.argon2_time_cost, settings.argon2_memory_kib, parallelism=1)
    )
    ensure_documents(session, at - timedelta(days=400))
    session.flush()
    staff = {
        email: add_user(session, passwords, email, name, roles, at) for email, name, roles in STAFF
    }
    session.flush()
    _rota(session, [staff["duty@attune.example"], staff["duty2@attune.example"]], settings, at)
    maker = Maker(session, chance, at, passwords, staff["admin@attune.example"])
    therapists = maker.make(size.therapists)
    live = _live(therapists)
    let_some_agree(session, live, at)
    groups = GroupMaker(session, chance, at).make(size.groups, live) if live else []
    client_maker = _clients(session, chance, at, passwords, staff, live)
    clients = client_maker.make(size.clients)
    seats = SeatMaker(session, chance, at, published_documents(session))
    seats.fill(groups, clients[len(clients) // 4 :])
    clients += client_maker.make_waiting(size.clients, size.waiting)
    clients += client_maker.make_past(size.clients + size.waiting, size.past)
    return World(staff, therapists, groups, clients)


def _live(therapists: list[Therapist]) -> list[Therapist]:
    return [one for number, one in enumerate(therapists) if FATES.get(number % ROUND, LIVE) is LIVE]


def _clients(
    session: Session,
    chance: Random,
    at: datetime,
    passwords: Passwords,
    staff: dict[str, User],
    live: list[Therapist],
) -> ClientMaker:
    documents = published_documents(session)
    duty = staff["duty@attune.example"]
    licensed = [therapist for therapist in live if not therapist.is_associate]
    return ClientMaker(session, chance, at, passwords, documents, duty, licensed)


def _rota(session: Session, clinicians: list[User], settings: Settings, at: datetime) -> None:
    """Two clinicians in turn, from eight to eight; nobody at night, and the pages say so."""
    today = at.astimezone(ZoneInfo(settings.zone)).date()
    for days in ROTA_DAYS:
        day = today + timedelta(days=days)
        session.add(
            DutyShift(
                user_id=clinicians[days % 2].id,
                starts_at=instant_at(day, time(8), settings.zone),
                ends_at=instant_at(day, time(20), settings.zone),
                created_at=at,
            )
        )
