"""What several people do at the same moment, over HTTP on a real database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
import sqlalchemy as sa

from practice.accounts.models import Role, User
from tests.builders.accounts import look_again, make_user, sign_in
from tests.practice.accounts.mailbox import link_in, mails_to

GOOD = {"adult": "yes", "email": "sam@example.test", "password": "tea in the rain"}


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """What each call returned, all of them begun together."""
    barrier = Barrier(len(calls))

    def begin(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


@pytest.fixture
def browsers(app):
    app.config["WTF_CSRF_ENABLED"] = False
    return [app.test_client() for _ in range(5)]


def test_one_address_signing_up_at_once_becomes_one_account(browsers, session):
    answers = at_once([lambda b=b: b.post("/sign-up", data=GOOD).status_code for b in browsers])
    assert set(answers) == {303}
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_a_link_opened_at_once_works_once(browsers, session):
    browsers[0].post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, "sam@example.test")[0])
    answers = at_once([lambda b=b: b.post(link).status_code for b in browsers])
    assert sorted(answers) == [303, 410, 410, 410, 410]


@pytest.mark.parametrize("how", ["closure", "roles"])
def test_two_administrators_cannot_remove_each_other_at_once(browsers, session, how):
    for _ in range(5):
        pair = [make_user(session, roles=[Role.administrator]) for _ in range(2)]
        calls = [
            partial(remove, browser, other.public_id, how)
            for browser, other in zip(browsers, reversed(pair), strict=False)
        ]
        for browser, actor in zip(browsers, pair, strict=False):
            sign_in(browser, actor)
        at_once(calls)
        look_again(session)
        left = [u for u in pair if u.has(Role.administrator) and not u.is_disabled]
        assert len(left) == 1
        left[0].disabled_at = left[0].created_at
        session.commit()


def remove(browser, other, how):
    form = {"roles": "moderator", "confirmed": "yes"}
    return browser.post(f"/oversight/staff/{other}/{how}", data=form)
