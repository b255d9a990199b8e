from datetime import timedelta

import pytest
import sqlalchemy as sa

from practice.accounts.models import EmailChange, Passkey, RecoveryCode, Role
from practice.accounts.passwords import hash_password, is_right
from practice.accounts.queries import user_with
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.second_factors import give_app, give_passkey, give_recovery_codes
from tests.conftest import NOW
from tests.practice.accounts.mailbox import link_in, mails_to

OLD, NEW = "sam@example.test", "robin@example.test"
PASSWORD = "tea in the rain"


@pytest.fixture
def user(session):
    user = make_user(session, OLD, password_hash=hash_password(PASSWORD))
    return make_client(session, user=user).user


@pytest.fixture
def signed_in(http, user):
    sign_in(http, user)
    return http


def ask(http, session, email=NEW):
    http.post("/account/address", data={"email": email})
    return link_in(mails_to(session, email)[-1])


def change(http, session) -> str:
    """Change the address; the link that the old one got."""
    http.post(ask(http, session))
    return link_in(mails_to(session, OLD)[-1])


def test_until_the_new_address_answers_nothing_changes(signed_in, session, user):
    link = ask(signed_in, session)
    assert signed_in.get(link).status_code == 200
    look_again(session)
    assert user.email == OLD
    assert mails_to(session, OLD) == []


def test_the_answered_address_signs_in_and_the_old_one_is_told(signed_in, app, session, user):
    change(signed_in, session)
    look_again(session)
    assert user.email == NEW
    assert user_with(session, OLD) is None
    assert "changed" in mails_to(session, OLD)[-1]["subject"]
    assert NEW not in mails_to(session, OLD)[-1]["body"]
    http = app.test_client()
    assert http.post("/sign-in", data={"email": NEW, "password": PASSWORD}).status_code == 303
    assert http.post("/sign-in", data={"email": OLD, "password": PASSWORD}).status_code == 422


def test_the_link_works_once(signed_in, session, user):
    link = ask(signed_in, session)
    signed_in.post(link)
    assert signed_in.post(link).status_code == 410


def test_an_address_in_use_gets_the_same_answer_and_no_link(signed_in, session, user):
    make_user(session, "kim@example.test")
    session.commit()
    taken = signed_in.post("/account/address", data={"email": "kim@example.test"})
    free = signed_in.post("/account/address", data={"email": NEW})
    assert (taken.status_code, taken.location) == (free.status_code, free.location)
    mail = mails_to(session, "kim@example.test")[-1]
    assert "already" in mail["subject"]
    assert "/address/" not in mail["body"]


def test_an_address_taken_meanwhile_is_not_taken_again(signed_in, session, user):
    link = ask(signed_in, session)
    make_user(session, NEW)
    session.commit()
    assert signed_in.post(link).status_code == 410
    look_again(session)
    assert user.email == OLD


def test_one_does_not_change_to_the_address_one_has(signed_in, user):
    answer = signed_in.post("/account/address", data={"email": OLD.upper()})
    assert answer.status_code == 422
    assert "have already" in answer.text


def test_the_old_address_takes_the_account_back_from_a_thief(signed_in, app, session, user):
    give_passkey(session, user, name="mine", at=NOW - timedelta(days=1))
    session.commit()
    undo = change(signed_in, session)
    give_passkey(session, user, name="the thief's", at=NOW + timedelta(minutes=1))
    session.commit()
    owner = app.test_client()
    assert owner.get(undo).status_code == 200
    answer = owner.post(undo)
    assert "/reset/" in answer.location
    assert signed_in.get("/account").status_code == 303
    look_again(session)
    assert user.email == OLD
    assert not is_right(PASSWORD, user.password_hash)
    assert [one.name for one in session.scalars(sa.select(Passkey))] == ["mine"]
    assert owner.post(answer.location, data={"password": "a boat on the lake"}).status_code == 303
    look_again(session)
    assert is_right("a boat on the lake", user.password_hash)
    assert session.scalars(sa.select(EmailChange)).one().undone_at is not None


def test_a_second_change_and_a_new_password_do_not_keep_the_owner_out(
    signed_in, app, session, user, clock
):
    undo = change(signed_in, session)
    clock.move(timedelta(minutes=5))
    signed_in.post(ask(signed_in, session, "thief@example.test"))
    [undo_of_the_thief] = [
        link_in(mail) for mail in mails_to(session, NEW) if "/return" in mail["body"]
    ]
    signed_in.post("/account/password", data={"password": "the thief's own words"})
    app.test_client().post("/forgotten", data={"email": "thief@example.test"})
    reset = link_in(mails_to(session, "thief@example.test")[-1])
    app.test_client().post(reset, data={"password": "the thief's other words"})
    assert app.test_client().post(undo).status_code == 303
    look_again(session)
    assert user.email == OLD
    assert not is_right("the thief's other words", user.password_hash)
    assert app.test_client().post(undo_of_the_thief).status_code == 410
    assert app.test_client().post(undo).status_code == 410


def test_recovery_codes_made_since_go_with_the_thief(signed_in, session, user):
    undo = change(signed_in, session)
    give_recovery_codes(session, user, at=NOW + timedelta(minutes=1))
    session.commit()
    signed_in.post(undo)
    assert session.scalars(sa.select(RecoveryCode)).all() == []


def test_nobody_but_who_asked_confirms_a_new_address(signed_in, app, session, user):
    link = ask(signed_in, session)
    visitor, other = app.test_client(), app.test_client()
    sign_in(other, make_user(session))
    assert visitor.post(link).location.startswith("/sign-in")
    assert other.post(link).status_code == 410
    look_again(session)
    assert user.email == OLD


@pytest.mark.parametrize(("late", "status"), [(-1, 303), (0, 410)])
def test_it_can_be_taken_back_for_three_days_to_the_second(
    signed_in, session, user, clock, late, status
):
    undo = change(signed_in, session)
    clock.move(timedelta(hours=72, seconds=late))
    assert signed_in.post(undo).status_code == status


def test_nobody_keeps_the_owner_out_by_signing_up_with_the_old_address(
    signed_in, app, session, user
):
    undo = change(signed_in, session)
    thief = app.test_client()
    thief.post("/sign-up", data={"adult": "yes", "email": OLD, "password": "the thief's own words"})
    mails_to(session, OLD)
    assert app.test_client().post(undo).status_code == 303
    look_again(session)
    assert user.email == OLD


def test_links_of_a_reset_that_was_asked_for_before_are_over(signed_in, session, user):
    signed_in.post("/forgotten", data={"email": OLD})
    reset = link_in(mails_to(session, OLD)[-1])
    change(signed_in, session)
    assert signed_in.get(reset).status_code == 410


def test_staff_change_their_address_too(http, session):
    user = make_user(session, "kay@example.test", roles=[Role.moderator])
    give_app(session, user)
    sign_in(http, user)
    http.post(ask(http, session))
    look_again(session)
    assert user.email == NEW
