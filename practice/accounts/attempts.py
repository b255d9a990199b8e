"""Guessing is slowed down: tries are counted in the database by address and by browser."""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from core.errors import Refusal
from practice.accounts.models import SignInAttempt

KEPT_FOR = timedelta(days=1)


class TooManyTries(Refusal):
    message = (
        "There were many tries in a short time. Please wait a quarter of an hour, then try again."
    )


@dataclass(frozen=True)
class Limit:
    most: int
    within: timedelta


class Kind(enum.StrEnum):
    """What is counted: signing in, its second step, a fresh proof, or asking for a mail."""

    sign_in = "sign in"
    second_factor = "second factor"
    step_up = "step up"
    mail = "mail"


# A whole clinic may share one browser address, so that limit is the wider one.
BY_ADDRESS = {
    Kind.sign_in: Limit(10, timedelta(minutes=15)),
    Kind.second_factor: Limit(10, timedelta(minutes=15)),
    Kind.step_up: Limit(10, timedelta(minutes=15)),
    Kind.mail: Limit(5, timedelta(minutes=15)),
}
BY_BROWSER = {
    Kind.sign_in: Limit(100, timedelta(minutes=15)),
    Kind.second_factor: Limit(100, timedelta(minutes=15)),
    Kind.step_up: Limit(100, timedelta(minutes=15)),
    Kind.mail: Limit(60, timedelta(minutes=15)),
}


def count(session: Session, kind: Kind, address: str, browser: str, at: datetime) -> None:
    """Count this try before it is judged; raises TooManyTries once either limit is reached.

    `address` is the e-mail address tried, known or not; `browser` where the request came from.
    """
    for counted, limit in _counters(kind, address, browser):
        if _tries(session, counted, at - limit.within) >= limit.most:
            raise TooManyTries
        session.add(SignInAttempt(counted=counted, at=at))
    session.flush()


def forgive(session: Session, kind: Kind, address: str, browser: str) -> None:
    """A try that succeeded does not count, nor do the ones before it for this address."""
    of_address, of_browser = (counted for counted, _ in _counters(kind, address, browser))
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.counted == of_address))
    last = (
        sa.select(sa.func.max(SignInAttempt.id))
        .where(SignInAttempt.counted == of_browser)
        .scalar_subquery()
    )
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.id == last))


def _counters(kind: Kind, address: str, browser: str) -> list[tuple[str, Limit]]:
    return [
        (_keyed_hash(f"{kind} address {address}"), BY_ADDRESS[kind]),
        (_keyed_hash(f"{kind} browser {browser}"), BY_BROWSER[kind]),
    ]


def _tries(session: Session, counted: str, since: datetime) -> int:
    tries = sa.select(sa.func.count()).where(
        SignInAttempt.counted == counted, SignInAttempt.at > since
    )
    return session.scalar(tries) or 0


def _keyed_hash(text: str) -> str:
    # Keyed, so that a copy of the table names neither addresses nor places.
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
