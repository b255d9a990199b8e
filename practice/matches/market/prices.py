"""What the newest run of the waiting list has left: what places are worth to those who wait.

Until the next run whoever looks at their matches is ranked by points less price, so that a place
that is scarce goes to those who gain by it what others would lose. Prices count for `COUNT_FOR`
from the run; then, or when the clinical lead takes them back, they count for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

import matching
from core.database import db
from matching.allocation.candidates import MOST_POINTS
from matching.prices import NO_PRICES
from practice.matches.models import MarketPrices

COUNT_FOR = timedelta(days=7)
THE_ROW = 1


@dataclass(frozen=True)
class PricesInForce:
    """Prices in points with the instants from which and up to which they count."""

    prices: matching.Prices
    since: datetime | None = None
    until: datetime | None = None

    def at(self, at: datetime) -> matching.Prices:
        return self.prices if self.until is not None and at < self.until else NO_PRICES


NOTHING_COSTS = PricesInForce(NO_PRICES)


def newest_prices() -> PricesInForce:
    """As the last run has left them; one query."""
    columns = MarketPrices.points, MarketPrices.since, MarketPrices.until
    row = db.session.execute(sa.select(*columns).where(MarketPrices.id == THE_ROW)).first()
    return NOTHING_COSTS if row is None else PricesInForce(matching.Prices(row[0]), row[1], row[2])


def set_prices(session: Session, points: Mapping[str, int], at: datetime) -> None:
    """In the place of those before. Raises BadValue."""
    row = session.get(MarketPrices, THE_ROW)
    if row is None:
        row = MarketPrices(id=THE_ROW)
        session.add(row)
    # Beyond a full match a price says no more.
    within = {each: min(price, MOST_POINTS) for each, price in points.items()}
    row.points, row.since, row.until = dict(matching.Prices(within)), at, at + COUNT_FOR
    session.flush()


def clear_prices(session: Session, at: datetime) -> None:
    if session.get(MarketPrices, THE_ROW) is not None:
        set_prices(session, {}, at)
