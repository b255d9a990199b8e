"""Recovery codes: ten, each good once in place of a second factor.

A code is its number and ten letters, "3-k7m2q-p8xv9": about 49 random bits, so they are hashed like
passwords (ASVS 5.0, 6.5.2). The number says which hash to compare, so a try costs one.
"""

import re
import secrets

from practice.accounts.passwords import hash_password, is_right

HOW_MANY = 10
LETTERS = 10
# Without 0, 1, i, l and o, which are taken for one another.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_codes() -> list[str]:
    return [_new_code(number) for number in range(HOW_MANY)]


def hash_code(code: str) -> str:
    """Slow by design, like a password's: never inside a unit of work."""
    return hash_password(_plain(code))


def number_of(code: str) -> int | None:
    """Which of the ten this is, None for what is no recovery code."""
    plain = _plain(code)
    well_formed = re.fullmatch(rf"[0-9][a-z0-9]{{{LETTERS}}}", plain)
    return int(plain[0]) if well_formed else None


def fits(code: str, code_hash: str | None) -> bool:
    return is_right(_plain(code), code_hash)


def _new_code(number: int) -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return f"{number}-{letters[:5]}-{letters[5:]}"


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()
