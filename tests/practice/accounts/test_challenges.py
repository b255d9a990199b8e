"""A challenge is good for what it was made for, for whom, once and for a while."""

import uuid

import pytest

from practice.accounts import challenges
from practice.accounts.models import ChallengePurpose
from practice.accounts.passkeys import PasskeyRefused
from tests.builders.accounts import make_user
from tests.conftest import NOW


def take(session, made, purpose, user):
    return challenges.take(session, [made.public_id], made.challenge, purpose, user, NOW)


@pytest.mark.parametrize("made_for", ChallengePurpose)
@pytest.mark.parametrize("used_for", ChallengePurpose)
def test_a_challenge_serves_the_purpose_it_was_made_for(session, made_for, used_for):
    user = make_user(session)
    made = challenges.issue(session, made_for, user, NOW)
    if used_for is made_for:
        assert take(session, made, used_for, user) == made.challenge
        return
    with pytest.raises(PasskeyRefused):
        take(session, made, used_for, user)


def test_a_challenge_is_for_the_person_it_was_made_for(session):
    one, other = make_user(session), make_user(session)
    made = challenges.issue(session, ChallengePurpose.prove, one, NOW)
    for user in (other, None):
        with pytest.raises(PasskeyRefused):
            take(session, made, ChallengePurpose.prove, user)


def test_a_challenge_that_never_was_is_refused(session):
    with pytest.raises(PasskeyRefused):
        challenges.take(session, [uuid.uuid4()], b"x", ChallengePurpose.sign_in, None, NOW)


def test_of_several_that_wait_the_one_that_was_answered_is_used_up(session):
    waiting = [challenges.issue(session, ChallengePurpose.sign_in, None, NOW) for _ in range(3)]
    ids = [one.public_id for one in waiting]
    answered = [one.challenge for one in waiting]

    def taken(challenge):
        return challenges.take(session, ids, challenge, ChallengePurpose.sign_in, None, NOW)

    assert taken(answered[1]) == answered[1]
    with pytest.raises(PasskeyRefused):
        taken(answered[1])
    assert taken(answered[0]) == answered[0]
    with pytest.raises(PasskeyRefused):
        taken(b"")
