"""A risk flag from being raised to its outcome: nothing closes unseen."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.config import current_settings
from core.errors import Refusal, WrongState
from core.mail import send_mail
from core.readings import viewed
from practice.accounts.models import Role, User
from practice.intake import duty
from practice.intake.models import (
    ContactManner,
    FlagContact,
    FlagOutcome,
    FlagReading,
    FlagResult,
    Intake,
    RiskFlag,
)
from practice.intake.pages import BY_KEY

MAIL_SUBJECT = "Something is waiting for you at Attune"


class FlagClosed(WrongState):
    message = "This flag has been closed meanwhile. Its outcome stands below."


class NotReadYet(Refusal):
    message = "Please open and read the flag before you decide about it."


class NoContactYet(Refusal):
    message = "Please log at least one try to reach them first."


class NotReachedYet(Refusal):
    message = "This outcome rests on their own words: log a contact that reached them first."


def raise_flag(
    session: Session, intake: Intake, page: str, value: Any, at: datetime
) -> RiskFlag | None:
    """Raise a flag for a risky answer, and tell those whose task it is.

    Returns None while the flag that this intake has raised before is open: whoever handles it
    sees the answer as it stands. An answer given after that was closed raises another, for the
    page promises again that somebody reads it. The caller holds the client's row, so that two
    saves cannot both find nothing.
    """
    if _is_known(session, intake, page):
        return None
    asked = BY_KEY[page]
    flag = RiskFlag(
        client=intake.client,
        intake=intake,
        source=page,
        raised_by={"instrument": asked.instrument, "item": asked.item, "answer": value},
        raised_at=at,
        promised=duty.promise(at, intake.client.zone),
    )
    session.add(flag)
    session.flush()
    # The machine acts: naming the client here would tell the log's readers who is in danger.
    _record(session, flag, "flag.raised", None, at)
    _tell(session, flag, at)
    return flag


def _is_known(session: Session, intake: Intake, page: str) -> bool:
    raised = sa.select(RiskFlag).where(RiskFlag.intake_id == intake.id, RiskFlag.source == page)
    return any(flag.is_open for flag in session.scalars(raised))


def read_flag(session: Session, flag: RiskFlag, actor: User, at: datetime) -> None:
    """Note that this person opened the flag; each opening is in the audit, the first one here.

    No row in the log, no page.
    """
    if not flag.was_read_by(actor):
        flag.readings.append(FlagReading(user=actor, read_at=at))
    session.flush()
    viewed(
        session,
        at=at,
        action="flag.viewed",
        subject_kind="risk_flag",
        subject_id=flag.public_id,
        actor_id=actor.public_id,
        actor_role=role_of(actor),
        clients=[flag.client.public_id],
    )


def log_contact(
    session: Session,
    flag: RiskFlag,
    actor: User,
    *,
    manner: ContactManner,
    reached: bool,
    words: str,
    at: datetime,
) -> FlagContact:
    """Add a try to reach them; raises FlagClosed."""
    _require_open(flag)
    contact = FlagContact(user=actor, at=at, manner=manner, reached=reached, words=words)
    flag.contacts.append(contact)
    _record(session, flag, "flag.contact_logged", actor, at)
    session.flush()
    return contact


def close_flag(
    session: Session, flag: RiskFlag, actor: User, *, result: FlagResult, reason: str, at: datetime
) -> FlagOutcome:
    """Decide about a flag; raises FlagClosed, NotReadYet, NoContactYet or NotReachedYet."""
    _require_open(flag)
    if not flag.was_read_by(actor):
        raise NotReadYet
    if not flag.bears(result):
        raise NotReachedYet if flag.contacts else NoContactYet
    outcome = FlagOutcome(user=actor, at=at, result=result, reason=reason)
    flag.outcome = outcome
    _record(session, flag, "flag.closed", actor, at)
    _flush_first_outcome(session)
    return outcome


def _flush_first_outcome(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if "flag_outcomes" in str(error.orig):
            raise FlagClosed from error
        raise


def _require_open(flag: RiskFlag) -> None:
    if not flag.is_open:
        raise FlagClosed


def _tell(session: Session, flag: RiskFlag, at: datetime) -> None:
    base_url = current_settings().base_url
    for person in duty.people_to_tell(at):
        send_mail(
            session,
            to=person.email,
            subject=MAIL_SUBJECT,
            body=f"Something is waiting for you. Please sign in:\n\n{base_url}/today\n",
            dedupe_key=f"flag:{flag.public_id}:{person.public_id}",
            at=at,
        )


def _record(
    session: Session, flag: RiskFlag, action: str, actor: User | None, at: datetime
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="risk_flag",
        subject_id=flag.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=role_of(actor) if actor else "",
        client_id=flag.client.public_id,
    )


def role_of(actor: User) -> str:
    """In which role somebody handles flags."""
    lead = actor.has(Role.clinical_lead) and not actor.has(Role.duty_clinician)
    return (Role.clinical_lead if lead else Role.duty_clinician).value
