"""Passwords: which ones are taken, and how they are kept (argon2id, RFC 9106)."""

import secrets
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from core.config import current_settings
from practice.accounts.guessing import is_easily_guessed

SHORTEST = 15
SHORTEST_WITH_SECOND_FACTOR = 8
LONGEST = 1000
LANES = 1
WORDS = "A few words in a row work well."


def find_fault(
    password: str, about: Iterable[str] = (), *, second_factor: bool = False
) -> str | None:
    """What speaks against a new password, in words for its owner; None when nothing does.

    Length and known passwords count, a mixture of characters does not (NIST SP 800-63B-4
    §3.1.1.2). `about` is what a guesser would try first: the address and the name.
    """
    shortest = SHORTEST_WITH_SECOND_FACTOR if second_factor else SHORTEST
    if length(password) < shortest:
        return f"Please use at least {shortest} characters. {WORDS}"
    if length(password) > LONGEST:
        return f"Please use at most {LONGEST:,} characters."
    if is_easily_guessed(_normal(password), [_normal(text) for text in about]):
        return "This password is easy to guess. A few words that only you put together are better."
    return None


def is_short(password: str) -> bool:
    """Whether only an account with a second factor may have it."""
    return length(password) < SHORTEST


def length(password: str) -> int:
    """Characters as they are kept, one a code point."""
    return len(_normal(password))


def hash_password(password: str) -> str:
    """The hash that is kept. It takes a while by design: never call it inside a unit of work."""
    return _hasher().hash(_normal(password))


def is_right(password: str, password_hash: str | None) -> bool:
    """Whether the password fits. Without a hash just as much work is done for a no."""
    known = password_hash is not None and password_hash.startswith("$argon2")
    try:
        fits = _hasher().verify(password_hash if known else _hash_of_nobody(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return known and fits


def renewed(password: str, password_hash: str) -> str | None:
    """A hash at today's costs for a password that was right; None when the kept one has them."""
    return hash_password(password) if is_outdated(password_hash) else None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with other costs than today's settings."""
    return _hasher().check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    # The same letter typed on two keyboards can be different code points.
    return unicodedata.normalize("NFKC", password)


def _hasher() -> PasswordHasher:
    settings = current_settings()
    return PasswordHasher(
        time_cost=settings.argon2_time_cost,
        memory_cost=settings.argon2_memory_kib,
        parallelism=LANES,
    )


def _hash_of_nobody() -> str:
    """The hash of a password nobody knows, so that an unknown address costs as much time."""
    kept: str | None = current_app.extensions.get("hash_of_nobody")
    if kept is None:
        kept = current_app.extensions["hash_of_nobody"] = _hasher().hash(secrets.token_urlsafe())
    return kept
