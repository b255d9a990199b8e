"""Where tries are counted: the database, or Redis when there is one."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.orm import Session

from core.database import is_sqlite, unit_of_work
from practice.accounts.models import SignInAttempt

PATIENCE_SECONDS = 1.0
PREFIX = "attune:tries:"
# All keys are looked at before any is added to: a refused try counts nowhere.
# KEYS: one per limit; ARGV: now in milliseconds, the try's name, then most and milliseconds each.
ADD = """
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[1] - ARGV[2 + 2 * i])
  if redis.call('ZCARD', key) >= tonumber(ARGV[1 + 2 * i]) then return 0 end
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, ARGV[1], ARGV[2])
  redis.call('PEXPIRE', key, ARGV[2 + 2 * i])
end
return 1
"""


@dataclass(frozen=True)
class Limit:
    most: int
    within: timedelta


class TooMany(Exception):
    """A limit is reached."""


class StoreAway(Exception):
    """The count cannot be kept now."""


class DatabaseCounter:
    """Rows of `sign_in_attempts`; enough for as many machines as share the database."""

    def add(self, limits: dict[str, Limit], at: datetime) -> None:
        with unit_of_work() as session:
            _take_turn(session, limits)
            for key, limit in limits.items():
                if _tries(session, key, at - limit.within) >= limit.most:
                    raise TooMany
            session.add_all(SignInAttempt(counted=key, at=at) for key in limits)

    def forgive(self, account: str, browser: str | None = None) -> None:
        with unit_of_work() as session:
            session.execute(sa.delete(SignInAttempt).where(SignInAttempt.counted == account))
            if browser is not None:
                last = (
                    sa.select(sa.func.max(SignInAttempt.id))
                    .where(SignInAttempt.counted == browser)
                    .scalar_subquery()
                )
                session.execute(sa.delete(SignInAttempt).where(SignInAttempt.id == last))


class RedisCounter:
    """A sorted set a key, each try scored by its instant; add is one script, so it is atomic."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._add = self._redis.register_script(ADD)

    def add(self, limits: dict[str, Limit], at: datetime) -> None:
        now = int(at.timestamp() * 1000)
        arguments: list[str | int] = [now, uuid.uuid4().hex]
        for limit in limits.values():
            arguments += [limit.most, int(limit.within.total_seconds() * 1000)]
        try:
            added = self._add(keys=[PREFIX + key for key in limits], args=arguments)
        except redis.RedisError as error:
            raise StoreAway from error
        if not added:
            raise TooMany

    def forgive(self, account: str, browser: str | None = None) -> None:
        try:
            self._redis.delete(PREFIX + account)
            if browser is not None:
                self._redis.zpopmax(PREFIX + browser)
        except redis.RedisError as error:
            raise StoreAway from error


def _take_turn(session: Session, keys: Iterable[str]) -> None:
    """Of many tries at once each counts those before it; SQLite has one writer in any case."""
    if is_sqlite(session.connection()):
        return
    for key in sorted(keys):
        number = sa.func.hashtextextended(key, 0)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _tries(session: Session, key: str, since: datetime) -> int:
    tries = sa.select(sa.func.count()).where(SignInAttempt.counted == key, SignInAttempt.at > since)
    return session.scalar(tries) or 0
