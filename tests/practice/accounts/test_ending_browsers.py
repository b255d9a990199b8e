"""Whoever finds an open browser cannot shut its owner out of the others."""

from datetime import timedelta

import pytest

from practice.accounts.policy import PROOF_LASTS
from tests.builders.accounts import make_client, sign_in

LATE = PROOF_LASTS + timedelta(seconds=1)


@pytest.mark.parametrize("which", ["others/end", "end"])
def test_ending_browsers_asks_for_a_fresh_proof(http, app, session, clock, which):
    user = make_client(session).user
    sign_in(http, user)
    clock.move(LATE)
    elsewhere = app.test_client()
    sign_in(elsewhere, user)
    asked = http.post(f"/account/browsers/{which}")
    assert "/confirm-it-is-you" in asked.location
    assert elsewhere.get("/account").status_code == 200
    # Where somebody has just signed in, nothing more is asked.
    assert "/confirm-it-is-you" not in elsewhere.post(f"/account/browsers/{which}").location
    assert http.get("/account").status_code == 303
