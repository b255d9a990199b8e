"""We answer under our own names, and other sites change nothing here."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.mail import KeptMail
from core.outbox import drain
from practice.accounts import operations
from practice.accounts.models import EmailToken, Role, SignInSession
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.conftest import NOW

EVIL = "evil.example"
PASSWORD = "a quiet river lantern"


@pytest.fixture
def in_service(app):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, base_url="https://care.example.org")
    yield app
    app.extensions["settings"] = settings


@pytest.mark.parametrize(
    "host",
    [EVIL, f"{EVIL}:443", "care.example.org.evil.example", "localhost.evil.example", "", "["],
)
@pytest.mark.parametrize("address", ["/", "/sign-in", "/nowhere", "/forgotten"])
def test_a_request_for_another_name_is_refused_with_a_page_that_does_not_repeat_it(
    in_service, http, host, address
):
    answer = http.get(address, headers={"Host": host})
    assert answer.status_code == 400
    assert EVIL not in answer.text
    assert "988" in answer.text


@pytest.mark.parametrize(
    "host", ["care.example.org", "CARE.example.org:443", "localhost:8000", "127.0.0.1", "[::1]:80"]
)
def test_our_own_names_are_answered(in_service, http, host):
    assert http.get("/crisis", headers={"Host": host}).status_code == 200


def test_a_probe_may_ask_under_any_name_whether_all_is_well(in_service, http):
    assert http.get("/health", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_a_forwarded_name_is_never_believed(in_service, http):
    page = http.get("/", headers={"X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}"})
    assert page.status_code == 200
    assert EVIL not in page.text + str(page.headers)


@pytest.mark.parametrize("host", [EVIL, "localhost"])
@pytest.mark.parametrize("what", ["confirm", "reset", "invitation", "known already"])
def test_no_name_in_a_request_reaches_a_mail(in_service, http, session, host, what):
    ask_for_mail(http, session, what, {"Host": host, "X-Forwarded-Host": EVIL})
    drain(in_service, NOW)
    look_again(session)
    mails = session.scalars(sa.select(KeptMail)).all()
    if host == EVIL and what != "invitation":
        assert (mails, session.scalars(sa.select(EmailToken)).all()) == ([], [])
        return
    assert mails
    for mail in mails:
        assert "https://care.example.org/" in mail.body
        assert EVIL not in mail.body
        assert "http://localhost" not in mail.body


def ask_for_mail(http, session, what, headers):
    if what == "invitation":
        administrator = make_user(session, roles=[Role.administrator])
        operations.invite(session, "new@example.test", "New", {Role.moderator}, administrator, NOW)
        session.commit()
        return
    make_user(session, "known@example.test")
    session.commit()
    address = {"confirm": "new@example.test"}.get(what, "known@example.test")
    form = {"email": address, "password": PASSWORD, "adult": "yes"}
    http.post("/forgotten" if what == "reset" else "/sign-up", data=form, headers=headers)


@pytest.mark.parametrize("address", ["/today", "/account", "/intake"])
def test_a_redirect_names_no_host_at_all(in_service, http, address):
    location = http.get(address, headers={"X-Forwarded-Host": EVIL}).headers["Location"]
    assert location.startswith("/sign-in")


FROM_OTHERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://care.example.org"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://care.example.org.evil.example"},
    {"Origin": "http://care.example.org"},
]
FROM_US = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "null"},
    {"Origin": "https://care.example.org"},
    {"Origin": "http://localhost"},
]


@pytest.mark.parametrize("headers", FROM_OTHERS, ids=str)
def test_what_another_site_sends_changes_nothing(in_service, http, session, headers):
    sign_in(http, make_client(session).user)
    answer = http.post("/sign-out", headers=headers)
    assert answer.status_code == 403
    look_again(session)
    assert session.scalars(sa.select(SignInSession.ended_at)).all() == [None]


@pytest.mark.parametrize("headers", FROM_US, ids=str)
def test_what_our_own_pages_send_goes_through(in_service, http, session, headers):
    sign_in(http, make_client(session).user)
    assert http.post("/sign-out", headers=headers).status_code == 303


def test_following_a_link_from_another_site_is_welcome(in_service, http):
    assert http.get("/crisis", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_only_the_payment_company_sends_from_elsewhere(in_service, http):
    answer = http.post("/webhooks/stripe", headers={"Origin": "https://stripe.example"})
    assert (answer.status_code, answer.text) == (400, "not genuine")


def token_on(http, address):
    with http.session_transaction() as cookie:
        before = cookie.get("csrf_token")
    http.get(address)
    with http.session_transaction() as cookie:
        return before, cookie["csrf_token"]


def test_a_token_belongs_to_one_visit_and_is_another_after_signing_in(app, session):
    browser, other = app.test_client(), app.test_client()
    _none, before = token_on(browser, "/sign-in")
    assert token_on(browser, "/sign-in")[1] == before
    assert token_on(other, "/sign-in")[1] != before
    sign_in(browser, make_client(session).user)
    assert token_on(browser, "/account") == (None, token_on(browser, "/account")[1])
    assert token_on(browser, "/account")[1] != before
