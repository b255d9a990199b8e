from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from practice.accounts import addresses
from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.models import (
    AuthenticatorApp,
    EmailChange,
    Passkey,
    RecoveryCode,
    Role,
)
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
    assert "/address/taken-back/" in answer.location
    assert signed_in.get("/account").status_code == 303
    look_again(session)
    assert user.email == OLD
    assert not is_right(PASSWORD, user.password_hash)
    assert names(session) == ["mine"]
    assert "mine" in owner.get(answer.location).text
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


WAYS = ("Kitchen tablet", "the thief's", "app", "codes")
BEFORE = timedelta(days=3)


@pytest.fixture
def taken(http, app, session, user):
    """Somebody with the password added ways in, and changed the address three days later."""
    give_passkey(session, user, name="Kitchen tablet", at=NOW - timedelta(days=300))
    give_passkey(session, user, name="the thief's", at=NOW - BEFORE)
    give_app(session, user, at=NOW - BEFORE)
    give_recovery_codes(session, user, at=NOW - BEFORE)
    sign_in(http, user)
    return change(http, session)


def names(session) -> list[str]:
    look_again(session)
    return [one.name for one in session.scalars(sa.select(Passkey).order_by(Passkey.id))]


def left(session) -> list[str]:
    """Everything that signs in to the one account beside the password."""
    found = names(session)
    found += ["app"] if session.scalars(sa.select(AuthenticatorApp)).all() else []
    return found + (["codes"] if session.scalars(sa.select(RecoveryCode)).all() else [])


def take_back(owner, undo) -> str:
    answer = owner.post(undo)
    assert answer.status_code == 303
    return answer.location


def boxes(owner, page, *wanted) -> list[str]:
    """The values of the boxes beside these words."""
    found = BeautifulSoup(owner.get(page).text, "html.parser").select("label.choice")
    values = {label.get_text(): label.input["value"] for label in found}
    return [next(value for words, value in values.items() if one in words) for one in wanted]


def begin_again(owner, page, remove, old_password=PASSWORD, password="a boat on the lake"):
    data = {"password": password, "remove": remove, "old_password": old_password}
    return owner.post(page, data=data)


def test_before_the_button_it_says_what_goes_and_what_stays(app, session, user, taken):
    give_passkey(session, user, name="newest", at=NOW + timedelta(minutes=1))
    session.commit()
    page = " ".join(BeautifulSoup(app.test_client().get(taken).text, "html.parser").text.split())
    going, staying = page.split("What was there before stays")
    assert going.count("A passkey, added") == 1
    assert staying.count("A passkey, added") == 2
    assert "An authenticator app, added" in staying
    assert "Recovery codes, added" in staying
    assert not any(name in page for name in ("newest", "Kitchen", "thief"))
    assert len(names(session)) == 3, "looking changes nothing"


def test_after_taking_back_everything_that_signs_in_is_listed_with_its_day(
    app, session, user, taken
):
    owner = app.test_client()
    page = owner.get(take_back(owner, taken)).text
    assert left(session) == list(WAYS)
    for words in ("Kitchen tablet", "the thief’s", "authenticator app", "recovery codes"):
        assert words.replace("’", "&#39;") in page
    assert page.count(", added") == 4
    assert "28 November" in page


@pytest.mark.parametrize(
    ("wanted", "stays"),
    [
        ((), list(WAYS)),
        (("the thief's",), ["Kitchen tablet", "app", "codes"]),
        (("the thief's", "app", "codes"), ["Kitchen tablet"]),
        (("Kitchen tablet", "the thief's", "app"), []),
    ],
)
def test_with_the_password_of_before_each_can_be_removed(app, session, user, taken, wanted, stays):
    owner = app.test_client()
    page = take_back(owner, taken)
    answer = begin_again(owner, page, boxes(owner, page, *wanted))
    assert answer.location == "/sign-in"
    assert left(session) == stays
    assert is_right("a boat on the lake", user.password_hash)
    data = {"email": OLD, "password": "a boat on the lake"}
    where = owner.post("/sign-in", data=data).location
    assert where == ("/sign-in/second-step" if stays else "/today")


@pytest.mark.parametrize("typed", ["", "not the one", "the thief's own words"])
def test_without_it_nothing_of_before_goes_so_a_mailbox_alone_takes_no_second_factor(
    app, http, session, user, taken, typed
):
    http.post("/account/password", data={"password": "the thief's own words"})
    owner = app.test_client()
    page = take_back(owner, taken)
    answer = begin_again(owner, page, boxes(owner, page, "the thief's"), typed)
    assert answer.status_code == 422
    assert "not the password that the account had before" in answer.text
    assert "checked" in answer.text, "what was ticked stays ticked"
    assert left(session) == list(WAYS)
    assert addresses.is_taken_back(user)
    assert begin_again(owner, page, [], typed).location == "/sign-in"
    assert left(session) == list(WAYS)


def test_a_password_that_the_thief_chose_after_asking_is_not_asked_for(
    app, http, session, user, taken
):
    http.post("/account/password", data={"password": "the thief's own words"})
    owner = app.test_client()
    page = take_back(owner, taken)
    assert begin_again(owner, page, boxes(owner, page, "the thief's")).status_code == 303
    assert "the thief's" not in names(session)


def test_guessing_the_password_of_before_is_slowed_down(app, session, user, taken):
    owner = app.test_client()
    page = take_back(owner, taken)
    remove = boxes(owner, page, "the thief's")
    for _ in range(BY_ADDRESS[Kind.sign_in].most):
        begin_again(owner, page, remove, "not the one")
    assert "quarter of an hour" in begin_again(owner, page, remove).text
    assert left(session) == list(WAYS)


def test_beside_nothing_the_new_password_is_a_long_one(app, session, user, taken):
    owner = app.test_client()
    page = take_back(owner, taken)
    every = boxes(owner, page, *WAYS[:2], "app", "codes")
    assert "15" in begin_again(owner, page, every, password="x7#kQ2!a").text
    assert left(session) == list(WAYS)
    fewer = boxes(owner, page, "the thief's")
    assert begin_again(owner, page, fewer, password="x7#kQ2!a").status_code == 303


def test_staff_keep_one_second_factor_whatever_the_mailbox_says(app, http, session):
    user = make_user(session, OLD, roles=[Role.moderator], password_hash=hash_password(PASSWORD))
    give_passkey(session, user, name="mine", at=NOW - BEFORE)
    give_passkey(session, user, name="not mine", at=NOW - BEFORE)
    sign_in(http, user)
    undo, owner = change(http, session), app.test_client()
    page = take_back(owner, undo)
    mine, other = boxes(owner, page, "“mine”"), boxes(owner, page, "“not mine”")
    assert "keep a second factor" in begin_again(owner, page, mine + other).text
    assert names(session) == ["mine", "not mine"]
    assert begin_again(owner, page, other).status_code == 303
    assert names(session) == ["mine"]


def test_a_forgotten_password_opens_no_page_on_which_second_factors_go(
    app, http, session, user, taken
):
    """Only an account that was taken back, and until it has its new password."""
    owner = app.test_client()
    page = take_back(owner, taken)
    begin_again(owner, page, [])
    owner.post("/forgotten", data={"email": OLD})
    token = link_in(mails_to(session, OLD)[-1]).rpartition("/")[2]
    answer = owner.get(f"/address/taken-back/{token}")
    assert answer.location == f"/reset/{token}"
    data = {"password": "lanterns by the river", "remove": ["app"], "old_password": PASSWORD}
    owner.post(f"/address/taken-back/{token}", data=data)
    assert left(session) == list(WAYS)


def test_the_page_works_once_and_for_an_hour(app, session, clock, user, taken):
    owner = app.test_client()
    page = take_back(owner, taken)
    clock.move(timedelta(minutes=59))
    assert begin_again(owner, page, []).status_code == 303
    assert owner.get(page).status_code == 410
    assert begin_again(owner, page, []).status_code == 410


def test_when_its_hour_is_over_a_forgotten_password_leads_back_to_the_page(
    app, session, clock, user, taken
):
    owner = app.test_client()
    page = take_back(owner, taken)
    clock.move(timedelta(hours=1))
    assert owner.get(page).status_code == 410
    owner.post("/forgotten", data={"email": OLD})
    again = owner.get(link_in(mails_to(session, OLD)[-1])).location
    assert again.startswith("/address/taken-back/")
    assert begin_again(owner, again, boxes(owner, again, "the thief's")).location == "/sign-in"
    assert "the thief's" not in names(session)


def test_the_address_that_is_replaced_is_told(app, session, user, taken):
    """Whoever reads it may be the owner, who has left a mailbox that somebody else reads."""
    take_back(app.test_client(), taken)
    mail = mails_to(session, NEW)[-1]
    assert "changed back" in mail["subject"]
    assert OLD not in mail["body"]


def test_how_many_ways_in_went_is_written_down(app, session, user, taken):
    owner = app.test_client()
    page = take_back(owner, taken)
    begin_again(owner, page, boxes(owner, page, "the thief's", "app"))
    look_again(session)
    row = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "ways_in.removed")).one()
    assert row.details["removed"] == 2


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
