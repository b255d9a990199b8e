"""Every answer keeps its page private, and lets nothing foreign in."""

import re
from dataclasses import replace

import pytest

ANSWERS = ("/", "/therapists", "/sign-in", "/crisis", "/health", "/nowhere", "/today", "/matches")


@pytest.fixture
def over_tls(app):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, base_url="https://care.example.org")
    yield
    app.extensions["settings"] = settings


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
    assert allowed["script-src"] == "'self'"
    assert allowed["style-src"] == "'self'"
    assert "unsafe" not in " ".join(allowed.values())


def test_a_form_goes_to_us_or_to_the_payment_page_alone(app, http):
    settings = app.extensions["settings"]
    sandbox = replace(settings, stripe_api_base="http://127.0.0.1:8001")
    try:
        app.extensions["settings"] = sandbox
        assert directives(http.get("/"))["form-action"] == "'self' http://127.0.0.1:8001"
        app.extensions["settings"] = replace(settings, stripe_api_base="")
        assert directives(http.get("/"))["form-action"] == "'self' https://checkout.stripe.com"
    finally:
        app.extensions["settings"] = settings


def test_the_stylesheet_is_kept_for_good_under_the_name_of_its_content(http):
    address = re.search(r'href="(/styles/[0-9a-f]+\.css)"', http.get("/").text)[1]
    answer = http.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert http.get("/styles/0123456789abcdef.css").status_code == 404


def test_over_tls_browsers_are_told_to_stay_there(http, over_tls):
    assert "max-age=31536000" in http.get("/").headers["Strict-Transport-Security"]


def test_without_tls_nothing_is_said_about_it(http):
    assert "Strict-Transport-Security" not in http.get("/").headers


def test_a_hostile_host_changes_no_address_on_a_page(http):
    page = http.get("/", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in page.text
