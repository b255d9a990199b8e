"""A clock put back an hour, or forward again, breaks no page and gives nothing away twice."""

from datetime import timedelta

import sqlalchemy as sa

from core.database import db
from core.outbox import OutboxMessage, drain
from practice.groups.models import Enrolment, EnrolmentState
from practice.wiring import sweep
from tests.conftest import NOW
from tests.journeys.test_private_pages import EVERYBODY, OPEN_TO, Walk, audience_of, bank, walk

__all__ = ["bank", "walk"]

HOUR = timedelta(hours=1)


def test_with_the_clock_an_hour_back_everybody_stays_and_every_page_opens(walk: Walk) -> None:
    walk.app.extensions["clock"].move_to(NOW - HOUR)
    for name in EVERYBODY:
        assert "/sign-in" not in walk.ask(name, "/today").headers.get("Location", "")
    for endpoint, thing, address in walk.addresses("GET"):
        # `ask` fails on any error of ours.
        for name in sorted(audience_of(OPEN_TO, endpoint, thing))[-2:]:
            walk.ask(name, address)


def test_what_waits_is_done_once_whichever_way_the_clock_jumps(walk: Walk) -> None:
    clock, before = walk.app.extensions["clock"], states(walk)
    for at in (NOW - HOUR, NOW, NOW - HOUR, NOW + timedelta(minutes=1)):
        clock.move_to(at)
        sweep(walk.app, at)
        drain(walk.app, at, most=1_000)
    assert states(walk) == before
    with walk.app.app_context():
        messages = db.session.scalars(sa.select(OutboxMessage)).all()
        assert messages
        for message in messages:
            assert message.done_at or message.due_at > NOW, message.kind
            assert message.attempts <= 1, message.kind


def states(walk: Walk) -> list[EnrolmentState]:
    """Held and taken seats, as they stand: a hold counts from the clock that gave it."""
    with walk.app.app_context():
        return list(db.session.scalars(sa.select(Enrolment.state).order_by(Enrolment.id)))
