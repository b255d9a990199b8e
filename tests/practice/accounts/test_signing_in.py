import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.database import unit_of_work
from practice.accounts import entering, passwords
from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.models import Role, SignInSession
from practice.accounts.operations import end_all_sessions
from practice.accounts.passwords import hash_password
from practice.accounts.queries import user_with
from practice.accounts.signing_in import CLIENT_LIMITS, SEEN_EVERY
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.conftest import NOW
from tests.practice.accounts.mailbox import mails_to

ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"


@pytest.fixture
def user(session):
    user = make_client(
        session, user=make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    ).user
    session.commit()
    return user


def try_it(http, email=ADDRESS, password=PASSWORD, **more):
    return http.post("/sign-in", data={"email": email, "password": password, **more})


def words(answer) -> str:
    """The page without what is drawn anew for each answer and without the address typed."""
    drawn_anew = r'nonce="[^"]*"|name="csrf_token" value="[^"]*"'
    return re.sub(rf"{drawn_anew}|(sam|kim)@example.test", "", answer.text)


def is_in(http) -> bool:
    return http.get("/account").status_code == 200


def live(session) -> list[SignInSession]:
    look_again(session)
    return list(session.scalars(sa.select(SignInSession).where(SignInSession.ended_at.is_(None))))


def test_address_and_password_together_open_the_account(http, user):
    answer = try_it(http, email=" SAM@example.test")
    assert answer.status_code == 303
    assert answer.location == "/today"
    assert is_in(http)


def test_a_password_replaced_while_it_was_compared_opens_nothing(http, session, user, monkeypatch):
    right, newer = passwords.is_right, hash_password("a boat on the lake")

    def replaced_meanwhile(password, password_hash):
        answer = right(password, password_hash)
        with unit_of_work() as other:
            user_with(other, ADDRESS).password_hash = newer
        return answer

    monkeypatch.setattr(passwords, "is_right", replaced_meanwhile)
    assert try_it(http).status_code == 422
    assert live(session) == []
    look_again(session)
    assert user.password_hash == newer


def test_signing_in_is_one_transaction_so_a_new_password_ends_it_or_stops_it(
    http, session, user, monkeypatch
):
    """The owner chooses another password right after the first thing that signing in writes."""
    whole, changes = entering.unit_of_work, iter([hash_password("a boat on the lake")])

    @contextmanager
    def followed_by_a_new_password():
        with whole() as inner:
            yield inner
        for newer in changes:
            with whole() as other:
                owner = user_with(other, ADDRESS)
                owner.password_hash = newer
                end_all_sessions(other, owner, owner, NOW)

    monkeypatch.setattr(entering, "unit_of_work", followed_by_a_new_password)
    try_it(http)
    assert live(session) == []
    assert not is_in(http)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(http, user):
    wrong = try_it(http, password="not the one")
    unknown = try_it(http, email="kim@example.test", password="not the one")
    assert wrong.status_code == unknown.status_code == 422
    assert words(wrong) == words(unknown)
    assert not is_in(http)


def test_an_unconfirmed_person_gets_the_same_words_and_a_fresh_mail(http, session, user):
    user.email_confirmed_at = None
    session.commit()
    right = try_it(http)
    wrong = try_it(http, password="not the one")
    assert right.status_code == 422
    assert words(right) == words(wrong)
    assert len(mails_to(session, ADDRESS)) == 1


def test_a_closed_account_gets_the_same_words(http, session, user):
    user.disabled_at = user.created_at
    session.commit()
    assert words(try_it(http)) == words(try_it(http, password="not the one"))
    assert not is_in(http)


def test_too_many_tries_stop_even_the_right_password_for_a_while(http, user, clock):
    for _ in range(BY_ADDRESS[Kind.sign_in].most):
        try_it(http, password="not the one")
    assert "wait a quarter of an hour" in try_it(http).text
    assert not is_in(http)
    clock.move(timedelta(minutes=15))
    assert try_it(http).status_code == 303


def test_an_unknown_address_is_slowed_down_just_the_same(http, user):
    for _ in range(BY_ADDRESS[Kind.sign_in].most):
        try_it(http, email="kim@example.test")
    assert "wait a quarter of an hour" in try_it(http, email="kim@example.test").text


def test_tries_that_cannot_be_counted_are_refused(http, user, monkeypatch):
    def fails(*_arguments):
        raise ConnectionError

    monkeypatch.setattr("practice.accounts.attempts.count", fails)
    assert try_it(http).status_code == 500
    assert not is_in(http)


@pytest.mark.parametrize("path", ["/groups?page=2", "/consents"])
def test_after_signing_in_one_is_where_one_wanted_to_be(http, user, path):
    assert try_it(http, next=path).location == path


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aX: y\r\nLocation: //evil.example",
        "evil.example",
        "/\t/evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(http, user, address):
    assert try_it(http, next=address).location == "/today"


def test_a_page_that_needs_signing_in_is_come_back_to(http, user):
    asked = http.get("/consents")
    assert asked.location == "/sign-in?next=/consents"
    assert 'value="/consents"' in http.get(asked.location).text


def test_signing_in_begins_a_new_session_and_ends_the_one_before(http, session, user):
    try_it(http)
    first = live(session)[0].token_hash
    try_it(http)
    assert [row.token_hash == first for row in live(session)] == [False]


def test_the_cookie_holds_a_token_that_the_database_does_not(http, session, user):
    try_it(http)
    with http.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert live(session)[0].token_hash != token
    assert len(live(session)[0].token_hash) == 64


def test_signing_out_ends_the_session_even_for_a_copied_cookie(http, app, user):
    try_it(http)
    copied = app.test_client()
    with http.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    assert is_in(copied)
    assert http.post("/sign-out").location == "/"
    assert not is_in(http)
    assert not is_in(copied)


def test_locking_the_screen_leads_staff_back_to_signing_in(http, session):
    sign_in(http, make_user(session, roles=[Role.duty_clinician]))
    assert http.post("/sign-out").location == "/sign-in"


def test_an_idle_browser_is_signed_out(http, user, clock):
    try_it(http)
    clock.move(CLIENT_LIMITS.idle)
    assert not is_in(http)


def test_a_browser_in_use_stays_signed_in_until_the_absolute_limit(http, user, clock):
    try_it(http)
    half_days = int(CLIENT_LIMITS.absolute / timedelta(hours=11))
    for _ in range(half_days):
        clock.move(timedelta(hours=11))
        assert is_in(http)
    clock.move(CLIENT_LIMITS.absolute - half_days * timedelta(hours=11))
    assert not is_in(http)


def test_last_seen_is_written_at_most_every_five_minutes(http, session, user, clock):
    try_it(http)
    begun = live(session)[0].last_seen_at
    clock.move(SEEN_EVERY - timedelta(seconds=1))
    http.get("/account")
    assert live(session)[0].last_seen_at == begun
    clock.move(timedelta(seconds=1))
    http.get("/account")
    assert live(session)[0].last_seen_at == begun + SEEN_EVERY


def test_closing_an_account_ends_the_page_that_is_open(http, session, user):
    try_it(http)
    user.disabled_at = user.created_at
    session.add(user)
    session.commit()
    assert not is_in(http)


def test_somebody_signed_in_need_not_sign_in_again(http, user):
    try_it(http)
    assert http.get("/sign-in").location == "/today"


def test_a_form_sent_over_tls_needs_its_token_and_no_referrer(app):
    browser, address = app.test_client(), "https://localhost"
    page = browser.get("/sign-in", base_url=address)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text).group(1)
    data = {"email": ADDRESS, "password": PASSWORD}
    assert browser.post("/sign-in", base_url=address, data=data).status_code == 400
    answer = browser.post("/sign-in", base_url=address, data=data | {"csrf_token": token})
    assert answer.status_code == 422
