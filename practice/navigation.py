"""What every page's frame needs: who is signed in, where they can go, whom to call."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_login import current_user

from core.clock import now
from core.config import current_settings
from core.money import format_money
from practice.accounts.models import STAFF_ROLES, Role
from practice.places import place
from practice.web_address import is_web_address
from practice.when import (
    date_words,
    day_words,
    deadline_words,
    moment_words,
    time_words,
    zone_words,
)


@dataclass(frozen=True)
class Crisis:
    """Help right now (United States): 911, and the 988 Suicide & Crisis Lifeline."""

    emergency: str = "911"
    line_call: str = "988"
    line_text: str = "988"


@dataclass(frozen=True)
class Entry:
    label: str
    endpoint: str

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def current(self) -> bool:
        return request.endpoint == self.endpoint


VISITOR = (
    Entry("Therapists", "therapists.directory"),
    Entry("Groups", "groups.catalogue"),
    Entry("Sign in", "accounts.sign_in"),
)
CLIENT = (
    Entry("Today", "today.today"),
    Entry("Matches", "matches.index"),
    Entry("Groups", "groups.catalogue"),
    Entry("Consents", "consent.index"),
    Entry("Account", "accounts.account"),
)
EMERGENCIES = Entry("Emergencies", "care.emergencies")
BY_ROLE = {
    Role.therapist: (
        Entry("Today", "today.today"),
        Entry("Requests", "matches.inbox"),
        Entry("Caseload", "care.caseload"),
        Entry("Groups", "groups.led"),
        Entry("My profile", "therapists.profile"),
    ),
    Role.duty_clinician: (Entry("Flags", "intake.flags"), EMERGENCIES),
    Role.clinical_lead: (
        Entry("Flags", "intake.flags"),
        Entry("Waiting list", "waiting.waiting_list"),
        Entry("Second looks", "matches.reviews"),
        Entry("Fairness", "oversight.fairness"),
        Entry("Track record", "outcomes.track_record"),
        EMERGENCIES,
    ),
    Role.records_custodian: (
        Entry("Closed records", "care.records"),
        Entry("What must be kept", "privacy.kept"),
        EMERGENCIES,
    ),
    Role.administrator: (
        Entry("Credentials", "credentials.queue"),
        Entry("Staff", "oversight.staff"),
        Entry("Rota", "oversight.rota"),
        Entry("Documents", "oversight.documents"),
        Entry("Who did what", "oversight.log"),
        EMERGENCIES,
    ),
}
ACCOUNT = Entry("Account", "accounts.account")


def install(app: Flask) -> None:
    app.context_processor(_frame)
    app.add_template_filter(money, "money")
    app.add_template_test(is_web_address, "web_address")
    app.add_template_filter(lambda code: place(code).name, "place_name")
    for words in (day_words, time_words, moment_words, date_words, deadline_words, zone_words):
        app.add_template_filter(words)


def money(minor: int) -> str:
    return format_money(minor, current_settings().currency)


def _frame() -> dict[str, Any]:
    settings = current_settings()
    return {
        "signed_in": current_user.is_authenticated,
        "is_staff": _is_staff(),
        "navigation": _entries(),
        "crisis": Crisis(),
        "organisation": settings.organisation,
        "is_demo": settings.demo,
        "now": now(),
    }


def _is_staff() -> bool:
    return current_user.is_authenticated and bool(current_user.roles & STAFF_ROLES)


def _entries() -> list[Entry]:
    if not current_user.is_authenticated:
        return list(VISITOR)
    if not _is_staff():
        return list(CLIENT)
    entries = [
        entry for role, of_role in BY_ROLE.items() if current_user.has(role) for entry in of_role
    ]
    return [*dict.fromkeys(entries), ACCOUNT]
