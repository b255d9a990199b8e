"""What time alone makes due about requests, again and again, each in its own transaction."""

from datetime import datetime

from core.database import unit_of_work
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import operations
from practice.matches.models import MatchAlert, MatchRequest
from practice.matches.queries import footing_of, requests_that_wait, untold_alerts
from practice.matches.reviews import operations as review_operations
from practice.matches.reviews.cases import reviews_late
from practice.matches.reviews.models import MatchReview
from practice.matches.search import search_for
from practice.one_by_one import whatever_happens


def lapse_what_is_due(at: datetime) -> None:
    """Close every request whose answer, or whose first meeting, did not come in time."""
    for key in requests_that_wait(at):
        with unit_of_work() as session:
            request = session.get(MatchRequest, key)
            if request is not None:
                operations.lapse(session, request, at)


def say_what_is_late(at: datetime) -> None:
    """Escalate each person's look that was promised and has not come, once."""
    for key in reviews_late(at):
        with whatever_happens(), unit_of_work() as session:
            review = session.get(MatchReview, key)
            if review is not None:
                review_operations.say_it_is_late(session, review, at)


def tell_who_waits(at: datetime) -> None:
    """Write once to whoever asked to be told, as soon as somebody can be offered to them."""
    # Looked at first without a writing transaction: mostly there is nothing to write.
    fitting = [alert.id for alert in untold_alerts() if _somebody_fits(alert, at)]
    for key in fitting:
        with unit_of_work() as session:
            alert = session.get(MatchAlert, key)
            if alert is not None and alert.told_at is None:
                operations.tell(session, alert, at)


def _somebody_fits(alert: MatchAlert, at: datetime) -> bool:
    client = alert.client
    footing = footing_of(client)
    if not client.place or not footing.has_notice:
        return False
    answers = answers_of(latest_submitted(client))
    return search_for(client, answers, at, footing=footing).finds_somebody()
