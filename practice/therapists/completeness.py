"""What a profile still lacks before the application can be sent. No database, no clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from practice.npi import is_valid_npi
from practice.therapists.models import LicenceKind, Therapist


@dataclass(frozen=True)
class Missing:
    """Something to add: in words, and the section of the profile where it goes."""

    text: str
    section: str


def missing_from(therapist: Therapist) -> list[Missing]:
    """Everything still needed, in the order of the sections."""
    return [missing for check in CHECKS for missing in check(therapist)]


def _voice(therapist: Therapist) -> Iterator[Missing]:
    if not therapist.about:
        yield Missing("A few lines about you", "about")


def _people(therapist: Therapist) -> Iterator[Missing]:
    if not therapist.skills:
        yield Missing("At least one concern that you work with", "concerns")
    if not therapist.services:
        yield Missing("Whom you see: one person, couples, families or groups", "people")


def _ways(therapist: Therapist) -> Iterator[Missing]:
    if not therapist.approaches:
        yield Missing("At least one approach", "practice")
    if not therapist.languages:
        yield Missing("At least one language", "practice")
    if not therapist.formats:
        yield Missing("How people can meet you", "practice")
    if "in-person" in therapist.formats and not therapist.office:
        yield Missing("The address of your room, since you meet in person", "practice")
    if "online" in therapist.formats and not therapist.meeting_link:
        yield Missing("The link to your video room, since you meet online", "practice")


def _fees(therapist: Therapist) -> Iterator[Missing]:
    if not therapist.payments:
        yield Missing("How people can pay you", "fees")
    if therapist.fee is None:
        yield Missing("Your fee for a session", "fees")


def _credentials(therapist: Therapist) -> Iterator[Missing]:
    if not is_valid_npi(therapist.npi):
        yield Missing("Your NPI", "profession")
    if not _usable_licences(therapist):
        kind = "state licence" if therapist.is_associate else "licence"
        yield Missing(f"At least one {kind}", "licences")
    if therapist.is_associate and therapist.supervisor is None:
        yield Missing("Your supervisor", "supervisor")


def _usable_licences(therapist: Therapist) -> bool:
    """Compacts admit no supervisees, so an associate needs a licence of the state itself."""
    kinds = {licence.kind for licence in therapist.declared_licences}
    return LicenceKind.state in kinds if therapist.is_associate else bool(kinds)


CHECKS: tuple[Callable[[Therapist], Iterator[Missing]], ...] = (
    _voice,
    _people,
    _ways,
    _fees,
    _credentials,
)
