"""Nobody is both people where two are needed, however they got their roles."""

from datetime import timedelta

import pytest

from practice.accounts import two_people
from practice.accounts.models import Role, UserRole
from practice.accounts.two_people import NEW_FOR, OneHand, SamePerson, require_two
from tests.builders.accounts import make_user
from tests.conftest import NOW

ADMINISTRATOR, LEAD, DUTY = Role.administrator, Role.clinical_lead, Role.duty_clinician
SECOND = timedelta(seconds=1)


def made_by(session, giver, *roles, at=NOW, agreed_by=None):
    """Somebody who got these roles from one administrator [and another who agreed]."""
    user = make_user(session, roles=[])
    for role in roles:
        user.role_rows.append(
            UserRole(
                role=role,
                granted_at=at,
                granted_by_id=giver.id,
                agreed_by_id=agreed_by.id if agreed_by else None,
            )
        )
    session.flush()
    return user


def are_two(session, first, second, at=NOW, **roles) -> bool:
    try:
        require_two(session, first, second, at, **roles)
    except OneHand:
        return False
    return True


@pytest.fixture
def ada(session):
    return make_user(session, roles=[ADMINISTRATOR])


@pytest.fixture
def bea(session):
    return make_user(session, roles=[ADMINISTRATOR])


def test_two_who_owe_each_other_nothing_are_two(session, ada, bea):
    assert are_two(session, ada, bea)


def test_nobody_is_their_own_second_person(session, ada):
    with pytest.raises(SamePerson):
        require_two(session, ada, ada, NOW)


def test_for_a_week_whom_one_made_administrator_alone_is_their_hand_both_ways(session, ada):
    new = made_by(session, ada, ADMINISTRATOR)
    for at, two in ((NOW, False), (NOW + NEW_FOR - SECOND, False), (NOW + NEW_FOR, True)):
        assert are_two(session, ada, new, at) is two
        assert are_two(session, new, ada, at) is two


def test_to_anybody_else_they_are_a_second_person_at_once(session, ada, bea):
    assert are_two(session, bea, made_by(session, ada, ADMINISTRATOR))


def test_whom_two_made_administrator_is_nobodys_hand(session, ada, bea):
    assert are_two(session, ada, made_by(session, ada, ADMINISTRATOR, agreed_by=bea))


def test_two_whom_the_same_one_made_alone_are_one(session, ada):
    one, other = (made_by(session, ada, ADMINISTRATOR) for _ in range(2))
    assert not are_two(session, one, other)


def test_it_holds_through_others_in_between(session, ada):
    between = made_by(session, ada, ADMINISTRATOR)
    last = made_by(session, between, ADMINISTRATOR)
    assert not are_two(session, ada, last)
    assert not are_two(session, last, ada)


def test_two_who_made_each_other_are_one_and_asking_ends(session, ada):
    new = made_by(session, ada, ADMINISTRATOR)
    [row] = ada.role_rows
    row.granted_by_id = new.id
    session.flush()
    assert are_two(session, ada, new) is are_two(session, new, ada) is False


def test_a_new_clinical_lead_is_the_hand_of_who_made_them(session, ada, bea):
    lead = made_by(session, ada, LEAD)
    roles = {"asks_as": [ADMINISTRATOR], "answers_as": [ADMINISTRATOR, LEAD]}
    assert not are_two(session, ada, lead, **roles)
    assert are_two(session, bea, lead, **roles)


def test_who_got_another_role_back_from_their_own_hand_is_still_one_with_it(session, ada, bea):
    hand = made_by(session, ada, ADMINISTRATOR)
    ada.role_rows.append(UserRole(role=LEAD, granted_at=NOW, granted_by_id=hand.id))
    later = made_by(session, bea, ADMINISTRATOR)
    bea_lead = UserRole(role=LEAD, granted_at=NOW, granted_by_id=later.id)
    bea.role_rows.append(bea_lead)
    session.flush()
    for one, other in ((ada, hand), (bea, later)):
        assert not are_two(session, other, one, answers_as=[LEAD])
        assert not are_two(session, one, other)
    assert are_two(session, ada, bea, answers_as=[LEAD])


def test_so_is_a_new_clinician_who_asks(session, ada, bea):
    duty = made_by(session, ada, DUTY)
    roles = {"asks_as": [ADMINISTRATOR, DUTY]}
    assert not are_two(session, duty, ada, **roles)
    assert are_two(session, duty, bea, **roles)


def test_a_new_role_takes_nothing_from_one_they_had_before(session, ada):
    lead = made_by(session, ada, LEAD)
    lead.role_rows.append(UserRole(role=ADMINISTRATOR, granted_at=NOW))
    session.flush()
    assert are_two(session, ada, lead, answers_as=[ADMINISTRATOR, LEAD])


def test_a_role_nobody_asks_about_says_nothing(session, ada, bea):
    bea.role_rows.append(UserRole(role=DUTY, granted_at=NOW, granted_by_id=ada.id))
    session.flush()
    assert are_two(session, ada, bea)


@pytest.mark.parametrize("role", Role)
def test_only_roles_of_a_second_person_are_given_by_two(session, ada, bea, role):
    needed = two_people.needs_two(session, ada, None, [role])
    assert needed is (role in two_people.GIVEN_BY_TWO)


@pytest.mark.parametrize("state", [{"disabled_at": NOW}, {"confirmed": False}])
def test_who_cannot_sign_in_is_not_waited_for(session, ada, state):
    make_user(session, roles=[ADMINISTRATOR], **state)
    assert not two_people.needs_two(session, ada, None, [ADMINISTRATOR])


def test_nobody_is_waited_for_to_agree_about_themselves(session, ada, bea):
    assert not two_people.needs_two(session, ada, bea, [LEAD])
    make_user(session, roles=[ADMINISTRATOR])
    assert two_people.needs_two(session, ada, bea, [LEAD])
