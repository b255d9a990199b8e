"""Roles that two administrators give: one proposes, another agrees within a week.

Who can be a second person or open what clients said (`two_people.GIVEN_BY_TWO`) is not for one to
decide. Where there is no other administrator the first one's word stands; the house is told, and
for a week the two count as one person.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry, record
from core.errors import NotFound, Refusal, WrongState
from practice.accounts import operations, two_people
from practice.accounts.models import Role, RoleProposal, User
from practice.accounts.neutral_mail import say_something_waits
from practice.accounts.operations import AddressTaken, NotYourOwnRoles
from practice.accounts.queries import user_with
from practice.accounts.two_people import able_holders

GOOD_FOR = timedelta(days=7)
SHOWN_FOR = timedelta(days=30)
PAGE = "/oversight/proposals"


class ProposedAlready(Refusal):
    message = "This waits for a second administrator already."


def invite(
    session: Session, email: str, name: str, roles: Iterable[Role], actor: User, at: datetime
) -> RoleProposal | None:
    """Ask a colleague in, or propose it where the roles take two; the proposal then.

    Raises AddressTaken or ProposedAlready.
    """
    if not two_people.needs_two(session, actor, None, roles):
        operations.invite(session, email, name, roles, actor, at)
        return None
    if user_with(session, email) is not None:
        raise AddressTaken
    if any(one.email == email for one in waiting(session, at)):
        raise ProposedAlready
    return _propose(session, RoleProposal(email=email, name=name), roles, actor, at)


def change_roles(
    session: Session, user: User, roles: Iterable[Role], actor: User, at: datetime
) -> RoleProposal | None:
    """Give these staff roles and no others, or propose it where what is new takes two.

    Raises what `operations.change_roles` does, or ProposedAlready.
    """
    new = frozenset(roles) - user.roles
    if user.id == actor.id or not two_people.needs_two(session, actor, user, new):
        operations.change_roles(session, user, roles, actor, at)
        return None
    return _propose_for(session, user, roles, actor, at)


def enable(session: Session, user: User, actor: User, at: datetime) -> RoleProposal | None:
    """Open a closed account again, or propose it where its roles take two.

    Raises WrongState for one that is open, or ProposedAlready.
    """
    if not user.is_disabled:
        raise WrongState
    if not two_people.needs_two(session, actor, user, user.roles):
        operations.enable(session, user, actor, at)
        return None
    return _propose_for(session, user, user.roles & operations.GRANTABLE_ROLES, actor, at)


def agree(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> None:
    """The second administrator agrees, and it is done.

    Raises SecondPersonNeeded, NotYourOwnRoles, and what inviting or changing roles raises.
    """
    proposal = _locked(session, public_id, at)
    if proposal.user_id == actor.id:
        raise NotYourOwnRoles
    _carry_out(session, proposal, actor, at)
    _answer(session, proposal, actor, at, agreed=True)


def refuse(session: Session, public_id: uuid.UUID, actor: User, at: datetime) -> None:
    """Another administrator does not agree, or whoever proposed it takes it back."""
    _answer(session, _locked(session, public_id, at), actor, at, agreed=False)


def waiting(session: Session, at: datetime) -> list[RoleProposal]:
    """What can still be agreed to, the oldest first."""
    return list(session.scalars(_open(at).order_by(RoleProposal.id)))


def over(session: Session, at: datetime) -> list[RoleProposal]:
    """What was answered or has lapsed lately, the newest first."""
    lately = RoleProposal.proposed_at > at - SHOWN_FOR
    still = _open(at).with_only_columns(RoleProposal.id)
    found = sa.select(RoleProposal).where(lately, RoleProposal.id.not_in(still))
    return list(session.scalars(found.order_by(RoleProposal.id.desc())))


def _propose_for(
    session: Session, user: User, roles: Iterable[Role], actor: User, at: datetime
) -> RoleProposal:
    if any(one.user_id == user.id for one in waiting(session, at)):
        raise ProposedAlready
    return _propose(session, RoleProposal(user=user), roles, actor, at)


def _propose(
    session: Session, proposal: RoleProposal, roles: Iterable[Role], actor: User, at: datetime
) -> RoleProposal:
    proposal.roles, proposal.proposed_by, proposal.proposed_at = sorted(roles), actor, at
    session.add(proposal)
    session.flush()
    _record(session, proposal, actor, "role_proposal.made", at)
    for person in session.scalars(able_holders(Role.administrator)).all():
        if person.id not in (actor.id, proposal.user_id):
            about = f"role proposed:{proposal.public_id}"
            say_something_waits(session, person, at, path=PAGE, about=about)
    return proposal


def _carry_out(session: Session, proposal: RoleProposal, actor: User, at: datetime) -> None:
    first, user, roles = proposal.proposed_by, proposal.user, proposal.given
    if user is None:
        proposal.user = operations.invite(
            session, proposal.email, proposal.name, roles, first, at, agreed_by=actor
        )
        return
    operations.change_roles(session, user, roles, first, at, agreed_by=actor)
    if user.is_disabled:
        operations.enable(session, user, first, at, agreed_by=actor)


def _answer(
    session: Session, proposal: RoleProposal, actor: User, at: datetime, *, agreed: bool
) -> None:
    proposal.answered_by, proposal.answered_at, proposal.agreed = actor, at, agreed
    session.flush()
    _record(session, proposal, actor, "role_proposal." + ("agreed" if agreed else "refused"), at)
    if actor.id != proposal.proposed_by_id:
        about = f"role answered:{proposal.public_id}"
        say_something_waits(session, proposal.proposed_by, at, path=PAGE, about=about)


def _open(at: datetime) -> sa.Select[tuple[RoleProposal]]:
    """Unanswered, not lapsed, and of somebody who still administers.

    Closing an account ends what was proposed for it before: one alone would open it again. So does
    another change of its roles: a yes would undo that, which nobody has proposed.
    """
    able = able_holders(Role.administrator).with_only_columns(User.id).order_by(None)
    closed_since = sa.exists().where(
        User.id == RoleProposal.user_id, User.disabled_at > RoleProposal.proposed_at
    )
    changed_since = sa.exists().where(
        User.id == RoleProposal.user_id,
        AuditEntry.subject_id == User.public_id,
        AuditEntry.action == "staff.roles_changed",
        AuditEntry.at > RoleProposal.proposed_at,
    )
    return sa.select(RoleProposal).where(
        RoleProposal.answered_at.is_(None),
        RoleProposal.proposed_at > at - GOOD_FOR,
        RoleProposal.proposed_by_id.in_(able),
        ~closed_since,
        ~changed_since,
    )


def _locked(session: Session, public_id: uuid.UUID, at: datetime) -> RoleProposal:
    """Raises NotFound for one that was answered or has lapsed."""
    # Before the proposal itself, as everywhere else: otherwise two could wait for each other.
    two_people.administrators(session)
    wanted = _open(at).where(RoleProposal.public_id == public_id)
    proposal = session.scalars(wanted.with_for_update(of=RoleProposal)).first()
    if proposal is None:
        raise NotFound
    return proposal


def _record(
    session: Session, proposal: RoleProposal, actor: User, action: str, at: datetime
) -> None:
    """About the colleague, or about the proposal while nobody is invited yet."""
    subject = proposal.user or proposal
    record(
        session,
        at=at,
        action=action,
        subject_kind="user" if subject is proposal.user else "role_proposal",
        subject_id=subject.public_id,
        actor_id=actor.public_id,
        actor_role=Role.administrator,
        proposal=str(proposal.public_id),
        roles=proposal.roles,
    )
