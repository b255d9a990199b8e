"""Whom a preview of new weights is tried out on: lists that were shown → two lists each of today.

The newest list of each person in the last half year, under the privacy notice. Of more than `MOST`
a sample is looked at, chosen by the lists' random numbers, so that it is the same each time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

import matching
from core.database import db
from core.encryption import Unreadable
from core.errors import Erased
from matching import Standing
from matching.showing import A_THOUSANDTH
from practice.matches.market.changes import the_version
from practice.matches.market.in_place import market_for
from practice.matches.market.index import day_in
from practice.matches.models import Proposal
from practice.matches.policy import lists_under_notice
from practice.oversight.fairness.people import age_band, language_group
from practice.oversight.weights.figures import SHOWN, Seen
from practice.places import place
from practice.vocabularies import vocabulary

LOOKED_BACK = timedelta(days=183)
MOST = 2000
AT_ONCE = 100

Trial = tuple[matching.Weights, matching.Weights]


def newest_lists(since: datetime, most: int = MOST) -> tuple[int, list[int]]:
    """How many people were shown a list, and the keys of the newest lists of at most so many."""
    newest = (
        lists_under_notice()
        .with_only_columns(sa.func.max(Proposal.id).label("id"))
        .where(Proposal.made_at >= since)
        .group_by(Proposal.client_id)
        .subquery()
    )
    found = db.session.scalar(sa.select(sa.func.count()).select_from(newest)) or 0
    chosen = sa.select(Proposal.id).join(newest, newest.c.id == Proposal.id)
    keys = db.session.scalars(chosen.order_by(Proposal.public_id).limit(most))
    return found, list(keys)


def seen_by(keys: Collection[int], trial: Trial, at: datetime) -> Iterator[Seen | None]:
    """What each would see of today's market with the one and the other weights.

    None for a list that does not open. Nothing that was unsealed stays in memory.
    """
    version = the_version()
    rows = sa.select(Proposal).where(Proposal.id.in_(keys)).order_by(Proposal.id)
    for proposal in db.session.scalars(rows.options(joinedload(Proposal.client))).all():
        client = _asking_today(proposal, at)
        if client is None:
            yield None
            continue
        market = market_for(at, client.on, version)
        with market.held() as index:
            yield _seen(client, index, trial, market.prices.at(at))
    db.session.expunge_all()


def findable(at: datetime) -> int:
    """How many therapists can be found today, by anybody."""
    with market_for(at, at.date(), the_version()).held() as index:
        return len(index)


def _asking_today(proposal: Proposal, at: datetime) -> matching.Client | None:
    try:
        client = matching.Client.from_json(proposal.client_inputs)
    except (Erased, Unreadable, ValueError):
        return None
    return replace(client, on=day_in(client.place, at))


def _seen(
    client: matching.Client, index: matching.Index, trial: Trial, prices: matching.Prices
) -> Seen:
    before, after = (
        tuple(match.id for match in index.rank(client, weights, SHOWN, prices).results)
        for weights in trial
    )
    sums = {each: index.explain(client, each).lines for each in {*before, *after}}
    then, now = ([sums[each] for each in chosen] for chosen in (after, before))
    in_force, new = trial
    return Seen(
        groups=_groups_of(client),
        before=before,
        after=after,
        met={
            line.factor: (_met(line.factor, now), _met(line.factor, then))
            for line in (now[0] if now else ())
            if line.standing is not Standing.not_asked
        },
        gained=_fit(new, then) - _fit(new, now),
        given_up=_fit(in_force, now) - _fit(in_force, then),
    )


def _met(factor: str, sums: Sequence[Sequence[matching.Line]]) -> float:
    """The mean score in a factor, 0…1000."""
    scores = [line.score for lines in sums for line in lines if line.factor == factor]
    return sum(scores) / len(sums)


def _fit(weights: matching.Weights, sums: Sequence[Sequence[matching.Line]]) -> float:
    """The mean of the totals by these weights, of 1000; without what places are worth to others."""
    points = [weights.by_factor[line.factor] * line.score for lines in sums for line in lines]
    return sum(points) / (A_THOUSANDTH * len(sums)) if sums else 0.0


def _groups_of(client: matching.Client) -> dict[str, str | None]:
    """As the fairness audit has them, from what the list was made of."""
    payment = client.payment
    return {
        "age": None if client.age is None else age_band(client.age),
        "language": language_group(client.languages),
        "state": place(client.place).name,
        "payment": vocabulary("payments").label(payment.kind) if payment else None,
    }
