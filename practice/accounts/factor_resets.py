"""A lost second factor without recovery codes: two administrators, a mail, and a day to object.

One administrator asks with a reason, another confirms, the person is told by mail; after the delay
their second factors go and every browser is signed out. The password stays, so whoever wrote to
the administrators alone gains nothing.
"""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts import mails, operations, second_factors, tokens, two_people
from practice.accounts.acts import record_about
from practice.accounts.models import EmailTokenPurpose, FactorReset, FactorResetState, User
from practice.accounts.queries import user_with
from practice.accounts.tokens import LinkOver

DELAY = timedelta(hours=24)
OPEN_STATES = (FactorResetState.asked, FactorResetState.confirmed)


class NoSecondFactor(Refusal):
    message = "Nobody with this address has a second factor here."


class AskedAlready(Refusal):
    message = "This has been asked for already; it stands below."


class NotYourOwn(Refusal):
    message = "Nobody removes their own second factor this way. Please ask another administrator."


def ask(session: Session, email: str, reason: str, actor: User, at: datetime) -> FactorReset:
    """Raises NoSecondFactor, NotYourOwn or AskedAlready."""
    user = user_with(session, email)
    if user is None or not second_factors.factors_of(session, user).any:
        raise NoSecondFactor
    if user.id == actor.id:
        raise NotYourOwn
    session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    if session.scalars(_open().where(FactorReset.user_id == user.id)).first() is not None:
        raise AskedAlready
    reset = FactorReset(user=user, reason=reason, asked_at=at, asked_by_id=actor.id)
    session.add(reset)
    session.flush()
    _record_reset(session, reset, actor, "factor_reset.asked", at)
    return reset


def confirm(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> None:
    """The second person agrees: the day begins. Raises SecondPersonNeeded or NotYourOwn."""
    reset = _locked(session, public_id, FactorResetState.asked)
    two_people.require_two(session, reset.asked_by, actor, at)
    if actor.id == reset.user_id:
        raise NotYourOwn
    reset.state, reset.due_at = FactorResetState.confirmed, at + DELAY
    reset.confirmed_at, reset.confirmed_by_id = at, actor.id
    token = tokens.issue(session, reset.user, EmailTokenPurpose.keep_factor, at)
    mails.send_factor_going(session, reset.user, token, at)
    _record_reset(session, reset, actor, "factor_reset.confirmed", at)
    session.flush()


def refuse(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> None:
    """An administrator stops it, as long as it has not happened."""
    reset = _locked(session, public_id, *OPEN_STATES)
    _stop(session, reset, actor, at)


def keep(session: Session, token: str, at: datetime) -> None:
    """Its owner says from their mail that they still have it; raises LinkOver."""
    user = tokens.use(session, token, EmailTokenPurpose.keep_factor, at)
    mine = _open().where(FactorReset.user_id == user.id)
    reset = session.scalars(mine.with_for_update()).first()
    if reset is None:
        raise LinkOver
    _stop(session, reset, user, at)


def due_at(session: Session, user: User) -> datetime | None:
    """When this person's second factor goes, if it is to."""
    mine = _open().where(FactorReset.user_id == user.id)
    reset = session.scalars(mine.order_by(FactorReset.id.desc())).first()
    return reset.due_at if reset else None


def waiting() -> list[FactorReset]:
    """What is asked for or on its way, the newest first."""
    return list(db.session.scalars(_open().order_by(FactorReset.id.desc())))


def carry_out_due(at: datetime) -> None:
    """A sweep: remove the second factors whose day is over."""
    due = sa.and_(FactorReset.state == FactorResetState.confirmed, FactorReset.due_at <= at)
    for public_id in db.session.scalars(sa.select(FactorReset.public_id).where(due)).all():
        # Stopped a moment ago, or another worker was faster.
        with suppress(NotFound), unit_of_work() as session:
            _carry_out(session, _locked(session, public_id, FactorResetState.confirmed), at)


def _carry_out(session: Session, reset: FactorReset, at: datetime) -> None:
    second_factors.remove_all(session, reset.user)
    operations.end_all_sessions(session, reset.user, reset.user, at)
    reset.state = FactorResetState.done
    mails.send_signing_in_changed(session, reset.user, at)
    _record_reset(session, reset, None, "factor_reset.done", at)
    session.flush()


def _stop(session: Session, reset: FactorReset, actor: User, at: datetime) -> None:
    reset.state = FactorResetState.stopped
    _record_reset(session, reset, actor, "factor_reset.stopped", at)
    session.flush()


def _open() -> sa.Select[tuple[FactorReset]]:
    return sa.select(FactorReset).where(FactorReset.state.in_(OPEN_STATES))


def _locked(session: Session, public_id: uuid.UUID, *states: FactorResetState) -> FactorReset:
    """Raises NotFound for one that has moved on."""
    wanted = sa.select(FactorReset).where(
        FactorReset.public_id == public_id, FactorReset.state.in_(states)
    )
    reset = session.scalars(wanted.with_for_update()).first()
    if reset is None:
        raise NotFound
    return reset


def _record_reset(
    session: Session, reset: FactorReset, actor: User | None, action: str, at: datetime
) -> None:
    record_about(session, reset.user, actor, action, at, reset=str(reset.public_id))
