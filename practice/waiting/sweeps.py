"""What time alone makes due on the waiting list, each in its own transaction."""

from datetime import datetime

from core.database import unit_of_work
from practice.one_by_one import whatever_happens
from practice.waiting import offers
from practice.waiting.models import Placement
from practice.waiting.queries import offers_due


def lapse_offers(at: datetime) -> None:
    """Let each place go that was kept for somebody who has not answered in time."""
    for key in offers_due(at):
        with whatever_happens(), unit_of_work() as session:
            placement = session.get(Placement, key)
            if placement is not None:
                offers.lapse(session, placement, at)
