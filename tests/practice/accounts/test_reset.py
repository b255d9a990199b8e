from datetime import timedelta

import pytest

from practice.accounts.models import Role
from practice.accounts.passwords import hash_password, is_right
from practice.accounts.queries import user_with
from tests.builders.accounts import look_again, make_user, sign_in
from tests.practice.accounts.mailbox import link_in, mails_to

ADDRESS = "sam@example.test"
NEW = {"password": "a boat on the lake"}


@pytest.fixture
def user(session):
    user = make_user(
        session, ADDRESS, roles=[Role.supervisor], password_hash=hash_password("old words here")
    )
    session.commit()
    return user


def ask(http, session) -> str:
    http.post("/forgotten", data={"email": ADDRESS})
    return link_in(mails_to(session, ADDRESS)[-1])


def test_known_and_unknown_addresses_get_the_same_answer(http, session, user):
    known = http.post("/forgotten", data={"email": ADDRESS})
    unknown = http.post("/forgotten", data={"email": "kim@example.test"})
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert known.data == unknown.data
    assert mails_to(session, "kim@example.test") == []


def test_the_new_password_is_set_and_every_browser_signed_out(http, app, session, user):
    elsewhere = app.test_client()
    sign_in(elsewhere, user)
    answer = http.post(ask(http, session), data=NEW)
    assert answer.location == "/sign-in"
    look_again(session)
    assert is_right(NEW["password"], user_with(session, ADDRESS).password_hash)
    assert elsewhere.get("/account").status_code == 303
    assert "changed" in mails_to(session, ADDRESS)[-1]["subject"]


def test_the_link_works_once(http, session, user):
    link = ask(http, session)
    http.post(link, data=NEW)
    assert http.post(link, data={"password": "another boat entirely"}).status_code == 410
    look_again(session)
    assert is_right(NEW["password"], user_with(session, ADDRESS).password_hash)


def test_a_second_link_replaces_the_first(http, session, user):
    first = ask(http, session)
    second = ask(http, session)
    assert http.get(first).status_code == 410
    assert http.get(second).status_code == 200


@pytest.mark.parametrize(("late", "status"), [(-1, 303), (0, 410)])
def test_the_link_is_good_for_an_hour_to_the_second(http, session, user, clock, late, status):
    link = ask(http, session)
    clock.move(timedelta(hours=1, seconds=late))
    assert http.post(link, data=NEW).status_code == status


def test_an_easy_password_leaves_the_link_good(http, session, user):
    link = ask(http, session)
    assert http.post(link, data={"password": "password"}).status_code == 422
    assert http.post(link, data=NEW).status_code == 303


def test_a_link_to_confirm_an_address_does_not_reset_a_password(http, session, user):
    http.post("/sign-up", data={"adult": "yes", "email": "kim@example.test", **NEW})
    confirm = link_in(mails_to(session, "kim@example.test")[0])
    assert http.post(confirm.replace("/confirm/", "/reset/"), data=NEW).status_code == 410


def test_a_closed_account_gets_no_link(http, session, user):
    user.disabled_at = user.created_at
    session.commit()
    http.post("/forgotten", data={"email": ADDRESS})
    assert mails_to(session, ADDRESS) == []


def test_whoever_reads_the_mail_has_confirmed_the_address(http, session, user):
    user.email_confirmed_at = None
    session.commit()
    http.post(ask(http, session), data=NEW)
    look_again(session)
    assert user_with(session, ADDRESS).is_confirmed
