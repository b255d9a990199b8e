"""Episodes for tests: opened by signing for a first meeting, as in life."""

from datetime import datetime

from sqlalchemy.orm import Session

from practice.accounts.models import Client
from practice.care.models import Episode
from practice.therapists.models import Therapist
from tests.builders.appointments import make_booked
from tests.builders.kept import kept
from tests.builders.matches import make_request
from tests.conftest import NOW


@kept
def make_episode(
    session: Session,
    client: Client | None = None,
    therapist: Therapist | None = None,
    *,
    nth: int = 0,
    at: datetime = NOW,
) -> Episode:
    request = make_request(session, client, therapist, accepted=True, at=at)
    episode = make_booked(session, request, nth=nth, at=at).episode
    assert episode is not None
    return episode
