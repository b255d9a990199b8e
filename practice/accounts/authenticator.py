"""Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits and 30 seconds.

That is what every app can do; a longer code or another hash is ignored by some of them.
"""

from datetime import datetime

import pyotp
import segno

STEP_SECONDS = 30
# The clock of a telephone may be half a minute off, and typing takes a while.
WINDOW = 1
DIGITS = 6


def new_secret() -> str:
    """160 random bits in base 32, as long as the hash (RFC 4226 §4)."""
    return pyotp.random_base32()


def step_of(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    return pyotp.TOTP(secret, digits=DIGITS).generate_otp(step)


def step_of_code(secret: str, code: str, at: datetime, last_step: int) -> int | None:
    """The time step this code is good for; None for a wrong one and one that was taken before.

    `last_step` is the step of the newest code taken so far: nothing up to it is taken again.
    """
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    found = None
    # Every step is compared, so that the time taken tells nothing.
    for step in range(step_of(at) - WINDOW, step_of(at) + WINDOW + 1):
        if pyotp.utils.strings_equal(typed, code_at(secret, step)) and step > last_step:
            found = step
    return found


def address_of(secret: str, email: str, organisation: str) -> str:
    """The otpauth:// address that an app reads from the picture."""
    return pyotp.TOTP(secret, digits=DIGITS).provisioning_uri(name=email, issuer_name=organisation)


def picture_of(address: str) -> str:
    """A QR code as a data: address of an SVG, dark on white in every theme."""
    picture = segno.make(address, error="m", micro=False)
    return str(picture.svg_data_uri(scale=5, border=3, dark="#000", light="#fff"))


def in_groups(secret: str) -> str:
    """The key as one types it: four letters at a time."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
