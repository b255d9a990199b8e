"""Filling in the intake: answers are kept as given, scored when submitted, forgotten if need be."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import audit
from core.errors import WrongState
from practice.accounts.models import Client, User
from practice.intake.answers import is_risky, is_under_age, responses
from practice.intake.flags.operations import raise_flag
from practice.intake.instruments import INSTRUMENTS, Instrument
from practice.intake.models import Assessment, Intake, IntakeAnswer, RiskFlag
from practice.intake.pages import item_key
from practice.intake.queries import (
    answers_of,
    answers_that_still_hold,
    latest_submitted,
    open_flag_of,
    open_intake,
)
from practice.intake.scoring import score
from practice.places import zone_of


class NothingToSubmit(WrongState):
    message = "These answers are already with us. You can change them whenever you like."


class NothingToAmend(WrongState):
    message = "There are no finished answers to change yet."


def begin(session: Session, client: Client, at: datetime) -> Intake:
    """The run that is open, else a new one that starts from what was said last time."""
    _lock(session, client)
    return open_intake(client) or _new_intake(session, client, at)


def give(session: Session, client: Client, page: str, value: Any, at: datetime) -> Intake | None:
    """Keep the answer of one page (`pages` has the shapes; None is skipped).

    Returns None when the answer says that the person is younger than 18: then neither it nor the
    rest of the run is kept.
    """
    intake = begin(session, client, at)
    if page == "birth-year" and value is not None and is_under_age(value, at):
        forget(session, intake, at)
        return None
    _put(intake, page, value, at)
    _tell_client_row(client, intake, page, value)
    session.flush()
    if is_risky(page, value):
        raise_flag(session, intake, page, value, at)
    return intake


def submit(session: Session, client: Client, at: datetime) -> Intake:
    """Close the open run and score its questionnaires, whole or not; raises NothingToSubmit."""
    _lock(session, client)
    intake = open_intake(client)
    if intake is None:
        raise NothingToSubmit
    intake.submitted_at = at
    for instrument in INSTRUMENTS.values():
        if _was_asked(intake, instrument):
            session.add(_assessment(intake, instrument, at))
    _record(session, intake, "intake.submitted", client.user, at)
    session.flush()
    return intake


def amend(session: Session, client: Client, changes: Mapping[str, Any], at: datetime) -> Intake:
    """A finished run that says what the last one says, save on these pages; {page: value}.

    What was scored stays scored, and a run that is open says the same. Raises NothingToAmend.
    """
    _lock(session, client)
    latest = latest_submitted(client)
    if latest is None:
        raise NothingToAmend
    amended = Intake(client=client, started_at=at, submitted_at=at)
    amended.answers = [_copy(answer) for answer in latest.answers]
    session.add(amended)
    session.flush()
    for page, value in changes.items():
        for run in filter(None, (amended, open_intake(client))):
            _put(run, page, value, at)
        _tell_client_row(client, amended, page, value)
    _record(session, amended, "intake.amended", client.user, at)
    session.flush()
    return amended


def forget(session: Session, intake: Intake, at: datetime) -> None:
    """Delete a run and what it told other rooms.

    A flag it raised stays: a person was promised that somebody reads it. So does the place while
    such a flag is open, for help has to find them.
    """
    for flag in session.scalars(sa.select(RiskFlag).where(RiskFlag.intake_id == intake.id)):
        flag.intake = None
    session.flush()
    _record(session, intake, "intake.forgotten", None, at)
    session.delete(intake)
    session.flush()
    if open_flag_of(intake.client) is None:
        _tell_earlier(intake.client)


def _tell_earlier(client: Client) -> None:
    """Place and zone as the last finished answers say them, else as they were at the start."""
    earlier = answers_of(latest_submitted(client))
    hours, place = earlier.get("hours"), earlier.get("place") or ""
    client.place = place
    if hours or place:
        client.zone = hours["zone"] if hours else zone_of(place)
    else:
        client.zone = Client.__table__.c.zone.default.arg


def _lock(session: Session, client: Client) -> None:
    """One writer a client at a time, so that two open tabs share one run."""
    session.execute(sa.select(Client.id).where(Client.id == client.id).with_for_update())


def _new_intake(session: Session, client: Client, at: datetime) -> Intake:
    intake = Intake(client=client, started_at=at)
    intake.answers = [_copy(answer) for answer in answers_that_still_hold(client, at)]
    session.add(intake)
    session.flush()
    return intake


def _copy(answer: IntakeAnswer) -> IntakeAnswer:
    return IntakeAnswer(page=answer.page, value=answer.value, answered_at=answer.answered_at)


def _put(intake: Intake, page: str, value: Any, at: datetime) -> None:
    for answer in intake.answers:
        if answer.page == page:
            answer.value, answer.answered_at = value, at
            return
    intake.answers.append(IntakeAnswer(page=page, value=value, answered_at=at))


def _tell_client_row(client: Client, intake: Intake, page: str, value: Any) -> None:
    """Place and zone are facts about the person that other rooms ask for."""
    if page == "place":
        client.place = value or ""
    if page == "place" and value and not answers_of(intake).get("hours"):
        client.zone = zone_of(value)
    if page == "hours" and value:
        client.zone = value["zone"]


def _was_asked(intake: Intake, instrument: Instrument) -> bool:
    """Whether an item was answered or skipped in this run; else the earlier score stands."""
    keys = {item_key(instrument, item.number) for item in instrument.items}
    return any(
        answer.page in keys and answer.answered_at >= intake.started_at for answer in intake.answers
    )


def _assessment(intake: Intake, instrument: Instrument, at: datetime) -> Assessment:
    sheet = responses(answers_of(intake), instrument)
    found = score(instrument, sheet)
    return Assessment(
        client_id=intake.client_id,
        intake_id=intake.id,
        instrument=instrument.code,
        instrument_version=instrument.version,
        taken_at=at,
        responses=sheet,
        result={
            "total": found.total,
            "band": found.band,
            "status": found.status.value,
            "risk": found.risk,
        },
    )


def _record(
    session: Session, intake: Intake, action: str, actor: User | None, at: datetime
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="intake",
        subject_id=intake.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role="client" if actor else "",
        client_id=intake.client.public_id,
    )
