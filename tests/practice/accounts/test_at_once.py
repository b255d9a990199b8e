"""What several people do at the same moment, over HTTP on a real database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
import sqlalchemy as sa

from practice.accounts.models import Role, User
from practice.intake.models import DutyShift
from tests.builders.accounts import look_again, make_user, sign_in
from tests.practice.accounts.mailbox import carry_out, link_in, mails_to

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
    carry_out(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_a_link_opened_at_once_works_once(browsers, session):
    browsers[0].post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, "sam@example.test")[0])
    answers = at_once([lambda b=b: b.post(link, data=GOOD).status_code for b in browsers])
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


@pytest.fixture
def administrators(browsers, session):
    for browser in browsers:
        sign_in(browser, make_user(session, roles=[Role.administrator]))
    return browsers


def test_the_same_shift_put_in_at_once_is_one_shift(administrators, session):
    clinician = make_user(session, roles=[Role.duty_clinician])
    session.commit()
    form = {"person": str(clinician.public_id), "day": "2026-12-02", "weeks": "1"}
    form |= {"starts": "09:00", "ends": "17:00"}
    answers = at_once(
        [lambda b=b: b.post("/oversight/rota", data=form).status_code for b in administrators]
    )
    assert sorted(answers) == [303, 422, 422, 422, 422]
    shift = session.scalars(sa.select(DutyShift)).one()
    address = f"/oversight/rota/{shift.public_id}/removal"
    answers = at_once([lambda b=b: b.post(address).status_code for b in administrators])
    assert sorted(answers) == [303, 404, 404, 404, 404]


def test_the_same_role_given_at_once_is_given_once(administrators, session):
    colleague = make_user(session, roles=[Role.supervisor])
    session.commit()
    form = {"roles": ["supervisor", "moderator"], "confirmed": "yes"}
    address = f"/oversight/staff/{colleague.public_id}/roles"
    answers = at_once([lambda b=b: b.post(address, data=form).status_code for b in administrators])
    assert answers == [303] * 5
    look_again(session)
    assert colleague.roles == {Role.supervisor, Role.moderator}
