"""Guessing is slowed down: tries are counted by account and by browser address.

A browser that the account knows (`practice.accounts.known_browsers`) is counted by itself instead,
so that strangers who use up the account's tries do not keep its owner out.

Views call `count` before a try is judged, outside a unit of work. The database counts unless
`REDIS_URL` names a Redis (`practice.accounts.counters`). A try that cannot be counted is refused.
"""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Protocol

from flask import Flask, current_app

from core.config import Settings
from core.errors import Away, Refusal
from practice.accounts.counters import DatabaseCounter, Limit, RedisCounter, StoreAway, TooMany

KEPT_FOR = timedelta(days=1)


class TooManyTries(Refusal):
    message = (
        "There were many tries in a short time. Please wait a quarter of an hour, then try again."
    )


class SigningInAway(Away):
    """Without a count anybody could guess as often as they like, so nobody may try."""

    heading = "Signing in is not possible just now"
    message = (
        "Something we need to keep accounts safe does not answer. Whoever is signed in can go on. "
        "Please try again in a few minutes."
    )


class Kind(enum.StrEnum):
    """What is counted: signing in, its second step, a fresh proof, opening an account, mails.

    A challenge is what every page with a passkey asks for, by itself and long before a try.
    """

    sign_in = "sign in"
    second_factor = "second factor"
    step_up = "step up"
    sign_up = "sign up"
    mail = "mail"
    challenge = "challenge"


QUARTER = timedelta(minutes=15)
IPV6_NETWORK = 64
# A whole clinic may share one browser address, so that limit is the wider one.
BY_ADDRESS = {
    Kind.sign_in: Limit(10, QUARTER),
    Kind.second_factor: Limit(10, QUARTER),
    Kind.step_up: Limit(10, QUARTER),
    Kind.sign_up: Limit(5, QUARTER),
    Kind.mail: Limit(5, QUARTER),
}
BY_BROWSER = {
    Kind.sign_in: Limit(100, QUARTER),
    Kind.second_factor: Limit(100, QUARTER),
    Kind.step_up: Limit(100, QUARTER),
    Kind.sign_up: Limit(60, QUARTER),
    Kind.mail: Limit(60, QUARTER),
    Kind.challenge: Limit(600, QUARTER),
}


class Counter(Protocol):
    """Where tries are counted. Keys are hashes; each method raises StoreAway."""

    def add(self, limits: dict[str, Limit], at: datetime) -> None:
        """Count one try under every key, or none and raise TooMany once a limit is reached."""

    def forgive(self, account: str, browser: str | None = None) -> None:
        """Forget every try under `account` and the last one under `browser`, if one is named."""


@dataclass(frozen=True)
class _Keys:
    account: str
    browser: str


def install(app: Flask, settings: Settings) -> None:
    counter = RedisCounter(settings.redis_url) if settings.redis_url else DatabaseCounter()
    app.extensions["attempt_counter"] = counter


def count(kind: Kind, address: str, browser: str, at: datetime, known: str = "") -> None:
    """Count this try before it is judged; raises TooManyTries once a limit is reached.

    `address` is the e-mail address tried, known or not; `browser` where the request came from. An
    empty address (a passkey says by itself whose it is) counts for the browser alone. `known` is
    the name of a browser that the account knows: its tries count under that and nothing else.
    Raises SigningInAway when the count cannot be kept.
    """
    try:
        _counter().add(_limits(kind, address, browser, known), at)
    except TooMany:
        raise TooManyTries from None
    except StoreAway:
        raise SigningInAway from None


def forgive(kind: Kind, address: str, browser: str, known: str = "") -> None:
    """A try that succeeded does not count, nor do the ones before it for this address.

    What a known browser did says nothing of what strangers tried: theirs go on counting.
    """
    keys = _keys(kind, address, browser)
    try:
        if known:
            _counter().forgive(_known_key(kind, known))
        else:
            _counter().forgive(keys.account, keys.browser)
    except StoreAway:
        raise SigningInAway from None


def _counter() -> Counter:
    counter: Counter = current_app.extensions["attempt_counter"]
    return counter


def _limits(kind: Kind, address: str, browser: str, known: str) -> dict[str, Limit]:
    if known:
        return {_known_key(kind, known): BY_ADDRESS[kind]}
    keys = _keys(kind, address, browser)
    by_browser = {keys.browser: BY_BROWSER[kind]}
    return by_browser | {keys.account: BY_ADDRESS[kind]} if address else by_browser


def _known_key(kind: Kind, known: str) -> str:
    return _keyed_hash(f"{kind} known {known}")


def _keys(kind: Kind, address: str, browser: str) -> _Keys:
    return _Keys(
        _keyed_hash(f"{kind} address {address.strip().lower()}"),
        _keyed_hash(f"{kind} browser {_connection(browser)}"),
    )


def _connection(browser: str) -> str:
    """One connection is given 2**64 addresses of IPv6 to choose from: they count as one."""
    try:
        address = ip_address(browser)
    except ValueError:
        return browser
    if isinstance(address, IPv4Address):
        return browser
    return str(address.ipv4_mapped or ip_network((address, IPV6_NETWORK), strict=False))


def _keyed_hash(text: str) -> str:
    # Keyed, so that a copy of the table names neither addresses nor places.
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
