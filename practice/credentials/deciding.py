"""Which decisions there are, who may take them alone, and what stands in words beside each."""

from dataclasses import dataclass

from practice.therapists.models import (
    APPLICATION_TRANSITIONS,
    LICENCE_TRANSITIONS,
    Application,
    ApplicationState,
    Licence,
    LicenceState,
)

Subject = Application | Licence
TAKEN_UP_FROM = (
    ApplicationState.submitted,
    ApplicationState.in_review,
    ApplicationState.verified,
)


@dataclass(frozen=True)
class Choice:
    """A decision that is open now; `takes_two` when a second administrator must confirm it."""

    to: str
    label: str
    takes_two: bool


LABELS = {
    "needs_info": "Ask for more",
    "verified": "Verify",
    "rejected": "Reject",
    "suspended": "Suspend at once",
    "in_review": "Open it again",
    "restricted": "Record that the board restricted it",
    "revoked": "Record that the board revoked it",
    "surrendered": "Record that it was surrendered",
}
# To ask, verify or reject is the end of a review; a suspension protects people and cannot wait.
ALONE = frozenset({"needs_info", "verified", "rejected", "suspended"})
# What the therapist is told in words of its own.
TOLD = frozenset({"needs_info", "rejected", "suspended"})


def kind_of(subject: Subject) -> str:
    return "licence" if isinstance(subject, Licence) else "application"


def open_choices(subject: Subject) -> list[Choice]:
    """The decisions that the state of the subject allows, in the order of LABELS."""
    allowed = {state.value for state in _next_states(subject)}
    return [
        Choice(to, _label(to), to not in ALONE)
        for to in LABELS
        if to in allowed and _is_ours(subject, to)
    ]


def waiting_to_be_taken_up(application: Application) -> list[Subject]:
    """What was sent and nobody has begun to look at: the application, licences, or both."""
    subjects: list[Subject] = [application, *application.therapist.declared_licences]
    return [subject for subject in subjects if subject.state.value == "submitted"]


def can_take_up(application: Application) -> bool:
    """A licence alone is taken up only for somebody whose application was accepted before."""
    sent = waiting_to_be_taken_up(application)
    return bool(sent) and application.state in TAKEN_UP_FROM


def takes_two(to: str) -> bool:
    return to not in ALONE


def _next_states(subject: Subject) -> frozenset[ApplicationState] | frozenset[LicenceState]:
    if isinstance(subject, Licence):
        return LICENCE_TRANSITIONS[subject.state]
    return APPLICATION_TRANSITIONS[subject.state]


def _is_ours(subject: Subject, to: str) -> bool:
    """Taking up what was submitted is no decision about it."""
    return not (to == "in_review" and subject.state.value == "submitted")


def _label(to: str) -> str:
    return f"{LABELS[to]} (a second administrator confirms it)" if takes_two(to) else LABELS[to]
