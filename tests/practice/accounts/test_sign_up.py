from datetime import timedelta

import pytest
import sqlalchemy as sa

from practice.accounts import queries
from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.models import Client, Role, SignInSession, User
from practice.accounts.passwords import is_right
from tests.builders.accounts import look_again, make_user
from tests.practice.accounts.mailbox import carry_out, link_in, mails_to

ADDRESS = "sam@example.test"
GOOD = {"adult": "yes", "email": "Sam@Example.test", "password": "tea in the rain"}


def user_with(session, address: str) -> User | None:
    carry_out(session)
    return queries.user_with(session, address)


def count(session, table) -> int:
    carry_out(session)
    return session.scalar(sa.select(sa.func.count()).select_from(table))


def test_the_question_for_adults_comes_first_and_leaves_no_cookie(http):
    page = http.get("/sign-up")
    assert "Are you 18 or older?" in page.text
    assert "password" not in page.text.lower()
    assert "Set-Cookie" not in page.headers


def test_a_young_person_meets_help_and_nothing_is_stored(http, session):
    page = http.get("/young-people")
    assert "988" in page.text
    assert "741741" in page.text
    assert "Set-Cookie" not in page.headers
    assert count(session, User) == 0


@pytest.mark.parametrize("adult", ["", "no"])
def test_without_saying_one_is_an_adult_no_account_is_opened(http, session, adult):
    answer = http.post("/sign-up", data=GOOD | {"adult": adult})
    assert answer.status_code == 303
    assert answer.location == "/sign-up"
    assert count(session, User) == 0


def test_an_adult_signs_up_and_is_a_client_only_once_confirmed(http, session):
    assert http.post("/sign-up", data=GOOD).location == "/sign-up/sent"
    user = user_with(session, ADDRESS)
    assert user.roles == {Role.client}
    assert user.client.adult_attested_at is not None
    assert not user.is_confirmed
    assert "$argon2id$" in user.password_hash


def test_a_therapist_is_not_asked_and_becomes_no_client(http, session):
    assert 'name="password"' in http.get("/sign-up?for=therapist").text
    http.post("/sign-up", data=GOOD | {"adult": "", "for": "therapist"})
    assert user_with(session, ADDRESS).roles == {Role.therapist}
    assert count(session, Client) == 0


@pytest.mark.parametrize("role", ["administrator", "duty_clinician", "supervisor"])
def test_nobody_gives_themselves_another_role(http, session, role):
    http.post("/sign-up", data=GOOD | {"for": role})
    assert user_with(session, ADDRESS).roles == {Role.client}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"email": "sam"}, "does not look like an e-mail address"),
        ({"email": ""}, "Please give your e-mail address"),
        ({"password": "short"}, "at least 15 characters"),
        ({"password": "password123password123"}, "easy to guess"),
        ({"password": "x" * 600 + "yz" * 600}, "at most 1,000"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays(http, wrong, words):
    answer = http.post("/sign-up", data=GOOD | {"email": "kim@example.test"} | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert (GOOD | {"email": "kim@example.test"} | wrong)["email"] in answer.text


def test_a_known_address_gets_the_same_answer_and_a_mail(http, session):
    make_user(session, "known@example.test")
    session.commit()
    unknown = http.post("/sign-up", data=GOOD)
    known = http.post("/sign-up", data=GOOD | {"email": "known@example.test"})
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert known.data == unknown.data
    assert {*dict(known.headers)} == {*dict(unknown.headers)}
    assert "already" in mails_to(session, "known@example.test")[0]["subject"]
    assert not is_right(GOOD["password"], user_with(session, "known@example.test").password_hash)


def test_the_newest_sign_up_of_an_unconfirmed_address_counts(http, session):
    http.post("/sign-up", data=GOOD | {"password": "somebody else's words"})
    http.post("/sign-up", data=GOOD)
    first, second = mails_to(session, ADDRESS)
    assert http.post(link_in(first)).status_code == 410
    assert http.post(link_in(second)).status_code == 303
    assert is_right(GOOD["password"], user_with(session, ADDRESS).password_hash)
    assert count(session, User) == 1


def test_signing_up_with_an_invited_address_sets_no_password(http, session):
    make_user(
        session, ADDRESS, roles=[Role.administrator], confirmed=False, password_hash="none yet"
    )
    session.commit()
    http.post("/sign-up", data=GOOD)
    user = user_with(session, ADDRESS)
    assert user.password_hash == "none yet"
    assert user.roles == {Role.administrator}
    assert "/invitation/" in link_in(mails_to(session, ADDRESS)[0])


def test_looking_at_the_link_changes_nothing_and_pressing_the_button_signs_in(http, session):
    http.post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, ADDRESS)[0])
    assert http.get(link).status_code == 200
    assert not user_with(session, ADDRESS).is_confirmed
    answer = http.post(link)
    assert answer.location == "/consents/before-you-begin"
    look_again(session)
    assert user_with(session, ADDRESS).is_confirmed
    assert count(session, SignInSession) == 1
    assert http.get("/account").status_code == 200


def test_a_therapist_goes_on_to_the_application(http, session):
    http.post("/sign-up", data=GOOD | {"for": "therapist"})
    assert http.post(link_in(mails_to(session, ADDRESS)[0])).location == "/apply"


def test_a_link_works_once(http, app, session):
    http.post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, ADDRESS)[0])
    http.post(link)
    again = app.test_client()
    assert again.post(link).status_code == 410
    assert again.get(link).status_code == 410
    assert again.get("/account").status_code == 303


@pytest.mark.parametrize(("late", "status"), [(-1, 303), (0, 410)])
def test_a_link_is_good_for_a_day_to_the_second(http, session, clock, late, status):
    http.post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, ADDRESS)[0])
    clock.move(timedelta(days=1, seconds=late))
    assert http.post(link).status_code == status


def test_a_made_up_link_is_refused(http):
    assert http.get("/confirm/made-up").status_code == 410
    assert http.post("/confirm/made-up").status_code == 410


def test_the_link_is_sent_again_to_whoever_waits_and_to_nobody_else(http, session):
    make_user(session, "known@example.test")
    session.commit()
    http.post("/sign-up", data=GOOD)
    waiting = http.post("/sign-up/sent", data={"email": ADDRESS})
    known = http.post("/sign-up/sent", data={"email": "known@example.test"})
    unknown = http.post("/sign-up/sent", data={"email": "nobody@example.test"})
    assert waiting.status_code == known.status_code == unknown.status_code == 303
    assert len(mails_to(session, ADDRESS)) == 2
    assert mails_to(session, "known@example.test") == []
    assert mails_to(session, "nobody@example.test") == []


def test_an_address_is_not_flooded_with_mails(http, session):
    most = BY_ADDRESS[Kind.sign_up].most
    for _ in range(most):
        http.post("/sign-up", data=GOOD)
    answer = http.post("/sign-up", data=GOOD)
    assert answer.status_code == 422
    assert "wait a quarter of an hour" in answer.text
    assert len(mails_to(session, ADDRESS)) == most


def test_mails_about_accounts_say_nothing_of_health(http, session):
    make_user(session, "known@example.test")
    session.commit()
    http.post("/sign-up", data=GOOD)
    http.post("/sign-up", data=GOOD | {"email": "known@example.test"})
    http.post("/forgotten", data={"email": "known@example.test"})
    mails = mails_to(session, ADDRESS) + mails_to(session, "known@example.test")
    assert len(mails) == 3
    for mail in mails:
        text = (mail["subject"] + mail["body"]).lower()
        assert not any(word in text for word in ("therap", "health", "intake", "clinic", "client"))


def test_a_stranger_who_signs_up_with_my_address_after_me_gets_no_account(http, app, session):
    http.post("/sign-up", data=GOOD)
    app.test_client().post("/sign-up", data=GOOD | {"password": "a stranger's words"})
    link = link_in(mails_to(session, ADDRESS)[-1])
    assert 'name="password"' in http.get(link).text
    answer = http.post(link, data={"password": GOOD["password"]})
    assert answer.status_code == 422
    assert "/forgotten" in answer.text
    look_again(session)
    assert not user_with(session, ADDRESS).is_confirmed


def test_a_click_alone_confirms_nothing_that_a_stranger_began(http, app, session):
    app.test_client().post("/sign-up", data=GOOD)
    assert http.post(link_in(mails_to(session, ADDRESS)[0])).status_code == 422
    look_again(session)
    assert not user_with(session, ADDRESS).is_confirmed


def test_on_another_device_the_password_confirms(http, app, session):
    app.test_client().post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, ADDRESS)[0])
    assert http.post(link, data={"password": GOOD["password"]}).status_code == 303
    assert http.get("/account").status_code == 200


def test_guessing_the_password_of_a_confirmation_is_slowed_down(http, app, session):
    app.test_client().post("/sign-up", data=GOOD)
    link = link_in(mails_to(session, ADDRESS)[0])
    for _ in range(BY_ADDRESS[Kind.sign_in].most):
        http.post(link, data={"password": "a guess"})
    assert http.post(link, data={"password": GOOD["password"]}).status_code == 422


@pytest.mark.parametrize(
    ("first", "then", "role"),
    [("", "therapist", Role.therapist), ("therapist", "", Role.client)],
)
def test_nobody_becomes_client_and_colleague_under_one_address(http, session, first, then, role):
    http.post("/sign-up", data=GOOD | {"for": first})
    carry_out(session)
    http.post("/sign-up", data=GOOD | {"for": then})
    user = user_with(session, ADDRESS)
    assert user.roles == {role}
    assert count(session, Client) == (role is Role.client)
