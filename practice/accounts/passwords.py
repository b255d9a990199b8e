"""Passwords: which ones are taken, and how they are kept (argon2id, RFC 9106)."""

import secrets
import unicodedata
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from core.config import current_settings

SHORTEST = 8
LONGEST = 128
LANES = 1


def find_fault(password: str, email: str = "") -> str | None:
    """What speaks against a new password, in words for its owner; None when nothing does.

    Length and known passwords count, a mixture of characters does not (NIST SP 800-63B §5.1.1.2).
    """
    if len(password) < SHORTEST:
        return f"Please use at least {SHORTEST} characters. A few words in a row work well."
    if len(password) > LONGEST:
        return f"Please use at most {LONGEST} characters."
    if _is_easily_guessed(password.casefold(), email.casefold()):
        return "This password is easy to guess. A few words that only you put together are better."
    return None


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


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with other costs than today's settings."""
    return _hasher().check_needs_rehash(password_hash)


def _is_easily_guessed(password: str, email: str) -> bool:
    name = email.partition("@")[0]
    return (
        password in _common_passwords()
        or len(set(password)) < 3
        or password == email
        or (len(name) >= 4 and password.strip("0123456789!.-_") == name)
    )


@cache
def _common_passwords() -> frozenset[str]:
    text = files("practice.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


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
