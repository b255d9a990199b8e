"""A fresh proof before what matters, and nothing typed is lost when the time runs out."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.database import unit_of_work
from practice.accounts import keeping, proof_views
from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.models import KeptForm, Role, SignInSession, User
from practice.accounts.operations import end_all_sessions
from practice.accounts.passwords import hash_password
from practice.accounts.policy import PROOF_LASTS
from practice.accounts.signing_in import CLIENT_LIMITS, STAFF_LIMITS
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.second_factors import code, give_app
from tests.conftest import NOW

ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"
LATE = PROOF_LASTS + timedelta(seconds=1)
TYPED = "canary-7d3f the words that nobody else may read"


@pytest.fixture
def user(session):
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    return make_client(session, user=user).user


@pytest.fixture
def administrator(session):
    return make_user(
        session,
        "kay@example.test",
        roles=[Role.administrator],
        password_hash=hash_password(PASSWORD),
    )


def prove(http, path="", **typed):
    return http.post("/confirm-it-is-you", data={"password": PASSWORD, "next": path} | typed)


def token_hashes(session) -> list[str]:
    look_again(session)
    live = sa.select(SignInSession.token_hash).where(SignInSession.ended_at.is_(None))
    return list(session.scalars(live))


@pytest.mark.parametrize(("after", "status"), [(PROOF_LASTS, 200), (LATE, 303)])
def test_a_proof_lasts_a_quarter_of_an_hour(http, user, clock, after, status):
    sign_in(http, user)
    clock.move(after)
    assert http.get("/account/password").status_code == status


def test_a_password_typed_before_there_was_a_second_factor_proves_too_little(http, session, user):
    session.commit()
    http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    assert http.get("/account/passkeys/new").status_code == 200
    secret = give_app(session, user)
    session.commit()
    assert http.get("/account/passkeys/new").location.startswith("/confirm-it-is-you")
    prove(http, code=code(secret, NOW))
    assert http.get("/account/passkeys/new").status_code == 200


def test_after_the_proof_one_is_back_on_the_page_with_a_new_token(http, session, user, clock):
    sign_in(http, user)
    before = token_hashes(session)
    clock.move(LATE)
    asked = http.get("/account/password?from=somewhere").location
    assert asked == "/confirm-it-is-you?next=/account/password?from%3Dsomewhere"
    assert http.get(asked).status_code == 200
    assert prove(http, "/account/password").location == "/account/password"
    assert http.get("/account/password").status_code == 200
    after = token_hashes(session)
    assert len(after) == len(before) == 1
    assert after != before


def test_the_cookie_from_before_the_proof_opens_nothing(http, app, user):
    sign_in(http, user)
    copied = app.test_client()
    with http.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    prove(http)
    assert http.get("/account").status_code == 200
    assert copied.get("/account").status_code == 303


def test_the_password_alone_does_not_prove_where_there_is_a_second_factor(
    http, session, user, clock
):
    secret = give_app(session, user)
    sign_in(http, user)
    clock.move(LATE)
    at = clock.now()
    assert prove(http).status_code == 422
    assert prove(http, code="000000").status_code == 422
    assert prove(http, password="not mine", code=code(secret, at)).status_code == 422
    assert http.get("/account/password").status_code == 303
    assert prove(http, code=code(secret, at)).status_code == 303
    assert http.get("/account/password").status_code == 200


def test_a_browser_that_was_signed_out_meanwhile_is_asked_to_sign_in(
    http, session, user, monkeypatch
):
    sign_in(http, user)
    is_right = proof_views.passwords.is_right

    def signed_out_meanwhile(password, password_hash):
        with unit_of_work() as other:
            end_all_sessions(other, other.merge(user), other.merge(user), NOW)
        return is_right(password, password_hash)

    monkeypatch.setattr(proof_views.passwords, "is_right", signed_out_meanwhile)
    answer = prove(http, "/account/password")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/account/password"
    assert http.get("/account").location.startswith("/sign-in")
    assert token_hashes(session) == []


def test_guessing_at_an_open_browser_is_stopped(http, user, clock):
    sign_in(http, user)
    for _ in range(BY_ADDRESS[Kind.step_up].most):
        prove(http, password="a guess of mine")
    answer = prove(http)
    assert answer.status_code == 422
    assert "wait a quarter of an hour" in answer.text


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_a_proof_leads_to_no_other_site(http, user, address):
    sign_in(http, user)
    assert prove(http, address).location == "/account"


def test_what_was_typed_when_the_proof_was_too_old_is_sent_after_it(
    http, session, administrator, clock
):
    sign_in(http, administrator)
    clock.move(LATE)
    typed = {"email": "nobody@example.test", "reason": TYPED}
    asked = http.post("/oversight/lost-second-factors", data=typed).location
    assert asked.startswith("/confirm-it-is-you?next=/kept/")
    kept = prove(http, asked.split("next=")[1]).location
    page = http.get(kept).text
    assert TYPED in page
    assert 'action="/oversight/lost-second-factors"' in page
    assert 'name="email" value="nobody@example.test"' in page
    sent = http.post("/oversight/lost-second-factors", data=typed)
    assert "Nobody with this address" in sent.text


def test_what_was_typed_when_one_was_signed_out_waits_behind_signing_in(http, session, user, clock):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    asked = http.post("/account", data={"name": TYPED, "phone": "206 555 0100"}).location
    assert asked.startswith("/sign-in?next=/kept/")
    assert TYPED not in asked
    kept = asked.split("next=")[1]
    data = {"email": ADDRESS, "password": PASSWORD, "next": kept}
    assert http.post("/sign-in", data=data).location == kept
    page = http.get(kept).text
    assert TYPED in page
    assert 'action="/account"' in page
    look_again(session)
    assert user.client.preferred_name != TYPED


def test_nothing_readable_of_it_is_in_the_database(http, session, user, clock):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    http.post("/account", data={"name": TYPED})
    look_again(session)
    sealed = session.scalars(sa.select(KeptForm.sealed)).one()
    assert b"canary" not in sealed
    assert b"account" not in sealed


def test_neither_another_browser_nor_another_person_reads_it(http, app, session, user, clock):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    kept = http.post("/account", data={"name": TYPED}).location.split("next=")[1]
    same_person = app.test_client()
    sign_in(same_person, user)
    assert same_person.get(kept).status_code == 404
    sign_in(http, make_client(session).user)
    assert http.get(kept).status_code == 404
    sign_in(http, session.get_one(User, user.id))
    assert http.get(kept).status_code == 200


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 404)])
def test_it_is_kept_for_half_an_hour_to_the_second(http, user, clock, late, status):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    kept = http.post("/account", data={"name": TYPED}).location.split("next=")[1]
    sign_in(http, user)
    clock.move(keeping.KEPT_FOR + timedelta(seconds=late))
    assert http.get(kept).status_code == status


def test_it_can_be_thrown_away(http, session, user, clock):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    kept = http.post("/account", data={"name": TYPED}).location.split("next=")[1]
    sign_in(http, user)
    assert http.post(f"{kept}/removal").status_code == 303
    assert http.get(kept).status_code == 404
    look_again(session)
    assert session.scalars(sa.select(KeptForm)).all() == []


def test_passwords_and_codes_are_never_kept(http, session, user, clock):
    sign_in(http, user)
    clock.move(LATE)
    asked = http.post("/account/password", data={"password": "canary-secret words", "x": "1"})
    kept = prove(http, asked.location.split("next=")[1]).location
    page = http.get(kept).text
    assert "canary-secret" not in page
    assert 'name="x"' in page


def test_what_was_sent_after_signing_out_is_not_kept(http, session, user):
    sign_in(http, user)
    http.post("/sign-out")
    assert http.post("/account", data={"name": TYPED}).location == "/sign-in"
    look_again(session)
    assert session.scalars(sa.select(KeptForm)).all() == []


def test_only_the_newest_few_are_kept(http, session, user, clock):
    sign_in(http, user)
    clock.move(CLIENT_LIMITS.idle)
    for number in range(keeping.MOST_KEPT + 2):
        http.post("/account", data={"name": f"{number}"})
    look_again(session)
    assert len(session.scalars(sa.select(KeptForm)).all()) == keeping.MOST_KEPT


def test_the_open_page_learns_how_long_is_left_without_putting_it_off(
    http, session, administrator, clock
):
    sign_in(http, administrator)
    clock.move(timedelta(minutes=20))
    told = http.get("/account/time-left").get_json()
    assert told["signed_in"]
    assert told["seconds"] == 600
    clock.move(timedelta(minutes=10))
    assert http.get("/account/time-left").get_json() == {"signed_in": False}


def test_whoever_says_that_they_are_there_stays(http, administrator, clock):
    sign_in(http, administrator)
    clock.move(timedelta(minutes=28))
    assert http.post("/account/staying").get_json()["seconds"] == STAFF_LIMITS.idle.total_seconds()
    clock.move(timedelta(minutes=29))
    assert http.get("/account").status_code == 200


def test_nobody_stays_beyond_the_absolute_limit(http, administrator, clock):
    sign_in(http, administrator)
    for _ in range(26):
        clock.move(timedelta(minutes=27))
        http.post("/account/staying")
    left = http.post("/account/staying").get_json()["seconds"]
    assert left == (STAFF_LIMITS.absolute - timedelta(minutes=26 * 27)).total_seconds()


def test_the_page_that_was_open_gets_the_token_of_whoever_signed_in_again(app, session, user):
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    sign_in(browser, user)
    page = browser.get("/account").text
    mark = re.search(r'person="([0-9a-f]+)"', page).group(1)
    sign_in(browser, user)
    told = browser.get("/account/time-left").get_json()
    assert told["person"] == mark
    sent = browser.post("/account", data={"name": "Robin", "csrf_token": told["token"]})
    assert sent.status_code == 303


def test_another_person_has_another_mark(http, session, user):
    sign_in(http, user)
    mine = http.get("/account/time-left").get_json()["person"]
    sign_in(http, make_client(session).user)
    assert http.get("/account/time-left").get_json()["person"] != mine


def test_signing_out_leaves_nothing_in_the_browser(http, user, clock):
    sign_in(http, user)
    clock.move(LATE)
    http.post("/account/password")
    assert http.get_cookie("attune-kept")
    answer = http.post("/sign-out")
    assert "cache" in answer.headers["Clear-Site-Data"]
    assert http.get_cookie("attune-kept") is None


def test_a_changed_password_ends_every_other_browser(http, app, session, user):
    sign_in(http, user)
    other = app.test_client()
    sign_in(other, user)
    before = token_hashes(session)
    http.post("/account/password", data={"password": "a boat on the lake"})
    assert http.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert not {*token_hashes(session)} & {*before}


def test_all_other_browsers_can_be_signed_out(http, app, user):
    sign_in(http, user)
    others = [app.test_client() for _ in range(2)]
    for browser in others:
        sign_in(browser, user)
    http.post("/account/browsers/others/end")
    assert http.get("/account").status_code == 200
    assert [browser.get("/account").status_code for browser in others] == [303, 303]


def test_changing_roles_asks_for_a_fresh_proof_and_ends_their_sessions(
    http, app, session, administrator, clock
):
    colleague = make_user(session, roles=[Role.moderator])
    theirs = app.test_client()
    sign_in(theirs, colleague)
    sign_in(http, administrator)
    form = {"roles": ["moderator", "duty_clinician"], "confirmed": "yes"}
    address = f"/oversight/staff/{colleague.public_id}/roles"
    clock.move(LATE)
    assert "/confirm-it-is-you" in http.post(address, data=form).location
    sign_in(http, administrator)
    sign_in(theirs, colleague)
    assert http.post(address, data=form).status_code == 303
    assert theirs.get("/account").status_code == 303
    look_again(session)
    assert Role.duty_clinician in colleague.roles


@pytest.mark.parametrize(
    "endpoint",
    "accounts.password accounts.address accounts.begin_authenticator accounts.new_passkey "
    "accounts.new_passkey_options accounts.add_passkey accounts.remove_passkey "
    "accounts.authenticator_page accounts.confirm_authenticator "
    "accounts.remove_authenticator accounts.recovery_codes oversight.roles oversight.invite "
    "oversight.disable oversight.enable oversight.confirm_factor_reset".split(),
)
def test_what_changes_who_gets_in_asks_for_a_fresh_proof(app, endpoint):
    assert app.view_functions[endpoint].step_up


def test_staff_hold_no_code_after_it_was_used_to_prove(http, session, administrator, clock):
    secret = give_app(session, administrator)
    sign_in(http, administrator)
    used = code(secret, NOW)
    assert prove(http, code=used).status_code == 303
    assert prove(http, code=used).status_code == 422
