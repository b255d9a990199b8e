"""Two people where one is not enough: the one rule that every second person is held to.

Whoever asks cannot answer. Nor can somebody whose role to answer (or to ask) was given to them
less than a week ago by one administrator alone: for that week they count as the hand of whoever
gave it. Otherwise one administrator could invite a mailbox of their own and be both people.

For the same reason the roles of a second person, and those that open what clients said, are given
by two: see `proposals`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.errors import Refusal
from practice.accounts.models import Role, User, UserRole

# Administrators and leads can be a second person; the others open what clients said.
GIVEN_BY_TWO = frozenset(
    {Role.administrator, Role.clinical_lead, Role.duty_clinician, Role.records_custodian}
)
NEW_FOR = timedelta(days=7)
_GIVERS = frozenset({Role.administrator})


class SecondPersonNeeded(Refusal):
    message = "A second person has to answer this."


class SamePerson(SecondPersonNeeded):
    message = "Whoever asked cannot confirm it as well. Please ask another administrator."


class OneHand(SecondPersonNeeded):
    message = (
        "One of you got their role from the other, or both from one administrator alone, less than "
        "a week ago. For that week the two of you count as one person, so somebody else has to "
        "answer, or it waits until the week is over."
    )


def require_two(
    session: Session,
    first: User,
    second: User,
    at: datetime,
    *,
    asks_as: Iterable[Role] = (Role.administrator,),
    answers_as: Iterable[Role] = (Role.administrator,),
) -> None:
    """Raises SamePerson or OneHand unless these are two people, in the roles they act in."""
    if first.id == second.id:
        raise SamePerson
    if _hand(session, first, asks_as, at) == _hand(session, second, answers_as, at):
        raise OneHand


def why_not(
    session: Session,
    first: User,
    second: User,
    at: datetime,
    *,
    asks_as: Iterable[Role] = (Role.administrator,),
    answers_as: Iterable[Role] = (Role.administrator,),
) -> str:
    """For the page: why `second` cannot answer what `first` asked; "" when they can."""
    try:
        require_two(session, first, second, at, asks_as=asks_as, answers_as=answers_as)
    except SecondPersonNeeded as refusal:
        return refusal.message
    return ""


def needs_two(session: Session, actor: User, user: User | None, roles: Iterable[Role]) -> bool:
    """Whether giving these roles waits for a second administrator: it does if there is one.

    `user` is who gets them, None for somebody who is to be invited; they do not agree for
    themselves.
    """
    concerned = [actor.id, *([user.id] if user else [])]
    others = able_holders(Role.administrator).where(User.id.not_in(concerned))
    return bool(GIVEN_BY_TWO & frozenset(roles)) and session.scalars(others).first() is not None


def administrators(session: Session) -> set[int]:
    """Who can administer now. Their rows are locked: two may not remove each other at once."""
    able = able_holders(Role.administrator).with_only_columns(User.id)
    session.execute(able.with_for_update(of=User))
    # Asked again: what waited for the lock still has the roles from before it.
    return set(session.scalars(able))


def able_holders(*roles: Role) -> sa.Select[tuple[User]]:
    """Who has any of these roles and can sign in."""
    holds = sa.exists().where(UserRole.user_id == User.id, UserRole.role.in_(roles))
    able = sa.and_(User.disabled_at.is_(None), User.email_confirmed_at.is_not(None))
    return sa.select(User).where(holds, able).order_by(User.id)


def given_alone(row: UserRole, at: datetime) -> bool:
    """Whether one administrator alone gave this role within the last week."""
    alone = row.granted_by_id is not None and row.agreed_by_id is None
    return alone and at - row.granted_at < NEW_FOR


def _hand(session: Session, user: User, roles: Iterable[Role], at: datetime) -> int:
    """Whose hand somebody is in these roles: their own, or in the end that of who gave them.

    Those who gave each other their roles are one hand.
    """
    roles, met = frozenset(roles), list[tuple[int, frozenset[Role]]]()
    while (user.id, roles) not in met:
        met.append((user.id, roles))
        rows = [row for row in user.role_rows if row.role in roles]
        if not rows or not all(given_alone(row, at) for row in rows):
            return user.id
        newest = max(rows, key=lambda row: (row.granted_at, row.id))
        user, roles = session.get_one(User, newest.granted_by_id), _GIVERS
    return min(met[met.index((user.id, roles)) :])[0]
