"""What was declared beside what was found, and what stands against verifying. No database."""

import enum
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from practice.credentials.models import LicenceCheck, NpiCheck
from practice.npi import find_fault
from practice.therapists.models import Licence, Therapist
from practice.vocabularies import vocabulary

# NCQA, credentialing standards from July 2025: at most 120 days between check and decision.
GOOD_FOR = timedelta(days=120)


class Verdict(enum.StrEnum):
    same = "same"
    differs = "differs"
    explained = "explained"
    noted = "noted"
    missing = "not found yet"


@dataclass(frozen=True)
class Row:
    """A line of the table. `fault` is the sentence against verifying, empty when none."""

    label: str
    declared: str
    found: str
    verdict: Verdict
    fault: str = ""


def compare_licence(licence: Licence, check: LicenceCheck | None) -> list[Row]:
    """Declared and found, line by line, for the newest look-up of a licence."""
    if check is None:
        return [
            Row("Name", licence.therapist.name, "", Verdict.missing, NOTHING_FOUND),
            Row("Number", licence.number, "", Verdict.missing),
            Row("Valid until", _day(licence.expires_on), "", Verdict.missing),
        ]
    return [
        _name_row(licence.therapist.name, check.found_name, check.same_person),
        _number_row(licence, check),
        _expiry_row(licence, check),
        _discipline_row(check),
    ]


def compare_npi(therapist: Therapist, check: NpiCheck | None) -> list[Row]:
    """Declared and found for the NPI. The registry is self-reported: a hint, never a proof."""
    profession = vocabulary("professions").label(therapist.profession)
    if check is None:
        return [Row("NPI", therapist.npi, "", Verdict.missing, "The NPI has not been looked up.")]
    return [
        _npi_row(therapist, check),
        _name_row(therapist.name, check.found_name, check.same_person, where="The NPI registry"),
        Row("Profession", profession, check.found_taxonomy, Verdict.noted),
    ]


def faults_of_licence(licence: Licence, check: LicenceCheck | None, at: datetime) -> list[str]:
    """Every reason, in a sentence each, why this licence cannot be verified now."""
    faults = [row.fault for row in compare_licence(licence, check) if row.fault]
    if check is not None:
        faults += _faults_of_age(check.retrieved_at, at, "The look-up")
        if check.recorded_at < licence.declared_at:
            faults.append("The licence was changed after it was looked up.")
    if at >= licence.in_force_until:
        faults.append("The licence has run out.")
    if find_fault(licence.therapist.npi):
        faults.append("The therapist’s NPI is not valid.")
    return faults


def faults_of_npi(therapist: Therapist, check: NpiCheck | None, at: datetime) -> list[str]:
    """Every reason why the NPI does not count as checked."""
    faults = [row.fault for row in compare_npi(therapist, check) if row.fault]
    if check is not None:
        faults += _faults_of_age(check.retrieved_at, at, "The look-up of the NPI")
    return faults


def names_agree(declared: str, found: str) -> bool:
    """Whether every word of the declared name is in the found one, in any order.

    Case, accents, hyphens and further names or initials in the register do not matter.
    """
    wanted, given = _words(declared), _words(found)
    return bool(wanted) and wanted <= given


def numbers_agree(declared: str, found: str) -> bool:
    """Whether two licence numbers are the same but for blanks, dots, dashes and case."""
    return bool(_bare(declared)) and _bare(declared) == _bare(found)


NOTHING_FOUND = "Nothing has been looked up yet."


def _name_row(declared: str, found: str, because: str, where: str = "The board") -> Row:
    if names_agree(declared, found):
        return Row("Name", declared, found, Verdict.same)
    if found and because:
        return Row("Name", declared, f"{found} ({because})", Verdict.explained)
    return Row("Name", declared, found, Verdict.differs, f"{where} shows another name.")


def _number_row(licence: Licence, check: LicenceCheck) -> Row:
    if numbers_agree(licence.number, check.found_number):
        return Row("Number", licence.number, check.found_number, Verdict.same)
    fault = "The board shows another number."
    return Row("Number", licence.number, check.found_number, Verdict.differs, fault)


def _expiry_row(licence: Licence, check: LicenceCheck) -> Row:
    declared, found = _day(licence.expires_on), _day(check.found_expires_on)
    if licence.expires_on == check.found_expires_on:
        return Row("Valid until", declared, found, Verdict.same)
    fault = "The board shows another last day, or none."
    return Row("Valid until", declared, found, Verdict.differs, fault)


def _discipline_row(check: LicenceCheck) -> Row:
    if not check.discipline:
        return Row("Discipline", "none", "none", Verdict.same)
    fault = "The board shows discipline or a restriction."
    return Row("Discipline", "none", "something is shown", Verdict.differs, fault)


def _npi_row(therapist: Therapist, check: NpiCheck) -> Row:
    if therapist.npi != check.npi:
        fault = "The NPI was changed after it was looked up."
        return Row("NPI", therapist.npi, check.npi, Verdict.differs, fault)
    if not check.check_digit_valid:
        fault = "The digits of the NPI do not fit together."
        return Row("NPI", therapist.npi, check.npi, Verdict.differs, fault)
    return Row("NPI", therapist.npi, check.npi, Verdict.same)


def _faults_of_age(retrieved_at: datetime, at: datetime, what: str) -> Iterator[str]:
    if at - retrieved_at > GOOD_FOR:
        yield f"{what} is more than {GOOD_FOR.days} days old."


def _words(name: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return set(re.findall(r"\w+", letters.replace("'", "").replace("’", "")))


def _bare(number: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", number.upper())


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else ""
