"""Strangers who guess at a password do not keep its owner out of their own browser."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from practice.accounts import operations
from practice.accounts.attempts import BY_ADDRESS, BY_BROWSER, Kind
from practice.accounts.counters import RedisCounter
from practice.accounts.known_browsers import GOOD_FOR, MOST_ACCOUNTS
from practice.accounts.models import SignInAttempt, User
from practice.accounts.passwords import hash_password
from tests.builders.accounts import look_again, make_client, make_user
from tests.builders.second_factors import code, give_app
from tests.conftest import NOW
from tests.practice.accounts.mailbox import link_in, mails_to
from tests.redis_server import RedisServer

ADDRESS, OTHER, NOBODYS = "sam@example.test", "robin@example.test", "nobody@example.test"
PASSWORD, NEWER = "tea in the rain", "a boat on the lake"
COOKIE = "attune-known"
MOST = BY_ADDRESS[Kind.sign_in].most
WAIT = "wait a quarter of an hour"


@pytest.fixture(params=["database", "redis"])
def counted_in(request, app, tmp_path_factory) -> Iterator[str]:
    """Where the application counts tries."""
    before = app.extensions["attempt_counter"]
    if request.param == "database":
        yield request.param
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    app.extensions["attempt_counter"] = RedisCounter(server.url)
    yield request.param
    app.extensions["attempt_counter"] = before
    server.stop()


@pytest.fixture
def user(session) -> User:
    return person(session, ADDRESS)


@pytest.fixture
def at_home(http, user) -> FlaskClient:
    """A browser on which the owner has signed in, and out again."""
    assert try_it(http).status_code == 303
    http.post("/sign-out")
    return http


def person(session, email: str) -> User:
    user = make_user(session, email, password_hash=hash_password(PASSWORD))
    make_client(session, user=user)
    session.commit()
    return user


def try_it(http, password=PASSWORD, email=ADDRESS):
    return http.post("/sign-in", data={"email": email, "password": password})


def guess(http, times=MOST, email=ADDRESS) -> None:
    for _ in range(times):
        assert try_it(http, "not the one", email).status_code == 422


def is_let_in(http, password=PASSWORD) -> bool:
    return try_it(http, password).status_code == 303


def carry(app, token: str) -> FlaskClient:
    """Another browser with this in its cookie."""
    browser = app.test_client()
    browser.set_cookie(COOKIE, token)
    return browser


def token_of(http) -> str:
    return http.get_cookie(COOKIE).value


def test_strangers_guesses_leave_the_owners_browser_its_own_tries(counted_in, app, at_home):
    guess(app.test_client())
    assert WAIT in try_it(app.test_client()).text
    assert is_let_in(at_home)


def test_a_known_browser_has_ten_tries_and_no_more(counted_in, app, at_home):
    guess(at_home)
    assert WAIT in try_it(at_home).text
    assert is_let_in(app.test_client())


def test_whatever_is_tried_in_the_same_house_leaves_the_owners_browser_its_own(app, at_home):
    strangers = app.test_client()
    for n in range(BY_BROWSER[Kind.sign_in].most):
        try_it(strangers, "not the one", f"person{n}@example.test")
    assert WAIT in try_it(strangers, "not the one", "one.more@example.test").text
    assert is_let_in(at_home)


def test_signing_in_at_home_gives_strangers_no_fresh_tries(counted_in, app, at_home):
    guess(app.test_client())
    assert is_let_in(at_home)
    assert WAIT in try_it(app.test_client()).text


def test_signing_in_forgives_the_known_browsers_own_tries(counted_in, at_home):
    guess(at_home, MOST - 1)
    assert is_let_in(at_home)
    at_home.post("/sign-out")
    guess(at_home)


def test_copies_of_one_token_share_its_tries(app, at_home):
    copies = [carry(app, token_of(at_home)) for _ in range(MOST)]
    for copy in copies:
        guess(copy, 1)
    assert WAIT in try_it(at_home).text


def test_the_second_step_has_tries_of_its_own_at_home_too(app, session, http, user):
    secret = give_app(session, user)
    session.commit()
    assert try_it(http).location == "/sign-in/second-step"
    assert http.get_cookie(COOKIE) is None, "half the way proves nothing yet"
    http.post("/sign-in/second-step", data={"code": code(secret, NOW)})
    http.post("/sign-out")
    thief = app.test_client()
    try_it(thief)
    for _ in range(BY_ADDRESS[Kind.second_factor].most + 1):
        answer = thief.post("/sign-in/second-step", data={"code": "000000"})
    assert WAIT in answer.text
    try_it(http)
    typed = {"code": code(secret, NOW, steps=1)}
    assert http.post("/sign-in/second-step", data=typed).location == "/today"


def test_the_token_proves_nothing_by_itself(app, at_home):
    copy = carry(app, token_of(at_home))
    assert copy.get("/account").location.startswith("/sign-in")
    assert try_it(copy, "not the one").status_code == 422


def test_a_token_is_good_for_its_account_alone(app, session, at_home):
    person(session, OTHER)
    guess(app.test_client(), email=OTHER)
    assert WAIT in try_it(at_home, email=OTHER).text


@pytest.mark.parametrize("part", [0, 1, 2], ids=["made", "nonce", "mac"])
def test_a_token_that_was_changed_is_a_strangers(app, at_home, part):
    parts = token_of(at_home).split(".")
    parts[part] = parts[part][:-1] + ("1" if parts[part][-1] != "1" else "2")
    guess(app.test_client())
    assert WAIT in try_it(carry(app, ".".join(parts))).text


@pytest.mark.parametrize("bad", ["", "~", "..", "a.b", "~~~~~~", "é.é.é", "." * 3000, "x" * 3000])
def test_what_is_no_token_is_a_strangers(app, user, bad):
    app.config["WTF_CSRF_ENABLED"] = False
    browser = carry(app, bad)
    guess(browser)
    assert WAIT in try_it(browser).text


@pytest.mark.parametrize(("late", "let_in"), [(-1, True), (0, False)])
def test_a_token_is_good_for_ninety_days_to_the_second(app, at_home, clock, late, let_in):
    clock.move(GOOD_FOR + timedelta(seconds=late))
    guess(app.test_client())
    assert is_let_in(carry(app, token_of(at_home))) is let_in


def signed_out_everywhere(http, _app, _session):
    try_it(http)
    http.post("/account/browsers/end")


def others_signed_out(_http, app, _session):
    other = app.test_client()
    try_it(other)
    other.post("/account/browsers/others/end")


def password_changed(_http, app, _session):
    other = app.test_client()
    try_it(other)
    other.post("/account/password", data={"password": NEWER})


def password_forgotten(_http, app, session):
    app.test_client().post("/forgotten", data={"email": ADDRESS})
    link = link_in(mails_to(session, ADDRESS)[-1])
    app.test_client().post(link, data={"password": NEWER})


@pytest.mark.parametrize(
    ("ended", "password"),
    [
        (signed_out_everywhere, PASSWORD),
        (others_signed_out, PASSWORD),
        (password_changed, NEWER),
        (password_forgotten, NEWER),
    ],
)
def test_afterwards_the_browser_is_a_strangers_again(app, session, at_home, ended, password):
    token = token_of(at_home)
    ended(at_home, app, session)
    guess(app.test_client())
    assert not is_let_in(carry(app, token), password)


def test_the_browser_on_which_the_password_was_changed_stays_known(app, http, user):
    try_it(http)
    http.post("/account/password", data={"password": NEWER})
    http.post("/sign-out")
    guess(app.test_client())
    assert is_let_in(http, NEWER)


def test_the_browser_on_which_all_others_were_signed_out_stays_known(app, http, user):
    try_it(http)
    http.post("/account/browsers/others/end")
    http.post("/sign-out")
    guess(app.test_client())
    assert is_let_in(http)


def test_signing_out_everywhere_leaves_no_cookie_behind(http, user):
    try_it(http)
    http.post("/account/browsers/end")
    assert http.get_cookie(COOKIE) is None


def test_several_people_of_one_browser_are_each_known(app, session, at_home):
    person(session, OTHER)
    assert try_it(at_home, email=OTHER).status_code == 303
    at_home.post("/sign-out")
    for email in (ADDRESS, OTHER):
        guess(app.test_client(), email=email)
        assert try_it(at_home, email=email).status_code == 303
        at_home.post("/sign-out")


def test_the_cookie_does_not_grow_for_ever(app, session, at_home):
    for n in range(MOST_ACCOUNTS):
        person(session, f"person{n}@example.test")
        try_it(at_home, email=f"person{n}@example.test")
        at_home.post("/sign-out")
    assert token_of(at_home).count(".") == 2 * MOST_ACCOUNTS
    guess(app.test_client())
    assert not is_let_in(at_home), "the one used longest ago has made room"


def test_the_cookie_names_nobody_and_the_table_holds_nothing_of_it(session, http, user):
    try_it(http)
    token = token_of(http)
    http.post("/sign-out")
    guess(http, 1)
    look_again(session)
    for told in (ADDRESS, str(user.public_id), user.public_id.hex, PASSWORD):
        assert told not in token
    kept = " ".join(session.scalars(sa.select(SignInAttempt.counted)))
    assert all(part not in kept for part in token.split(".")[1:])


def test_whoever_brings_a_token_learns_of_no_other_account(app, session, at_home):
    """The same words, statuses and cookies for an address that is known and one that is not."""
    person(session, OTHER)
    seen = []
    for email in (OTHER, NOBODYS):
        browser = carry(app, token_of(at_home))
        guess(app.test_client(), MOST // 2, email)
        answers = [try_it(browser, "not the one", email) for _ in range(MOST + 1)]
        seen.append([(one.status_code, WAIT in one.text, cookies(one)) for one in answers])
    assert seen[0] == seen[1]


def cookies(answer) -> list[str]:
    return [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]


@pytest.mark.parametrize(
    ("base", "name"),
    [("https://localhost", "__Host-attune-known"), ("http://localhost", "attune-known")],
)
def test_the_cookie_is_bound_to_this_host_alone_behind_tls(app, http, user, base, name):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, base_url=base)
    try:
        answer = http.post("/sign-in", base_url=base, data={"email": ADDRESS, "password": PASSWORD})
    finally:
        app.extensions["settings"] = settings
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith(f"{name}=")]
    parts = {part.strip() for part in cookie.split(";")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert ("Secure" in parts) == base.startswith("https")
    assert not any(part.startswith("Domain") for part in parts)


def end_all(session, user):
    operations.end_all_sessions(session, user, user, NOW)


def end_others(session, user):
    operations.end_other_sessions(session, user, user.public_id, NOW)


@pytest.mark.parametrize("end", [end_all, end_others])
def test_signing_out_locks_the_account_before_what_hangs_on_it(session, user, end):
    """As signing in does: in another order the two could wait for each other."""
    changed = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.startswith(("UPDATE", "DELETE")):
            changed.append(statement.removeprefix("DELETE FROM ").split()[:2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        end(session, user)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert changed[0] == ["UPDATE", "users"]
    assert len(changed) == 3
