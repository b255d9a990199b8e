"""Who may see and change what of groups, as scoped queries."""

from typing import Any

import sqlalchemy as sa

from core.clock import now
from practice.accounts.models import User
from practice.consent.going_on import is_scope
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force
from practice.consent.purposes import group_scope
from practice.groups.models import (
    LIVE,
    Enrolment,
    EnrolmentState,
    Group,
    GroupLead,
    GroupSession,
    GroupState,
)
from practice.therapists.models import Therapist

# Who takes part, or did, agreed to the group's consent before the seat was theirs.
TAKE_PART = (EnrolmentState.held, EnrolmentState.seated, EnrolmentState.left)


@beyond_consent("a group's page names no client")
def groups_visible_to(user: User | None) -> sa.Select[Group]:
    """Everyone sees what was ever announced; a draft is seen by its leaders."""
    announced = Group.state != GroupState.draft
    if user is None:
        return sa.select(Group).where(announced)
    return sa.select(Group).where(sa.or_(announced, _is_led_by(user)))


@beyond_consent("a group's page names no client; who is in it stands in the roster")
def groups_led_by(user: User) -> sa.Select[Group]:
    """The groups that this person leads or has set up."""
    return sa.select(Group).where(_is_led_by(user))


def roster_of(group: Group) -> sa.Select[Enrolment]:
    """What the leaders of this group see: who takes part, and who asks to.

    Taking part rests on the group's consent, asking on the privacy notice; whatever is taken back
    is not there any more.
    """
    scope = group_scope(group.public_id)
    takes_part = Enrolment.state.in_(TAKE_PART)
    return sa.select(Enrolment).where(
        Enrolment.group_id == group.id,
        sa.or_(
            sa.and_(takes_part, in_force(Purpose.group, Enrolment.client_id, scope)),
            sa.and_(~takes_part, in_force(Purpose.privacy_notice, Enrolment.client_id)),
        ),
    )


@beyond_consent("a client's own ways into groups")
def enrolments_visible_to(user: User) -> sa.Select[Enrolment]:
    """A client's own ways into groups; what a leader sees of them is the roster."""
    mine = user.client.id if user.client is not None else None
    return sa.select(Enrolment).where(Enrolment.client_id == mine)


def time_in_group_is_over(signature: Any) -> sa.ColumnElement[bool]:
    """Of a group's `Signature`: the client has no seat there any more, or it has met for good."""
    theirs = (
        sa.select(Enrolment.id)
        .join(Group, Group.id == Enrolment.group_id)
        .where(Enrolment.client_id == signature.client_id)
        .where(is_scope(signature.scope, "group", Group.public_id))
    )
    meets_again = sa.exists().where(
        GroupSession.group_id == Enrolment.group_id, GroupSession.ends_at > now()
    )
    goes_on = theirs.where(Enrolment.state.in_(LIVE), meets_again)
    return sa.and_(theirs.exists(), ~goes_on.exists())


def _is_led_by(user: User) -> sa.ColumnElement[bool]:
    leads = (
        sa.select(GroupLead.group_id)
        .join(Therapist, Therapist.id == GroupLead.therapist_id)
        .where(Therapist.user_id == user.id)
    )
    return sa.or_(Group.created_by_id == user.id, Group.id.in_(leads))
