"""Every answer keeps its page private, and lets nothing foreign in."""

import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from practice.app import create_app
from practice.groups.models import EnrolmentState
from tests.builders.accounts import make_client, sign_in
from tests.builders.groups import make_enrolment, make_group

ANSWERS = ("/", "/therapists", "/sign-in", "/crisis", "/health", "/nowhere", "/today", "/matches")


@contextmanager
def set_to(app, **choices):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, **choices)
    try:
        yield
    finally:
        app.extensions["settings"] = settings


@pytest.fixture
def over_tls(app):
    with set_to(app, base_url="https://care.example.org"):
        yield


def directives(answer):
    policy = answer.headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


@pytest.mark.parametrize("address", ANSWERS)
def test_pages_redirects_and_errors_carry_the_same_headers(http, address):
    answer = http.get(address)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert directives(answer)["default-src"] == "'none'"
    assert directives(answer)["frame-ancestors"] == "'none'"
    assert directives(answer)["base-uri"] == "'none'"


def test_scripts_and_styles_come_from_here_and_never_from_inside_a_page(http):
    allowed = directives(http.get("/"))
    assert re.fullmatch(r"'nonce-[A-Za-z0-9_-]{22}'", allowed["script-src"])
    assert allowed["style-src"] == "'self'"
    assert allowed["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in " ".join(allowed.values())


def test_a_page_runs_the_scripts_that_carry_its_own_nonce_and_each_page_has_another(http):
    first, second = http.get("/"), http.get("/")
    for answer in (first, second):
        nonce = directives(answer)["script-src"].removeprefix("'nonce-").removesuffix("'")
        scripts = BeautifulSoup(answer.text, "html.parser").find_all("script")
        assert {script["nonce"] for script in scripts} == {nonce}
    assert directives(first)["script-src"] != directives(second)["script-src"]


@pytest.mark.parametrize(
    ("base", "page"),
    [("http://127.0.0.1:8001", "http://127.0.0.1:8001"), ("", "https://checkout.stripe.com")],
)
def test_only_the_page_with_the_button_lets_a_form_lead_to_the_payment_page(
    app, http, session, base, page
):
    seat = make_enrolment(session, make_group(session), make_client(session), EnrolmentState.held)
    sign_in(http, seat.client.user)
    with set_to(app, stripe_api_base=base):
        held = http.get(f"/enrolments/{seat.public_id}")
        others = [http.get(address) for address in ("/", "/today", "/groups")]
    assert "Go to payment" in held.text
    assert directives(held)["form-action"] == f"'self' {page}"
    assert {directives(answer)["form-action"] for answer in others} == {"'self'"}


def test_signing_out_asks_the_browser_to_drop_the_pages_it_keeps(http, session):
    sign_in(http, make_client(session).user)
    assert "Clear-Site-Data" not in http.get("/today").headers
    assert http.post("/sign-out").headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.parametrize(
    ("base", "name"),
    [("https://care.example.org", "__Host-attune"), ("http://localhost", "attune")],
)
def test_the_cookie_is_bound_to_this_host_alone_behind_tls(settings, base, name):
    app = create_app(replace(settings, base_url=base))
    cookie = app.test_client().get("/sign-in", base_url=base).headers["Set-Cookie"]
    parts = {part.strip() for part in cookie.split(";")}
    assert cookie.startswith(f"{name}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert ("Secure" in parts) == base.startswith("https")
    assert not any(part.startswith("Domain") for part in parts)


def test_the_stylesheet_is_kept_for_good_under_the_name_of_its_content(http):
    address = re.search(r'href="(/styles/[0-9a-f]+\.css)"', http.get("/").text)[1]
    answer = http.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert http.get("/styles/0123456789abcdef.css").status_code == 404


def test_over_tls_browsers_are_told_to_stay_there(http, over_tls):
    assert (
        http.get("/").headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    )
    assert "upgrade-insecure-requests" in directives(http.get("/"))


def test_without_tls_nothing_is_said_about_it(http):
    assert "Strict-Transport-Security" not in http.get("/").headers
    assert "upgrade-insecure-requests" not in directives(http.get("/"))
