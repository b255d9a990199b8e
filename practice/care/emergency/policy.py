"""Who may ask for, decide on, read under and review an emergency opening."""

from datetime import datetime

import sqlalchemy as sa
from flask_login import current_user

from core.access import Verdict
from practice.accounts.models import Client, Role, User
from practice.accounts.policy import has_role
from practice.care.emergency.models import (
    OPEN_FOR,
    WAITS_FOR,
    EmergencyOpening,
    OpeningDecision,
    OpeningKind,
)
from practice.consent.policy import beyond_consent
from practice.therapists.queries import is_verified

MAY_ASK = (
    Role.administrator,
    Role.clinical_lead,
    Role.duty_clinician,
    Role.records_custodian,
    Role.therapist,
)
MAY_DECIDE = (Role.administrator, Role.clinical_lead)
WHY_BEYOND = "an emergency opening rests on its rules, not on consent, and the client is told"

may_open_at_once = has_role(Role.duty_clinician)
reviews = has_role(Role.clinical_lead)
decides = has_role(*MAY_DECIDE)


def may_ask() -> Verdict:
    if not current_user.is_authenticated:
        return Verdict.sign_in
    return Verdict.allow if asks(current_user.user) else Verdict.not_found


def asks(user: User) -> bool:
    """Whoever works here. A therapist does once verified: to sign up as one proves nothing."""
    others = frozenset(MAY_ASK) - {Role.therapist}
    return user.has(*others) or (user.has(Role.therapist) and is_verified(user))


@beyond_consent(WHY_BEYOND)
def openings_asked_by(user: User) -> sa.Select[EmergencyOpening]:
    return sa.select(EmergencyOpening).where(EmergencyOpening.asked_by_id == user.id)


@beyond_consent(WHY_BEYOND)
def openings_read_by(user: User, at: datetime) -> sa.Select[EmergencyOpening]:
    """Those under which this person reads a record at `at`: begun, not ended, within the hour."""
    if not asks(user):
        return sa.select(EmergencyOpening).where(sa.false())
    return openings_asked_by(user).where(
        EmergencyOpening.opened_at <= at,
        EmergencyOpening.opened_at > at - OPEN_FOR,
        EmergencyOpening.ended_at.is_(None),
        _about_others(user),
    )


@beyond_consent(WHY_BEYOND)
def openings_to_decide(user: User, at: datetime) -> sa.Select[EmergencyOpening]:
    """Asked for by somebody else within the last day, about somebody else, and not answered."""
    if not user.has(*MAY_DECIDE):
        return sa.select(EmergencyOpening).where(sa.false())
    return sa.select(EmergencyOpening).where(
        EmergencyOpening.kind == OpeningKind.ordinary,
        EmergencyOpening.asked_by_id != user.id,
        EmergencyOpening.asked_at > at - WAITS_FOR,
        ~EmergencyOpening.decision.has(),
        _about_others(user),
    )


@beyond_consent(WHY_BEYOND)
def openings_in_danger(user: User) -> sa.Select[EmergencyOpening]:
    """Those opened at once by somebody else, for the clinical lead to review."""
    if not user.has(Role.clinical_lead):
        return sa.select(EmergencyOpening).where(sa.false())
    return sa.select(EmergencyOpening).where(
        EmergencyOpening.kind == OpeningKind.danger,
        EmergencyOpening.asked_by_id != user.id,
        _about_others(user),
    )


@beyond_consent(WHY_BEYOND)
def openings_visible_to(user: User, at: datetime) -> sa.Select[EmergencyOpening]:
    """One's own, those one decides or has decided, and those one reviews."""
    decided = EmergencyOpening.decision.has(OpeningDecision.user_id == user.id)
    parts = (openings_asked_by(user), openings_to_decide(user, at), openings_in_danger(user))
    ids = [part.with_only_columns(EmergencyOpening.id) for part in parts]
    listed = [EmergencyOpening.id.in_(one) for one in ids]
    return sa.select(EmergencyOpening).where(sa.or_(*listed, sa.and_(decided, _about_others(user))))


def _about_others(user: User) -> sa.ColumnElement[bool]:
    own = sa.select(Client.id).where(Client.user_id == user.id)
    return EmergencyOpening.client_id.not_in(own)
