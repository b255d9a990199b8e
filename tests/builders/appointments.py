"""Meetings for tests, held or booked by the operations that people use."""

from datetime import datetime

from sqlalchemy.orm import Session

from practice.appointments import operations
from practice.appointments.models import Appointment
from practice.appointments.queries import free_times
from practice.consent.operations import ensure_documents
from practice.matches.models import MatchRequest
from tests.builders.kept import kept
from tests.builders.matches import make_request
from tests.conftest import NOW

EVIDENCE = {"typed_name": "Sam Doe", "ticked": True}


@kept
def make_held(
    session: Session, request: MatchRequest | None = None, *, nth: int = 0, at: datetime = NOW
) -> Appointment:
    """The nth free time, held for the client of an accepted request."""
    request = request or make_request(session, accepted=True, at=at)
    starts_at = free_times(session, request, at)[nth].starts_at
    return operations.choose(session, request, starts_at, "online", request.client.user, at)


@kept
def make_booked(
    session: Session, request: MatchRequest | None = None, *, nth: int = 0, at: datetime = NOW
) -> Appointment:
    """Signed for and booked, so that an episode is open."""
    ensure_documents(session, at)
    held = make_held(session, request, nth=nth, at=at)
    operations.sign_and_book(session, held, EVIDENCE, held.client.user, at)
    return held
