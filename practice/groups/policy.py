"""Who may see and change what of groups, as scoped queries."""

import sqlalchemy as sa

from practice.accounts.models import User
from practice.groups.models import Enrolment, Group, GroupLead, GroupState
from practice.therapists.models import Therapist


def groups_visible_to(user: User | None) -> sa.Select[Group]:
    """Everyone sees what was ever announced; a draft is seen by its leaders."""
    announced = Group.state != GroupState.draft
    if user is None:
        return sa.select(Group).where(announced)
    return sa.select(Group).where(sa.or_(announced, _is_led_by(user)))


def groups_led_by(user: User) -> sa.Select[Group]:
    """The groups that this person leads or has set up."""
    return sa.select(Group).where(_is_led_by(user))


def enrolments_visible_to(user: User) -> sa.Select[Enrolment]:
    """A client's own ways into groups; what a leader sees of them is the roster."""
    mine = user.client.id if user.client is not None else None
    return sa.select(Enrolment).where(Enrolment.client_id == mine)


def _is_led_by(user: User) -> sa.ColumnElement[bool]:
    leads = (
        sa.select(GroupLead.group_id)
        .join(Therapist, Therapist.id == GroupLead.therapist_id)
        .where(Therapist.user_id == user.id)
    )
    return sa.or_(Group.created_by_id == user.id, Group.id.in_(leads))
