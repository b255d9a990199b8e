"""What stands in each section of a profile, in a few words, for the overview."""

from collections.abc import Callable, Mapping

from practice.therapists.models import Therapist
from practice.therapists.presenting import (
    approach_pairs,
    main_concerns,
    payments_of,
    profession_of,
    published,
    services_of,
    title_of,
)


def summary_of(therapist: Therapist, section: str) -> str:
    """A few words about what they said there, or that they said nothing yet."""
    return SUMMARIES[section](therapist) or "Nothing yet"


def _supervisor(therapist: Therapist) -> str:
    if therapist.supervisor is None:
        return ""
    agreed = "agreed" if therapist.supervisor_confirmed_at else "has not agreed yet"
    return f"{therapist.supervisor.name}, {agreed}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


SUMMARIES: Mapping[str, Callable[[Therapist], str]] = {
    "about": lambda one: one.voice or one.about,
    "people": lambda one: ", ".join(services_of(one)),
    "concerns": lambda one: _counted(len(one.skills), "concern"),
    "skills": lambda one: ", ".join(main_concerns(one)),
    "practice": lambda one: ", ".join(name for name, _ in approach_pairs(one)),
    "style": lambda one: _counted(len(one.style), "answer"),
    "identities": lambda one: ", ".join(label for _, labels in published(one) for label in labels),
    "fees": lambda one: ", ".join(payments_of(one)),
    "profession": profession_of,
    "licences": lambda one: ", ".join(map(title_of, one.declared_licences)),
    "supervisor": _supervisor,
}
