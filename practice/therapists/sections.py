"""The sections of a profile: short pages, in the order in which they are offered."""

from dataclasses import dataclass

from core.errors import NotFound
from practice.therapists.forms import application, fees, sections


@dataclass(frozen=True)
class Section:
    """`then` is the section that follows when this one was saved; the overview otherwise."""

    key: str
    title: str
    lead: str
    form: type[sections.SectionForm]
    then: str = ""


SECTIONS = (
    Section(
        "about",
        "About you",
        "What a person reads first. Write as you would speak to somebody who has never"
        " been to therapy.",
        sections.AboutForm,
    ),
    Section(
        "people",
        "Whom you work with",
        "This decides who is offered to you. Nobody is told why they were not.",
        sections.PeopleForm,
    ),
    Section(
        "concerns",
        "Concerns you work with",
        "Choose what you have worked with. On the next page you say how well you know each one.",
        sections.ConcernsForm,
        then="skills",
    ),
    Section(
        "skills",
        "How well you know them",
        "Fits are better when only a few are what you know best.",
        sections.SkillsForm,
    ),
    Section(
        "practice",
        "How you work",
        "Approaches and languages are shown as what you say about yourself.",
        sections.PracticeForm,
    ),
    Section(
        "style",
        "Your style",
        "There is no better or worse end. People say the same about what they hope for.",
        sections.StyleForm,
    ),
    Section(
        "identities",
        "What you choose to publish about yourself",
        "Everything here is optional. What you choose is on your public profile, for everyone to"
        " read, and counts only for people who ask for it. Leave it empty and nothing is shown.",
        sections.IdentitiesForm,
    ),
    Section(
        "fees",
        "Fees and payment",
        "The full price is shown before anybody asks you.",
        fees.FeesForm,
    ),
    Section(
        "profession",
        "Profession and NPI",
        "Once you are verified, a change here takes your profile off the list until we have"
        " looked again.",
        application.ProfessionForm,
    ),
)
_BY_KEY = {section.key: section for section in SECTIONS}


def section_called(key: str) -> Section:
    """The section with this key; raises NotFound."""
    if key not in _BY_KEY:
        raise NotFound
    return _BY_KEY[key]
