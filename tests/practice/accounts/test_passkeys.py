import base64
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import unit_of_work
from practice.accounts import attempts, passkeys
from practice.accounts.attempts import BY_BROWSER, Kind
from practice.accounts.challenges import GOOD_FOR
from practice.accounts.models import Passkey, Role, SignInAttempt, SignInSession, User
from practice.accounts.passkey_views import MOST_PAGES
from practice.accounts.passkeys import PasskeyRefused
from practice.accounts.passwords import hash_password
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.authenticator import USER_PRESENT, SoftAuthenticator
from tests.builders.second_factors import add_passkey, give_app, give_passkey
from tests.conftest import NOW
from tests.practice.accounts.mailbox import mails_to

ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"


@pytest.fixture
def user(session):
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    return make_client(session, user=user).user


@pytest.fixture
def key(http, user):
    """A passkey of the user, whose browser is signed out again."""
    key = SoftAuthenticator()
    sign_in(http, user)
    add_passkey(http, key)
    http.post("/sign-out")
    return key


def sign_in_with(http, key, path=""):
    options = http.post("/passkey-options").get_json()
    data = {"credential": key.get(options), "next": path}
    return http.post("/sign-in/passkey", data=data)


def is_in(http) -> bool:
    return http.get("/account").status_code == 200


def rows(session) -> list[Passkey]:
    look_again(session)
    return list(session.scalars(sa.select(Passkey).order_by(Passkey.id)))


def test_a_passkey_alone_signs_in_and_counts_as_two_factors(http, session, key):
    answer = sign_in_with(http, key, "/consents")
    assert answer.location == "/consents"
    assert is_in(http)
    newest = sa.select(SignInSession).order_by(SignInSession.id.desc())
    assert session.scalars(newest).first().is_strong


def test_a_passkey_that_signed_in_counts_as_one_try_of_the_browser(http, session, key):
    sign_in_with(http, key)
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 1


def test_the_browser_is_asked_for_a_key_that_knows_its_owner_and_no_names_are_told(http, key):
    options = http.post("/passkey-options").get_json()
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert not options.get("allowCredentials")


def test_a_new_passkey_must_be_discoverable_and_not_be_there_already(http, user, key):
    sign_in(http, user)
    options = http.post("/account/passkeys/new/options").get_json()
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert len(options["excludeCredentials"]) == 1
    data = {"name": "Again", "credential": key.create(options)}
    answer = http.post("/account/passkeys/new", data=data)
    assert answer.status_code == 422
    assert "already" in answer.text


@pytest.mark.parametrize(
    "bent",
    [{"origin": "http://evil.example"}, {"site": "evil.example"}, {"flags": USER_PRESENT}],
    ids=["another origin", "another site", "nobody verified"],
)
def test_an_answer_made_elsewhere_or_without_its_owner_is_refused(http, key, bent):
    for name, value in bent.items():
        setattr(key, name, value)
    assert sign_in_with(http, key).location == "/sign-in"
    assert not is_in(http)


@pytest.mark.parametrize(
    "bent",
    [{"origin": "http://evil.example"}, {"site": "evil.example"}, {"flags": USER_PRESENT}],
    ids=["another origin", "another site", "nobody verified"],
)
def test_a_key_made_elsewhere_or_without_its_owner_is_not_taken(http, session, user, bent):
    sign_in(http, user)
    options = http.post("/account/passkeys/new/options").get_json()
    data = {"name": "Bent", "credential": SoftAuthenticator(**bent).create(options)}
    assert http.post("/account/passkeys/new", data=data).status_code == 422
    assert rows(session) == []


def test_an_answer_is_taken_once(http, app, key):
    options = http.post("/passkey-options").get_json()
    answer = {"credential": key.get(options)}
    copied = app.test_client()
    with http.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    assert http.post("/sign-in/passkey", data=answer).location == "/today"
    assert copied.post("/sign-in/passkey", data=answer).location == "/sign-in"


def test_two_pages_of_one_browser_wait_for_a_key_beside_each_other(http, key):
    first = http.post("/passkey-options").get_json()
    http.post("/passkey-options")
    answer = http.post("/sign-in/passkey", data={"credential": key.get(first)})
    assert answer.location == "/today"


def test_a_browser_remembers_few_of_the_challenges_it_asked_for(http, key):
    first = http.post("/passkey-options").get_json()
    for _ in range(MOST_PAGES):
        newest = http.post("/passkey-options").get_json()
    for options, path in ((first, "/sign-in"), (newest, "/today")):
        answer = http.post("/sign-in/passkey", data={"credential": key.get(options)})
        assert answer.location == path


def test_a_page_that_only_waits_for_a_key_uses_up_no_tries(app, http, key):
    for _ in range(BY_BROWSER[Kind.sign_in].most + 1):
        assert "challenge" in http.post("/passkey-options").get_json()
    assert sign_in_with(http, key).location == "/today"


def test_challenges_run_out_for_one_connection_too(session, http):
    for _ in range(BY_BROWSER[Kind.challenge].most):
        attempts.count(Kind.challenge, "", "127.0.0.1", NOW)
    assert http.post("/passkey-options").get_json() == {"refused": True}


@pytest.mark.parametrize("purpose", ["excludeCredentials", "allowCredentials"])
def test_a_browser_is_told_how_each_key_is_reached(http, session, user, purpose):
    give_passkey(session, user).transports = ["internal", "hybrid", "a way yet to come"]
    sign_in(http, user)
    path = "/passkey-options" if purpose == "allowCredentials" else "/account/passkeys/new/options"
    [known] = http.post(path).get_json()[purpose]
    assert known["transports"] == ["internal", "hybrid"]
    assert known["type"] == "public-key"


def test_how_a_new_key_is_reached_is_kept(http, session, user):
    sign_in(http, user)
    key = SoftAuthenticator()
    answer = json.loads(key.create(http.post("/account/passkeys/new/options").get_json()))
    answer["response"]["transports"] = ["usb", "nfc"]
    http.post("/account/passkeys/new", data={"name": "Key", "credential": json.dumps(answer)})
    [known] = http.post("/account/passkeys/new/options").get_json()["excludeCredentials"]
    assert known["transports"] == ["usb", "nfc"]


def test_a_challenge_is_good_on_the_browser_that_asked_for_it(http, app, key):
    options = http.post("/passkey-options").get_json()
    elsewhere = app.test_client()
    answer = {"credential": key.get(options)}
    assert elsewhere.post("/sign-in/passkey", data=answer).location == "/sign-in"


@pytest.mark.parametrize(("late", "path"), [(-1, "/today"), (0, "/sign-in")])
def test_a_challenge_is_good_for_five_minutes_to_the_second(http, key, clock, late, path):
    options = http.post("/passkey-options").get_json()
    clock.move(GOOD_FOR + timedelta(seconds=late))
    assert http.post("/sign-in/passkey", data={"credential": key.get(options)}).location == path


def test_a_count_that_went_back_means_a_copy_and_is_refused(http, session, key):
    key.count = 5
    assert sign_in_with(http, key).location == "/today"
    assert rows(session)[0].sign_count == 5
    http.post("/sign-out")
    for count in (5, 4, 0):
        key.count = count
        assert sign_in_with(http, key).location == "/sign-in"
    key.count = 6
    assert sign_in_with(http, key).location == "/today"


def test_a_key_that_is_removed_while_its_answer_is_looked_at_opens_nothing(
    http, session, key, monkeypatch
):
    verified = passkeys.verified_use

    def removed_meanwhile(*arguments):
        used = verified(*arguments)
        with unit_of_work() as other:
            other.execute(sa.delete(Passkey))
        return used

    monkeypatch.setattr(passkeys, "verified_use", removed_meanwhile)
    assert sign_in_with(http, key).location == "/sign-in"
    assert not is_in(http)


def test_a_count_that_was_shown_twice_at_once_opens_once(http, session, key, monkeypatch):
    """Two copies of a key answer at the same moment, and the other one was a little quicker."""
    verified = passkeys.verified_use

    def used_meanwhile(*arguments):
        used = verified(*arguments)
        with unit_of_work() as other:
            other.execute(sa.update(Passkey).values(sign_count=7))
        return used

    monkeypatch.setattr(passkeys, "verified_use", used_meanwhile)
    key.count = 7
    assert sign_in_with(http, key).location == "/sign-in"
    assert not is_in(http)


def test_an_account_that_is_closed_while_the_answer_is_looked_at_is_not_entered(
    http, session, user, key, monkeypatch
):
    verified = passkeys.verified_use

    def closed_meanwhile(*arguments):
        used = verified(*arguments)
        with unit_of_work() as other:
            other.execute(sa.update(User).values(disabled_at=user.created_at))
        return used

    monkeypatch.setattr(passkeys, "verified_use", closed_meanwhile)
    begun = sa.select(sa.func.count()).select_from(SignInSession)
    before = session.scalar(begun)
    assert sign_in_with(http, key).location == "/sign-in"
    look_again(session)
    assert session.scalar(begun) == before, "it would be good again once the account is"


def test_a_signature_of_another_key_is_refused(http, key):
    thief = SoftAuthenticator(credential_id=key.credential_id, owner=key.owner)
    assert sign_in_with(http, thief).location == "/sign-in"


def test_a_key_that_names_another_owner_is_refused(http, session, key):
    key.owner = make_user(session).public_id.bytes
    session.commit()
    assert sign_in_with(http, key).location == "/sign-in"


def test_a_closed_account_opens_for_no_passkey(http, session, user, key):
    user.disabled_at = user.created_at
    session.add(user)
    session.commit()
    assert sign_in_with(http, key).location == "/sign-in"


def test_an_answer_for_signing_in_does_not_prove_and_the_other_way_round(http, user, key, clock):
    options = http.post("/passkey-options").get_json()
    answer = {"credential": key.get(options)}
    sign_in(http, user)
    assert "/confirm-it-is-you" in http.post("/confirm-it-is-you/passkey", data=answer).location


def test_a_passkey_proves_who_is_signed_in(http, user, key, clock):
    sign_in(http, user)
    clock.move(timedelta(minutes=16))
    assert http.get("/account/password").location == "/confirm-it-is-you?next=/account/password"
    options = http.post("/passkey-options").get_json()
    assert len(options["allowCredentials"]) == 1
    data = {"credential": key.get(options), "next": "/account/password"}
    assert http.post("/confirm-it-is-you/passkey", data=data).location == "/account/password"
    assert http.get("/account/password").status_code == 200


def test_nobody_proves_with_somebody_elses_passkey(http, session, key, clock):
    sign_in(http, make_client(session).user)
    clock.move(timedelta(minutes=16))
    options = http.post("/passkey-options").get_json()
    http.post("/confirm-it-is-you/passkey", data={"credential": key.get(options)})
    assert http.get("/account/password").status_code == 303


def test_beside_a_passkey_the_password_needs_a_second_step(http, key):
    answer = http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    assert answer.location == "/sign-in/second-step"
    assert sign_in_with(http, key).location == "/today"


def test_the_first_passkey_comes_with_recovery_codes_and_a_mail(http, session, user):
    sign_in(http, user)
    key = SoftAuthenticator()
    options = http.post("/account/passkeys/new/options").get_json()
    data = {"name": "Kitchen tablet", "credential": key.create(options)}
    answer = http.post("/account/passkeys/new", data=data)
    assert "/account/recovery-codes/" in answer.location
    assert "Kitchen tablet" in http.get("/account").text
    assert "How you sign in" in mails_to(session, ADDRESS)[-1]["subject"]
    assert "Kitchen" not in mails_to(session, ADDRESS)[-1]["body"]


def test_several_are_kept_apart_by_name_and_each_can_go(http, session, user, key):
    sign_in(http, user)
    add_passkey(http, SoftAuthenticator(), "Laptop")
    first, second = rows(session)
    http.post(f"/account/passkeys/{second.public_id}", data={"name": "Work laptop"})
    assert "Work laptop" in http.get("/account").text
    gone = http.post(f"/account/passkeys/{first.public_id}/removal", data={"password": PASSWORD})
    assert gone.status_code == 303
    assert [row.name for row in rows(session)] == ["Work laptop"]
    http.post("/sign-out")
    assert sign_in_with(http, key).location == "/sign-in"


def test_nobody_names_or_removes_another_persons_passkey(http, session, key):
    sign_in(http, make_client(session).user)
    address = f"/account/passkeys/{rows(session)[0].public_id}"
    assert http.get(address).status_code == 404
    assert http.post(address, data={"name": "Mine"}).status_code == 404
    assert http.post(f"{address}/removal", data={"password": PASSWORD}).status_code == 404


def test_staff_set_up_a_passkey_from_the_page_they_are_led_to(http, session):
    make_user(session, ADDRESS, roles=[Role.administrator], password_hash=hash_password(PASSWORD))
    session.commit()
    http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    assert http.get("/oversight").location == "/account/second-factor"
    add_passkey(http, SoftAuthenticator())
    assert http.get("/oversight").status_code == 200


def test_removing_the_only_one_beside_an_app_is_fine_even_for_staff(http, session):
    user = make_user(
        session, ADDRESS, roles=[Role.administrator], password_hash=hash_password(PASSWORD)
    )
    give_app(session, user)
    sign_in(http, user)
    add_passkey(http, SoftAuthenticator())
    address = f"/account/passkeys/{rows(session)[0].public_id}/removal"
    assert http.post(address, data={"password": "not mine at all"}).status_code == 422
    assert http.post(address, data={"password": PASSWORD}).status_code == 303


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None
)
@given(noise=st.binary(max_size=300), part=st.sampled_from(["attestationObject", "clientDataJSON"]))
def test_whatever_bytes_arrive_as_a_new_key_are_refused_by_name(app, noise, part):
    """Nothing but PasskeyRefused, for parsers of other people see bytes that nobody checked."""
    answer = json.loads(SoftAuthenticator().create(OPTIONS))
    answer["response"][part] = base64.urlsafe_b64encode(noise).decode()
    with pytest.raises(PasskeyRefused):
        passkeys.verified_new(app.extensions["settings"], answer, b"challenge")


OPTIONS = {"user": {"id": "AAAA"}, "challenge": "Y2hhbGxlbmdl"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"response": 1}', "x" * 20_000, "[" * 16_000]
)
def test_what_is_no_credential_is_refused(http, key, text):
    http.post("/passkey-options")
    assert http.post("/sign-in/passkey", data={"credential": text}).location == "/sign-in"
