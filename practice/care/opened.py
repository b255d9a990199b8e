"""Who opened a client's record, in words that the client reads."""

from dataclasses import dataclass
from datetime import datetime

from core.audit import AuditEntry
from practice.accounts.models import Role
from practice.care.emergency.models import OpeningReason
from practice.care.models import LookupReason
from practice.matches.replaying import VIEWED, ReplayReason

# Every act that ends in ".viewed": what the page showed of the client.
WHAT = {
    "copy.viewed": "Everything of yours, as one copy",
    "caseload.viewed": "The list of people in their care, with your scores",
    "record.viewed": "Your record: what you shared, your scores and meetings",
    "end_of_care.viewed": "The page on which your care is ended",
    "closing_notes.viewed": "The closing notes about your care",
    "closed_records.viewed": "That there is a closed record of yours",
    "closed_record.viewed": "Your closed record",
    "kept_records.viewed": "That something of yours must be kept, and until when",
    "emergency.viewed": "Your record, opened in an emergency",
    "emergency_request.viewed": "Why somebody asked to open your record",
    "request.viewed": "What you shared when you asked them",
    "inbox.viewed": "The list of people who asked them, with the name you gave",
    "review.viewed": "What you asked a person to look at: your wishes, and what you wrote",
    "reviews.viewed": "The list of people who asked for a look, with the name you gave",
    VIEWED: "How one of your matches came about: who stood in it and the points, "
    "without your answers and without your name",
    "waiting_list.viewed": "The list of people who wait for a place, with the name you gave",
    "placement.viewed": "Whom was proposed for you, and your wishes; or that you are on that list",
    "meeting.viewed": "A meeting with you",
    "day.viewed": "The list of their coming meetings, with your name",
    "flag.viewed": "A worry about your safety",
    "flags.viewed": "The list of worries about safety, without names",
    "roster.viewed": "The list of people in a group, and why you asked to join",
}
SOMETHING = "Something of yours"
# Why each role reads at all, where no reason was given for the single act.
BY_ROLE = {
    Role.therapist: "They treat you, or you asked them",
    Role.supervisor: "They supervise your therapist",
    Role.duty_clinician: "They read worries about safety",
    Role.clinical_lead: "They answer for the clinicians",
    Role.records_custodian: "They keep closed records",
    Role.administrator: "They decided on somebody’s request",
}
# Acts that are there only because the client asked for them.
YOU_ASKED = {
    "review.viewed": "You asked a person to look",
    "reviews.viewed": "You asked a person to look",
}
# By how the name of the act begins: from what the reason was chosen.
REASONS: dict[str, type[OpeningReason | LookupReason | ReplayReason]] = {
    "emergency": OpeningReason,
    "closed_record": LookupReason,
    VIEWED: ReplayReason,
}
NOBODY = "Somebody who no longer works here"
# Not a role that anybody holds: commands know no names.
OPERATOR = "operator"
RUNS_THE_SERVER = "Whoever runs the server"


@dataclass(frozen=True)
class Opening:
    """One reading by somebody else. `at` is UTC; the labels are whole, plain words."""

    at: datetime
    who_label: str
    role_label: str
    what_label: str
    reason_label: str


def opening_of(entry: AuditEntry, who: str) -> Opening:
    return Opening(
        at=entry.at,
        who_label=who or (RUNS_THE_SERVER if entry.actor_role == OPERATOR else NOBODY),
        role_label=_role_label(entry.actor_role),
        what_label=WHAT.get(entry.action, SOMETHING),
        reason_label=_reason_label(entry),
    )


def _role_label(role: str) -> str:
    return role.replace("_", " ").capitalize()


def _reason_label(entry: AuditEntry) -> str:
    reason = entry.details.get("reason", "")
    for kind, reasons in REASONS.items():
        if entry.action.startswith(kind) and reason in set(reasons):
            return str(reasons(reason).label)
    if entry.action == "caseload.viewed":
        # One page, and one row, for one's own people and those of one's associates.
        return "They treat you, or supervise who does"
    if entry.action in YOU_ASKED:
        return YOU_ASKED[entry.action]
    if entry.actor_role == OPERATOR:
        return "A copy of everything was asked for"
    if entry.actor_role in set(Role):
        return BY_ROLE.get(Role(entry.actor_role), "")
    return ""
