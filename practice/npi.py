"""The check digit of a National Provider Identifier. A sound number is a hint, never a proof.

Source: CMS, "Requirements for National Provider Identifier and NPI Check Digit": ten digits, the
first 1 or 2, the last the Luhn check digit (ISO/IEC 7812) over 80840 and the other nine.
"""

import re
from dataclasses import dataclass

ISSUER_PREFIX = "80840"


@dataclass(frozen=True)
class Fault:
    """Why a text is no NPI: `brief` for a terminal, `kind` for the person filling in a form."""

    brief: str
    kind: str


def is_valid_npi(text: str) -> bool:
    return find_fault(text) is None


def npi_problem(text: str) -> str | None:
    """A sentence for a form, or None when the number is sound. Spaces are not forgiven here."""
    fault = find_fault(text)
    return fault.kind if fault else None


def find_fault(text: str) -> Fault | None:
    """The first thing wrong with the number, or None."""
    if not re.fullmatch("[0-9]{10}", text):
        return Fault("it must be ten digits", "An NPI is ten digits, with no spaces or dashes.")
    if text[0] not in "12":
        return Fault("the first digit must be 1 or 2", "An NPI begins with 1 or 2.")
    if text[9] != (expected := check_digit(text[:9])):
        return Fault(
            f"the check digit should be {expected}",
            "These digits do not fit together. Perhaps one is mistyped, or two are swapped.",
        )
    return None


def check_digit(nine: str) -> str:
    """The tenth digit that belongs to the first nine; ValueError unless they are nine digits."""
    if not re.fullmatch("[0-9]{9}", nine):
        raise ValueError("a check digit is computed from nine digits")
    return str(-_luhn_sum(ISSUER_PREFIX + nine) % 10)


def _luhn_sum(body: str) -> int:
    """The Luhn sum of a number whose check digit is still missing."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    return sum(sum(divmod(number, 10)) for number in doubled)
