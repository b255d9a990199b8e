"""A challenge is good for what it was made for, for whom, once and for a while."""

import uuid

import pytest

from practice.accounts import challenges
from practice.accounts.models import ChallengePurpose
from practice.accounts.passkeys import PasskeyRefused
from tests.builders.accounts import make_user
from tests.conftest import NOW


@pytest.mark.parametrize("made_for", ChallengePurpose)
@pytest.mark.parametrize("used_for", ChallengePurpose)
def test_a_challenge_serves_the_purpose_it_was_made_for(session, made_for, used_for):
    user = make_user(session)
    made = challenges.issue(session, made_for, user, NOW)
    if used_for is made_for:
        assert challenges.take(session, made.public_id, used_for, user, NOW) == made.challenge
        return
    with pytest.raises(PasskeyRefused):
        challenges.take(session, made.public_id, used_for, user, NOW)


def test_a_challenge_is_for_the_person_it_was_made_for(session):
    one, other = make_user(session), make_user(session)
    made = challenges.issue(session, ChallengePurpose.prove, one, NOW)
    for user in (other, None):
        with pytest.raises(PasskeyRefused):
            challenges.take(session, made.public_id, ChallengePurpose.prove, user, NOW)


def test_a_challenge_that_never_was_is_refused(session):
    with pytest.raises(PasskeyRefused):
        challenges.take(session, uuid.uuid4(), ChallengePurpose.sign_in, None, NOW)
