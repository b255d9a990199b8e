"""Browsers that an account knows: strangers' guesses at its password do not lock them out.

Whoever has signed in leaves with a token in a cookie (what OWASP calls a device cookie). It opens
nothing and proves nothing: it only says that wrong tries from this browser are counted under its
own name, not under the address that strangers guess at too. Nothing of it is kept here.

A token is `seconds.nonce.mac`: when it was made, 128 random bits, and an HMAC-SHA-256 over both,
the account and its round. A new password, and signing out everywhere, begin a new round.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import after_this_request, request
from werkzeug.wrappers import Response

from core import keys
from core.clock import now
from core.config import current_settings
from core.database import db
from practice.accounts.models import User
from practice.accounts.queries import has_address

GOOD_FOR = timedelta(days=90)
MOST_ACCOUNTS = 5
NONCE_BYTES = 16
BETWEEN = "~"


@dataclass(frozen=True)
class _Account:
    public_id: uuid.UUID
    round: int


# Stands in for the account of an address that nobody has, so that asking costs the same.
NOBODYS = _Account(uuid.UUID(int=0), 0)


def name_here(email: str) -> str:
    """Under which name this browser's tries at this address count; "" if it is a stranger's."""
    tokens = _tokens()
    if not tokens:
        return ""
    account = _account_of(email) or NOBODYS
    return next((token for token in tokens if _is_good(token, account, now())), "")


def know_here(user: User) -> None:
    """This browser has just shown that it is this person's: the answer takes a token to it."""
    account, at = _Account(user.public_id, user.known_round), now()
    others = [token for token in _tokens() if not _is_good(token, account, at)]
    _send([_new_token(account, at), *others[: MOST_ACCOUNTS - 1]])


def forget_all(user: User) -> None:
    """Every browser is a stranger's again to this account."""
    user.known_round = User.known_round + 1


def forget_here(answer: Response) -> Response:
    """Nothing in this browser tells any more that somebody signed in on it."""
    answer.delete_cookie(_cookie(), secure=current_settings().served_over_tls, httponly=True)
    return answer


def _account_of(email: str) -> _Account | None:
    # Two columns and no more: a known address must not cost a statement that an unknown one saves.
    wanted = sa.select(User.public_id, User.known_round).where(has_address(email))
    row = db.session.execute(wanted).first()
    return _Account(row.public_id, row.known_round) if row else None


def _new_token(account: _Account, at: datetime) -> str:
    made, nonce = str(int(at.timestamp())), secrets.token_urlsafe(NONCE_BYTES)
    return f"{made}.{nonce}.{_mac(account, made, nonce)}"


def _is_good(token: str, account: _Account, at: datetime) -> bool:
    made, nonce, mac = token.split(".")
    is_ours = hmac.compare_digest(mac.encode(), _mac(account, made, nonce).encode())
    return is_ours and at - datetime.fromtimestamp(int(made), UTC) < GOOD_FOR


def _mac(account: _Account, made: str, nonce: str) -> str:
    said = f"{account.public_id}.{account.round}.{made}.{nonce}"
    return hmac.digest(keys.derived("known browsers"), said.encode(), "sha256").hex()


def _tokens() -> list[str]:
    """What the cookie holds, well-formed or left out; who wrote it is seen token by token."""
    held = request.cookies.get(_cookie(), "").split(BETWEEN)
    return [token for token in held[:MOST_ACCOUNTS] if token.count(".") == 2]


def _send(tokens: list[str]) -> None:
    name, tls = _cookie(), current_settings().served_over_tls

    @after_this_request
    def send(response: Response) -> Response:
        response.set_cookie(
            name, BETWEEN.join(tokens), httponly=True, secure=tls, samesite="Lax",
            max_age=int(GOOD_FOR.total_seconds()),
        )  # fmt: skip
        return response


def _cookie() -> str:
    return "__Host-attune-known" if current_settings().served_over_tls else "attune-known"
