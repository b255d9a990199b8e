"""Several browsers at once leave one profile, one set of hours, one answer about supervision."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from practice.accounts.models import Role
from practice.therapists.models import Therapist, WeeklyHours
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.therapists import make_therapist
from tests.practice.therapists.test_application import NO_HOURS

TABS = 6
ROUNDS = 4


def tabs_of(app, user):
    tabs = [app.test_client() for _ in range(TABS)]
    for tab in tabs:
        sign_in(tab, user)
    return tabs


def post_at_once(tabs, address, data):
    with ThreadPoolExecutor(TABS) as threads:
        return set(threads.map(lambda tab: tab.post(address, data=data).status_code, tabs))


def test_an_application_begun_twice_is_one_application(session, app, http):
    user = make_user(session, roles=(Role.therapist,), name="Rosa Almeida")
    answers = {"name": "Rosa Almeida", "profession": "psychologist", "level": "licensed"}
    assert post_at_once(tabs_of(app, user), "/apply", answers | {"place": "US-WA"}) == {303}
    look_again(session)
    assert len(session.scalars(sa.select(Therapist)).all()) == 1


def test_hours_saved_twice_are_there_once(session, app, http):
    therapist = make_therapist(session)
    tabs = tabs_of(app, therapist.user)
    hours = NO_HOURS | {
        "zone": "America/New_York",
        "day_0_from_0": "09:00",
        "day_0_to_0": "12:00",
    }
    for _ in range(ROUNDS):
        assert post_at_once(tabs, "/profile/hours", hours) == {303}
        look_again(session)
        assert len(session.scalars(sa.select(WeeklyHours)).all()) == 1
