"""The demo clinic of `make run`: sixty therapists, fourteen groups, forty clients and more."""

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from practice.accounts.models import User
from practice.accounts.queries import has_address
from practice.seed.clients import FIRST_OF_STAGE, Stage
from practice.seed.lists import decide_weights, show_lists
from practice.seed.paying import pay_for_seats
from practice.seed.people import PASSWORD
from practice.seed.world import Size, make_world

DEMO = Size(therapists=60, groups=14, clients=40, waiting=30, past=100)
SEED = 2026

LOGINS = (
    ("administrator", "admin@attune.example"),
    ("second administrator", "admin2@attune.example"),
    ("duty clinician", "duty@attune.example"),
    ("clinical lead", "lead@attune.example"),
    ("records custodian", "records@attune.example"),
    ("therapist", "therapist10@attune.example"),
    ("supervisor", "therapist1@attune.example"),
    ("associate", "therapist49@attune.example"),
    ("applying therapist", "therapist48@attune.example"),
    ("client, new", f"client{FIRST_OF_STAGE[Stage.agreed] + 1}@attune.example"),
    ("client, looking", f"client{FIRST_OF_STAGE[Stage.looking] + 1}@attune.example"),
    ("client, waiting", f"client{DEMO.clients + 1}@attune.example"),
    ("client, in care", f"client{FIRST_OF_STAGE[Stage.in_care] + 1}@attune.example"),
)


def seed_demo_if_empty(say: Callable[[str], None]) -> None:
    """Fill a database that has no people yet; otherwise leave it as it is."""
    if not is_empty():
        return
    say("The database is empty: making a demo clinic…")
    with unit_of_work() as session:
        world = make_world(session, current_settings(), DEMO, SEED, now())
        decide_weights(session, world.staff["admin@attune.example"], now())
    show_lists(now())
    pay_for_seats(now())


def is_empty() -> bool:
    return db.session.scalar(sa.select(User.id).limit(1)) is None


def logins() -> Iterator[str]:
    """One line for each role of the demo; none in a database that holds other people."""
    if not _is_demo():
        return
    yield f"Everybody's password is  {PASSWORD}"
    yield f"Staff type a code as well:  {current_settings().base_url}/demo/second-factor"
    for role, email in LOGINS:
        yield f"  {role:<22}{email}"


def _is_demo() -> bool:
    invented = sa.or_(*(has_address(email) for _, email in LOGINS))
    return db.session.scalar(sa.select(sa.func.count()).where(invented)) == len(LOGINS)
