"""What was asked about an account goes with the schedule, and not before it has done its work."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from practice.accounts import proposals
from practice.accounts.factor_resets import DELAY
from practice.accounts.models import (
    EmailChange,
    EmailTokenPurpose,
    FactorReset,
    FactorResetState,
    Role,
    RoleProposal,
)
from practice.accounts.tokens import GOOD_FOR
from practice.privacy import operations
from practice.privacy.retention import SIGN_IN_KEPT, Rule
from practice.privacy.schedule import keep_schedule
from tests.builders.accounts import make_client, make_user
from tests.conftest import NOW

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def change(session, **instants: datetime) -> EmailChange:
    user = make_user(session)
    return EmailChange(
        user=user, old_email="a@example.test", new_email="b@example.test", asked_at=NOW, **instants
    )


def reset(session, **columns) -> FactorReset:
    asker = make_user(session, roles=[Role.administrator])
    return FactorReset(
        user=make_user(session), reason="They rang.", asked_at=NOW, asked_by_id=asker.id, **columns
    )


def proposal(session, **instants: datetime) -> RoleProposal:
    asker = make_user(session, roles=[Role.administrator])
    return RoleProposal(
        proposed_by=asker, email="c@example.test", roles=["administrator"], proposed_at=NOW,
        **instants,
    )  # fmt: skip


PLANTS = {
    "asked for and never answered": (change, {}, NOW),
    "confirmed": (change, {"confirmed_at": NOW + HOUR}, NOW + HOUR),
    "taken back": (change, {"confirmed_at": NOW + HOUR, "undone_at": NOW + DAY}, NOW + DAY),
    "nobody confirmed": (reset, {}, NOW),
    "done": (reset, {"state": FactorResetState.done, "due_at": NOW + DAY}, NOW + DAY),
    "proposed, and lapsed": (proposal, {}, NOW),
    "answered": (proposal, {"answered_at": NOW + DAY}, NOW + DAY),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_it_goes_thirty_days_after_its_end_and_not_a_second_before(session, plant):
    make, columns, ended = PLANTS[plant]
    row = make(session, **columns)
    session.add(row)
    session.commit()
    table, due = type(row), ended + SIGN_IN_KEPT
    keep_schedule(due - SECOND)
    assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 1
    assert keep_schedule(due).gone[Rule.sign_in_ended] == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_under_a_hold_an_earlier_address_stays_so_that_its_mails_are_found(session):
    held, other = make_client(session), change(session)
    session.add_all([other, EmailChange(
        user=held.user, old_email="a@example.test", new_email="b@example.test", asked_at=NOW
    )])  # fmt: skip
    ines = make_user(session, roles=[Role.administrator])
    operations.place_hold(session, held, "A subpoena", ines, NOW)
    session.commit()
    keep_schedule(NOW + SIGN_IN_KEPT)
    assert session.scalars(sa.select(EmailChange.user_id)).all() == [held.user_id]


def test_nothing_goes_that_can_still_be_answered():
    longest = max(GOOD_FOR[EmailTokenPurpose.old_address], DELAY, proposals.SHOWN_FOR)
    assert longest <= SIGN_IN_KEPT
