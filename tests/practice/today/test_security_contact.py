"""Whoever finds a weakness learns whom to tell (RFC 9116)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.config import BadSetting, settings_from
from tests.conftest import NOW

CONTACT = "mailto:security@care.example.org"


@pytest.fixture
def with_contact(app):
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(
        settings, base_url="https://care.example.org", security_contact=CONTACT
    )
    yield
    app.extensions["settings"] = settings


def test_the_file_names_the_contact_and_is_good_for_less_than_a_year(http, with_contact):
    answer = http.get("/.well-known/security.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    said = dict(line.split(": ", 1) for line in answer.text.splitlines())
    until = datetime.fromisoformat(said.pop("Expires"))
    assert timedelta(days=90) < until - NOW < timedelta(days=365)
    assert said == {
        "Contact": CONTACT,
        "Preferred-Languages": "en",
        "Canonical": "https://care.example.org/.well-known/security.txt",
        "Policy": "https://care.example.org/security",
    }


def test_the_policy_it_names_is_a_page_with_the_same_contact(http, with_contact):
    page = http.get("/security")
    assert f'href="{CONTACT}"' in page.text
    assert "within three working days" in page.text


def test_without_a_contact_there_is_no_file_and_the_page_says_so(http):
    assert http.get("/.well-known/security.txt").status_code == 404
    assert "has not named an address" in http.get("/security").text


@pytest.mark.parametrize(
    "contact",
    ["security@example.org", "javascript:alert(1)", "http://example.org", "mailto:a b@c", "x\ny"],
)
def test_a_contact_that_is_no_address_is_refused_at_the_start(tmp_path, contact):
    with pytest.raises(BadSetting, match="SECURITY_CONTACT"):
        settings_from({"DATA_DIR": str(tmp_path), "SECURITY_CONTACT": contact})


@pytest.mark.parametrize("contact", ["", CONTACT, "https://example.org/report"])
def test_a_contact_is_a_mail_address_or_a_page(tmp_path, contact):
    read = settings_from({"DATA_DIR": str(tmp_path), "SECURITY_CONTACT": contact})
    assert read.security_contact == contact
